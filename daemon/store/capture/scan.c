#include "store/capture/scan.h"

#include <stdio.h>

#include "base/planted.h"
#include "store/capture/pending.h"
#include "store/capture/sealing.h"
#include "store/merge/merge.h"
#include "store/statements.h"

static enum nv_status schema_version(struct nv_store *store, int64_t *ret_version, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_SCHEMA_VERSION, error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK)
        *ret_version = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_schema_moved(struct nv_store *store, bool *ret_moved, struct nv_error *error)
{
    int64_t version = store->schema_version;
    enum nv_status status = schema_version(store, &version, error);
    *ret_moved = version != store->schema_version;
    return status;
}

enum nv_status nv_scan_is_due(struct nv_store *store, bool *ret_due, struct nv_error *error)
{
    enum nv_status status = nv_schema_moved(store, ret_due, error);
    if (status != NV_OK || *ret_due)
        return status;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_SCAN_ANY, error);
    if (statement == NULL)
        return error->status;
    status = nv_db_step(statement, ret_due, error);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_scan_request(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    char name[32];
    snprintf(name, sizeof name, "scan_%u", table->number);
    return nv_meta_set(store, name, &(struct nv_value){.type = NV_INTEGER, .integer = 1}, error);
}

static enum nv_status is_requested(struct nv_store *store, const struct nv_table *table, bool *ret_requested,
                                   struct nv_error *error)
{
    char sql[96];
    int64_t found;
    snprintf(sql, sizeof sql, "SELECT 1 FROM navette_meta WHERE name = 'scan_%u'", table->number);
    enum nv_status status = nv_db_integer(store->db, sql, 0, &found, error);
    *ret_requested = status == NV_OK && found == 1;
    return status;
}

/* Notes every row whose digest is not the one we know. */
static enum nv_status list_changed(struct nv_store *store, struct nv_table_access *access, struct nv_touched_set *set,
                                   struct nv_error *error)
{
    struct nv_merge merge;
    struct nv_buffer key = {0};
    struct nv_row row = {0};
    const struct nv_table *table = access->table;
    nv_merge_init(&merge, store, (struct nv_wall_ms){0}, NULL);
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "SELECT 1");
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", table->keys[i]);
    for (size_t i = 0; i < table->field_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", table->fields[i].name);
    sqlite3_str_appendf(sql, " FROM main.\"%w\"", table->name);
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *rows = text == NULL ? NULL : nv_db_prepare(store->db, text, error);
    enum nv_status status = text == NULL ? nv_no_memory(error) : rows == NULL ? error->status : NV_OK;
    sqlite3_free(text);
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        nv_arena_reset(&merge.arena);
        nv_buffer_clear(&key);
        nv_key_take(rows, 1, table->key_count, &key);
        status = key.failed ? nv_no_memory(error)
                            : nv_row_take(rows, 1 + (int)table->key_count, table->field_count, &row, error);
        if (status == NV_OK)
            status = nv_merge_find_shown(&merge, table, nv_buffer_slice(&key), error);
        nv_fields added = 0;
        bool fits = false;
        if (status == NV_OK)
            status = nv_merge_digest_fits(&merge, row.values, row.count, &fits, error);
        if (status == NV_OK && fits)
            status = nv_merge_added_since(&merge, table, &row, &added, error);
        if (status != NV_OK)
            break;
        if (fits && added == 0)
            continue;
        if (nv_touched_get(set, table->number, nv_buffer_slice(&key), true) == NULL)
            status = nv_no_memory(error);
    }
    sqlite3_finalize(rows);
    nv_buffer_done(&key);
    nv_row_done(&row);
    nv_merge_done(&merge);
    return status;
}

/* Notes every record whose row should be there and is not; nv_seal_records lists them as missing. */
static enum nv_status list_missing(struct nv_store *store, struct nv_table_access *access, struct nv_touched_set *set,
                                   struct nv_error *error)
{
    struct nv_version version = {0};
    struct nv_row row = {0};
    sqlite3_stmt *versions = nv_db_preparef(store->db, error, "SELECT key, version FROM navette_version WHERE tbl = %u",
                                            access->table->number);
    enum nv_status status = versions == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(versions, &more, error)) == NV_OK && more) {
        struct nv_slice key = nv_db_blob(versions, 0);
        status = nv_version_decode(store, nv_db_blob(versions, 1), &version, error);
        if (status == NV_OK && version.has_row)
            status = nv_row_read(store, access, key, &row, error);
        if (status == NV_OK && version.has_row && !row.there &&
            nv_touched_get(set, access->table->number, key, true) == NULL)
            status = nv_no_memory(error);
    }
    sqlite3_finalize(versions);
    nv_version_done(&version);
    nv_row_done(&row);
    return status;
}

/* What is pending goes first: a DELETE that was captured is no missing row. */
static enum nv_status seal_pending(struct nv_store *store, struct nv_table_access *access, struct nv_wall_ms now,
                                   struct nv_sealed *sealed, struct nv_error *error)
{
    struct nv_touched_set set = {0};
    bool more;
    enum nv_status status = nv_intents_take(store, &set, error);
    if (status == NV_OK)
        status = nv_pending_take(store, access, &set, false, SIZE_MAX, SIZE_MAX, &more, error);
    if (status == NV_OK)
        status = nv_seal_records(store, &set, now, sealed, error);
    nv_touched_done(&set);
    return status;
}

static enum nv_status scan_table(struct nv_store *store, struct nv_table_access *access, struct nv_wall_ms now,
                                 struct nv_sealed *sealed, struct nv_error *error)
{
    struct nv_touched_set set = {0};
    unsigned number = access->table->number;
    enum nv_status status = seal_pending(store, access, now, sealed, error);
    if (status == NV_OK)
        status = nv_db_execf(store->db, error, "DELETE FROM navette_missing WHERE tbl = %u", number);
    if (status == NV_OK)
        status = list_changed(store, access, &set, error);
    if (status == NV_OK)
        status = list_missing(store, access, &set, error);
    if (status == NV_OK)
        status = nv_seal_records(store, &set, now, sealed, error);
    if (status == NV_OK)
        status = nv_db_execf(store->db, error, "DELETE FROM navette_meta WHERE name = 'scan_%u'", number);
    nv_touched_done(&set);
    return status;
}

static enum nv_status check_table(struct nv_store *store, size_t place, struct nv_wall_ms now, struct nv_sealed *sealed,
                                  struct nv_error *error)
{
    struct nv_table *table = store->tables[place];
    bool is_there, has_triggers, requested;
    enum nv_status status = nv_tracking_check(store, table, &is_there, &has_triggers, error);
    if (status == NV_OK)
        status = is_requested(store, table, &requested, error);
    if (status != NV_OK)
        return status;
    table->missing = !is_there;
    if (!is_there)
        return requested ? NV_OK : nv_scan_request(store, table, error);
    if (!has_triggers)
        status = nv_tracking_install(store, table, error);
    if (status == NV_OK && (requested || (!has_triggers && !NV_PLANTED(REBUILT_UNSCANNED))))
        status = scan_table(store, &store->access[place], now, sealed, error);
    return status;
}

enum nv_status nv_scan_check(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                             struct nv_error *error)
{
    bool due;
    enum nv_status status = nv_scan_is_due(store, &due, error);
    if (status == NV_OK && due)
        status = nv_seal_ready(store, error);
    if (status != NV_OK || !due)
        return status;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++)
        status = check_table(store, i, now, sealed, error);
    if (status != NV_OK)
        return status;
    status = schema_version(store, &store->schema_version, error);
    if (status == NV_OK)
        status = nv_meta_set(store, "schema_version",
                             &(struct nv_value){.type = NV_INTEGER, .integer = store->schema_version}, error);
    return status;
}
