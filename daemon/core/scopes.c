#include "core/scopes.h"

#include <stdlib.h>

void nv_scope_set_done(struct nv_scope_set *set)
{
    if (set->capacity > 0)
        free(set->scopes);
    *set = (struct nv_scope_set){0};
}

static int order(struct nv_scope_id a, struct nv_scope_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

bool nv_scopes_ascend(const struct nv_scope_id *scopes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (order(scopes[i - 1], scopes[i]) >= 0)
            return false;
    return true;
}

static bool is_listed(const struct nv_scope_set *set, struct nv_scope_id scope)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int which = order(set->scopes[middle], scope);
        if (which == 0)
            return true;
        if (which < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool is_in_every_set(struct nv_scope_id scope)
{
    return nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) || nv_scope_id_equal(scope, NV_SCOPE_NETWORK);
}

bool nv_scope_set_has(const struct nv_scope_set *set, struct nv_scope_id scope)
{
    if (set->is_empty)
        return false;
    return set->has_all || is_in_every_set(scope) || is_listed(set, scope);
}

bool nv_scope_set_within(const struct nv_scope_set *lesser, const struct nv_scope_set *greater)
{
    if (lesser->is_empty || greater->has_all)
        return true;
    if (greater->is_empty || lesser->has_all)
        return false;
    for (size_t i = 0; i < lesser->count; i++)
        if (!nv_scope_set_has(greater, lesser->scopes[i]))
            return false;
    return true;
}

bool nv_scope_set_equal(const struct nv_scope_set *a, const struct nv_scope_set *b)
{
    return nv_scope_set_within(a, b) && nv_scope_set_within(b, a);
}

static enum nv_status reserve(struct nv_scope_set *set, size_t count)
{
    if (count <= set->capacity)
        return NV_OK;
    struct nv_scope_id *scopes = malloc(count * sizeof *scopes);
    if (scopes == NULL)
        return NV_NO_MEMORY;
    if (set->capacity > 0)
        free(set->scopes);
    set->scopes = scopes;
    set->capacity = count;
    return NV_OK;
}

enum nv_status nv_scope_set_copy(struct nv_scope_set *set, const struct nv_scope_set *other)
{
    static const struct nv_scope_set all = {.has_all = true};
    return nv_scope_set_meet(set, other, &all);
}

enum nv_status nv_scope_set_meet(struct nv_scope_set *set, const struct nv_scope_set *a, const struct nv_scope_set *b)
{
    bool is_empty = a->is_empty || b->is_empty;
    const struct nv_scope_set *listed = a->has_all ? b : a, *other = a->has_all ? a : b;
    size_t most = is_empty ? 0 : listed->count;
    if (reserve(set, most) != NV_OK)
        return NV_NO_MEMORY;
    set->is_empty = is_empty;
    set->has_all = !is_empty && a->has_all && b->has_all;
    set->count = 0;
    for (size_t i = 0; i < most; i++)
        if (!is_in_every_set(listed->scopes[i]) && nv_scope_set_has(other, listed->scopes[i]))
            set->scopes[set->count++] = listed->scopes[i];
    return NV_OK;
}
