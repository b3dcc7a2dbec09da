#include "client/tables/references.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/records.h"
#include "store/db.h"

/* The rows of a foreign key stand together, by its columns: the first one begins a reference. */
static enum nv_status take_row(sqlite3_stmt *row, const struct nv_table *child, const struct nv_table *parent,
                               struct nv_reference **references, size_t *count, struct nv_error *error)
{
    int place = sqlite3_column_int(row, 0);
    const char *from = (const char *)sqlite3_column_text(row, 1), *to = (const char *)sqlite3_column_text(row, 2);
    if (place < 0 || place >= NV_LIMIT_KEY_COLUMNS || from == NULL || (to == NULL && place >= (int)parent->key_count))
        return NV_OK;
    if (place == 0) {
        struct nv_reference *grown = realloc(*references, (*count + 1) * sizeof *grown);
        if (grown == NULL)
            return nv_no_memory(error);
        *references = grown;
        grown[(*count)++] = (struct nv_reference){.child = child};
    }
    struct nv_reference *reference = &(*references)[*count - 1];
    reference->count = (size_t)place + 1;
    snprintf(reference->from[place], sizeof reference->from[place], "%s", from);
    snprintf(reference->to[place], sizeof reference->to[place], "%s", to != NULL ? to : parent->keys[place]);
    return NV_OK;
}

static enum nv_status find_in(struct nv_store *store, const struct nv_table *child, const struct nv_table *parent,
                              struct nv_reference **references, size_t *count, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    bool row;
    sqlite3_stmt *rows = nv_db_preparef(nv_store_db(store), error,
                                        "SELECT seq, \"from\", \"to\" FROM pragma_foreign_key_list(%Q, 'main') "
                                        "WHERE \"table\" = %Q COLLATE NOCASE ORDER BY id, seq",
                                        child->name, parent->name);
    if (rows == NULL)
        return error->status;
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row)
        status = take_row(rows, child, parent, references, count, error);
    sqlite3_finalize(rows);
    return status;
}

enum nv_status nv_references_find(struct nv_store *store, const struct nv_table *parent,
                                  struct nv_reference **ret_references, size_t *ret_count, struct nv_error *error)
{
    const struct nv_table *const *tables;
    struct nv_reference *references = NULL;
    size_t table_count, count = 0;
    enum nv_status status = NV_OK;
    nv_store_tables(store, &tables, &table_count);
    for (size_t i = 0; status == NV_OK && i < table_count; i++)
        if (!tables[i]->missing)
            status = find_in(store, tables[i], parent, &references, &count, error);
    if (status != NV_OK) {
        free(references);
        return status;
    }
    *ret_references = references;
    *ret_count = count;
    return NV_OK;
}

sqlite3_stmt *nv_reference_prepare(struct nv_store *store, const struct nv_reference *reference,
                                   const struct nv_table *parent, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(store));
    for (size_t i = 0; i < reference->child->key_count; i++)
        sqlite3_str_appendf(sql, "%sc.\"%w\"", i == 0 ? "SELECT " : ", ", reference->child->keys[i]);
    sqlite3_str_appendf(sql, " FROM main.\"%w\" AS p JOIN main.\"%w\" AS c ON ", parent->name, reference->child->name);
    for (size_t i = 0; i < reference->count; i++)
        sqlite3_str_appendf(sql, "%sc.\"%w\" = p.\"%w\"", i == 0 ? "" : " AND ", reference->from[i], reference->to[i]);
    for (size_t i = 0; i < parent->key_count; i++)
        sqlite3_str_appendf(sql, "%sp.\"%w\" = ?%d", i == 0 ? " WHERE " : " AND ", parent->keys[i], (int)i + 1);
    for (size_t i = 0; i < reference->child->key_count; i++)
        sqlite3_str_appendf(sql, "%sc.\"%w\"", i == 0 ? " ORDER BY " : ", ", reference->child->keys[i]);
    return nv_prepare_built(store, sql, error);
}
