#include "store/intake/keyless.h"

#include "store/intake/apply.h"
#include "store/intake/owed.h"
#include "store/merge/derive.h"
#include "store/statements.h"
#include "store/trust/rights.h"

enum { OPS_AT_ONCE = 256 };

bool nv_keyless_are_passed(const struct nv_store *store, struct nv_scope_id scope)
{
    return !nv_right_reads(store, scope, store->identity.site, NV_POSITION_NOW);
}

/* ---- while it is merged ---- */

/* The number of the key that a sealed op names. */
static enum nv_status read_number(const struct nv_opened *opened, uint32_t place, uint64_t *ret_number,
                                  struct nv_error *error)
{
    struct nv_arena arena = {.limit = 1024};
    struct nv_op op;
    enum nv_status status = nv_op_decode(opened->body.entries[place].op, &arena, &op, error);
    if (status == NV_OK)
        *ret_number = op.key_number == 0 ? opened->header.seq : op.key_number;
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_keyless_note(struct nv_store *store, const struct nv_opened *opened, uint32_t place,
                               struct nv_error *error)
{
    uint64_t number = 0;
    enum nv_status status = read_number(opened, place, &number, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(store, NV_SQL_KEYLESS_ADD, error) : NULL;
    if (statement == NULL)
        return status == NV_OK ? error->status : status;
    sqlite3_bind_int64(statement, 1, nv_opened_number(store, opened));
    sqlite3_bind_int64(statement, 2, opened->log);
    sqlite3_bind_int64(statement, 3, (int64_t)number);
    return nv_db_run(statement, error);
}

enum nv_status nv_keyless_wait(struct nv_store *store, struct nv_log *log, const struct nv_opened *opened,
                               struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (uint32_t i = 0; status == NV_OK && i < opened->body.count; i++)
        if (opened->body.entries[i].is_redacted)
            status = nv_owed_note(store, nv_opened_number(store, opened), i, error);
    if (!log->lacks_key)
        store->keys_at.ms = INT64_MIN; /* it is asked for */
    log->lacks_key = true;
    return status;
}

/* ---- once the key has come ---- */

enum nv_status nv_keyless_next(struct nv_store *store, struct nv_keyless *ret_keyless, bool *ret_any,
                               struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_KEYLESS_NEXT, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status = nv_db_step(statement, ret_any, error);
    if (status == NV_OK && *ret_any)
        *ret_keyless = (struct nv_keyless){.changeset = sqlite3_column_int64(statement, 0),
                                           .log = (nv_log_number)sqlite3_column_int64(statement, 1),
                                           .number = (uint64_t)sqlite3_column_int64(statement, 2),
                                           .next = (uint32_t)sqlite3_column_int64(statement, 3)};
    sqlite3_reset(statement);
    return status;
}

/* Whether all of its ops of that key can be read now, and merged: NV_OK, NV_NOT_YET. */
static enum nv_status is_ready(struct nv_store *store, const struct nv_opened *opened, uint64_t key,
                               struct nv_error *error)
{
    for (uint32_t i = 0; i < opened->body.count; i++) {
        uint64_t number = 0;
        enum nv_status status = NV_OK;
        if (opened->body.entries[i].is_keyless)
            status = read_number(opened, i, &number, error);
        if (status == NV_OK && number == key)
            status = nv_fail(error, NV_NOT_YET, "a content key is lacking");
        if (status != NV_OK)
            return status;
    }
    return nv_apply_ready(store, opened, error);
}

static enum nv_status list(const struct nv_opened *opened, struct nv_keyless *keyless, struct nv_touched_set *records,
                           struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    size_t taken = 0;
    for (; status == NV_OK && keyless->next < opened->body.count && taken < OPS_AT_ONCE; keyless->next++) {
        struct nv_op op;
        bool has_record;
        nv_arena_reset(&arena);
        status = nv_opened_record(opened, keyless->next, &arena, &op, &has_record, error);
        if (status != NV_OK || !has_record)
            continue;
        taken++;
        if (nv_touched_get(records, op.table, op.key, true) == NULL)
            status = nv_no_memory(error);
    }
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_keyless_list(struct nv_store *store, struct nv_keyless *keyless, struct nv_touched_set *records,
                               struct nv_error *error)
{
    struct nv_opened opened;
    enum nv_status status = nv_opened_read(store, keyless->changeset, &opened, error);
    if (status != NV_OK)
        return status;
    status = is_ready(store, &opened, keyless->number, error);
    /* By their hashes the records' ops are found. */
    if (status == NV_OK && keyless->next == 0)
        status = nv_record_hashes_write(store, &opened, error);
    if (status == NV_OK)
        status = list(&opened, keyless, records, error);
    keyless->is_last = keyless->next >= opened.body.count;
    nv_arena_done(&opened.arena);
    return status;
}

/* All of its places are done: it is forgotten. Else it goes on behind those that are. */
static enum nv_status write_next(struct nv_store *store, const struct nv_keyless *keyless, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, keyless->is_last ? NV_SQL_KEYLESS_DROP : NV_SQL_KEYLESS_GO_ON, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, keyless->changeset);
    sqlite3_bind_int64(statement, 2, (int64_t)keyless->number);
    if (!keyless->is_last)
        sqlite3_bind_int64(statement, 3, keyless->next);
    return nv_db_run(statement, error);
}

enum nv_status nv_keyless_take(struct nv_merge *merge, const struct nv_keyless *keyless,
                               const struct nv_touched_set *records, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    merge->log = keyless->log;
    for (size_t i = 0; status == NV_OK && i < records->count; i++)
        status = nv_derive_again(merge, records->records[i]->table, records->records[i]->key, NULL, error);
    return status == NV_OK ? write_next(merge->store, keyless, error) : status;
}
