#include "store/schema/declared.h"

#include <string.h>

#include "store/db.h"
#include "store/schema/published.h"

enum { SHAPES_BYTES = 64 << 20 };

bool nv_declaration_read(const char *text, enum nv_declared *ret_kind, const char **ret_column)
{
    static const struct {
        const char *text;
        bool has_column;
    } known[] = {[NV_DECLARED_NETWORK] = {"network", false},
                 [NV_DECLARED_SITE] = {"site", false},
                 [NV_DECLARED_COLUMN] = {"column:", true},
                 [NV_DECLARED_PARENT] = {"parent:", true}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t size = strlen(known[i].text);
        if (known[i].has_column ? strncmp(text, known[i].text, size) != 0 : strcmp(text, known[i].text) != 0)
            continue;
        *ret_kind = (enum nv_declared)i;
        *ret_column = text + size;
        return !known[i].has_column || nv_name_is_good(*ret_column);
    }
    return false;
}

enum nv_status nv_declaration_form(const struct nv_schema_table *table, struct nv_error *error)
{
    enum nv_declared kind;
    const char *column;
    if (nv_declaration_read(table->scope, &kind, &column) &&
        (strcmp(table->writers, "scope") == 0 || strcmp(table->writers, "home") == 0))
        return NV_OK;
    return nv_fail(error, NV_NOT_YET,
                   "table %.64s is of scope %.80s, written by %.8s: newer software published it; update Navette here",
                   table->name, table->scope, table->writers);
}

/* ---- parents ---- */

static bool take_parent(sqlite3_stmt *row, char ret_parent[NV_LIMIT_NAME + 1])
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    bool is_other = ret_parent[0] != '\0' && (name == NULL || sqlite3_stricmp(ret_parent, name) != 0);
    if (name == NULL || strlen(name) > NV_LIMIT_NAME || is_other)
        return false;
    strcpy(ret_parent, name);
    return true;
}

/* Of a foreign key over several columns no single one names the parent. */
enum nv_status nv_declared_parent(sqlite3 *db, const char *table, const char *column,
                                  char ret_parent[NV_LIMIT_NAME + 1], struct nv_error *error)
{
    char parent[NV_LIMIT_NAME + 1] = "";
    sqlite3_stmt *rows = nv_db_prepare(
        db,
        "SELECT k.\"table\" FROM pragma_foreign_key_list(?1, 'main') AS k WHERE k.\"from\" = ?2 COLLATE NOCASE "
        "AND (SELECT count(*) FROM pragma_foreign_key_list(?1, 'main') AS o WHERE o.id = k.id) = 1 "
        "AND (k.\"to\" IS NULL OR k.\"to\" = (SELECT name FROM pragma_table_info(k.\"table\", 'main') WHERE pk = 1) "
        "COLLATE NOCASE)",
        error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_text(rows, 1, table, -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, column, -1, SQLITE_STATIC);
    enum nv_status status;
    bool more, is_clear = true;
    while ((status = nv_db_step(rows, &more, error)) == NV_OK && more)
        is_clear = is_clear && take_parent(rows, parent);
    sqlite3_finalize(rows);
    if (status == NV_OK)
        strcpy(ret_parent, is_clear ? parent : "");
    return status;
}

/* ---- judging ---- */

struct judging {
    const struct nv_store *store;
    sqlite3 *db;
    const struct nv_schema_op *op;
};

/* What the table of that name declares; NULL where it is not tracked. */
static const char *declaration_of(const struct judging *judging, const char *name)
{
    const struct nv_table *known = nv_store_table(judging->store, name);
    if (known != NULL)
        return known->scope;
    for (size_t i = 0; i < judging->op->table_count; i++)
        if (sqlite3_stricmp(judging->op->tables[i].name, name) == 0)
            return judging->op->tables[i].scope;
    return NULL;
}

static enum nv_status judge_column(const struct nv_shape *shape, const char *table, const char *name,
                                   struct nv_error *error)
{
    const struct nv_shape_column *column = nv_shape_column(shape, name);
    if (column == NULL || column->key > 0)
        return nv_fail(error, NV_REFUSED,
                       "table %.64s: its scope is column:%.64s, and it has no such column beside its key: add it, "
                       "%.64s TEXT",
                       table, name, name);
    bool has_default = column->fallback != NULL && sqlite3_stricmp(column->fallback, "NULL") != 0;
    if (column->stored.affinity != NV_AFFINITY_TEXT || column->not_null || has_default)
        return nv_fail(
            error, NV_REFUSED,
            "table %.64s: column %.64s says who may read a record, and NULL is the site that made it: make it "
            "%.64s TEXT, without NOT NULL and DEFAULT",
            table, column->name, column->name);
    return NV_OK;
}

/* The parent of a table that follows one; "" of any other. */
static enum nv_status parent_of(const struct judging *judging, const char *name, char ret_parent[NV_LIMIT_NAME + 1],
                                struct nv_error *error)
{
    enum nv_declared kind;
    const char *declaration = declaration_of(judging, name), *column;
    ret_parent[0] = '\0';
    if (declaration == NULL || !nv_declaration_read(declaration, &kind, &column) || kind != NV_DECLARED_PARENT)
        return NV_OK;
    return nv_declared_parent(judging->db, name, column, ret_parent, error);
}

/* Walks up from the table; whoever comes back to where they began would walk for ever. */
static enum nv_status judge_ancestors(const struct judging *judging, const char *name, struct nv_error *error)
{
    char at[NV_LIMIT_NAME + 1], next[NV_LIMIT_NAME + 1];
    enum nv_status status = parent_of(judging, name, at, error);
    for (size_t steps = 0; status == NV_OK && at[0] != '\0'; steps++) {
        if (sqlite3_stricmp(at, name) == 0)
            return nv_fail(error, NV_REFUSED,
                           "table %.64s: it follows itself, over its parents: give one table of the ring another scope",
                           name);
        if (steps == NV_LIMIT_ANCESTORS)
            return nv_fail(error, NV_REFUSED,
                           "table %.64s: it has more than %d ancestors: give one of them a scope of its own", name,
                           NV_LIMIT_ANCESTORS);
        status = parent_of(judging, at, next, error);
        strcpy(at, next);
    }
    return status;
}

static enum nv_status judge_parent(const struct judging *judging, const struct nv_shape *shape, const char *table,
                                   const char *column, struct nv_error *error)
{
    char parent[NV_LIMIT_NAME + 1];
    struct nv_arena arena = {.limit = SHAPES_BYTES};
    struct nv_shape of_parent;
    if (nv_shape_column(shape, column) == NULL)
        return nv_fail(error, NV_REFUSED, "table %.64s: its scope is parent:%.64s, and it has no such column: add it",
                       table, column);
    enum nv_status status = nv_declared_parent(judging->db, table, column, parent, error);
    if (status == NV_OK && (parent[0] == '\0' || declaration_of(judging, parent) == NULL))
        return nv_fail(error, NV_REFUSED,
                       "table %.64s: column %.64s names no record of one tracked table by its key: write %.64s … "
                       "REFERENCES the parent's table, and put that into navette_table",
                       table, column, column);
    if (status == NV_OK)
        status = nv_shape_read(judging->db, parent, &arena, &of_parent, error);
    if (status == NV_OK && of_parent.key_count != 1)
        status = nv_fail(error, NV_REFUSED,
                         "table %.64s: column %.64s references %.64s, whose key has %zu columns, and one column cannot "
                         "name a record of it: give %.64s a key of one column",
                         table, column, parent, of_parent.key_count, parent);
    nv_arena_done(&arena);
    return status == NV_OK ? judge_ancestors(judging, table, error) : status;
}

static enum nv_status judge_table(const struct judging *judging, const struct nv_schema_table *table,
                                  struct nv_error *error)
{
    enum nv_declared kind;
    const char *column;
    enum nv_status status = nv_declaration_form(table, error);
    if (status != NV_OK || !nv_declaration_read(table->scope, &kind, &column))
        return status;
    if (kind != NV_DECLARED_COLUMN && kind != NV_DECLARED_PARENT)
        return NV_OK;
    struct nv_arena arena = {.limit = SHAPES_BYTES};
    struct nv_shape shape;
    status = nv_shape_read(judging->db, table->name, &arena, &shape, error);
    if (status == NV_OK)
        status = kind == NV_DECLARED_COLUMN ? judge_column(&shape, table->name, column, error)
                                            : judge_parent(judging, &shape, table->name, column, error);
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_declarations_judge(const struct nv_store *store, sqlite3 *db, const struct nv_schema_op *op,
                                     struct nv_error *error)
{
    struct judging judging = {store, db, op};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < op->table_count; i++)
        if (nv_store_table(store, op->tables[i].name) == NULL)
            status = judge_table(&judging, &op->tables[i], error);
    return status;
}

/* ---- the loaded tables ---- */

static enum nv_status damaged(const struct nv_table *table, struct nv_error *error)
{
    return nv_fail(error, NV_CORRUPT,
                   "store: what navette_table says of the scope of table %.64s is not what was published: restore a "
                   "backup",
                   table->name);
}

static bool find_column(struct nv_table *table, const char *name)
{
    for (unsigned i = 0; i < table->key_count + table->field_count; i++) {
        table->scope_in_key = i < table->key_count;
        table->scope_place = table->scope_in_key ? i : i - (unsigned)table->key_count;
        const char *column = table->scope_in_key ? table->keys[i] : table->fields[table->scope_place].name;
        if (sqlite3_stricmp(column, name) == 0)
            return true;
    }
    return false;
}

enum nv_status nv_declared_take(struct nv_table *table, struct nv_error *error)
{
    const char *column;
    if (!nv_declaration_read(table->scope, &table->declared, &column) ||
        (column[0] != '\0' && !find_column(table, column)))
        return damaged(table, error);
    table->of_home = strcmp(table->writers, "home") == 0;
    table->has_scopes = table->declared != NV_DECLARED_NETWORK || table->of_home;
    return NV_OK;
}

static const char *scope_column(const struct nv_table *table)
{
    return table->scope_in_key ? table->keys[table->scope_place] : table->fields[table->scope_place].name;
}

static struct nv_table *find_table(const struct nv_store *store, uint32_t number)
{
    for (size_t i = 0; i < store->table_count; i++)
        if (store->tables[i]->number == number)
            return store->tables[i];
    return NULL;
}

/* Rings are refused when they are published. */
static enum nv_status count_ancestors(const struct nv_store *store, struct nv_table *table, struct nv_error *error)
{
    for (const struct nv_table *at = table; at->declared == NV_DECLARED_PARENT; table->depth++) {
        at = find_table(store, at->parent);
        if (at == NULL || table->depth >= NV_LIMIT_ANCESTORS)
            return damaged(table, error);
    }
    return NV_OK;
}

enum nv_status nv_declared_link(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++) {
        struct nv_table *table = store->tables[i];
        char name[NV_LIMIT_NAME + 1];
        if (table->declared != NV_DECLARED_PARENT)
            continue;
        status = nv_declared_parent(nv_published_db(store), table->name, scope_column(table), name, error);
        const struct nv_table *parent = status == NV_OK ? nv_store_table(store, name) : NULL;
        table->parent = parent == NULL ? 0 : parent->number;
    }
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++)
        status = count_ancestors(store, store->tables[i], error);
    return status;
}
