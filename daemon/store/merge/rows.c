#include "store/merge/rows.h"

#include <stdlib.h>

#include "wire/hash.h"

nv_fields nv_all_fields(const struct nv_table *table)
{
    return table->field_count == NV_LIMIT_FIELDS ? UINT64_MAX : ((nv_fields)1 << table->field_count) - 1;
}

/* ---- statements ---- */

struct nv_table_access *nv_access(struct nv_store *store, uint32_t table)
{
    size_t low = 0, high = store->table_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->tables[middle]->number < table)
            low = middle + 1;
        else
            high = middle;
    }
    return low < store->table_count && store->tables[low]->number == table ? &store->access[low] : NULL;
}

enum nv_status nv_access_open(struct nv_store *store, struct nv_error *error)
{
    store->access = calloc(store->table_count + 1, sizeof *store->access);
    if (store->access == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < store->table_count; i++)
        store->access[i].table = store->tables[i];
    return NV_OK;
}

void nv_access_done(struct nv_store *store)
{
    for (size_t i = 0; store->access != NULL && i < store->table_count; i++) {
        struct nv_table_access *access = &store->access[i];
        sqlite3_finalize(access->select);
        sqlite3_finalize(access->erase);
        sqlite3_finalize(access->pending_some);
        sqlite3_finalize(access->pending_forget);
        sqlite3_finalize(access->old_forget);
        sqlite3_finalize(access->pending_span);
        for (size_t j = 0; j < NV_ROW_STATEMENTS; j++)
            sqlite3_finalize(access->writers[j].statement);
    }
    free(store->access);
    store->access = NULL;
}

static void append_where_key(sqlite3_str *sql, const struct nv_table *table)
{
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", i == 0 ? " WHERE " : " AND ", table->keys[i], (int)i + 1);
}

static sqlite3_stmt *prepare_built(struct nv_store *store, sqlite3_str *sql, struct nv_error *error)
{
    char *text = sqlite3_str_finish(sql);
    if (text == NULL) {
        nv_no_memory(error);
        return NULL;
    }
    sqlite3_stmt *statement = nv_db_prepare(store->db, text, error);
    sqlite3_free(text);
    return statement;
}

static sqlite3_stmt *select_statement(struct nv_store *store, struct nv_table_access *access, struct nv_error *error)
{
    if (access->select != NULL)
        return access->select;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "SELECT 1");
    for (size_t i = 0; i < access->table->field_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", access->table->fields[i].name);
    sqlite3_str_appendf(sql, " FROM main.\"%w\"", access->table->name);
    append_where_key(sql, access->table);
    return access->select = prepare_built(store, sql, error);
}

/* Key columns are ?1…, fields are ?K+1… by field number, whichever of them take part. */
static sqlite3_stmt *build_writer(struct nv_store *store, const struct nv_table *table, bool is_insert,
                                  nv_fields fields, struct nv_error *error)
{
    int keys = (int)table->key_count;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, is_insert ? "INSERT INTO main.\"%w\"(" : "UPDATE main.\"%w\" SET ", table->name);
    const char *comma = "";
    for (int i = 0; is_insert && i < keys; i++, comma = ", ")
        sqlite3_str_appendf(sql, "%s\"%w\"", comma, table->keys[i]);
    for (size_t i = 0; i < table->field_count; i++) {
        if ((fields >> i & 1) == 0)
            continue;
        sqlite3_str_appendf(sql, "%s\"%w\"", comma, table->fields[i].name);
        if (!is_insert)
            sqlite3_str_appendf(sql, " = ?%d", keys + (int)i + 1);
        comma = ", ";
    }
    if (is_insert) {
        sqlite3_str_appendall(sql, ") VALUES (");
        for (int i = 0; i < keys; i++)
            sqlite3_str_appendf(sql, "%s?%d", i == 0 ? "" : ", ", i + 1);
        for (size_t i = 0; i < table->field_count; i++)
            if (fields >> i & 1)
                sqlite3_str_appendf(sql, ", ?%d", keys + (int)i + 1);
        sqlite3_str_appendall(sql, ")");
    } else {
        append_where_key(sql, table);
    }
    return prepare_built(store, sql, error);
}

static sqlite3_stmt *writer_statement(struct nv_store *store, struct nv_table_access *access, bool is_insert,
                                      nv_fields fields, struct nv_error *error)
{
    for (size_t i = 0; i < NV_ROW_STATEMENTS; i++)
        if (access->writers[i].statement != NULL && access->writers[i].is_insert == is_insert &&
            access->writers[i].fields == fields)
            return access->writers[i].statement;
    sqlite3_stmt *statement = build_writer(store, access->table, is_insert, fields, error);
    if (statement == NULL)
        return NULL;
    size_t place = access->next_writer++ % NV_ROW_STATEMENTS;
    sqlite3_finalize(access->writers[place].statement);
    access->writers[place].statement = statement;
    access->writers[place].is_insert = is_insert;
    access->writers[place].fields = fields;
    return statement;
}

static void bind_key(sqlite3_stmt *statement, struct nv_slice key)
{
    struct nv_reader reader = nv_reader_of(key);
    struct nv_value value;
    for (int place = 1; nv_value_decode(&reader, &value); place++)
        nv_db_bind_value(statement, place, &value);
}

void nv_key_take(sqlite3_stmt *statement, int first, size_t count, struct nv_buffer *key)
{
    for (size_t i = 0; i < count; i++) {
        struct nv_value value = nv_db_value(statement, first + (int)i);
        nv_value_encode(key, &value);
    }
}

/* ---- rows ---- */

void nv_row_done(struct nv_row *row)
{
    nv_buffer_done(&row->bytes);
    row->there = false;
}

enum nv_status nv_row_take(sqlite3_stmt *statement, int first, size_t count, struct nv_row *row, struct nv_error *error)
{
    nv_buffer_clear(&row->bytes);
    for (size_t i = 0; i < count; i++) {
        struct nv_value value = nv_db_value(statement, first + (int)i);
        nv_value_encode(&row->bytes, &value);
    }
    if (row->bytes.failed)
        return nv_no_memory(error);
    struct nv_reader reader = nv_reader_of(nv_buffer_slice(&row->bytes));
    for (size_t i = 0; i < count; i++)
        if (!nv_value_decode(&reader, &row->values[i]))
            return nv_fail(error, NV_BUG, "store: a row could not be read back");
    row->there = true;
    row->count = count;
    return NV_OK;
}

enum nv_status nv_row_read(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                           struct nv_row *row, struct nv_error *error)
{
    row->there = false;
    row->count = 0;
    sqlite3_stmt *statement = select_statement(store, access, error);
    if (statement == NULL)
        return error->status;
    bind_key(statement, key);
    bool found;
    enum nv_status status = nv_db_step(statement, &found, error);
    if (status == NV_OK && found)
        status = nv_row_take(statement, 1, access->table->field_count, row, error);
    sqlite3_reset(statement);
    return status;
}

static void bind_fields(sqlite3_stmt *statement, const struct nv_table *table, nv_fields fields,
                        const struct nv_value *values)
{
    for (size_t i = 0; i < table->field_count; i++)
        if (fields >> i & 1)
            nv_db_bind_value(statement, (int)(table->key_count + i) + 1, &values[i]);
}

static void set_triggers(struct nv_store *store, bool enabled)
{
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, enabled && !store->is_muted, NULL);
}

/* What became of a statement that was stepped to its end. A trigger may say RAISE(IGNORE), and nothing is written; or
 * RAISE(ROLLBACK), and the whole transaction is gone: then the caller begins again, with the triggers off. (SQLite
 * gives a transaction up by itself too, where there is no memory or no room: no trigger is to blame for that.) */
static int outcome(struct nv_store *store, int result)
{
    int extended = result == SQLITE_DONE ? SQLITE_OK : sqlite3_extended_errcode(store->db);
    if ((extended & 0xff) == SQLITE_CONSTRAINT && store->in_transaction && sqlite3_get_autocommit(store->db)) {
        store->is_muted = true;
        return SQLITE_ABORT_ROLLBACK;
    }
    return extended == SQLITE_OK && sqlite3_changes(store->db) == 0 ? SQLITE_CONSTRAINT_TRIGGER : extended;
}

/* SQLite's extended result; SQLITE_NOMEM too where there is no memory to make the statement. */
static int write_once(struct nv_store *store, struct nv_table_access *access, bool is_insert, struct nv_slice key,
                      nv_fields fields, const struct nv_value *values, struct nv_error *error)
{
    sqlite3_stmt *statement = writer_statement(store, access, is_insert, fields, error);
    if (statement == NULL)
        return error->status == NV_NO_MEMORY ? SQLITE_NOMEM : sqlite3_extended_errcode(store->db);
    bind_key(statement, key);
    bind_fields(statement, access->table, fields, values);
    int result = sqlite3_step(statement);
    int extended = outcome(store, result);
    sqlite3_reset(statement);
    return extended;
}

/* The site's own triggers fire. Where one of them is broken or objects, the row is written without them: what others
 * wrote must not be lost for it. */
static bool is_of_trigger(int extended)
{
    return extended == SQLITE_CONSTRAINT_TRIGGER || (extended & 0xff) == SQLITE_ERROR;
}

static int write_row(struct nv_store *store, struct nv_table_access *access, bool is_insert, struct nv_slice key,
                     nv_fields fields, const struct nv_value *values, struct nv_error *error)
{
    int extended = write_once(store, access, is_insert, key, fields, values, error);
    if (!is_of_trigger(extended))
        return extended;
    set_triggers(store, false);
    extended = write_once(store, access, is_insert, key, fields, values, error);
    set_triggers(store, true);
    return extended == SQLITE_CONSTRAINT_TRIGGER ? SQLITE_OK : extended; /* there was no such row */
}

enum nv_status nv_row_insert(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                             nv_fields fields, const struct nv_value *values, bool *ret_clash, struct nv_error *error)
{
    int extended = write_row(store, access, true, key, fields, values, error);
    *ret_clash = extended == SQLITE_CONSTRAINT_PRIMARYKEY || extended == SQLITE_CONSTRAINT_UNIQUE ||
                 extended == SQLITE_CONSTRAINT_ROWID;
    return *ret_clash ? NV_OK : nv_db_fail(store->db, extended, access->table->name, error);
}

enum nv_status nv_row_update(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                             nv_fields fields, const struct nv_value *values, struct nv_error *error)
{
    int extended = write_row(store, access, false, key, fields, values, error);
    return nv_db_fail(store->db, extended, access->table->name, error);
}

static sqlite3_stmt *erase_statement(struct nv_store *store, struct nv_table_access *access, struct nv_error *error)
{
    if (access->erase != NULL)
        return access->erase;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "DELETE FROM main.\"%w\"", access->table->name);
    append_where_key(sql, access->table);
    return access->erase = prepare_built(store, sql, error);
}

static int erase_once(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                      struct nv_error *error)
{
    sqlite3_stmt *statement = erase_statement(store, access, error);
    if (statement == NULL)
        return error->status == NV_NO_MEMORY ? SQLITE_NOMEM : sqlite3_extended_errcode(store->db);
    bind_key(statement, key);
    int result = sqlite3_step(statement);
    int extended = outcome(store, result);
    sqlite3_reset(statement);
    return extended;
}

enum nv_status nv_row_erase(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                            struct nv_error *error)
{
    int extended = erase_once(store, access, key, error);
    if (is_of_trigger(extended)) {
        set_triggers(store, false);
        extended = erase_once(store, access, key, error);
        set_triggers(store, true);
    }
    if (extended == SQLITE_CONSTRAINT_TRIGGER)
        extended = SQLITE_OK; /* there was no such row */
    return nv_db_fail(store->db, extended, access->table->name, error);
}

enum nv_status nv_row_digest(struct nv_store *store, const struct nv_value *values, size_t count,
                             struct nv_buffer *scratch, uint64_t *ret_digest, struct nv_error *error)
{
    nv_buffer_clear(scratch);
    for (size_t i = 0; i < count; i++)
        nv_value_encode(scratch, &values[i]);
    if (scratch->failed)
        return nv_no_memory(error);
    *ret_digest = nv_short_hash(store->row_digest_key, nv_buffer_slice(scratch));
    return NV_OK;
}
