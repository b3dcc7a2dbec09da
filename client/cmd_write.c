/* navette put, rm: ordinary SQL writes, captured by the same triggers as those of any other program. */
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "client/records.h"
#include "client/transaction.h"
#include "store/care.h"
#include "store/db.h"

struct writing {
    struct nv_store *store;
    const struct nv_table *table;
    struct nv_buffer key; /* encoded; empty where none was given */
    struct nv_assignments assignments;
};

static enum nv_status open_record(struct nv_call *call, struct writing *writing, const char *key,
                                  struct nv_error *error)
{
    enum nv_status status = nv_home_open(&call->home, &writing->store, error);
    if (status == NV_OK)
        status = nv_find_table(writing->store, call->words[0], &writing->table, error);
    if (status == NV_OK && key != NULL)
        status = nv_key_from_text(writing->table, key, &writing->key, error);
    return status;
}

static void close_record(struct writing *writing)
{
    nv_assignments_done(&writing->assignments);
    nv_buffer_done(&writing->key);
    nv_store_close(writing->store);
}

/* ---- put ---- */

/* What the table said to a write that it refused, and what to do. */
static enum nv_status explain(const struct writing *writing, enum nv_status status, struct nv_error *error)
{
    if (status != NV_REFUSED)
        return status;
    if (sqlite3_extended_errcode(nv_store_db(writing->store)) == SQLITE_CONSTRAINT_PRIMARYKEY)
        return nv_fail(error, NV_REFUSED,
                       "%s has a record with that key already: to change it, give its key as KEY before the fields",
                       writing->table->name);
    return nv_fail(error, NV_REFUSED,
                   "%s does not take this record: %.300s: nothing was written; give the field another value",
                   writing->table->name, sqlite3_errmsg(nv_store_db(writing->store)));
}

/* UPDATE … SET of the fields; *ret_found says whether the row was there. */
static enum nv_status update_row(const struct writing *writing, bool *ret_found, struct nv_error *error)
{
    const struct nv_assignments *assignments = &writing->assignments;
    int place = (int)assignments->count + 1;
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(writing->store));
    if (assignments->count == 0) {
        sqlite3_str_appendf(sql, "SELECT 1 FROM main.\"%w\"", writing->table->name);
    } else {
        sqlite3_str_appendf(sql, "UPDATE main.\"%w\" SET ", writing->table->name);
        for (size_t i = 0; i < assignments->count; i++)
            sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", i == 0 ? "" : ", ", assignments->items[i].column, (int)i + 1);
    }
    nv_sql_where_key(sql, writing->table, place);
    sqlite3_stmt *statement = nv_prepare_built(writing->store, sql, error);
    if (statement == NULL)
        return error->status;
    for (size_t i = 0; i < assignments->count; i++)
        nv_assignment_bind(statement, (int)i + 1, &assignments->items[i]);
    nv_bind_key(statement, place, nv_buffer_slice(&writing->key));
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK)
        *ret_found = row || (assignments->count > 0 && sqlite3_changes(nv_store_db(writing->store)) > 0);
    status = explain(writing, status, error);
    sqlite3_finalize(statement);
    return status;
}

static sqlite3_stmt *prepare_insert(const struct writing *writing, struct nv_error *error)
{
    const struct nv_assignments *assignments = &writing->assignments;
    bool has_key = writing->key.size > 0;
    size_t columns = assignments->count + (has_key ? writing->table->key_count : 0);
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(writing->store));
    sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\"", writing->table->name);
    if (columns == 0)
        sqlite3_str_appendall(sql, " DEFAULT VALUES");
    else
        sqlite3_str_appendall(sql, "(");
    for (size_t i = 0; i < assignments->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "" : ", ", assignments->items[i].column);
    if (has_key && assignments->count > 0)
        sqlite3_str_appendall(sql, ", ");
    if (has_key)
        nv_sql_key_columns(sql, writing->table);
    for (size_t i = 0; i < columns; i++)
        sqlite3_str_appendf(sql, "%s?%d", i == 0 ? ") VALUES (" : ", ", (int)i + 1);
    sqlite3_str_appendall(sql, columns == 0 ? " RETURNING " : ") RETURNING ");
    nv_sql_key_columns(sql, writing->table);
    return nv_prepare_built(writing->store, sql, error);
}

/* INSERT, with the table's own default for the key where none was given; appends the new key's text. */
static enum nv_status insert_row(const struct writing *writing, struct nv_buffer *key_text, struct nv_error *error)
{
    const struct nv_assignments *assignments = &writing->assignments;
    sqlite3_stmt *statement = prepare_insert(writing, error);
    if (statement == NULL)
        return error->status;
    for (size_t i = 0; i < assignments->count; i++)
        nv_assignment_bind(statement, (int)i + 1, &assignments->items[i]);
    nv_bind_key(statement, (int)assignments->count + 1, nv_buffer_slice(&writing->key));
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK && row) {
        nv_key_text_at(statement, 0, writing->table, key_text);
        status = nv_db_run(statement, error);
    }
    status = explain(writing, status, error);
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status write_row(const struct writing *writing, bool *ret_created, struct nv_buffer *key_text,
                                struct nv_error *error)
{
    bool found = false;
    enum nv_status status = nv_transaction_begin(writing->store, error);
    if (status != NV_OK)
        return status;
    if (writing->key.size > 0)
        status = update_row(writing, &found, error);
    if (status == NV_OK && found)
        nv_key_to_text(writing->table, nv_buffer_slice(&writing->key), key_text);
    else if (status == NV_OK)
        status = insert_row(writing, key_text, error);
    *ret_created = !found;
    return nv_transaction_end(writing->store, status, error);
}

static enum nv_status check_columns(const struct writing *writing, struct nv_error *error)
{
    for (size_t i = 0; i < writing->assignments.count; i++)
        if (writing->assignments.items[i].is_key && writing->key.size > 0)
            return nv_fail(
                error, NV_USAGE,
                "%s is part of the key, which KEY gives already: a record with another key is another record",
                writing->assignments.items[i].column);
    return NV_OK;
}

enum nv_status nv_command_put(struct nv_call *call, struct nv_error *error)
{
    struct writing writing = {0};
    struct nv_buffer key_text = {0};
    bool created = false;
    enum nv_status status = open_record(call, &writing, NULL, error);
    bool has_key = status == NV_OK && call->word_count > 1 && !nv_is_assignment(call->words[1]);
    size_t first = has_key ? 2 : 1;
    if (has_key)
        status = nv_key_from_text(writing.table, call->words[1], &writing.key, error);
    if (status == NV_OK)
        status = nv_assignments_read(writing.table, call->words + first, call->word_count - first, &writing.assignments,
                                     error);
    if (status == NV_OK)
        status = check_columns(&writing, error);
    if (status == NV_OK)
        status = write_row(&writing, &created, &key_text, error);
    if (status == NV_OK && key_text.failed)
        status = nv_fail(error, NV_NO_MEMORY, "out of memory: the record was written, but its key cannot be shown");
    if (status == NV_OK && call->json)
        status = nv_print_json(json_pack("{s:s, s:o, s:b}", "table", writing.table->name, "key",
                                         nv_json_text((const char *)key_text.data), "created", (int)created),
                               error);
    else if (status == NV_OK)
        printf("%s\n", (const char *)key_text.data);
    nv_buffer_done(&key_text);
    close_record(&writing);
    return status;
}

/* ---- rm ---- */

/* Steps a statement once and finalizes it; NULL is one that could not be prepared. */
static enum nv_status step_once(sqlite3_stmt *statement, bool *ret_row, struct nv_error *error)
{
    if (statement == NULL)
        return error->status;
    enum nv_status status = nv_db_step(statement, ret_row, error);
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status delete_row(const struct writing *writing, bool *ret_found, struct nv_error *error)
{
    bool row;
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(writing->store));
    sqlite3_str_appendf(sql, "DELETE FROM main.\"%w\"", writing->table->name);
    nv_sql_where_key(sql, writing->table, 1);
    sqlite3_stmt *statement = nv_prepare_built(writing->store, sql, error);
    if (statement != NULL)
        nv_bind_key(statement, 1, nv_buffer_slice(&writing->key));
    enum nv_status status = step_once(statement, &row, error);
    if (status == NV_OK)
        *ret_found = sqlite3_changes(nv_store_db(writing->store)) > 0;
    return status;
}

/* A row that was found gone without a DELETE is deleted only by a person's word: this is it. */
static enum nv_status confirm_missing(const struct writing *writing, struct nv_wall_ms now, bool *ret_found,
                                      struct nv_error *error)
{
    bool row;
    sqlite3 *db = nv_store_db(writing->store);
    sqlite3_stmt *statement = nv_db_prepare(db, "DELETE FROM navette_missing WHERE tbl = ?1 AND key = ?2", error);
    if (statement != NULL) {
        sqlite3_bind_int64(statement, 1, writing->table->number);
        nv_db_bind_slice(statement, 2, nv_buffer_slice(&writing->key));
    }
    enum nv_status status = step_once(statement, &row, error);
    if (status != NV_OK)
        return status;
    *ret_found = sqlite3_changes(db) > 0;
    if (!*ret_found)
        return NV_OK;
    sqlite3_str *sql = sqlite3_str_new(db);
    sqlite3_str_appendf(sql, "INSERT INTO navette_pending_%u(what, at_ms", writing->table->number);
    for (size_t i = 0; i < writing->table->key_count; i++)
        sqlite3_str_appendf(sql, ", k%d", (int)i);
    sqlite3_str_appendall(sql, ") VALUES ('D', ?1");
    for (size_t i = 0; i < writing->table->key_count; i++)
        sqlite3_str_appendf(sql, ", ?%d", (int)i + 2);
    sqlite3_str_appendall(sql, ")");
    statement = nv_prepare_built(writing->store, sql, error);
    if (statement != NULL) {
        sqlite3_bind_int64(statement, 1, now.ms);
        nv_bind_key(statement, 2, nv_buffer_slice(&writing->key));
    }
    return step_once(statement, &row, error);
}

enum nv_status nv_command_rm(struct nv_call *call, struct nv_error *error)
{
    struct writing writing = {0};
    bool found = false, was_missing = false;
    enum nv_status status = open_record(call, &writing, call->words[1], error);
    if (status == NV_OK)
        status = nv_transaction_begin(writing.store, error);
    if (status == NV_OK) {
        status = delete_row(&writing, &found, error);
        if (status == NV_OK && !found)
            status = confirm_missing(&writing, nv_wall_now(), &was_missing, error);
        if (status == NV_OK && !found && !was_missing)
            status = nv_fail(error, NV_NOT_FOUND, "%s has no record with that key", writing.table->name);
        status = nv_transaction_end(writing.store, status, error);
    }
    if (status == NV_OK && call->json)
        status = nv_print_json(json_pack("{s:s, s:o, s:b}", "table", writing.table->name, "key",
                                         nv_json_text(call->words[1]), "was_missing", (int)was_missing),
                               error);
    else if (status == NV_OK && was_missing)
        puts(_("The record was gone from its table already; its deletion is now confirmed."));
    close_record(&writing);
    return status;
}
