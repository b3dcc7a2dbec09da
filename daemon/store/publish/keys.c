#include "store/publish/keys.h"

#include "store/merge/versions.h"
#include "store/scopes/numbers.h"

enum nv_status nv_keys_run(sqlite3 *db, sqlite3_str *sql, struct nv_error *error)
{
    char *text = sqlite3_str_finish(sql);
    enum nv_status status = text == NULL ? nv_no_memory(error) : nv_db_exec(db, text, error);
    sqlite3_free(text);
    return status;
}

static enum nv_status make_list(sqlite3 *db, const struct nv_table *table, const char *name, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(db);
    sqlite3_str_appendf(sql, "CREATE TEMP TABLE \"%w\"(", name);
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "k%d, ", (int)i);
    sqlite3_str_appendall(sql, "PRIMARY KEY (k0");
    for (size_t i = 1; i < table->key_count; i++)
        sqlite3_str_appendf(sql, ", k%d", (int)i);
    sqlite3_str_appendall(sql, "))");
    return nv_keys_run(db, sql, error);
}

static sqlite3_stmt *prepare_insert(sqlite3 *db, const struct nv_table *table, const char *name, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(db);
    sqlite3_str_appendf(sql, "INSERT OR IGNORE INTO temp.\"%w\" VALUES (?1", name);
    for (size_t i = 1; i < table->key_count; i++)
        sqlite3_str_appendf(sql, ", ?%d", (int)i + 1);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *insert = text == NULL ? NULL : nv_db_prepare(db, text, error);
    if (text == NULL)
        nv_no_memory(error);
    sqlite3_free(text);
    return insert;
}

/* Where the home alone writes, it is said by the number of the scope, too. */
static bool find_home(const struct nv_store *store, const struct nv_version *version, nv_scope_number scope,
                      struct nv_site_id *ret_home)
{
    const struct nv_numbered_scope *numbered = nv_scope_numbered(store, scope);
    if (numbered != NULL && numbered->has_home)
        *ret_home = numbered->home;
    else if (version->record.has_home)
        *ret_home = version->record.home;
    else
        return false;
    return true;
}

static bool decode_key(const struct nv_table *table, struct nv_slice key, struct nv_value *ret_values)
{
    struct nv_reader reader = nv_reader_of(key);
    for (size_t i = 0; i < table->key_count; i++)
        if (!nv_value_decode(&reader, &ret_values[i]))
            return false;
    return true;
}

enum nv_status nv_keys_list(struct nv_store *store, sqlite3 *db, const struct nv_table *table, const char *name,
                            nv_keys_wanted *wanted, void *context, struct nv_error *error)
{
    struct nv_version version = {0};
    struct nv_value key[NV_LIMIT_KEY_COLUMNS];
    struct nv_site_id home;
    bool row;
    sqlite3_stmt *insert = NULL, *versions = NULL;
    enum nv_status status = make_list(db, table, name, error);
    if (status == NV_OK &&
        ((insert = prepare_insert(db, table, name, error)) == NULL ||
         (versions = nv_db_prepare(db, "SELECT key, version, scope FROM main.navette_version WHERE tbl = ?1", error)) ==
             NULL))
        status = error->status;
    if (status == NV_OK)
        sqlite3_bind_int64(versions, 1, table->number);
    while (status == NV_OK && (status = nv_db_step(versions, &row, error)) == NV_OK && row) {
        status = nv_version_decode(store, nv_db_blob(versions, 1), &version, error);
        if (status != NV_OK || !version.has_row ||
            !find_home(store, &version, (nv_scope_number)sqlite3_column_int64(versions, 2), &home) ||
            !decode_key(table, nv_db_blob(versions, 0), key) || !wanted(context, store, home, key))
            continue;
        for (size_t i = 0; i < table->key_count; i++)
            nv_db_bind_value(insert, (int)i + 1, &key[i]);
        status = nv_db_run(insert, error);
    }
    sqlite3_finalize(insert);
    sqlite3_finalize(versions);
    nv_version_done(&version);
    return status;
}

void nv_keys_append_absent(sqlite3_str *sql, const struct nv_table *table, const char *name, const char *row)
{
    sqlite3_str_appendf(sql, "NOT EXISTS (SELECT 1 FROM temp.\"%w\" WHERE k0 = %s.\"%w\"", name, row, table->keys[0]);
    for (size_t i = 1; i < table->key_count; i++)
        sqlite3_str_appendf(sql, " AND k%d = %s.\"%w\"", (int)i, row, table->keys[i]);
    sqlite3_str_appendall(sql, ")");
}
