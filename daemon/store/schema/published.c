#include "store/schema/published.h"

#include <stdlib.h>

#include "base/catalogue.h"
#include "store/schema/authorizer.h"
#include "store/schema/trackable.h"

struct table_checks {
    uint32_t table;
    struct nv_field_check *checks[NV_LIMIT_FIELDS];
    sqlite3_stmt *defaults[NV_LIMIT_FIELDS];
};

struct nv_published {
    sqlite3 *db;
    int64_t statements; /* the newest one of navette_statement that was run */
    sqlite3 *checks;    /* one row a table, for nv_published_check */
    struct table_checks *tables;
    size_t table_count;
};

static enum nv_status open_memory(sqlite3 **ret_db, struct nv_error *error)
{
    sqlite3 *db = NULL;
    int result = sqlite3_open_v2(
        ":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK) {
        enum nv_status status = nv_db_fail(db, result, _("a database in memory"), error);
        sqlite3_close(db);
        return status;
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *ret_db = db;
    return NV_OK;
}

void nv_published_forget_checks(struct nv_store *store)
{
    struct nv_published *published = store->published;
    for (size_t i = 0; i < published->table_count; i++)
        for (size_t j = 0; j < NV_LIMIT_FIELDS; j++) {
            if (published->tables[i].checks[j] != NULL)
                sqlite3_finalize(published->tables[i].checks[j]->statement);
            free(published->tables[i].checks[j]);
            sqlite3_finalize(published->tables[i].defaults[j]);
        }
    free(published->tables);
    sqlite3_close(published->checks);
    published->tables = NULL;
    published->table_count = 0;
    published->checks = NULL;
}

void nv_published_done(struct nv_store *store)
{
    if (store->published == NULL)
        return;
    nv_published_forget_checks(store);
    sqlite3_close(store->published->db);
    free(store->published);
    store->published = NULL;
}

sqlite3 *nv_published_db(const struct nv_store *store)
{
    return store->published == NULL ? NULL : store->published->db;
}

void nv_published_moved(struct nv_store *store, int64_t statements)
{
    nv_published_forget_checks(store);
    store->published->statements = statements;
}

static enum nv_status replay(struct nv_store *store, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(store->db, "SELECT number, sql FROM navette_statement ORDER BY number", error);
    if (rows == NULL)
        return error->status;
    enum nv_status status;
    bool more;
    while ((status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        store->published->statements = sqlite3_column_int64(rows, 0);
        status = nv_run_authorized(store->published->db, (const char *)sqlite3_column_text(rows, 1), error);
        if (status != NV_OK)
            break;
    }
    sqlite3_finalize(rows);
    return status;
}

enum nv_status nv_published_load(struct nv_store *store, struct nv_error *error)
{
    int64_t newest;
    enum nv_status status = nv_db_integer(store->db, "SELECT max(number) FROM navette_statement", 0, &newest, error);
    if (status != NV_OK || (store->published != NULL && store->published->statements == newest))
        return status;
    nv_published_done(store);
    store->published = calloc(1, sizeof *store->published);
    if (store->published == NULL)
        return nv_no_memory(error);
    status = open_memory(&store->published->db, error);
    if (status == NV_OK)
        status = replay(store, error);
    if (status != NV_OK)
        nv_published_done(store);
    return status;
}

/* ---- checks ---- */

static struct table_checks *find_checks(struct nv_published *published, uint32_t table)
{
    for (size_t i = 0; i < published->table_count; i++)
        if (published->tables[i].table == table)
            return &published->tables[i];
    return NULL;
}

/* A table of the published one's name with its fields, their defaults and their CHECKs, and no key. Its own column
 * takes a name that no other one may have. */
static enum nv_status create_table(struct nv_published *published, const struct nv_table *table, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 64u << 20};
    struct nv_shape shape;
    enum nv_status status = nv_shape_read(published->db, table->name, &arena, &shape, error);
    if (status == NV_OK) {
        sqlite3_str *sql = sqlite3_str_new(published->checks);
        sqlite3_str_appendf(sql, "CREATE TABLE \"%w\"(navette_row INTEGER PRIMARY KEY", table->name);
        for (size_t i = 0; i < shape.column_count; i++) {
            if (shape.columns[i].key > 0)
                continue;
            sqlite3_str_appendall(sql, ", ");
            nv_shape_column_sql(&shape, &shape.columns[i], sql);
        }
        sqlite3_str_appendf(sql, ")%s", shape.is_strict ? " STRICT" : "");
        char *text = sqlite3_str_finish(sql);
        status = text == NULL ? nv_no_memory(error) : nv_db_exec(published->checks, text, error);
        sqlite3_free(text);
        /* The row of the defaults; row 1 is the one that values are tried in. */
        if (status == NV_OK)
            status = nv_db_execf(published->checks, error, "INSERT INTO \"%w\"(navette_row) VALUES (0)", table->name);
    }
    nv_arena_done(&arena);
    return status;
}

static enum nv_status add_checks(struct nv_published *published, const struct nv_table *table, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    if (published->checks == NULL) {
        status = open_memory(&published->checks, error);
        /* Nothing of it is ever committed; a transaction that stays open costs less than one for each value. */
        if (status == NV_OK)
            status = nv_db_exec(published->checks, "BEGIN", error);
    }
    if (status == NV_OK)
        status = create_table(published, table, error);
    if (status != NV_OK)
        return status;
    struct table_checks *tables = realloc(published->tables, (published->table_count + 1) * sizeof *published->tables);
    if (tables == NULL)
        return nv_no_memory(error);
    published->tables = tables;
    published->tables[published->table_count++] = (struct table_checks){.table = table->number};
    return NV_OK;
}

static enum nv_status open_checks(struct nv_published *published, const struct nv_table *table,
                                  struct table_checks **ret_checks, struct nv_error *error)
{
    enum nv_status status = find_checks(published, table->number) == NULL ? add_checks(published, table, error) : NV_OK;
    if (status == NV_OK)
        *ret_checks = find_checks(published, table->number);
    return status;
}

static enum nv_status prepare_check(struct nv_published *published, const struct nv_table *table, unsigned field,
                                    struct nv_field_check **ret_check, struct nv_error *error)
{
    struct table_checks *checks;
    enum nv_status status = open_checks(published, table, &checks, error);
    if (status != NV_OK)
        return status;
    struct nv_field_check **check = &checks->checks[field];
    if (*check == NULL && (*check = calloc(1, sizeof **check)) == NULL)
        return nv_no_memory(error);
    /* The other fields have their defaults, which their own CHECKs accept: nothing else would have been published. */
    if ((*check)->statement == NULL)
        (*check)->statement = nv_db_preparef(published->checks, error,
                                             "INSERT OR REPLACE INTO \"%w\"(navette_row, \"%w\") VALUES (1, ?1)",
                                             table->name, table->fields[field].name);
    *ret_check = *check;
    return (*check)->statement == NULL ? error->status : NV_OK;
}

enum nv_status nv_published_check(struct nv_store *store, const struct nv_table *table, unsigned field,
                                  struct nv_field_check **ret_check, struct nv_error *error)
{
    enum nv_status status = prepare_check(store->published, table, field, ret_check, error);
    if (status != NV_OK)
        nv_published_forget_checks(store);
    return status;
}

static enum nv_status copy_value(sqlite3_stmt *row, struct nv_arena *arena, struct nv_value *ret_value,
                                 struct nv_error *error)
{
    struct nv_value value = nv_db_value(row, 0);
    if (value.type >= NV_TEXT) {
        uint8_t *copy = nv_arena_alloc(arena, value.bytes.size + 1);
        if (copy == NULL)
            return nv_no_memory(error);
        if (value.bytes.size > 0)
            memcpy(copy, value.bytes.data, value.bytes.size);
        value.bytes.data = copy;
    }
    *ret_value = value;
    return NV_OK;
}

static enum nv_status read_default(struct nv_published *published, const struct nv_table *table, unsigned field,
                                   struct nv_arena *arena, struct nv_value *ret_value, struct nv_error *error)
{
    struct table_checks *checks;
    bool row;
    enum nv_status status = open_checks(published, table, &checks, error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt **statement = &checks->defaults[field];
    if (*statement == NULL)
        *statement = nv_db_preparef(published->checks, error, "SELECT \"%w\" FROM \"%w\" WHERE navette_row = 0",
                                    table->fields[field].name, table->name);
    if (*statement == NULL)
        return error->status;
    status = nv_db_step(*statement, &row, error);
    if (status == NV_OK)
        status = copy_value(*statement, arena, ret_value, error);
    sqlite3_reset(*statement);
    return status;
}

enum nv_status nv_published_default(struct nv_store *store, const struct nv_table *table, unsigned field,
                                    struct nv_arena *arena, struct nv_value *ret_value, struct nv_error *error)
{
    enum nv_status status = read_default(store->published, table, field, arena, ret_value, error);
    if (status != NV_OK)
        nv_published_forget_checks(store);
    return status;
}
