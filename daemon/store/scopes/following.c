#include "store/scopes/following.h"

#include <stdlib.h>

void nv_following_init(struct nv_following *following, struct nv_store *store)
{
    *following = (struct nv_following){.store = store, .keys.limit = SIZE_MAX};
}

void nv_following_done(struct nv_following *following)
{
    free(following->followers);
    nv_arena_done(&following->keys);
}

bool nv_following_any(const struct nv_following *following)
{
    return following->any;
}

enum nv_status nv_following_add(struct nv_following *following, struct nv_place parent, struct nv_scope_id scope,
                                struct nv_error *error)
{
    sqlite3 *db = following->store->db;
    struct nv_reader reader = nv_reader_of(parent.key);
    struct nv_value value;
    const struct nv_table_access *access = nv_access(following->store, parent.table);
    if (access->table->key_count != 1 || !nv_value_decode(&reader, &value))
        return NV_OK; /* no column can name it */
    enum nv_status status = NV_OK;
    if (!following->any)
        status = nv_db_exec(db,
                            "CREATE TEMP TABLE IF NOT EXISTS navette_parent(tbl INTEGER, value, scope BLOB, "
                            "PRIMARY KEY (tbl, value)) WITHOUT ROWID; DELETE FROM temp.navette_parent",
                            error);
    following->any = true;
    sqlite3_stmt *statement =
        status == NV_OK ? nv_db_prepare(db, "INSERT OR IGNORE INTO temp.navette_parent VALUES (?1, ?2, ?3)", error)
                        : NULL;
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, parent.table);
    nv_db_bind_value(statement, 2, &value);
    sqlite3_bind_blob(statement, 3, scope.bytes, sizeof scope.bytes, SQLITE_STATIC);
    status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status list(struct nv_following *following, uint32_t table, struct nv_slice key, struct nv_slice scope,
                           struct nv_error *error)
{
    if (following->count == following->capacity) {
        size_t capacity = following->capacity == 0 ? 64 : 2 * following->capacity;
        struct nv_follower *followers = realloc(following->followers, capacity * sizeof *followers);
        if (followers == NULL)
            return nv_no_memory(error);
        following->followers = followers;
        following->capacity = capacity;
    }
    uint8_t *copy = nv_arena_alloc(&following->keys, key.size + 1);
    if (copy == NULL)
        return nv_no_memory(error);
    memcpy(copy, key.data, key.size);
    struct nv_follower *follower = &following->followers[following->count++];
    follower->place = (struct nv_place){table, {copy, key.size}};
    memcpy(follower->scope.bytes, scope.data, sizeof follower->scope.bytes);
    return NV_OK;
}

/* Whether the record that the row shows is of that scope. */
static enum nv_status is_of_scope(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                  struct nv_slice scope, bool *ret_is, struct nv_error *error)
{
    nv_arena_reset(&merge->arena);
    enum nv_status status = nv_merge_find_shown(merge, table, key, error);
    const struct nv_numbered_scope *shown = nv_scope_numbered(merge->store, merge->scope);
    *ret_is = status == NV_OK && shown != NULL && memcmp(shown->id.bytes, scope.data, sizeof shown->id.bytes) == 0;
    return status;
}

static sqlite3_stmt *prepare(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    const char *column = table->scope_in_key ? table->keys[table->scope_place] : table->fields[table->scope_place].name;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "SELECT p.scope");
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, ", c.\"%w\"", table->keys[i]);
    sqlite3_str_appendf(sql,
                        " FROM main.\"%w\" AS c JOIN temp.navette_parent AS p ON p.value = c.\"%w\" WHERE p.tbl = %u",
                        table->name, column, table->parent);
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *statement = text == NULL ? NULL : nv_db_prepare(store->db, text, error);
    if (text == NULL)
        nv_no_memory(error);
    sqlite3_free(text);
    return statement;
}

static enum nv_status list_children(struct nv_following *following, struct nv_merge *merge,
                                    const struct nv_table *table, struct nv_error *error)
{
    struct nv_buffer key = {0};
    sqlite3_stmt *rows = prepare(following->store, table, error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more, is_of = false;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        struct nv_slice scope = nv_db_blob(rows, 0);
        nv_buffer_clear(&key);
        nv_key_take(rows, 1, table->key_count, &key);
        status =
            key.failed ? nv_no_memory(error) : is_of_scope(merge, table, nv_buffer_slice(&key), scope, &is_of, error);
        if (status == NV_OK && is_of)
            status = list(following, table->number, nv_buffer_slice(&key), scope, error);
    }
    sqlite3_finalize(rows);
    nv_buffer_done(&key);
    return status;
}

enum nv_status nv_following_next(struct nv_following *following, struct nv_error *error)
{
    struct nv_store *store = following->store;
    struct nv_merge merge;
    enum nv_status status = NV_OK;
    nv_merge_init(&merge, store, (struct nv_wall_ms){0}, NULL);
    following->count = 0;
    for (size_t i = 0; status == NV_OK && following->any && i < store->table_count; i++)
        if (store->tables[i]->declared == NV_DECLARED_PARENT && !store->tables[i]->missing)
            status = list_children(following, &merge, store->tables[i], error);
    following->any = false;
    nv_merge_done(&merge);
    return status;
}
