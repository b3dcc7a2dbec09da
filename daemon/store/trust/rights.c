/* Asking for rights. */
#include "store/trust/rights.h"

#include "store/trust/state.h"

static bool holds(const struct nv_span_of_right *span, uint64_t position)
{
    bool goes_on = span->ends == NV_POSITION_NOW;
    return span->begins <= position && (goes_on || position < span->ends);
}

/* ---- members ---- */

const struct nv_membership *nv_memberships_of(const struct nv_rights *rights, struct nv_site_id site, size_t *ret_count)
{
    size_t low = 0, high = rights->membership_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (nv_site_id_compare(rights->memberships[middle].site, site) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct nv_membership *first = rights->membership_count == 0 ? NULL : &rights->memberships[low];
    size_t count = 0;
    while (low + count < rights->membership_count && nv_site_id_compare(first[count].site, site) == 0)
        count++;
    *ret_count = count;
    return first;
}

const struct nv_membership *nv_membership_last(const struct nv_rights *rights, struct nv_site_id site)
{
    size_t count;
    const struct nv_membership *rows = nv_memberships_of(rights, site, &count);
    return count == 0 ? NULL : &rows[count - 1];
}

static const struct nv_membership *membership_at(const struct nv_store *store, struct nv_site_id site,
                                                 uint64_t position)
{
    size_t count;
    const struct nv_membership *rows = nv_memberships_of(store->rights, site, &count);
    for (size_t i = 0; i < count; i++)
        if (holds(&rows[i].span, position))
            return &rows[i];
    return NULL;
}

bool nv_right_member(const struct nv_store *store, struct nv_site_id site, uint64_t position)
{
    return membership_at(store, site, position) != NULL;
}

const struct nv_public_key *nv_right_sign_key(const struct nv_store *store, struct nv_site_id site, uint64_t position)
{
    const struct nv_membership *membership = membership_at(store, site, position);
    return membership == NULL ? NULL : &membership->sign_key;
}

/* ---- readers ---- */

static int order_reader(const struct nv_readership *readership, struct nv_scope_id scope, struct nv_site_id site)
{
    int order = memcmp(readership->scope.bytes, scope.bytes, sizeof scope.bytes);
    return order != 0 ? order : nv_site_id_compare(readership->site, site);
}

const struct nv_readership *nv_readerships_of(const struct nv_rights *rights, struct nv_scope_id scope,
                                              struct nv_site_id site, size_t *ret_count)
{
    size_t low = 0, high = rights->readership_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_reader(&rights->readerships[middle], scope, site) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct nv_readership *first = rights->readership_count == 0 ? NULL : &rights->readerships[low];
    size_t count = 0;
    while (low + count < rights->readership_count && order_reader(&first[count], scope, site) == 0)
        count++;
    *ret_count = count;
    return first;
}

static bool is_listed(const struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site, uint64_t position)
{
    size_t count;
    const struct nv_readership *rows = nv_readerships_of(store->rights, scope, site, &count);
    for (size_t i = 0; i < count; i++)
        if (holds(&rows[i].span, position))
            return true;
    return false;
}

bool nv_right_reads(const struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site, uint64_t position)
{
    const struct nv_scope *known = nv_scope_find(store, scope);
    if (known == NULL)
        return false;
    switch (known->kind) {
    case NV_SCOPE_IS_NETWORK:
        return nv_right_member(store, site, position);
    case NV_SCOPE_IS_SITE:
        return memcmp(scope.bytes, site.bytes, sizeof site.bytes) == 0 && nv_right_member(store, site, position);
    case NV_SCOPE_IS_GROUP:
        return is_listed(store, scope, site, position);
    }
    return false;
}

uint64_t nv_right_left(const struct nv_store *store, struct nv_scope_id scope)
{
    const struct nv_rights *rights = store->rights;
    uint64_t left = 0;
    for (size_t i = 0; i < rights->readership_count; i++) {
        const struct nv_readership *row = &rights->readerships[i];
        bool has_ended = row->span.ends != NV_POSITION_NOW && nv_scope_id_equal(row->scope, scope);
        if (has_ended && row->span.ends > left)
            left = row->span.ends;
    }
    return left;
}

bool nv_right_reads_granted(const struct nv_store *store, struct nv_site_id site, uint64_t position)
{
    const struct nv_membership *membership = membership_at(store, site, position);
    return membership != NULL && membership->reader;
}

uint64_t nv_right_last(const struct nv_store *store, struct nv_site_id site)
{
    const struct nv_membership *last = nv_membership_last(store->rights, site);
    if (last == NULL)
        return 0;
    return last->span.ends == NV_POSITION_NOW ? NV_POSITION_NOW : last->span.ends - 1;
}

bool nv_right_carries(const struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site, uint64_t position)
{
    const struct nv_membership *membership = membership_at(store, site, position);
    if (membership == NULL)
        return false;
    return membership->role == NV_ROLE_HUB || nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) ||
           nv_right_reads(store, scope, site, position);
}

/* ---- what was taken away ---- */

static bool concerns(const struct nv_taking *taking, struct nv_scope_id scope)
{
    return nv_scope_id_equal(taking->scope, NV_SCOPE_AUTHORITY) || nv_scope_id_equal(taking->scope, scope);
}

const struct nv_taking *nv_taking_next(const struct nv_store *store, struct nv_site_id site, struct nv_scope_id scope,
                                       const struct nv_taking *after)
{
    const struct nv_rights *rights = store->rights;
    size_t low = 0, high = rights->taking_count;
    if (after != NULL)
        low = high = (size_t)(after - rights->takings) + 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (nv_site_id_compare(rights->takings[middle].site, site) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < rights->taking_count && nv_site_id_compare(rights->takings[low].site, site) == 0; low++)
        if (concerns(&rights->takings[low], scope))
            return &rights->takings[low];
    return NULL;
}

const struct nv_far_head *nv_taking_head(const struct nv_taking *taking, const struct nv_log_id *log)
{
    struct nv_far_head wanted = {.site = log->site, .epoch = log->epoch, .scope = log->scope};
    const struct nv_heads heads = {.heads = (struct nv_far_head *)taking->heads, .count = taking->head_count};
    return nv_heads_find(&heads, &wanted);
}
