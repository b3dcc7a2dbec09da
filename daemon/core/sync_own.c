/* What we hold, as the machine keeps it: heads, when each grew, and a digest for each scope. */
#include <stdlib.h>

#include "base/planted.h"
#include "core/sync_internal.h"

_Static_assert(sizeof(struct nv_far_head) == 64, "heads are compared as bytes: nothing stands between their parts");

void nv_sync_own_done(struct nv_own *own)
{
    nv_heads_done(&own->heads);
    free(own->grown);
    free(own->fresh);
    free(own->parts);
    free(own->firsts);
    *own = (struct nv_own){0};
}

/* ---- taking it up -------------------------------------------------------------------------------------------------
 */

static enum nv_status take_heads(const struct nv_event *event, struct nv_own *own)
{
    const struct nv_far_head *heads = event->grew.heads;
    for (size_t i = 0; i < event->grew.count && nv_scope_id_equal(heads[i].scope, NV_SCOPE_AUTHORITY); i++)
        own->authority = heads[i].seq;
    return nv_heads_assign(&own->heads, heads, event->grew.count);
}

/* When each of them grew last: those that are new or beyond what they were, now. */
static enum nv_status mark_growth(const struct nv_sync *sync, struct nv_own *own, bool *ret_shrank)
{
    const struct nv_heads *before = &sync->own.heads;
    size_t count = own->heads.count, place = 0;
    own->grown = calloc(count + 1, sizeof *own->grown);
    own->fresh = calloc(count + 1, sizeof *own->fresh);
    if (own->grown == NULL || own->fresh == NULL)
        return NV_NO_MEMORY;
    *ret_shrank = !nv_heads_cover(&own->heads, before->heads, before->count);
    for (size_t i = 0; i < count; i++) {
        const struct nv_far_head *head = &own->heads.heads[i];
        while (place < before->count && nv_far_head_order(&before->heads[place], head) < 0)
            place++;
        bool is_same = place < before->count && nv_far_head_order(&before->heads[place], head) == 0;
        if (is_same && before->heads[place].seq >= head->seq) {
            own->grown[i] = sync->own.grown[place];
            continue;
        }
        own->grown[i] = sync->generation + 1;
        own->fresh[own->fresh_count++] = i;
    }
    return NV_OK;
}

/* The digest of a part that did not change is the one that it had. */
static struct nv_digest digest_part(const struct nv_sync *sync, const struct nv_far_head *heads, size_t count)
{
    const struct nv_own *before = &sync->own;
    for (size_t i = 0; i < before->part_count; i++) {
        if (!nv_scope_id_equal(before->parts[i].scope, heads->scope))
            continue;
        const struct nv_far_head *old = &before->heads.heads[before->firsts[i]];
        size_t old_count = before->firsts[i + 1] - before->firsts[i];
        if (old_count == count && memcmp(old, heads, count * sizeof *heads) == 0)
            return before->parts[i].digest;
        break;
    }
    return sync->digests->part(heads, count);
}

static enum nv_status divide(const struct nv_sync *sync, struct nv_own *own)
{
    const struct nv_far_head *heads = own->heads.heads;
    size_t count = own->heads.count;
    own->parts = calloc(count + 1, sizeof *own->parts);
    own->firsts = calloc(count + 1, sizeof *own->firsts);
    if (own->parts == NULL || own->firsts == NULL)
        return NV_NO_MEMORY;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && nv_scope_id_equal(heads[first].scope, heads[end].scope);)
            end++;
        own->parts[own->part_count].scope = heads[first].scope;
        own->parts[own->part_count].digest = digest_part(sync, heads + first, end - first);
        own->firsts[own->part_count++] = first;
    }
    own->firsts[own->part_count] = count;
    return NV_OK;
}

enum nv_status nv_sync_take_own(struct nv_sync *sync, const struct nv_event *event, bool *ret_shrank)
{
    struct nv_own own = {0};
    enum nv_status status = take_heads(event, &own);
    if (status == NV_OK)
        status = mark_growth(sync, &own, ret_shrank);
    if (status == NV_OK)
        status = divide(sync, &own);
    struct nv_part_digest *said = status == NV_OK ? calloc(own.part_count + 1, sizeof *said) : NULL;
    if (said == NULL) {
        nv_sync_own_done(&own);
        return NV_NO_MEMORY;
    }
    free(sync->said);
    sync->said = said;
    nv_sync_own_done(&sync->own);
    sync->own = own;
    sync->generation++;
    sync->newest = event->grew.newest;
    return NV_OK;
}

/* ---- looking at it ------------------------------------------------------------------------------------------------
 */

/* The part of a scope, part_count where we hold nothing of it. */
static size_t find_part(const struct nv_own *own, struct nv_scope_id scope)
{
    size_t low = 0, high = own->part_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(own->parts[middle].scope.bytes, scope.bytes, sizeof scope.bytes);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return own->part_count;
}

/* The next part that is in the set; part_count after the last one. Those of a set that lists few are looked up, so that
 * a hub with many scopes does not go through them all for each of its peers. */
static size_t next_part(struct nv_runs *runs)
{
    const struct nv_scope_set *scopes = runs->scopes;
    size_t part = runs->own->part_count;
    if (scopes->is_empty)
        return part;
    if (scopes->has_all)
        return runs->next < part ? runs->next++ : part;
    while (part == runs->own->part_count && runs->next < scopes->count + 2) {
        size_t next = runs->next++;
        struct nv_scope_id first = next == 0 ? NV_SCOPE_AUTHORITY : NV_SCOPE_NETWORK;
        part = find_part(runs->own, next < 2 ? first : scopes->scopes[next - 2]);
    }
    return part;
}

bool nv_sync_next_run(struct nv_runs *runs, const struct nv_far_head **ret_heads, size_t *ret_count)
{
    size_t part = next_part(runs);
    if (part == runs->own->part_count)
        return false;
    *ret_heads = &runs->own->heads.heads[runs->own->firsts[part]];
    *ret_count = runs->own->firsts[part + 1] - runs->own->firsts[part];
    return true;
}

bool nv_sync_has_ours(const struct nv_sync *sync, const struct nv_peer *peer)
{
    struct nv_runs runs = {.own = &sync->own, .scopes = &peer->shared};
    struct nv_heads has = peer->has;
    const struct nv_far_head *heads;
    size_t count;
    while (nv_sync_next_run(&runs, &heads, &count)) {
        /* What stands before this run was looked at. */
        while (has.count > 0 && nv_far_head_order(has.heads, heads) < 0) {
            has.heads++;
            has.count--;
        }
        if (!nv_heads_cover(&has, heads, count))
            return false;
    }
    return true;
}

struct nv_digest nv_sync_digest(struct nv_sync *sync, const struct nv_peer *peer)
{
    struct nv_runs runs = {.own = &sync->own, .scopes = &peer->shared};
    size_t count = 0;
    for (size_t part; (part = next_part(&runs)) < sync->own.part_count;)
        sync->said[count++] = sync->own.parts[part];
    return sync->digests->whole(sync->said, count);
}

enum nv_status nv_sync_copy_own(const struct nv_sync *sync, const struct nv_peer *peer, uint64_t after,
                                struct nv_actions *actions, struct nv_far_head **ret_heads, size_t *ret_count)
{
    struct nv_runs runs = {.own = &sync->own, .scopes = &peer->shared};
    const struct nv_far_head *heads;
    size_t count, room = 0;
    while (nv_sync_next_run(&runs, &heads, &count))
        room += count;
    struct nv_far_head *copy = nv_arena_alloc(&actions->arena, (room + 1) * sizeof *copy);
    if (copy == NULL)
        return NV_NO_MEMORY;
    *ret_heads = copy;
    *ret_count = 0;
    for (runs.next = 0; nv_sync_next_run(&runs, &heads, &count);)
        for (size_t i = 0; i < count; i++)
            if (sync->own.grown[&heads[i] - sync->own.heads.heads] > after)
                copy[(*ret_count)++] = heads[i];
    return NV_OK;
}

enum nv_status nv_sync_assign_own(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_heads *has)
{
    struct nv_runs runs = {.own = &sync->own, .scopes = &peer->shared};
    const struct nv_far_head *heads;
    size_t count;
    nv_heads_clear(has);
    while (nv_sync_next_run(&runs, &heads, &count))
        if (nv_heads_join(has, heads, count) != NV_OK)
            return NV_NO_MEMORY;
    return NV_OK;
}
