#include "wire/heads.h"

#include <string.h>

Navette__Head **nv_heads_to_pack(const struct nv_far_head *heads, size_t count, bool with_scope, struct nv_arena *arena)
{
    Navette__Head **pointers = nv_arena_alloc(arena, count * sizeof(Navette__Head *));
    Navette__Head *packed = nv_arena_alloc(arena, count * sizeof *packed);
    if (pointers == NULL || packed == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &packed[i];
        navette__head__init(&packed[i]);
        packed[i].site = nv_binary(heads[i].site.bytes, sizeof heads[i].site.bytes);
        packed[i].epoch = heads[i].epoch;
        packed[i].seq = heads[i].seq;
        packed[i].pin = nv_binary(heads[i].pin.bytes, sizeof heads[i].pin.bytes);
        if (with_scope)
            packed[i].scope = nv_binary(heads[i].scope.bytes, sizeof heads[i].scope.bytes);
    }
    return pointers;
}

static bool take_head(const Navette__Head *head, const struct nv_scope_id *scope, struct nv_far_head *ret_head)
{
    ret_head->epoch = head->epoch;
    ret_head->seq = head->seq;
    bool has_scope = false;
    if (scope == NULL)
        has_scope = nv_binary_take(head->scope, ret_head->scope.bytes, sizeof ret_head->scope.bytes);
    else
        ret_head->scope = *scope;
    return has_scope == (scope == NULL) && (scope == NULL || head->scope.len == 0) && head->seq > 0 &&
           nv_binary_take(head->site, ret_head->site.bytes, sizeof ret_head->site.bytes) &&
           nv_binary_take(head->pin, ret_head->pin.bytes, sizeof ret_head->pin.bytes);
}

enum nv_status nv_heads_take(Navette__Head *const *heads, size_t count, const struct nv_scope_id *scope,
                             struct nv_arena *arena, struct nv_far_head **ret_heads, struct nv_error *error)
{
    struct nv_far_head *taken = nv_arena_alloc(arena, count * sizeof *taken);
    if (taken == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for %zu heads", count);
    for (size_t i = 0; i < count; i++)
        if (!take_head(heads[i], scope, &taken[i]))
            return nv_fail(error, NV_REFUSED, "a head with ids of another size, a wrong scope or no seq: not taken");
    *ret_heads = taken;
    return NV_OK;
}
