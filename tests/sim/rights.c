#include "rights.h"

#include <assert.h>
#include <string.h>

void sim_rights_done(struct sim_rights *rights)
{
    for (size_t i = 0; i < rights->taking_count; i++) {
        nv_heads_done(&rights->takings[i].named);
        nv_heads_done(&rights->takings[i].last);
    }
}

void sim_rights_give(struct sim_rights *rights, size_t scope, size_t place, uint64_t position,
                     const struct nv_public_key *sign_key)
{
    assert(rights->span_count < SIM_SPANS);
    struct sim_span *span = &rights->spans[rights->span_count++];
    *span = (struct sim_span){.scope = scope, .place = place, .begins = position, .ends = UINT64_MAX};
    if (sign_key != NULL)
        span->sign_key = *sign_key;
}

void sim_rights_take(struct sim_rights *rights, size_t scope, size_t place, uint64_t position)
{
    for (size_t i = 0; i < rights->span_count; i++) {
        struct sim_span *span = &rights->spans[i];
        if (span->place == place && span->ends == UINT64_MAX && span->scope == scope)
            span->ends = position;
    }
}

void sim_rights_take_all(struct sim_rights *rights, size_t place, uint64_t position)
{
    for (size_t scope = 0; scope < SIM_BIT_OWN; scope++)
        sim_rights_take(rights, scope, place, position);
}

static const struct sim_span *span_from(const struct sim_rights *rights, size_t scope, size_t place, uint64_t first,
                                        uint64_t last)
{
    for (size_t i = 0; i < rights->span_count; i++) {
        const struct sim_span *span = &rights->spans[i];
        if (span->scope == scope && span->place == place && span->begins < span->ends && span->begins <= last &&
            first < span->ends)
            return span;
    }
    return NULL;
}

static bool reads_between(const struct sim_rights *rights, size_t scope, size_t place, uint64_t first, uint64_t last)
{
    if (scope >= SIM_BIT_OWN)
        return scope - SIM_BIT_OWN == place && span_from(rights, SIM_BIT_NETWORK, place, first, last) != NULL;
    return span_from(rights, scope, place, first, last) != NULL;
}

bool sim_rights_reads(const struct sim_rights *rights, size_t scope, size_t place, uint64_t position)
{
    return reads_between(rights, scope, place, position, position);
}

bool sim_rights_reads_from(const struct sim_rights *rights, size_t scope, size_t place, uint64_t position)
{
    return reads_between(rights, scope, place, position, UINT64_MAX);
}

const struct nv_public_key *sim_rights_sign_key(const struct sim_rights *rights, size_t place, uint64_t position)
{
    const struct sim_span *span = span_from(rights, SIM_BIT_NETWORK, place, position, position);
    return span == NULL ? NULL : &span->sign_key;
}

size_t sim_rights_place(const struct sim_rights *rights, struct nv_site_id site)
{
    for (size_t place = 0; place < rights->places; place++)
        if (nv_site_id_compare(rights->sites[place], site) == 0)
            return place;
    return SIZE_MAX;
}

size_t sim_rights_bit(const struct sim_rights *rights, struct nv_scope_id scope)
{
    struct nv_site_id site;
    if (nv_scope_id_equal(scope, NV_SCOPE_NETWORK))
        return SIM_BIT_NETWORK;
    for (size_t group = 0; group < SIM_GROUPS; group++)
        if (rights->is_made[group] && nv_scope_id_equal(rights->groups[group], scope))
            return SIM_BIT_GROUP + group;
    memcpy(site.bytes, scope.bytes, sizeof site.bytes);
    size_t place = sim_rights_place(rights, site);
    return place == SIZE_MAX ? SIM_BITS : SIM_BIT_OWN + place;
}

struct nv_scope_id sim_rights_scope(const struct sim_rights *rights, size_t bit)
{
    struct nv_scope_id id = NV_SCOPE_NETWORK;
    if (bit >= SIM_BIT_OWN)
        memcpy(id.bytes, rights->sites[bit - SIM_BIT_OWN].bytes, sizeof id.bytes);
    else if (bit >= SIM_BIT_GROUP)
        id = rights->groups[bit - SIM_BIT_GROUP];
    return id;
}
