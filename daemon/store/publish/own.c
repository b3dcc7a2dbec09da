/* A site's own records: a second connection, in which temporary views stand before the tables that not everybody reads.
 * They leave out the records of which another site is the home; a record that follows another counts where that one
 * does. The schema's views, made anew beside them, then see these and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/publish.h"
#include "store/publish/keys.h"
#include "store/schema/published.h"

struct nv_own {
    struct nv_store *store;
    sqlite3 *db;
};

static bool is_private(const struct nv_table *table)
{
    return table->declared != NV_DECLARED_NETWORK;
}

/* ---- what must not be read ---- */

/* Of the database itself only what everybody reads, and the rest through the view that stands before it. */
static bool may_read(const struct nv_own *own, const char *table, const char *schema, const char *inner)
{
    if (schema == NULL || strcmp(schema, "main") != 0)
        return true;
    if (sqlite3_strnicmp(table, "navette_", 8) == 0)
        return false;
    const struct nv_table *known = nv_store_table(own->store, table);
    return known == NULL || !is_private(known) || (inner != NULL && sqlite3_stricmp(inner, known->name) == 0);
}

static int authorize(void *context, int action, const char *first, const char *second, const char *schema,
                     const char *inner)
{
    (void)second;
    switch (action) {
    case SQLITE_READ:
        return may_read(context, first, schema, inner) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    default: /* what nv_own_keep makes */
        return schema != NULL && strcmp(schema, "temp") == 0 ? SQLITE_OK : SQLITE_DENY;
    }
}

/* ---- the views before the tables ---- */

/* Of another site's home. */
static bool is_away(void *context, const struct nv_store *store, struct nv_site_id home, const struct nv_value *key)
{
    (void)context;
    (void)key;
    return nv_site_id_compare(home, nv_store_identity(store)->site) != 0;
}

static enum nv_status stand_before(struct nv_own *own, const struct nv_table *table, struct nv_error *error)
{
    bool follows = table->declared == NV_DECLARED_PARENT;
    char away[NV_LIMIT_NAME + 32];
    snprintf(away, sizeof away, "navette_away_%u", table->number);
    enum nv_status status = follows ? NV_OK : nv_keys_list(own->store, own->db, table, away, is_away, NULL, error);
    if (status != NV_OK)
        return status;
    sqlite3_str *sql = sqlite3_str_new(own->db);
    sqlite3_str_appendf(sql, "CREATE TEMP VIEW \"%w\" AS SELECT * FROM main.\"%w\" AS own WHERE ", table->name,
                        table->name);
    if (follows) {
        const struct nv_table *const *tables;
        size_t count;
        nv_store_tables(own->store, &tables, &count);
        const char *column =
            table->scope_in_key ? table->keys[table->scope_place] : table->fields[table->scope_place].name;
        for (size_t i = 0; i < count; i++)
            if (tables[i]->number == table->parent)
                sqlite3_str_appendf(sql, "own.\"%w\" IN (SELECT \"%w\" FROM \"%w\")", column, tables[i]->keys[0],
                                    tables[i]->name);
    } else {
        nv_keys_append_absent(sql, table, away, "own");
    }
    return nv_keys_run(own->db, sql, error);
}

/* The schema's views as they were published, whatever this site's tools made of them. */
static enum nv_status make_views(struct nv_own *own, struct nv_error *error)
{
    static const char begins[] = "CREATE VIEW ";
    enum nv_status status = nv_published_load(own->store, error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt *views = nv_db_prepare(nv_published_db(own->store),
                                        "SELECT sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid", error);
    if (views == NULL)
        return error->status;
    bool row;
    while ((status = nv_db_step(views, &row, error)) == NV_OK && row) {
        struct nv_value text = nv_db_value(views, 0);
        if (text.type != NV_TEXT || text.bytes.size < sizeof begins ||
            memcmp(text.bytes.data, begins, sizeof begins - 1) != 0)
            continue;
        sqlite3_str *sql = sqlite3_str_new(own->db);
        sqlite3_str_appendf(sql, "CREATE TEMP VIEW %.*s", (int)(text.bytes.size - (sizeof begins - 1)),
                            (const char *)text.bytes.data + sizeof begins - 1);
        status = nv_keys_run(own->db, sql, error);
        if (status != NV_OK)
            break;
    }
    sqlite3_finalize(views);
    return status;
}

/* One moment for the list of what is away and for the rows; the store's own state is read after it, so that it knows
 * every site that a record of that moment names. */
static enum nv_status begin(struct nv_own *own, struct nv_error *error)
{
    bool changed;
    int64_t ignored;
    enum nv_status status = nv_db_exec(own->db, "PRAGMA temp_store = MEMORY; BEGIN", error);
    if (status == NV_OK)
        status = nv_db_integer(own->db, "SELECT count(*) FROM main.navette_site", 0, &ignored, error);
    return status == NV_OK ? nv_store_refresh(own->store, &changed, error) : status;
}

static enum nv_status prepare_views(struct nv_own *own, struct nv_error *error)
{
    const struct nv_table *const *tables;
    size_t count;
    enum nv_status status = begin(own, error);
    nv_store_tables(own->store, &tables, &count);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        if (is_private(tables[i]))
            /* Without its columns or its key nobody could tell whose a row is. */
            status = tables[i]->missing
                         ? nv_fail(error, NV_NOT_YET,
                                   "the table %.64s is not here as it was published: nothing is counted without it",
                                   tables[i]->name)
                         : stand_before(own, tables[i], error);
    return status == NV_OK ? make_views(own, error) : status;
}

enum nv_status nv_own_open(struct nv_store *store, struct nv_own **ret_own, struct nv_error *error)
{
    struct nv_own *own = calloc(1, sizeof *own);
    if (own == NULL)
        return nv_no_memory(error);
    own->store = store;
    int result = sqlite3_open_v2(store->path, &own->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL);
    enum nv_status status = nv_db_fail(own->db, result, store->path, error);
    if (status == NV_OK) {
        sqlite3_busy_handler(own->db, nv_wait_a_little, NULL);
        status = prepare_views(own, error);
    }
    if (status != NV_OK) {
        nv_own_close(own);
        return status;
    }
    sqlite3_set_authorizer(own->db, authorize, own);
    *ret_own = own;
    return NV_OK;
}

void nv_own_close(struct nv_own *own)
{
    if (own == NULL)
        return;
    sqlite3_close(own->db);
    free(own);
}

enum nv_status nv_own_keep(struct nv_own *own, const char *view, struct nv_error *error)
{
    char *sql = sqlite3_mprintf("CREATE TEMP TABLE navette_kept AS SELECT * FROM \"%w\"", view);
    if (sql == NULL)
        return nv_no_memory(error);
    sqlite3_stmt *statement = nv_own_prepare(own, sql, error);
    sqlite3_free(sql);
    enum nv_status status = statement == NULL ? error->status : nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

sqlite3_stmt *nv_own_prepare(struct nv_own *own, const char *sql, struct nv_error *error)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(own->db, sql, -1, &statement, NULL);
    if (result == SQLITE_OK)
        return statement;
    if ((result & 0xff) == SQLITE_AUTH)
        nv_fail(error, NV_REFUSED,
                "a published view reads what it may not: %.200s: views name tables without `main.`, and none of "
                "Navette's own",
                sqlite3_errmsg(own->db));
    else
        nv_db_fail(own->db, result, "a published view", error);
    return NULL;
}
