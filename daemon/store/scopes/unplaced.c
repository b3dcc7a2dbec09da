#include "store/scopes/unplaced.h"

#include "store/scopes/moving.h"
#include "store/scopes/placing.h"
#include "store/statements.h"

enum { LOOKED_AT = 64 /* at once */ };

static enum nv_status run(struct nv_store *store, enum nv_statement which, uint32_t table, struct nv_slice key,
                          const struct nv_wall_ms *at, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, which, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, table);
    nv_db_bind_slice(statement, 2, key);
    if (at != NULL)
        sqlite3_bind_int64(statement, 3, at->ms);
    return nv_db_run(statement, error);
}

enum nv_status nv_unplaced_list(struct nv_store *store, uint32_t table, struct nv_slice key, struct nv_wall_ms now,
                                struct nv_error *error)
{
    store->owes_placing = true;
    return run(store, NV_SQL_UNPLACED_ADD, table, key, &now, error);
}

/* ---- what they ask for ---- */

enum place {
    PLACE_RIGHT,   /* it is where it asks to be, or may not be moved from here */
    PLACE_UNKNOWN, /* it asks for what cannot be had now */
    PLACE_OTHER,
};

/* Of the record that the row shows. */
static enum nv_status judge(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                            enum place *ret_place, struct nv_scope_id *ret_scope, struct nv_error *error)
{
    const struct nv_table *table = access->table;
    bool known = false;
    *ret_place = PLACE_RIGHT;
    nv_arena_reset(&merge->arena);
    enum nv_status status = nv_merge_find_shown(merge, table, key, error);
    if (status == NV_OK)
        status = nv_row_read(merge->store, access, key, &merge->row, error);
    if (status != NV_OK || merge->scope == 0 || !merge->row.there || !nv_scope_may_write(merge->store, merge->scope))
        return status;
    const struct nv_record *record = &merge->version.record;
    if (table->declared == NV_DECLARED_COLUMN && record->has_home &&
        nv_site_id_compare(record->home, merge->store->identity.site) != 0)
        return NV_OK;
    status = nv_scope_asked(merge, table, key, ret_scope, &known, error);
    const struct nv_numbered_scope *scope = nv_scope_numbered(merge->store, merge->scope);
    if (status == NV_OK && (!known || record->delete_count > 0)) /* or somebody has to say first whether it is to be */
        *ret_place = PLACE_UNKNOWN;
    else if (status == NV_OK && !nv_scope_id_equal(scope->id, *ret_scope))
        *ret_place = PLACE_OTHER;
    return status;
}

enum nv_status nv_unplaced_check(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                 struct nv_error *error)
{
    struct nv_scope_id scope;
    enum place place = PLACE_RIGHT;
    enum nv_status status = judge(merge, nv_access(merge->store, table->number), key, &place, &scope, error);
    return status == NV_OK && place != PLACE_RIGHT
               ? nv_unplaced_list(merge->store, table->number, key, merge->now, error)
               : status;
}

/* ---- looking ---- */

struct unplaced {
    struct nv_place place;
    enum place is;
    struct nv_scope_id scope;
};

struct looking {
    struct nv_store *store;
    struct nv_merge merge;
    struct nv_arena keys;
    struct unplaced items[LOOKED_AT];
    size_t count;
    bool is_end;
};

static enum nv_status take_row(struct looking *looking, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_slice key = nv_db_blob(row, 1);
    uint8_t *copy = nv_arena_alloc(&looking->keys, key.size + 1);
    if (copy == NULL)
        return nv_no_memory(error);
    memcpy(copy, key.data, key.size);
    looking->items[looking->count++] =
        (struct unplaced){.place = {(uint32_t)sqlite3_column_int64(row, 0), {copy, key.size}}};
    return NV_OK;
}

static enum nv_status list_some(struct looking *looking, struct nv_error *error)
{
    struct nv_store *store = looking->store;
    sqlite3_stmt *rows = nv_statement(store, NV_SQL_UNPLACED_AFTER, error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, store->unplaced_table);
    nv_db_bind_slice(rows, 2, nv_buffer_slice(&store->unplaced_key));
    enum nv_status status = NV_OK;
    bool row = true;
    while (status == NV_OK && looking->count < LOOKED_AT && (status = nv_db_step(rows, &row, error)) == NV_OK && row)
        status = take_row(looking, rows, error);
    sqlite3_reset(rows);
    looking->is_end = !row;
    return status;
}

static enum nv_status judge_all(struct looking *looking, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < looking->count; i++) {
        struct unplaced *item = &looking->items[i];
        struct nv_table_access *access = nv_access(looking->store, item->place.table);
        bool moves = false;
        item->is = PLACE_UNKNOWN;
        if (access == NULL || access->table->missing)
            continue;
        status = nv_moves_have(looking->store, item->place.table, item->place.key, &moves, error);
        if (status == NV_OK && !moves)
            status = judge(&looking->merge, access, item->place.key, &item->is, &item->scope, error);
        if (status == NV_OK && item->is != PLACE_UNKNOWN)
            status = run(looking->store, NV_SQL_UNPLACED_DROP, item->place.table, item->place.key, NULL, error);
    }
    return status;
}

/* Those that go to the same scope as the first of them go together. */
static enum nv_status begin_moves(struct looking *looking, struct nv_wall_ms now, struct nv_sealed *sealed,
                                  struct nv_error *error)
{
    struct nv_place places[LOOKED_AT];
    enum nv_status status = NV_OK;
    for (size_t first = 0; status == NV_OK && first < looking->count; first++) {
        struct nv_moving moving = {.scope = looking->items[first].scope, .places = places};
        for (size_t i = first; i < looking->count; i++) {
            struct unplaced *item = &looking->items[i];
            if (item->is != PLACE_OTHER || !nv_scope_id_equal(item->scope, moving.scope))
                continue;
            places[moving.count++] = item->place;
            item->is = PLACE_RIGHT;
        }
        if (moving.count > 0)
            status = nv_moves_begin(looking->store, &moving, now, sealed, error);
    }
    return status;
}

/* The next look goes on behind the last of them; or begins anew once something has changed. */
static enum nv_status move_cursor(struct looking *looking, struct nv_error *error)
{
    struct nv_store *store = looking->store;
    nv_buffer_clear(&store->unplaced_key);
    store->unplaced_table = 0;
    store->owes_placing = !looking->is_end;
    if (looking->is_end)
        return NV_OK;
    const struct nv_place *last = &looking->items[looking->count - 1].place;
    store->unplaced_table = last->table;
    nv_buffer_append(&store->unplaced_key, last->key.data, last->key.size);
    return store->unplaced_key.failed ? nv_no_memory(error) : NV_OK;
}

enum nv_status nv_unplaced_is_due(struct nv_store *store, bool *ret_due, struct nv_error *error)
{
    *ret_due = false;
    if (!store->owes_placing)
        return NV_OK;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_UNPLACED_ANY, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status = nv_db_step(statement, ret_due, error);
    sqlite3_reset(statement);
    store->owes_placing = status != NV_OK || *ret_due;
    return status;
}

enum nv_status nv_unplaced_look(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed, bool *ret_more,
                                struct nv_error *error)
{
    struct looking looking = {.store = store, .keys.limit = SIZE_MAX};
    nv_merge_init(&looking.merge, store, now, NULL);
    enum nv_status status = list_some(&looking, error);
    if (status == NV_OK)
        status = judge_all(&looking, error);
    if (status == NV_OK)
        status = begin_moves(&looking, now, sealed, error);
    if (status == NV_OK)
        status = move_cursor(&looking, error);
    *ret_more = !looking.is_end;
    nv_merge_done(&looking.merge);
    nv_arena_done(&looking.keys);
    return status;
}
