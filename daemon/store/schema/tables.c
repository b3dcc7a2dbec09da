/* The tracked tables in memory: what the manifest says of them, with types and CHECKs as they were published. */
#include <stdlib.h>
#include <string.h>

#include "store/merge/rows.h"
#include "store/schema/declared.h"
#include "store/schema/published.h"
#include "store/schema/trackable.h"

enum { SHAPES_BYTES = 64 << 20 };

static void free_table(struct nv_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->field_count; i++) {
        free(table->fields[i].label_fr);
        free(table->fields[i].label_en);
    }
    free(table);
}

static void forget_tables(struct nv_store *store)
{
    nv_access_done(store);
    for (size_t i = 0; i < store->table_count; i++)
        free_table(store->tables[i]);
    free(store->tables);
    store->tables = NULL;
    store->table_count = 0;
}

void nv_tables_done(struct nv_store *store)
{
    forget_tables(store);
    nv_published_done(store);
}

/* ---- one table ---- */

static bool copy_name(char *to, size_t capacity, const char *name)
{
    size_t size = name == NULL ? 0 : strlen(name);
    if (size == 0 || size >= capacity)
        return false;
    memcpy(to, name, size + 1);
    return true;
}

/* NULL stays NULL; *ok is false where memory ran out. */
static char *copy_label(sqlite3_stmt *row, int column, bool *ok)
{
    const char *label = (const char *)sqlite3_column_text(row, column);
    char *copy = label == NULL ? NULL : strdup(label);
    *ok = *ok && (label == NULL || copy != NULL);
    return copy;
}

static bool field_has_check(const struct nv_shape *shape, const struct nv_shape_column *column)
{
    for (size_t i = 0; i < shape->check_count; i++)
        if (shape->checks[i].named > 0 && &shape->columns[shape->checks[i].column] == column)
            return true;
    return false;
}

static enum nv_status damaged(const char *name, struct nv_error *error)
{
    return nv_fail(error, NV_CORRUPT,
                   "store: what navette_table and navette_column say of table %.64s is not what was "
                   "published: restore a backup",
                   name);
}

static enum nv_status take_field(sqlite3_stmt *row, const struct nv_shape *shape, struct nv_table *table,
                                 struct nv_error *error)
{
    struct nv_column *field = &table->fields[table->field_count];
    const char *rule = (const char *)sqlite3_column_text(row, 1);
    bool ok = true;
    if (table->field_count == NV_LIMIT_FIELDS || sqlite3_column_int64(row, 5) != (int64_t)table->field_count ||
        !copy_name(field->name, sizeof field->name, (const char *)sqlite3_column_text(row, 0)) || rule == NULL ||
        !nv_rule_from_name(rule, &field->rule))
        return damaged(table->name, error);
    const struct nv_shape_column *column = nv_shape_column(shape, field->name);
    if (column == NULL || column->key > 0)
        return damaged(table->name, error);
    field->type = column->stored;
    field->quiet = sqlite3_column_int(row, 2) != 0;
    field->has_check = field_has_check(shape, column);
    field->published = (uint64_t)sqlite3_column_int64(row, 6);
    table->field_count++;
    field->label_fr = copy_label(row, 3, &ok);
    field->label_en = copy_label(row, 4, &ok);
    return ok ? NV_OK : nv_no_memory(error);
}

static enum nv_status take_fields(struct nv_store *store, const struct nv_shape *shape, struct nv_table *table,
                                  struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(store->db,
                                       "SELECT name, rule, quiet, label_fr, label_en, field, published "
                                       "FROM navette_column WHERE table_name = ?1 AND field IS NOT NULL ORDER BY field",
                                       error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_text(rows, 1, table->name, -1, SQLITE_STATIC);
    enum nv_status status;
    bool more;
    while ((status = nv_db_step(rows, &more, error)) == NV_OK && more)
        if ((status = take_field(rows, shape, table, error)) != NV_OK)
            break;
    sqlite3_finalize(rows);
    return status;
}

static enum nv_status take_keys(const struct nv_shape *shape, struct nv_table *table, struct nv_error *error)
{
    if (shape->kind != NV_SHAPE_TABLE || shape->key_count == 0 || shape->key_count > NV_LIMIT_KEY_COLUMNS)
        return damaged(table->name, error);
    table->key_count = shape->key_count;
    for (size_t i = 0; i < table->key_count; i++) {
        const struct nv_shape_column *column = nv_shape_key(shape, (unsigned)i + 1);
        if (column == NULL || !copy_name(table->keys[i], sizeof table->keys[i], column->name))
            return damaged(table->name, error);
        table->key_types[i] = column->stored;
    }
    return NV_OK;
}

static enum nv_status take_table(struct nv_store *store, sqlite3_stmt *row, struct nv_arena *arena,
                                 struct nv_table *table, struct nv_error *error)
{
    struct nv_shape published, here;
    char trouble[NV_TROUBLE_TEXT];
    const char *name = (const char *)sqlite3_column_text(row, 0);
    if (!copy_name(table->name, sizeof table->name, name) ||
        !copy_name(table->scope, sizeof table->scope, (const char *)sqlite3_column_text(row, 1)) ||
        !copy_name(table->writers, sizeof table->writers, (const char *)sqlite3_column_text(row, 2)))
        return damaged(name == NULL ? "" : name, error);
    table->number = (uint32_t)sqlite3_column_int64(row, 3);
    table->published = (uint64_t)sqlite3_column_int64(row, 4);
    enum nv_status status = nv_shape_read(nv_published_db(store), table->name, arena, &published, error);
    if (status == NV_OK)
        status = nv_shape_read(store->db, table->name, arena, &here, error);
    if (status == NV_OK)
        status = take_keys(&published, table, error);
    if (status == NV_OK)
        status = take_fields(store, &published, table, error);
    if (status == NV_OK)
        status = nv_declared_take(table, error);
    if (status == NV_OK)
        table->missing = nv_shape_differs(&published, &here, table->name, trouble, sizeof trouble);
    return status;
}

/* ---- all of them ---- */

static enum nv_status take_tables(struct nv_store *store, struct nv_arena *arena, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(store->db,
                                       "SELECT name, scope, writers, number, published FROM navette_table "
                                       "WHERE number IS NOT NULL ORDER BY number",
                                       error);
    if (rows == NULL)
        return error->status;
    enum nv_status status;
    bool more;
    while ((status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        struct nv_table **grown = realloc(store->tables, (store->table_count + 1) * sizeof(struct nv_table *));
        struct nv_table *table = calloc(1, sizeof *table);
        if (grown != NULL)
            store->tables = grown;
        if (grown == NULL || table == NULL) {
            free(table);
            status = nv_no_memory(error);
            break;
        }
        store->tables[store->table_count++] = table;
        nv_arena_reset(arena);
        status = take_table(store, rows, arena, table, error);
        if (status != NV_OK)
            break;
    }
    sqlite3_finalize(rows);
    return status;
}

enum nv_status nv_tables_load(struct nv_store *store, struct nv_error *error)
{
    struct nv_arena arena = {.limit = SHAPES_BYTES};
    forget_tables(store);
    enum nv_status status = nv_published_load(store, error);
    if (status == NV_OK)
        status = take_tables(store, &arena, error);
    if (status == NV_OK)
        status = nv_declared_link(store, error);
    if (status == NV_OK)
        status = nv_access_open(store, error);
    if (status != NV_OK)
        forget_tables(store);
    nv_arena_done(&arena);
    return status;
}

void nv_store_tables(const struct nv_store *store, const struct nv_table *const **ret_tables, size_t *ret_count)
{
    *ret_tables = (const struct nv_table *const *)store->tables;
    *ret_count = store->table_count;
}

const struct nv_table *nv_store_table(const struct nv_store *store, const char *name)
{
    for (size_t i = 0; i < store->table_count; i++)
        if (sqlite3_stricmp(store->tables[i]->name, name) == 0)
            return store->tables[i];
    return NULL;
}

enum nv_status nv_store_table_trouble(struct nv_store *store, const struct nv_table *table,
                                      char ret_text[NV_TROUBLE_TEXT], struct nv_error *error)
{
    struct nv_arena arena = {.limit = SHAPES_BYTES};
    struct nv_shape published, here;
    enum nv_status status = nv_shape_read(nv_published_db(store), table->name, &arena, &published, error);
    if (status == NV_OK)
        status = nv_shape_read(store->db, table->name, &arena, &here, error);
    if (status == NV_OK && !nv_shape_differs(&published, &here, table->name, ret_text, NV_TROUBLE_TEXT))
        ret_text[0] = '\0';
    nv_arena_done(&arena);
    return status;
}
