#include "store/scopes/leaving.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/planted.h"
#include "store/capture/putback.h"
#include "store/merge/namesakes.h"
#include "store/scopes/moving.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/keyring.h"

enum { BATCH = 64 };

/* ---- marking ---- */

/* Whether the scope's logs are held, and not for others. */
static bool is_only_held(const struct nv_store *store, struct nv_scope_id scope)
{
    struct nv_site_id self = store->identity.site;
    bool any = false;
    for (size_t i = 1; !any && i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        any = nv_scope_id_equal(log->id.scope, scope) && log->has_seq > 0;
    }
    return any && !nv_right_carries(store, scope, self, nv_right_last(store, self));
}

static enum nv_status mark(struct nv_store *store, nv_scope_number number, bool leaving, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_SCOPE_MARK, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, number);
    sqlite3_bind_int(statement, 2, leaving);
    enum nv_status status = nv_db_run(statement, error);
    if (status == NV_OK)
        nv_scope_set_leaving(store, number, leaving);
    return status;
}

void nv_scopes_look(struct nv_store *store)
{
    for (nv_scope_number i = 1; i <= nv_scope_number_count(store); i++)
        nv_scope_set_due(store, i, nv_scope_is_due(store, nv_scope_numbered(store, i)->id));
}

enum nv_status nv_scopes_follow(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (nv_scope_number i = 1; status == NV_OK && i <= nv_scope_number_count(store); i++) {
        const struct nv_numbered_scope scope = *nv_scope_numbered(store, i);
        if (scope.has_home || scope.is_leaving || nv_scope_is_due(store, scope.id) ||
            (!scope.was_due && !is_only_held(store, scope.id)) || NV_PLANTED(KEEP_ROWS))
            continue;
        status = mark(store, i, true, error);
        if (status == NV_OK)
            status = nv_moves_drop(store, scope.id, error);
    }
    nv_scopes_look(store);
    if (status == NV_OK)
        status = nv_moves_follow(store, error);
    store->owes_placing = true;
    store->owes_merge = store->owes_merge || nv_logs_lag(store); /* of a scope that is read from here on */
    return status;
}

static nv_scope_number first_leaving(const struct nv_store *store)
{
    for (size_t i = 1; i <= nv_scope_number_count(store); i++)
        if (nv_scope_numbered(store, (nv_scope_number)i)->is_leaving)
            return (nv_scope_number)i;
    return 0;
}

static size_t count_missing(const struct nv_store *store)
{
    size_t missing = 0;
    for (size_t i = 0; i < store->table_count; i++)
        missing += store->tables[i]->missing;
    return missing;
}

bool nv_scopes_leaving(const struct nv_store *store)
{
    const struct nv_scope_cursor *cursor = nv_scope_cursor(store);
    bool waits = cursor->missing > 0 && cursor->missing == count_missing(store);
    return first_leaving(store) != 0 && !waits;
}

/* ---- records ---- */

struct leaving {
    struct nv_store *store;
    struct nv_scope_id scope;
    struct nv_merge merge;
    struct nv_wall_ms now;
    int64_t end_us;
    struct nv_arena keys;
    struct nv_record_name names[BATCH]; /* what is taken away next */
    size_t count;
};

static bool is_late(const struct leaving *leaving)
{
    return nv_mono_now().us >= leaving->end_us;
}

/* Moves the cursor, and notes a record of the scope that it comes to. */
static enum nv_status take_row(struct leaving *leaving, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_scope_cursor *cursor = nv_scope_cursor(leaving->store);
    struct nv_slice key = nv_db_blob(row, 1);
    cursor->table = (uint32_t)sqlite3_column_int64(row, 0);
    cursor->scope = (nv_scope_number)sqlite3_column_int64(row, 2);
    nv_buffer_clear(&cursor->key);
    nv_buffer_append(&cursor->key, key.data, key.size);
    if (cursor->key.failed)
        return nv_no_memory(error);
    if (!nv_scope_number_is_of(leaving->store, cursor->scope, leaving->scope))
        return NV_OK;
    uint8_t *copy = nv_arena_alloc(&leaving->keys, key.size + 1);
    if (copy == NULL)
        return nv_no_memory(error);
    memcpy(copy, key.data, key.size);
    leaving->names[leaving->count++] = (struct nv_record_name){cursor->table, {copy, key.size}, cursor->scope};
    return NV_OK;
}

/* The next records of the scope. *ret_end: behind these there are none. */
static enum nv_status list_some(struct leaving *leaving, bool *ret_end, struct nv_error *error)
{
    struct nv_scope_cursor *cursor = nv_scope_cursor(leaving->store);
    sqlite3_stmt *versions = nv_statement(leaving->store, NV_SQL_VERSIONS_AFTER, error);
    if (versions == NULL)
        return error->status;
    if (cursor->table == 0)
        cursor->missing = 0;    /* from the beginning */
    struct nv_buffer key = {0}; /* the cursor's own moves on */
    nv_buffer_append(&key, cursor->key.data, cursor->key.size);
    sqlite3_bind_int64(versions, 1, cursor->table);
    nv_db_bind_slice(versions, 2, nv_buffer_slice(&key));
    sqlite3_bind_int64(versions, 3, cursor->scope);
    nv_arena_reset(&leaving->keys);
    leaving->count = 0;
    bool row = true;
    enum nv_status status = key.failed ? nv_no_memory(error) : NV_OK;
    for (unsigned seen = 1; status == NV_OK && row && leaving->count < BATCH; seen++) {
        if (seen % 1024 == 0 && is_late(leaving))
            break;
        status = nv_db_step(versions, &row, error);
        if (status == NV_OK && row)
            status = take_row(leaving, versions, error);
    }
    sqlite3_reset(versions);
    nv_buffer_done(&key);
    *ret_end = !row;
    return status;
}

/* What was written to the row and not sealed yet is listed; the row is again what its record says. */
static enum nv_status put_back_pending(struct leaving *leaving, struct nv_table_access *access, struct nv_slice key,
                                       struct nv_error *error)
{
    struct nv_touched_set set = {0};
    uint64_t pending;
    bool more;
    enum nv_status status = nv_pending_estimate(leaving->store, access, &pending, error);
    if (status != NV_OK || pending == 0)
        return status;
    const struct nv_touched *touched = nv_touched_get(&set, access->table->number, key, true);
    status =
        touched == NULL ? nv_no_memory(error) : nv_pending_take(leaving->store, access, &set, true, 0, 0, &more, error);
    if (status == NV_OK)
        status = nv_put_back(&leaving->merge, access, touched, error);
    nv_touched_done(&set);
    return status;
}

static enum nv_status drop_version(struct nv_store *store, struct nv_record_name name, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_VERSION_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, name.table);
    nv_db_bind_slice(statement, 2, name.key);
    sqlite3_bind_int64(statement, 3, name.scope);
    return nv_db_run(statement, error);
}

/* What imports noted of the record, to be taken back, goes with it. */
static enum nv_status forget_imported(struct nv_store *store, struct nv_record_name name, struct nv_error *error)
{
    static const enum nv_statement noted[] = {NV_SQL_IMPORTED_RECORD_DROP, NV_SQL_IMPORTED_CELL_DROP};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < sizeof noted / sizeof *noted; i++) {
        sqlite3_stmt *statement = nv_statement(store, noted[i], error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_int64(statement, 1, name.table);
        nv_db_bind_slice(statement, 2, name.key);
        status = nv_db_run(statement, error);
    }
    return status;
}

/* The record is as if nothing had ever been written of it, so that its row goes, or shows a namesake; then it goes
 * itself. */
static enum nv_status take_away(struct leaving *leaving, struct nv_table_access *access, struct nv_record_name name,
                                struct nv_error *error)
{
    struct nv_merge *merge = &leaving->merge;
    bool found;
    nv_fields changed;
    nv_arena_reset(&merge->arena);
    merge->scope = name.scope;
    merge->op = NULL;
    enum nv_status status = nv_merge_load(merge, access, name.key, &found, error);
    bool had_row = merge->row_scope == name.scope;
    if (status == NV_OK && had_row)
        status = put_back_pending(leaving, access, name.key, error);
    nv_record_clear(&merge->version.record);
    merge->version.replaced_count = 0;
    if (status == NV_OK)
        status = nv_merge_show(merge, access, name.key, nv_all_fields(access->table), &changed, error);
    if (status == NV_OK && had_row)
        status = nv_merge_forget_missing(merge, name.table, name.key, error);
    if (status == NV_OK)
        status = forget_imported(leaving->store, name, error);
    return status == NV_OK ? drop_version(leaving->store, name, error) : status;
}

/* *ret_end: no record of the scope is left, but for those of tables that are away. */
static enum nv_status leave_records(struct leaving *leaving, bool *ret_end, struct nv_error *error)
{
    enum nv_status status = list_some(leaving, ret_end, error);
    for (size_t i = 0; status == NV_OK && i < leaving->count; i++) {
        struct nv_table_access *access = nv_access(leaving->store, leaving->names[i].table);
        if (access != NULL && access->table->missing)
            nv_scope_cursor(leaving->store)->missing = count_missing(leaving->store);
        else if (access != NULL)
            status = take_away(leaving, access, leaving->names[i], error);
        else
            status = drop_version(leaving->store, leaving->names[i], error);
    }
    return status;
}

/* ---- logs ---- */

static enum nv_status run_numbered(struct nv_store *store, enum nv_statement which, int64_t number,
                                   struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, which, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, number);
    return nv_db_run(statement, error);
}

/* None of it counts as merged. */
static enum nv_status forget_merged(struct nv_store *store, struct nv_scope_id scope, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(store); i++) {
        struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (!nv_scope_id_equal(log->id.scope, scope) || log->applied_seq == 0)
            continue;
        log->applied_seq = 0;
        log->applied_hash = (struct nv_hash){{0}};
        log->is_dirty = true;
        log->lacks_key = false;
        status = nv_keyring_leave(store, log, false, error);
        if (status == NV_OK)
            status = run_numbered(store, NV_SQL_OWED_DROP_LOG, log->number, error);
        if (status == NV_OK)
            status = run_numbered(store, NV_SQL_REDACTION_DROP_LOG, log->number, error);
    }
    for (size_t i = 1; status == NV_OK && i <= nv_scope_number_count(store); i++)
        if (nv_scope_number_is_of(store, (nv_scope_number)i, scope))
            status = run_numbered(store, NV_SQL_QUARANTINE_DROP_SCOPE, (int64_t)i, error);
    return status;
}

/* One log a time. *ret_end: none is left. */
static enum nv_status leave_log(struct nv_store *store, struct nv_scope_id scope, bool *ret_end, struct nv_error *error)
{
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (!nv_scope_id_equal(log->id.scope, scope) || log->has_seq == 0)
            continue;
        *ret_end = false;
        return nv_log_empty(store, log, error);
    }
    *ret_end = true;
    return NV_OK;
}

/* ---- all of it ---- */

/* A step of what is to be done for a scope. */
static enum nv_status leave_some(struct leaving *leaving, nv_scope_number number, struct nv_error *error)
{
    struct nv_store *store = leaving->store;
    struct nv_scope_cursor *cursor = nv_scope_cursor(store);
    bool carries, end = false;
    leaving->scope = nv_scope_numbered(store, number)->id;
    if (!cursor->is_behind_records) {
        enum nv_status status = leave_records(leaving, &end, error);
        if (status != NV_OK || !end)
            return status;
        nv_scope_cursor_rewind(store);
        cursor->is_behind_records = cursor->missing == 0;
        return cursor->is_behind_records ? forget_merged(store, leaving->scope, error) : NV_OK;
    }
    carries = nv_right_carries(store, leaving->scope, store->identity.site, NV_POSITION_NOW);
    enum nv_status status = carries ? NV_OK : leave_log(store, leaving->scope, &end, error);
    if (status != NV_OK || !(end || carries))
        return status;
    nv_scope_cursor_rewind(store);
    store->owes_merge = true; /* where it is read again by now */
    store->owes_trim = true;
    return mark(store, number, false, error);
}

enum nv_status nv_scopes_leave(struct nv_store *store, struct nv_wall_ms now, int64_t end_us, bool *ret_more,
                               struct nv_error *error)
{
    struct leaving leaving = {.store = store, .now = now, .end_us = end_us, .keys.limit = SIZE_MAX};
    enum nv_status status = NV_OK;
    nv_merge_init(&leaving.merge, store, now, NULL);
    do {
        status = leave_some(&leaving, first_leaving(store), error);
    } while (status == NV_OK && nv_scopes_leaving(store) && !is_late(&leaving));
    nv_merge_done(&leaving.merge);
    nv_arena_done(&leaving.keys);
    *ret_more = nv_scopes_leaving(store);
    return status;
}
