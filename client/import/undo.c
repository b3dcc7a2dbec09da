#include "client/import/undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/output.h"
#include "client/records.h"
#include "client/tables/references.h"
#include "client/transaction.h"
#include "store/care.h"
#include "store/db.h"

enum { LEFT_SHOWN = 20 };

/* ---- the list ---- */

enum nv_status nv_imports_list(struct nv_store *store, bool (*each)(const struct nv_past_import *import, void *context),
                               void *context, struct nv_error *error)
{
    bool row;
    enum nv_status status;
    sqlite3_stmt *rows = nv_db_prepare(
        nv_store_db(store),
        "SELECT number, tbl, at_ms, file, created, changed FROM navette_import ORDER BY number DESC", error);
    if (rows == NULL)
        return error->status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        struct nv_past_import import = {.number = sqlite3_column_int64(rows, 0),
                                        .table = nv_table_by_number(store, (uint32_t)sqlite3_column_int64(rows, 1)),
                                        .at = {sqlite3_column_int64(rows, 2)},
                                        .created = sqlite3_column_int64(rows, 4),
                                        .changed = sqlite3_column_int64(rows, 5)};
        snprintf(import.file, sizeof import.file, "%s", (const char *)sqlite3_column_text(rows, 3));
        if (!each(&import, context))
            break;
    }
    sqlite3_finalize(rows);
    return status;
}

static bool take_newest(const struct nv_past_import *import, void *context)
{
    *(struct nv_past_import *)context = *import;
    return false;
}

/* ---- taking it back ---- */

struct undoing {
    struct nv_store *store;
    struct nv_undone *undone;
    const struct nv_table *table;
    sqlite3_stmt *read, *erase;
    sqlite3_stmt **references; /* for each reference to the table: who makes it */
    size_t reference_count;
};

static enum nv_status note_left(struct undoing *undoing, struct nv_slice key, const char *why, struct nv_error *error)
{
    struct nv_buffer text = {0};
    if (json_array_size(undoing->undone->left) >= LEFT_SHOWN)
        return NV_OK;
    nv_key_to_text(undoing->table, key, &text);
    int failed =
        text.failed ||
        json_array_append_new(undoing->undone->left,
                              json_pack("{s:o, s:s}", "key", nv_json_text((const char *)text.data), "why", why)) != 0;
    nv_buffer_done(&text);
    return failed != 0 ? nv_no_memory(error) : NV_OK;
}

/* Whether the row that `read` stands on is what the import made. Fields that the schema got since are nobody's word. */
static bool is_as_made(const struct undoing *undoing, struct nv_slice made)
{
    struct nv_reader reader = nv_reader_of(made);
    struct nv_value then;
    for (size_t i = 0; i < undoing->table->field_count && nv_value_decode(&reader, &then); i++) {
        struct nv_value now = nv_db_value(undoing->read, (int)i);
        if (!nv_value_equal(&now, &then))
            return false;
    }
    return true;
}

static enum nv_status is_referenced(const struct undoing *undoing, struct nv_slice key, bool *ret_is,
                                    struct nv_error *error)
{
    enum nv_status status = NV_OK;
    *ret_is = false;
    for (size_t i = 0; status == NV_OK && !*ret_is && i < undoing->reference_count; i++) {
        nv_bind_key(undoing->references[i], 1, key);
        status = nv_db_step(undoing->references[i], ret_is, error);
        sqlite3_reset(undoing->references[i]);
    }
    return status;
}

/* A record that the import made goes, unless somebody has made it theirs. */
static enum nv_status take_back_record(struct undoing *undoing, struct nv_slice key, struct nv_slice made,
                                       struct nv_error *error)
{
    bool row, referenced = false;
    nv_bind_key(undoing->read, 1, key);
    enum nv_status status = nv_db_step(undoing->read, &row, error);
    bool is_made = status == NV_OK && row && is_as_made(undoing, made);
    sqlite3_reset(undoing->read);
    if (status != NV_OK || !row)
        return status;
    if (is_made)
        status = is_referenced(undoing, key, &referenced, error);
    if (status != NV_OK)
        return status;
    if (!is_made || referenced) {
        undoing->undone->left_records++;
        return note_left(undoing, key, is_made ? "referenced" : "changed", error);
    }
    nv_bind_key(undoing->erase, 1, key);
    undoing->undone->deleted++;
    return nv_db_run(undoing->erase, error);
}

static enum nv_status prepare_references(struct undoing *undoing, struct nv_error *error)
{
    struct nv_reference *references;
    size_t count;
    enum nv_status status = nv_references_find(undoing->store, undoing->table, &references, &count, error);
    if (status != NV_OK)
        return status;
    undoing->references = calloc(count + 1, sizeof(sqlite3_stmt *));
    if (undoing->references == NULL)
        status = nv_no_memory(error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        undoing->references[i] = nv_reference_prepare(undoing->store, &references[i], undoing->table, error);
        undoing->reference_count = i + 1;
        if (undoing->references[i] == NULL)
            status = error->status;
    }
    free(references);
    return status;
}

static void finish(struct undoing *undoing)
{
    for (size_t i = 0; i < undoing->reference_count; i++)
        sqlite3_finalize(undoing->references[i]);
    free(undoing->references);
    sqlite3_finalize(undoing->read);
    sqlite3_finalize(undoing->erase);
}

static enum nv_status prepare(struct undoing *undoing, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(undoing->store));
    sqlite3_str_appendall(sql, "SELECT ");
    for (size_t i = 0; i < undoing->table->field_count; i++)
        sqlite3_str_appendf(sql, "\"%w\", ", undoing->table->fields[i].name);
    sqlite3_str_appendf(sql, "1 FROM main.\"%w\"", undoing->table->name);
    nv_sql_where_key(sql, undoing->table, 1);
    undoing->read = nv_prepare_built(undoing->store, sql, error);
    if (undoing->read == NULL)
        return error->status;
    sql = sqlite3_str_new(nv_store_db(undoing->store));
    sqlite3_str_appendf(sql, "DELETE FROM main.\"%w\"", undoing->table->name);
    nv_sql_where_key(sql, undoing->table, 1);
    undoing->erase = nv_prepare_built(undoing->store, sql, error);
    if (undoing->erase == NULL)
        return error->status;
    return prepare_references(undoing, error);
}

static enum nv_status take_back_records(struct undoing *undoing, struct nv_error *error)
{
    bool row;
    enum nv_status status = NV_OK;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(undoing->store),
                                       "SELECT key, made FROM navette_import_record WHERE import = ?1", error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, undoing->undone->import.number);
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row)
        status = take_back_record(undoing, nv_db_blob(rows, 0), nv_db_blob(rows, 1), error);
    sqlite3_finalize(rows);
    return status;
}

/* A field that the import changed gets its old value, where it still shows what the import wrote. */
static enum nv_status take_back_field(struct undoing *undoing, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_slice key = nv_db_blob(row, 0);
    const char *field = (const char *)sqlite3_column_text(row, 1);
    int keys = (int)undoing->table->key_count;
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(undoing->store));
    sqlite3_str_appendf(sql, "UPDATE main.\"%w\" SET \"%w\" = ?%d", undoing->table->name, field, keys + 1);
    nv_sql_where_key(sql, undoing->table, 1);
    sqlite3_str_appendf(sql, " AND \"%w\" IS ?%d", field, keys + 2);
    sqlite3_stmt *update = nv_prepare_built(undoing->store, sql, error);
    if (update == NULL)
        return error->status;
    nv_bind_key(update, 1, key);
    sqlite3_bind_value(update, keys + 1, sqlite3_column_value(row, 2));
    sqlite3_bind_value(update, keys + 2, sqlite3_column_value(row, 3));
    enum nv_status status = nv_db_run(update, error);
    sqlite3_finalize(update);
    if (status != NV_OK || sqlite3_changes(nv_store_db(undoing->store)) > 0) {
        undoing->undone->fields += status == NV_OK;
        return status;
    }
    undoing->undone->left_fields++;
    return note_left(undoing, key, "changed", error);
}

static enum nv_status take_back_fields(struct undoing *undoing, struct nv_error *error)
{
    bool row;
    enum nv_status status = NV_OK;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(undoing->store),
                                       "SELECT key, field, old, new FROM navette_import_cell WHERE import = ?1", error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, undoing->undone->import.number);
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row)
        status = take_back_field(undoing, rows, error);
    sqlite3_finalize(rows);
    return status;
}

static enum nv_status forget(struct nv_store *store, int64_t number, struct nv_error *error)
{
    return nv_db_execf(nv_store_db(store), error,
                       "DELETE FROM navette_import WHERE number = %lld;"
                       "DELETE FROM navette_import_record WHERE import = %lld;"
                       "DELETE FROM navette_import_cell WHERE import = %lld;",
                       (long long)number, (long long)number, (long long)number);
}

static enum nv_status take_back(struct undoing *undoing, struct nv_error *error)
{
    struct nv_undone *undone = undoing->undone;
    enum nv_status status = nv_imports_list(undoing->store, take_newest, &undone->import, error);
    if (status == NV_OK && undone->import.number == 0)
        return nv_fail(error, NV_NOT_FOUND, "no import is left that could be undone");
    undoing->table = undone->import.table;
    if (status == NV_OK && (undoing->table == NULL || undoing->table->missing))
        return nv_fail(error, NV_NOT_YET, "the table of the last import is not in the store now");
    if (status == NV_OK)
        status = prepare(undoing, error);
    if (status == NV_OK)
        status = take_back_records(undoing, error);
    if (status == NV_OK)
        status = take_back_fields(undoing, error);
    return status == NV_OK ? forget(undoing->store, undone->import.number, error) : status;
}

enum nv_status nv_import_undo(struct nv_store *store, struct nv_undone *ret_undone, struct nv_error *error)
{
    struct nv_undone undone = {.left = json_array()};
    struct undoing undoing = {.store = store, .undone = &undone};
    enum nv_status status = undone.left == NULL ? nv_no_memory(error) : nv_transaction_begin(store, error);
    if (status == NV_OK) {
        status = take_back(&undoing, error);
        finish(&undoing);
        status = nv_transaction_end(store, status, error);
    }
    if (status != NV_OK)
        json_decref(undone.left);
    else
        *ret_undone = undone;
    return status;
}
