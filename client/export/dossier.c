/* All that is held on one record: it is gathered table by table, following what references it. Records that no row
 * shows any more, because they were deleted or could not be taken, are found by their keys in the store's own tables.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/conflicts.h"
#include "client/export/export.h"
#include "client/history.h"
#include "client/output.h"
#include "client/records.h"
#include "client/tables/references.h"
#include "store/care.h"
#include "store/db.h"

struct found {
    const struct nv_table *table;
    struct nv_buffer key;
};

struct gathering {
    struct nv_store *store;
    struct nv_dossier dossier;
    struct found *found; /* in the order in which they are told; the first `told` of them are */
    size_t count, told;
};

/* ---- which records ---- */

static enum nv_status add(struct gathering *gathering, const struct nv_table *table, struct nv_slice key,
                          struct nv_error *error)
{
    for (size_t i = 0; i < gathering->count; i++)
        if (gathering->found[i].table == table && nv_slice_equal(nv_buffer_slice(&gathering->found[i].key), key))
            return NV_OK;
    struct found *grown = realloc(gathering->found, (gathering->count + 1) * sizeof *grown);
    if (grown == NULL)
        return nv_no_memory(error);
    gathering->found = grown;
    struct found *found = &grown[gathering->count++];
    *found = (struct found){.table = table};
    nv_buffer_append(&found->key, key.data, key.size);
    return found->key.failed ? nv_no_memory(error) : NV_OK;
}

static enum nv_status add_rows(struct gathering *gathering, const struct nv_reference *reference,
                               const struct nv_table *parent, struct nv_slice key, struct nv_error *error)
{
    bool row;
    enum nv_status status = NV_OK;
    sqlite3_stmt *rows = nv_reference_prepare(gathering->store, reference, parent, error);
    if (rows == NULL)
        return error->status;
    nv_bind_key(rows, 1, key);
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        struct nv_buffer child = {0};
        for (size_t i = 0; i < reference->child->key_count; i++) {
            struct nv_value value = nv_db_value(rows, (int)i);
            nv_value_encode(&child, &value);
        }
        status = child.failed ? nv_no_memory(error) : add(gathering, reference->child, nv_buffer_slice(&child), error);
        nv_buffer_done(&child);
    }
    sqlite3_finalize(rows);
    return status;
}

/* The key's value for that column; false where it is none of the key's. */
static bool key_value(const struct nv_table *table, struct nv_slice key, const char *column, struct nv_value *ret_value)
{
    struct nv_reader reader = nv_reader_of(key);
    for (size_t i = 0; i < table->key_count && nv_value_decode(&reader, ret_value); i++)
        if (sqlite3_stricmp(table->keys[i], column) == 0)
            return true;
    return false;
}

static bool references_key(const struct nv_reference *reference, struct nv_slice child, const struct nv_table *parent,
                           struct nv_slice key)
{
    for (size_t i = 0; i < reference->count; i++) {
        struct nv_value from, to;
        if (!key_value(reference->child, child, reference->from[i], &from) ||
            !key_value(parent, key, reference->to[i], &to) || !nv_value_equal(&from, &to))
            return false;
    }
    return true;
}

/* Those that no row shows. */
static enum nv_status add_hidden(struct gathering *gathering, const struct nv_reference *reference,
                                 const struct nv_table *parent, struct nv_slice key, struct nv_error *error)
{
    bool row;
    enum nv_status status = NV_OK;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(gathering->store),
                                       "SELECT key FROM navette_version WHERE tbl = ?1 UNION "
                                       "SELECT key FROM navette_quarantine WHERE tbl = ?1 ORDER BY key",
                                       error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, reference->child->number);
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row)
        if (references_key(reference, nv_db_blob(rows, 0), parent, key))
            status = add(gathering, reference->child, nv_db_blob(rows, 0), error);
    sqlite3_finalize(rows);
    return status;
}

static enum nv_status follow(struct gathering *gathering, size_t place, struct nv_error *error)
{
    struct nv_reference *references;
    size_t count;
    const struct nv_table *table = gathering->found[place].table;
    enum nv_status status = nv_references_find(gathering->store, table, &references, &count, error);
    if (status != NV_OK)
        return status;
    /* The list may move while it grows, the key's own bytes do not. */
    struct nv_slice key = nv_buffer_slice(&gathering->found[place].key);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        status = add_rows(gathering, &references[i], table, key, error);
        if (status == NV_OK)
            status = add_hidden(gathering, &references[i], table, key, error);
    }
    free(references);
    return status;
}

/* ---- what is held on one ---- */

/* The row's fields, key and all; the key's alone where there is no row. */
static enum nv_status fields_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                  bool *ret_is_there, json_t *fields, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(store));
    for (size_t i = 0; i < table->field_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "SELECT " : ", ", table->fields[i].name);
    sqlite3_str_appendf(sql, "%s FROM main.\"%w\"", table->field_count == 0 ? "SELECT 1" : "", table->name);
    nv_sql_where_key(sql, table, 1);
    sqlite3_stmt *row = nv_prepare_built(store, sql, error);
    if (row == NULL)
        return error->status;
    nv_bind_key(row, 1, key);
    enum nv_status status = nv_db_step(row, ret_is_there, error);
    struct nv_reader reader = nv_reader_of(key);
    struct nv_value value;
    for (size_t i = 0; i < table->key_count && nv_value_decode(&reader, &value); i++)
        json_object_set_new(fields, table->keys[i], nv_json_value(&value));
    for (size_t i = 0; status == NV_OK && *ret_is_there && i < table->field_count; i++) {
        value = nv_db_value(row, (int)i);
        json_object_set_new(fields, table->fields[i].name, nv_json_value(&value));
    }
    sqlite3_finalize(row);
    return status;
}

static enum nv_status set_aside_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                     json_t *list, struct nv_error *error)
{
    bool row;
    enum nv_status status;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(store),
                                       "SELECT field, reason, value, last_ms FROM navette_quarantine "
                                       "WHERE tbl = ?1 AND key = ?2 ORDER BY first_ms, field",
                                       error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, table->number);
    nv_db_bind_slice(rows, 2, key);
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        int field = sqlite3_column_int(rows, 0);
        struct nv_value value = nv_db_value(rows, 2);
        bool is_known = field >= 0 && (size_t)field < table->field_count;
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:I}", "field", nv_json_text(is_known ? table->fields[field].name : NULL),
                            "reason", nv_json_text((const char *)sqlite3_column_text(rows, 1)), "value",
                            nv_json_value(&value), "time_ms", (json_int_t)sqlite3_column_int64(rows, 3)));
    }
    sqlite3_finalize(rows);
    return status;
}

static enum nv_status record_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                  json_t **ret_json, struct nv_error *error)
{
    json_t *fields = json_object(), *conflicts = NULL, *set_aside = json_array(), *history = NULL;
    struct nv_buffer key_text = {0};
    bool is_there = false;
    nv_key_to_text(table, key, &key_text);
    enum nv_status status = fields_json(store, table, key, &is_there, fields, error);
    if (status == NV_OK)
        status = nv_conflicts_json(store, table, key, &conflicts, error);
    if (status == NV_OK)
        status = set_aside_json(store, table, key, set_aside, error);
    if (status == NV_OK)
        status = nv_history_json(store, table, key, &history, error);
    if (status == NV_OK) {
        *ret_json = json_pack("{s:o, s:b, s:O, s:O, s:O, s:O}", "key", nv_json_text((const char *)key_text.data),
                              "is_in_table", (int)is_there, "fields", fields, "conflicts", conflicts, "set_aside",
                              set_aside, "history", history);
        status = *ret_json == NULL || key_text.failed ? nv_no_memory(error) : NV_OK;
    }
    json_decref(fields);
    json_decref(conflicts);
    json_decref(set_aside);
    json_decref(history);
    nv_buffer_done(&key_text);
    return status;
}

/* ---- the whole ---- */

/* The section of the dossier for the table: a new one where it has none yet. */
static enum nv_status section_for(struct gathering *gathering, const struct nv_table *table, json_t **ret_records,
                                  struct nv_error *error)
{
    struct nv_dossier *dossier = &gathering->dossier;
    json_t *tables = json_object_get(dossier->json, "tables");
    for (size_t i = 0; i < dossier->sheet_count; i++) {
        *ret_records = json_object_get(json_array_get(tables, i), "records");
        if (dossier->sheets[i].table == table)
            return NV_OK;
    }
    struct nv_sheet *grown = realloc(dossier->sheets, (dossier->sheet_count + 1) * sizeof *grown);
    if (grown == NULL)
        return nv_no_memory(error);
    dossier->sheets = grown;
    enum nv_status status = nv_sheet_open(gathering->store, table, &grown[dossier->sheet_count], error);
    if (status != NV_OK)
        return status;
    dossier->sheet_count++;
    json_array_append_new(tables, json_pack("{s:s, s:[]}", "table", table->name, "records"));
    *ret_records = json_object_get(json_array_get(tables, dossier->sheet_count - 1), "records");
    return *ret_records == NULL ? nv_no_memory(error) : NV_OK;
}

/* Of a record that no row shows there may be nothing left to tell. */
static bool is_known(const json_t *record)
{
    return json_is_true(json_object_get(record, "is_in_table")) ||
           json_array_size(json_object_get(record, "history")) > 0 ||
           json_array_size(json_object_get(record, "set_aside")) > 0;
}

static enum nv_status tell(struct gathering *gathering, size_t place, struct nv_error *error)
{
    const struct found *found = &gathering->found[place];
    json_t *records = NULL, *record = NULL;
    enum nv_status status = record_json(gathering->store, found->table, nv_buffer_slice(&found->key), &record, error);
    if (status == NV_OK && place == 0 && !is_known(record))
        status = nv_fail(error, NV_NOT_FOUND, "%s has no record with that key", found->table->name);
    if (status == NV_OK && is_known(record)) {
        status = section_for(gathering, found->table, &records, error);
        if (status == NV_OK && json_array_append(records, record) != 0)
            status = nv_no_memory(error);
    }
    json_decref(record);
    return status;
}

enum nv_status nv_dossier_gather(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                 struct nv_dossier *ret_dossier, struct nv_error *error)
{
    struct gathering gathering = {.store = store};
    struct nv_buffer key_text = {0};
    nv_key_to_text(table, key, &key_text);
    gathering.dossier.json =
        json_pack("{s:s, s:o, s:s, s:I, s:[]}", "table", table->name, "key", nv_json_text((const char *)key_text.data),
                  "site", nv_store_identity(store)->name, "made_ms", (json_int_t)nv_wall_now().ms, "tables");
    enum nv_status status = gathering.dossier.json == NULL ? nv_no_memory(error) : add(&gathering, table, key, error);
    for (size_t i = 0; status == NV_OK && i < gathering.count; i++) {
        status = tell(&gathering, i, error);
        if (status == NV_OK)
            status = follow(&gathering, i, error);
    }
    for (size_t i = 0; i < gathering.count; i++)
        nv_buffer_done(&gathering.found[i].key);
    free(gathering.found);
    nv_buffer_done(&key_text);
    if (status != NV_OK)
        nv_dossier_done(&gathering.dossier);
    else
        *ret_dossier = gathering.dossier;
    return status;
}

void nv_dossier_done(struct nv_dossier *dossier)
{
    for (size_t i = 0; i < dossier->sheet_count; i++)
        nv_sheet_done(&dossier->sheets[i]);
    free(dossier->sheets);
    json_decref(dossier->json);
    *dossier = (struct nv_dossier){0};
}
