#include "store/scopes/carrying.h"

#include "store/capture/localop.h"
#include "store/merge/gather.h"
#include "store/schema/published.h"

enum { LAYERS = 256 /* distinct values of one field */ };

/* The values of one field: first the one that the row shows. */
struct carried_field {
    struct nv_candidate *values;
    size_t count;
};

/* ---- the values ---- */

static bool is_listed(const struct carried_field *field, const struct nv_value *value)
{
    for (size_t i = 0; i < field->count; i++)
        if (nv_value_equal(&field->values[i].value, value))
            return true;
    return false;
}

/* Each distinct value once, of several siblings with one value the latest. */
static enum nv_status list_values(struct nv_merge *source, const struct nv_table *table, unsigned place,
                                  struct carried_field *field, struct nv_error *error)
{
    const struct nv_record *record = &source->version.record;
    struct nv_candidate *candidates;
    size_t count;
    enum nv_status status = nv_gather(source->store, record, place, &source->arena, &candidates, &count, error);
    if (status != NV_OK)
        return status;
    field->count = 0;
    field->values = nv_arena_alloc(&source->arena, (count + 1) * sizeof *field->values);
    if (field->values == NULL)
        return nv_no_memory(error);
    while (count > 0) {
        enum nv_rule rule = field->count == 0 ? table->fields[place].rule : NV_RULE_LAST;
        size_t next = nv_rule_choose(rule, candidates, count, record->home);
        if (!is_listed(field, &candidates[next].value))
            field->values[field->count++] = candidates[next];
        candidates[next] = candidates[--count];
    }
    for (size_t i = 0; status == NV_OK && i < field->count; i++)
        status = nv_gather_whole(source->store, record, &field->values[i], place, &source->arena,
                                 &field->values[i].value, error);
    return status;
}

/* What a row shows of a field that nobody wrote, as old as the record. */
static enum nv_status add_default(struct nv_merge *source, const struct nv_table *table, unsigned place,
                                  struct carried_field *field, struct nv_error *error)
{
    const struct nv_record *record = &source->version.record;
    struct nv_candidate *value = &field->values[0];
    *value = (struct nv_candidate){.time = source->now};
    for (size_t i = 0; i < record->sibling_count; i++)
        if (record->siblings[i].time.ms < value->time.ms)
            value->time = record->siblings[i].time;
    field->count = 1;
    return nv_published_default(source->store, table, place, &source->arena, &value->value, error);
}

static enum nv_status list_fields(const struct nv_carrying *carrying, struct carried_field *fields, size_t *ret_layers,
                                  struct nv_error *error)
{
    const struct nv_table *table = carrying->access->table;
    enum nv_status status = NV_OK;
    *ret_layers = 0;
    for (nv_fields rest = carrying->fields; status == NV_OK && rest != 0; rest &= rest - 1) {
        unsigned place = (unsigned)__builtin_ctzll(rest);
        status = list_values(carrying->source, table, place, &fields[place], error);
        if (status == NV_OK && fields[place].count == 0)
            status = add_default(carrying->source, table, place, &fields[place], error);
        if (status == NV_OK && fields[place].count > *ret_layers)
            *ret_layers = fields[place].count;
    }
    return status;
}

/* ---- the ops ---- */

/* A put of the n-th value of each field that has so many. */
static void fill_op(const struct nv_carrying *carrying, const struct carried_field *fields, size_t layer,
                    struct nv_op *op)
{
    const struct nv_record *record = &carrying->source->version.record;
    struct nv_wall_ms times[NV_LIMIT_FIELDS];
    *op = (struct nv_op){.kind = NV_OP_PUT, .table = carrying->access->table->number, .key = carrying->key};
    op->time.ms = INT64_MIN;
    for (nv_fields rest = carrying->fields; rest != 0; rest &= rest - 1) {
        unsigned place = (unsigned)__builtin_ctzll(rest);
        if (layer >= fields[place].count)
            continue;
        const struct nv_candidate *value = &fields[place].values[layer];
        op->fields |= (nv_fields)1 << place;
        op->values[op->value_count] = value->value;
        times[op->value_count++] = value->time;
        if (value->time.ms > op->time.ms)
            op->time = value->time;
    }
    for (size_t i = 0; i < op->value_count; i++)
        op->ages[i] = (uint64_t)(op->time.ms - times[i].ms);
    op->home = record->home;
    op->has_home = record->has_home && nv_site_id_compare(record->home, carrying->making->merge.writer) != 0;
}

/* The fields of a sibling that an op which gives or deletes `fields` must not cover: what was not carried there is of
 * another record; of what was, the spared ones. */
static nv_fields not_covered(const struct nv_making *making, const struct nv_sibling *sibling, uint64_t carried_from,
                             nv_fields fields, nv_fields spared)
{
    bool was_carried = sibling->dot.log == making->log->number && sibling->dot.seq >= carried_from;
    return sibling->fields & fields & (was_carried ? spared : UINT64_MAX);
}

static enum nv_status add_excepts(const struct nv_making *making, uint64_t carried_from, nv_fields fields,
                                  nv_fields spared, struct nv_arena *arena, struct nv_op *op, struct nv_error *error)
{
    const struct nv_record *record = &making->merge.version.record;
    op->excepts = nv_arena_alloc(arena, (record->sibling_count + 1) * sizeof *op->excepts);
    if (op->excepts == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; nv_record_shown(record) && i < record->sibling_count; i++) {
        const struct nv_sibling *sibling = &record->siblings[i];
        const struct nv_log *log = nv_log_by_number(making->store, sibling->dot.log);
        nv_fields excepted = not_covered(making, sibling, carried_from, fields, spared);
        if (excepted == 0 || log == NULL)
            continue;
        struct nv_far_dot dot = {log->id.site, log->id.epoch, sibling->dot.seq, sibling->dot.index};
        op->excepts[op->except_count++] = (struct nv_except){dot, excepted};
    }
    return NV_OK;
}

static enum nv_status encode(struct nv_making *making, const struct nv_op *op, bool *ret_fits, struct nv_error *error)
{
    struct nv_buffer *bytes = &making->merge.bytes;
    nv_buffer_clear(bytes);
    nv_op_encode(op, bytes);
    *ret_fits = nv_making_takes(making, op);
    return bytes->failed ? nv_no_memory(error) : NV_OK;
}

/* The excepts, and whether it fits. The record of that scope is at hand. */
static enum nv_status finish_op(struct nv_making *making, uint64_t carried_from, nv_fields fields, nv_fields spared,
                                struct nv_arena *arena, struct nv_op *op, bool *ret_fits, struct nv_error *error)
{
    enum nv_status status = add_excepts(making, carried_from, fields, spared, arena, op, error);
    if (status == NV_OK)
        status = nv_except_owed(&making->merge, fields, op, error);
    return status == NV_OK ? encode(making, op, ret_fits, error) : status;
}

static void fill_delete(const struct nv_making *making, const struct nv_table *table, struct nv_slice key,
                        struct nv_op *op)
{
    *op = (struct nv_op){.kind = NV_OP_DELETE, .table = table->number, .key = key, .time = making->merge.now};
}

/* The puts, one a layer of values, and the delete where there is one. */
static enum nv_status make_ops(const struct nv_carrying *carrying, const struct carried_field *fields, size_t layers,
                               struct nv_op *ops, bool *ret_fit, struct nv_error *error)
{
    struct nv_making *making = carrying->making;
    struct nv_arena *arena = &carrying->source->arena;
    enum nv_status status = NV_OK;
    *ret_fit = true;
    for (size_t i = 0; status == NV_OK && *ret_fit && i < layers; i++) {
        fill_op(carrying, fields, i, &ops[i]);
        status = finish_op(making, carrying->carried_from, ops[i].fields, 0, arena, &ops[i], ret_fit, error);
    }
    if (status != NV_OK || !*ret_fit || !carrying->is_deleted)
        return status;
    fill_delete(making, carrying->access->table, carrying->key, &ops[layers]);
    return finish_op(making, carrying->carried_from, nv_all_fields(carrying->access->table), carrying->spared, arena,
                     &ops[layers], ret_fit, error);
}

/* Adds the op, which fits, and merges it into the record of that scope. */
static enum nv_status add_op(struct nv_making *making, struct nv_table_access *access, nv_scope_number scope,
                             const struct nv_op *op, struct nv_error *error)
{
    struct nv_merge *merge = &making->merge;
    bool fits, found;
    merge->scope = scope;
    enum nv_status status = nv_merge_load(merge, access, op->key, &found, error);
    if (status == NV_OK)
        status = encode(making, op, &fits, error);
    if (status == NV_OK)
        status = nv_making_add(making, op, error);
    if (status == NV_OK) /* the row may be that record's, and shows nothing of it yet */
        status = nv_merge_own(merge, access, (uint32_t)making->current.body.count - 1, op, op->fields, error);
    return status;
}

static enum nv_status load_target(struct nv_making *making, struct nv_table_access *access, struct nv_slice key,
                                  nv_scope_number scope, struct nv_error *error)
{
    bool found;
    nv_arena_reset(&making->merge.arena);
    making->merge.scope = scope;
    return nv_merge_load(&making->merge, access, key, &found, error);
}

enum nv_status nv_carry(struct nv_carrying *carrying, bool *ret_done, struct nv_error *error)
{
    struct nv_making *making = carrying->making;
    struct nv_arena *arena = &carrying->source->arena;
    struct carried_field *fields = nv_arena_alloc(arena, NV_LIMIT_FIELDS * sizeof *fields);
    size_t layers = 0;
    bool fit = false;
    *ret_done = false;
    if (fields == NULL)
        return nv_no_memory(error);
    enum nv_status status = list_fields(carrying, fields, &layers, error);
    if (status != NV_OK || layers > LAYERS)
        return status;
    struct nv_op *ops = nv_arena_alloc(arena, (layers + 1) * sizeof *ops);
    if (ops == NULL)
        return nv_no_memory(error);
    status = load_target(making, carrying->access, carrying->key, carrying->target, error);
    if (status == NV_OK)
        status = make_ops(carrying, fields, layers, ops, &fit, error);
    if (status != NV_OK || !fit)
        return status;
    /* In one changeset, whose ops do not cover one another. */
    status = nv_making_room(making, layers + carrying->is_deleted, error);
    for (size_t i = 0; status == NV_OK && i < layers + carrying->is_deleted; i++)
        status = add_op(making, carrying->access, carrying->target, &ops[i], error);
    *ret_done = status == NV_OK;
    return status == NV_OK ? nv_making_close_full(making, error) : status;
}

enum nv_status nv_carry_end(const struct nv_ending_record *record, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 64 << 20};
    struct nv_making *making = record->making;
    struct nv_op *op = nv_arena_alloc(&arena, sizeof *op);
    nv_fields all = nv_all_fields(record->access->table);
    bool fits = false;
    enum nv_status status =
        op == NULL ? nv_no_memory(error) : load_target(making, record->access, record->key, record->scope, error);
    if (status == NV_OK && nv_record_shown(&making->merge.version.record)) {
        fill_delete(making, record->access->table, record->key, op);
        if (record->carried_from > 0)
            status = add_excepts(making, record->carried_from, all, 0, &arena, op, error);
        if (status == NV_OK)
            status = nv_except_owed(&making->merge, all, op, error);
        if (status == NV_OK)
            status = encode(making, op, &fits, error);
    }
    if (status == NV_OK && fits)
        status = nv_making_room(making, 1, error);
    if (status == NV_OK && fits)
        status = add_op(making, record->access, record->scope, op, error);
    nv_arena_done(&arena);
    return status == NV_OK ? nv_making_close_full(making, error) : status;
}
