#include "store/intake/owed.h"

#include <stdlib.h>

#include "store/intake/apply.h"
#include "store/log.h"
#include "store/log/bodies.h"
#include "store/merge/derive.h"
#include "store/merge/redact.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/grants.h"

static enum nv_status run(struct nv_store *store, enum nv_statement which, int64_t changeset, uint32_t place,
                          struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, which, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    sqlite3_bind_int64(statement, 2, place);
    return nv_db_run(statement, error);
}

enum nv_status nv_owed_note(struct nv_store *store, int64_t changeset, uint32_t place, struct nv_error *error)
{
    return run(store, NV_SQL_OWED_ADD, changeset, place, error);
}

enum nv_status nv_owed_note_missing(struct nv_store *store, const struct nv_opened *opened, int64_t changeset,
                                    struct nv_error *error)
{
    size_t count = opened->body.count;
    bool *named = calloc(count + 1, sizeof *named), any;
    if (named == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_redact_named(store, opened->log, &opened->header, named, &any, error);
    for (uint32_t i = 0; status == NV_OK && i < count; i++)
        if (opened->body.entries[i].is_redacted && !named[i])
            status = nv_owed_note(store, changeset, i, error);
    free(named);
    return status;
}

enum nv_status nv_owed_places(struct nv_store *store, int64_t changeset, bool *ret_places, size_t count, bool *ret_any,
                              struct nv_error *error)
{
    memset(ret_places, 0, count * sizeof *ret_places);
    *ret_any = false;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_OWED_OF, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        int64_t place = sqlite3_column_int64(statement, 0);
        *ret_any = true;
        if (place >= 0 && (uint64_t)place < count)
            ret_places[place] = true;
    }
    return status;
}

/* ---- which are next ---- */

/* The pin of the changeset before, which a Pull names. */
static enum nv_status name_before(struct nv_store *store, const struct nv_log *log, uint64_t seq,
                                  struct nv_far_head *ret_before, struct nv_error *error)
{
    struct nv_hash hash = {{0}};
    int64_t changeset;
    enum nv_status status = seq == 1 ? NV_OK : nv_changeset_at(store, log->number, seq - 1, &changeset, &hash, error);
    if (status == NV_OK)
        *ret_before = (struct nv_far_head){.site = log->id.site,
                                           .epoch = log->id.epoch,
                                           .scope = log->id.scope,
                                           .seq = seq - 1,
                                           .pin = nv_pin_of(&hash)};
    return status;
}

enum nv_status nv_store_owed(struct nv_store *store, int64_t *cursor, struct nv_far_head *ret_before, bool *ret_any,
                             struct nv_error *error)
{
    *ret_any = false;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_OWED_NEXT, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, *cursor);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status != NV_OK || !row)
        return status;
    int64_t number = sqlite3_column_int64(statement, 0);
    const struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(statement, 1));
    uint64_t seq = (uint64_t)sqlite3_column_int64(statement, 2);
    sqlite3_reset(statement);
    if (log == NULL || seq > log->has_seq)
        return NV_OK; /* another process took it in just now: we have not looked yet */
    *cursor = number;
    *ret_any = true;
    return name_before(store, log, seq, ret_before, error);
}

/* ---- taking them ---- */

/* What one op that came late changes. */
static enum nv_status take_op(struct nv_merge *merge, struct nv_scope_id scope, struct nv_slice bytes, uint32_t place,
                              struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    struct nv_op *op = nv_arena_alloc(&arena, sizeof *op);
    struct nv_dot dot = {merge->log, place, merge->seq};
    enum nv_status status = op == NULL ? nv_no_memory(error) : nv_op_decode(bytes, &arena, op, error);
    if (status == NV_REFUSED || (status == NV_OK && nv_op_is_void(op, scope)))
        status = nv_note_void(merge, error);
    else if (status == NV_OK && op->kind == NV_OP_REDACT)
        status = nv_redact_take(merge, op, error);
    else if (status == NV_OK && (op->kind == NV_OP_PUT || op->kind == NV_OP_DELETE))
        status = nv_derive_again(merge, op->table, op->key, &dot, error);
    nv_arena_done(&arena);
    return status;
}

/* All bodies stand in the log before the first record is derived from it. What was not merged yet will be. */
static enum nv_status take_places(struct nv_merge *merge, const struct nv_arrival *arrival, const bool *given,
                                  struct nv_error *error)
{
    const struct nv_opened *opened = &arrival->opened;
    const struct nv_opened *filled;
    bool is_merged = opened->header.seq <= arrival->log->applied_seq;
    bool is_carried = !nv_scope_is_read(merge->store, opened->header.log.scope);
    enum nv_status status = nv_bodies_fill(merge->store, opened->changeset, &arrival->parts, given, error);
    const struct nv_granting granting = {merge->log,     merge->seq,    opened->changeset,
                                         merge->context, &opened->body, given};
    if (status == NV_OK && nv_scope_is_sealed(opened->header.log.scope))
        status = nv_grants_note(merge->store, &granting, merge->now, error);
    if (status == NV_OK)
        status = nv_opened_by_number(merge->store, opened->changeset, &filled, error);
    if (status == NV_OK)
        status = nv_record_hashes_write(merge->store, filled, error);
    for (uint32_t i = 0; status == NV_OK && i < opened->body.count; i++)
        if (given[i])
            status = run(merge->store, NV_SQL_OWED_DROP, opened->changeset, i, error);
    for (uint32_t i = 0; status == NV_OK && i < opened->body.count; i++)
        if (given[i] && (is_merged || (is_carried && nv_op_kind_of(opened->body.entries[i].op) == NV_OP_REDACT)))
            status = take_op(merge, opened->header.log.scope, opened->body.entries[i].op, i, error);
    return status;
}

enum nv_status nv_owed_take(struct nv_merge *merge, const struct nv_arrival *arrival, struct nv_error *error)
{
    const struct nv_opened *opened = &arrival->opened;
    const struct nv_vector *cached;
    struct nv_vector context = {0};
    bool *given = calloc(opened->body.count + 1, sizeof *given), any;
    if (given == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_owed_places(merge->store, opened->changeset, given, opened->body.count, &any, error);
    for (size_t i = 0; i < opened->body.count; i++)
        given[i] = given[i] && !opened->body.entries[i].is_redacted;
    if (status == NV_OK)
        status = nv_context_of(merge->store, opened->changeset, &cached, error);
    if (status == NV_OK && nv_vector_copy(&context, cached) != NV_OK)
        status = nv_no_memory(error);
    if (status == NV_OK) {
        merge->log = opened->log;
        merge->seq = opened->header.seq;
        merge->writer = arrival->log->id.site;
        merge->authority_seq = opened->header.authority_seq;
        merge->context = &context;
        status = take_places(merge, arrival, given, error);
    }
    nv_vector_done(&context);
    free(given);
    return status;
}
