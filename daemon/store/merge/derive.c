#include "store/merge/derive.h"

#include <assert.h>
#include <stdlib.h>

#include "core/meaning.h"
#include "store/scopes/reads.h"
#include "store/statements.h"

void nv_op_places_done(struct nv_op_places *places)
{
    free(places->places);
    *places = (struct nv_op_places){0};
}

enum nv_status nv_op_places_add(struct nv_op_places *places, struct nv_op_place place, struct nv_error *error)
{
    if (places->count == places->capacity) {
        size_t capacity = places->capacity == 0 ? 16 : places->capacity * 2;
        struct nv_op_place *grown = realloc(places->places, capacity * sizeof *grown);
        if (grown == NULL)
            return nv_no_memory(error);
        places->places = grown;
        places->capacity = capacity;
    }
    places->places[places->count++] = place;
    return NV_OK;
}

/* The hash of 4 bytes is a hint: the op itself says whether it is of this record. */
static enum nv_status is_of_record(struct nv_store *store, struct nv_op_place place, struct nv_record_name name,
                                   struct nv_arena *arena, bool *ret_is, struct nv_error *error)
{
    const struct nv_opened *opened;
    *ret_is = false;
    enum nv_status status = nv_opened_by_number(store, place.changeset, &opened, error);
    if (status != NV_OK || place.place >= opened->body.count)
        return status;
    struct nv_op *op = nv_arena_alloc(arena, sizeof *op);
    if (op == NULL)
        return nv_no_memory(error);
    bool has_record;
    status = nv_opened_record(opened, place.place, arena, op, &has_record, error);
    *ret_is = status == NV_OK && has_record && op->table == name.table && nv_slice_equal(op->key, name.key);
    return status;
}

/* Whether the log may have ops on a record of that scope. */
static bool is_of_scope(const struct nv_store *store, nv_log_number number, nv_scope_number scope)
{
    const struct nv_log *log = nv_log_by_number(store, number);
    if (log == NULL || log->scope == 0)
        return false;
    if (scope == 0)
        return nv_scope_is_read(store, log->id.scope);
    const struct nv_numbered_scope *of = nv_scope_numbered(store, scope);
    return of != NULL && nv_scope_id_equal(of->id, log->id.scope) &&
           (!of->has_home || nv_site_id_compare(of->home, log->id.site) == 0);
}

enum nv_status nv_op_places_find(struct nv_store *store, struct nv_record_name name, struct nv_op_places *places,
                                 struct nv_error *error)
{
    uint32_t wanted = nv_record_hash(name.table, name.key);
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_RECORDS, error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        struct nv_slice hashes = nv_db_blob(statement, 2);
        if (!is_of_scope(store, (nv_log_number)sqlite3_column_int64(statement, 1), name.scope))
            continue;
        for (size_t i = 0; status == NV_OK && i + sizeof wanted <= hashes.size; i += sizeof wanted) {
            uint32_t hash;
            bool is_of;
            memcpy(&hash, hashes.data + i, sizeof hash);
            if (hash != wanted)
                continue;
            struct nv_op_place place = {sqlite3_column_int64(statement, 0), (uint32_t)(i / sizeof wanted)};
            nv_arena_reset(&arena);
            status = is_of_record(store, place, name, &arena, &is_of, error);
            if (status == NV_OK && is_of)
                status = nv_op_places_add(places, place, error);
        }
        if (status != NV_OK)
            break;
    }
    sqlite3_reset(statement);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status retain(struct nv_merge *merge, const struct nv_table *table, struct nv_op_place place,
                             struct nv_retained_op *retained, bool *ret_counts, struct nv_error *error)
{
    const struct nv_opened *opened;
    const struct nv_vector *context;
    *ret_counts = false;
    enum nv_status status = nv_opened_by_number(merge->store, place.changeset, &opened, error);
    if (status != NV_OK)
        return status;
    const struct nv_log *log = nv_log_by_number(merge->store, opened->log);
    if (log == NULL || opened->header.seq > log->applied_seq)
        return NV_OK;
    struct nv_op *op = nv_arena_alloc(&merge->arena, sizeof *op);
    struct nv_vector *kept = nv_arena_alloc(&merge->arena, sizeof *kept);
    if (op == NULL || kept == NULL)
        return nv_no_memory(error);
    /* Its values are looked at here alone: once the changeset is closed they point nowhere. */
    bool has_record;
    status = nv_opened_record(opened, place.place, &merge->arena, op, &has_record, error);
    if (status != NV_OK || !has_record)
        return status;
    merge->log = opened->log;
    merge->seq = opened->header.seq;
    merge->writer = log->id.site;
    merge->authority_seq = opened->header.authority_seq;
    struct nv_dot dot = {opened->log, place.place, opened->header.seq};
    if (table->published > merge->authority_seq)
        return NV_OK;
    status = nv_context_of(merge->store, place.changeset, &context, error);
    if (status != NV_OK)
        return status;
    *kept = (struct nv_vector){.count = context->count};
    kept->heads = nv_arena_alloc(&merge->arena, (context->count + 1) * sizeof *kept->heads);
    if (kept->heads == NULL)
        return nv_no_memory(error);
    if (context->count > 0)
        memcpy(kept->heads, context->heads, context->count * sizeof *kept->heads);
    *retained = (struct nv_retained_op){.op = op, .cover = {.dot = dot, .vector = kept}, .writer = merge->writer};
    status = nv_merge_excepts(merge, op, &retained->cover, error);
    if (status == NV_OK)
        status = nv_merge_accepted(merge, table, op, ret_counts, &retained->fields, error);
    return status;
}

enum nv_status nv_derive(struct nv_merge *merge, const struct nv_table *table, const struct nv_op_places *places,
                         struct nv_record *record, struct nv_error *error)
{
    struct nv_retained_op *retained = nv_arena_alloc(&merge->arena, (places->count + 1) * sizeof *retained);
    if (retained == NULL)
        return nv_no_memory(error);
    size_t count = 0;
    for (size_t i = 0; i < places->count; i++) {
        bool counts;
        enum nv_status status = retain(merge, table, places->places[i], &retained[count], &counts, error);
        if (status != NV_OK)
            return status;
        count += counts;
    }
    if (nv_meaning(retained, count, record) != NV_OK)
        return nv_no_memory(error);
    return NV_OK;
}

enum nv_status nv_derive_again(struct nv_merge *merge, uint32_t table, struct nv_slice key, const struct nv_dot *by,
                               struct nv_error *error)
{
    struct nv_table_access *access = nv_access(merge->store, table);
    if (access == NULL)
        return NV_OK;
    assert(!access->table->missing); /* nv_apply_ready saw to it */
    struct nv_merge again;
    struct nv_op_places places = {0};
    struct nv_record derived = {0};
    nv_merge_init(&again, merge->store, merge->now, merge->stale);
    again.is_silent = true;
    again.log = merge->log;
    enum nv_status status = nv_merge_enter(&again, access->table, error);
    if (status == NV_OK)
        status = nv_op_places_find(merge->store, nv_merge_name(&again, table, key), &places, error);
    if (status == NV_OK)
        status = nv_derive(&again, access->table, &places, &derived, error);
    again.op = NULL;
    if (status == NV_OK)
        status = nv_merge_anew(&again, access, key, &derived, by, error);
    nv_op_places_done(&places);
    nv_record_done(&derived);
    nv_merge_done(&again);
    return status;
}
