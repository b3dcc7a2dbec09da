#include "store/gather.h"

static enum nv_status no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY, "store: out of memory");
}

/* Keeps the value once the changeset that it stands in is closed. */
static enum nv_status keep(struct nv_arena *arena, struct nv_value *value, struct nv_error *error)
{
    if (value->type < NV_TEXT)
        return NV_OK;
    uint8_t *copy = nv_arena_alloc(arena, value->bytes.size + 1);
    if (copy == NULL)
        return no_memory(error);
    if (value->bytes.size > 0)
        memcpy(copy, value->bytes.data, value->bytes.size);
    value->bytes.data = copy;
    return NV_OK;
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
    return keep(arena, &candidate->value, error);
}

enum nv_status nv_gather(struct nv_store *store, const struct nv_record *record, unsigned field, struct nv_arena *arena,
                         struct nv_candidate **ret_candidates, size_t *ret_count, struct nv_error *error)
{
    struct nv_op *op = nv_arena_alloc(arena, sizeof *op);
    struct nv_candidate *candidates = nv_arena_alloc(arena, (record->sibling_count + 1) * sizeof *candidates);
    if (op == NULL || candidates == NULL)
        return no_memory(error);
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
    *ret_value = candidates[nv_rule_choose(table->fields[field].rule, candidates, count, record->home)].value;
    return NV_OK;
}
