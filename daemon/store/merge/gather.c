#include "store/merge/gather.h"

#include "wire/hash.h"

/* Of a longer text or blob a candidate has so many bytes, and the hash of the whole: siblings of one field may be many,
 * and each as long as an op. */
enum { LONG_BYTES = 4096 };

/* Keeps the first bytes of the value once the changeset that it stands in is closed, with room for `more`. */
static enum nv_status keep(struct nv_arena *arena, struct nv_value *value, size_t size, size_t more,
                           struct nv_error *error)
{
    if (value->type < NV_TEXT)
        return NV_OK;
    uint8_t *copy = nv_arena_alloc(arena, size + more + 1);
    if (copy == NULL)
        return nv_no_memory(error);
    if (size > 0)
        memcpy(copy, value->bytes.data, size);
    value->bytes = (struct nv_slice){copy, size + more};
    return NV_OK;
}

static enum nv_status keep_short(struct nv_arena *arena, struct nv_value *value, struct nv_error *error)
{
    if (value->type < NV_TEXT || value->bytes.size <= LONG_BYTES)
        return keep(arena, value, value->bytes.size, 0, error);
    struct nv_hash hash = nv_hash_of(value->bytes);
    enum nv_status status = keep(arena, value, LONG_BYTES, sizeof hash.bytes, error);
    if (status == NV_OK)
        memcpy((uint8_t *)(uintptr_t)value->bytes.data + LONG_BYTES, hash.bytes, sizeof hash.bytes);
    return status;
}

static enum nv_status fill(struct nv_store *store, const struct nv_sibling *sibling, unsigned field,
                           struct nv_arena *arena, struct nv_op *op, struct nv_candidate *candidate,
                           struct nv_error *error)
{
    const struct nv_log *log = nv_log_by_number(store, sibling->dot.log);
    if (log == NULL)
        return nv_fail(error, NV_CORRUPT, "store: a version names an unknown log; run `navette rebuild`");
    *candidate = (struct nv_candidate){.time = sibling->time,
                                       .site = log->id.site,
                                       .epoch = log->id.epoch,
                                       .seq = sibling->dot.seq,
                                       .index = sibling->dot.index};
    enum nv_status status = nv_opened_op(store, sibling->dot, arena, op, &candidate->header, error);
    if (status != NV_OK)
        return status;
    const struct nv_value *value = nv_op_value(op, field);
    if (value == NULL)
        return nv_fail(error, NV_CORRUPT, "store: a version names a value that is not there; run `navette rebuild`");
    candidate->value = *value;
    return keep_short(arena, &candidate->value, error);
}

/* Which of the record's siblings the candidate is. All of them stand in logs of one scope. */
static struct nv_dot dot_of(struct nv_store *store, const struct nv_record *record,
                            const struct nv_candidate *candidate)
{
    for (size_t i = 0; i < record->sibling_count; i++) {
        struct nv_dot dot = record->siblings[i].dot;
        const struct nv_log *log = nv_log_by_number(store, dot.log);
        if (dot.seq == candidate->seq && dot.index == candidate->index && log != NULL &&
            log->id.epoch == candidate->epoch && nv_site_id_compare(log->id.site, candidate->site) == 0)
            return dot;
    }
    return (struct nv_dot){0};
}

enum nv_status nv_gather_whole(struct nv_store *store, const struct nv_record *record,
                               const struct nv_candidate *candidate, unsigned field, struct nv_arena *arena,
                               struct nv_value *ret_value, struct nv_error *error)
{
    *ret_value = candidate->value;
    if (candidate->value.type < NV_TEXT || candidate->value.bytes.size <= LONG_BYTES)
        return NV_OK;
    struct nv_op *op = nv_arena_alloc(arena, sizeof *op);
    if (op == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_opened_op(store, dot_of(store, record, candidate), arena, op, NULL, error);
    if (status != NV_OK)
        return status;
    *ret_value = *nv_op_value(op, field);
    return keep(arena, ret_value, ret_value->bytes.size, 0, error);
}

enum nv_status nv_gather(struct nv_store *store, const struct nv_record *record, unsigned field, struct nv_arena *arena,
                         struct nv_candidate **ret_candidates, size_t *ret_count, struct nv_error *error)
{
    struct nv_op *op = nv_arena_alloc(arena, sizeof *op);
    struct nv_candidate *candidates = nv_arena_alloc(arena, (record->sibling_count + 1) * sizeof *candidates);
    if (op == NULL || candidates == NULL)
        return nv_no_memory(error);
    size_t count = 0;
    for (size_t i = 0; i < record->sibling_count; i++) {
        if ((record->siblings[i].fields >> field & 1) == 0)
            continue;
        enum nv_status status = fill(store, &record->siblings[i], field, arena, op, &candidates[count], error);
        if (status != NV_OK)
            return status;
        count++;
    }
    *ret_candidates = candidates;
    *ret_count = count;
    return NV_OK;
}

enum nv_status nv_gather_shown(struct nv_store *store, const struct nv_table *table, const struct nv_record *record,
                               unsigned field, struct nv_arena *arena, struct nv_value *ret_value,
                               struct nv_error *error)
{
    struct nv_candidate *candidates;
    size_t count;
    enum nv_status status = nv_gather(store, record, field, arena, &candidates, &count, error);
    if (status != NV_OK)
        return status;
    if (count == 0)
        return nv_fail(error, NV_BUG, "store: a field without siblings has no value to show");
    size_t chosen = nv_rule_choose(table->fields[field].rule, candidates, count, record->home);
    return nv_gather_whole(store, record, &candidates[chosen], field, arena, ret_value, error);
}
