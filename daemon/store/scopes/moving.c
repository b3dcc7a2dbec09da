#include "store/scopes/moving.h"

#include "store/moves.h"
#include "store/scopes/carrying.h"
#include "store/scopes/following.h"
#include "store/scopes/placing.h"
#include "store/statements.h"
#include "store/trust/rights.h"

/* ---- beginning ---- */

struct beginning {
    struct nv_store *store;
    const struct nv_moving *moving;
    struct nv_making making;
    struct nv_merge source;
    struct nv_buffer bytes;
    int64_t move;
    uint64_t first_seq;
    size_t records;
};

static enum nv_status note_record(struct beginning *beginning, struct nv_record_name name, struct nv_error *error)
{
    nv_buffer_clear(&beginning->bytes);
    enum nv_status status = nv_version_encode(beginning->store, &beginning->source.version, &beginning->bytes, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(beginning->store, NV_SQL_MOVED_ADD, error) : NULL;
    if (statement == NULL)
        return status == NV_OK ? error->status : status;
    sqlite3_bind_int64(statement, 1, beginning->move);
    sqlite3_bind_int64(statement, 2, name.table);
    nv_db_bind_slice(statement, 3, name.key);
    sqlite3_bind_int64(statement, 4, name.scope);
    nv_db_bind_slice(statement, 5, nv_buffer_slice(&beginning->bytes));
    return nv_db_run(statement, error);
}

/* The number under which the record will stand. */
static enum nv_status target_of(struct nv_store *store, const struct nv_table *table, struct nv_scope_id scope,
                                nv_scope_number *ret_target, struct nv_error *error)
{
    return nv_scope_intern(store, scope, table->of_home ? &store->identity.site : NULL, ret_target, error);
}

/* Makes one record anew. *ret_source: where it stood; 0 where it is not moved. */
static enum nv_status begin_record(struct beginning *beginning, struct nv_place place, nv_scope_number *ret_source,
                                   struct nv_error *error)
{
    struct nv_merge *source = &beginning->source;
    struct nv_table_access *access = nv_access(beginning->store, place.table);
    struct nv_carrying carrying = {
        .source = source, .access = access, .key = place.key, .making = &beginning->making, .carried_from = UINT64_MAX};
    struct nv_op nothing = {.table = place.table, .key = place.key};
    bool done = false;
    *ret_source = 0;
    nv_arena_reset(&source->arena);
    enum nv_status status = nv_merge_find_shown(source, access->table, place.key, error);
    if (status == NV_OK)
        status = target_of(beginning->store, access->table, beginning->moving->scope, &carrying.target, error);
    bool is_asked = source->version.record.delete_count > 0; /* whether it is to be there at all */
    if (status != NV_OK || is_asked || source->scope == 0 || source->scope == carrying.target ||
        !nv_scope_may_write(beginning->store, source->scope))
        return status;
    nv_scope_number from = source->scope;
    carrying.fields = nv_all_fields(access->table);
    status = nv_carry(&carrying, &done, error);
    if (status != NV_OK || !done)
        return status == NV_OK ? nv_merge_quarantine(source, &nothing, -1, "move", NULL, error) : status;
    status = note_record(beginning, (struct nv_record_name){place.table, place.key, from}, error);
    if (status == NV_OK)
        *ret_source = from;
    beginning->records += status == NV_OK;
    return status;
}

/* The roots, then their children, then theirs. */
static enum nv_status begin_records(struct beginning *beginning, struct nv_following *following, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < beginning->moving->count; i++) {
        nv_scope_number source;
        status = begin_record(beginning, beginning->moving->places[i], &source, error);
        if (status == NV_OK && source != 0)
            status = nv_following_add(following, beginning->moving->places[i],
                                      nv_scope_numbered(beginning->store, source)->id, error);
    }
    while (status == NV_OK && nv_following_any(following)) {
        status = nv_following_next(following, error);
        for (size_t i = 0; status == NV_OK && i < following->count; i++) {
            const struct nv_follower *follower = &following->followers[i];
            nv_scope_number source;
            status = begin_record(beginning, follower->place, &source, error);
            if (status == NV_OK && source != 0)
                status = nv_following_add(following, follower->place, follower->scope, error);
        }
    }
    return status;
}

/* Whether there is another node that the move could wait for. */
static bool others_carry(const struct nv_store *store, struct nv_scope_id scope)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_site_id_compare(members[i].site, store->identity.site) != 0 &&
            nv_right_carries(store, scope, members[i].site, NV_POSITION_NOW))
            return true;
    return false;
}

static enum nv_status note_move(struct beginning *beginning, const struct nv_log *log, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(beginning->store, NV_SQL_MOVE_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, beginning->move);
    sqlite3_bind_int64(statement, 2, log->scope);
    sqlite3_bind_int64(statement, 3, log->number);
    sqlite3_bind_int64(statement, 4, (int64_t)beginning->first_seq);
    sqlite3_bind_int64(statement, 5, (int64_t)log->has_seq);
    sqlite3_bind_int64(statement, 6, beginning->making.now.ms);
    sqlite3_bind_int(statement, 7, !others_carry(beginning->store, beginning->moving->scope));
    return nv_db_run(statement, error);
}

enum nv_status nv_moves_begin(struct nv_store *store, const struct nv_moving *moving, struct nv_wall_ms now,
                              struct nv_sealed *sealed, struct nv_error *error)
{
    struct beginning beginning = {.store = store, .moving = moving};
    struct nv_following following;
    nv_merge_init(&beginning.source, store, now, NULL);
    nv_following_init(&following, store);
    enum nv_status status = nv_making_init(&beginning.making, store, now, sealed, error);
    if (status == NV_OK)
        status = nv_db_integer(store->db, "SELECT coalesce(max(number), 0) + 1 FROM navette_move", 1, &beginning.move,
                               error);
    if (status == NV_OK)
        status = nv_making_begin(&beginning.making, moving->scope, error);
    struct nv_log *log = beginning.making.log;
    if (status == NV_OK)
        beginning.first_seq = log->has_seq + 1;
    if (status == NV_OK)
        status = begin_records(&beginning, &following, error);
    if (status == NV_OK)
        status = nv_making_end(&beginning.making, error);
    if (status == NV_OK && beginning.records > 0)
        status = note_move(&beginning, log, error);
    nv_following_done(&following);
    nv_making_done(&beginning.making);
    nv_merge_done(&beginning.source);
    nv_buffer_done(&beginning.bytes);
    return status;
}

/* ---- waiting ---- */

enum nv_status nv_moves_have(struct nv_store *store, uint32_t table, struct nv_slice key, bool *ret_have,
                             struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_MOVED_HAS, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, table);
    nv_db_bind_slice(statement, 2, key);
    enum nv_status status = nv_db_step(statement, ret_have, error);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_store_moves_awaited(struct nv_store *store, struct nv_far_head *ret_heads, size_t capacity,
                                      size_t *ret_count, struct nv_error *error)
{
    *ret_count = 0;
    sqlite3_stmt *statement = nv_ready(store, error) == NV_OK ? nv_statement(store, NV_SQL_MOVES_AWAITED, error) : NULL;
    if (statement == NULL)
        return error->status;
    enum nv_status status = NV_OK;
    bool row;
    while (*ret_count < capacity && (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(statement, 0));
        if (log != NULL)
            ret_heads[(*ret_count)++] = (struct nv_far_head){.site = log->id.site,
                                                             .epoch = log->id.epoch,
                                                             .scope = log->id.scope,
                                                             .seq = (uint64_t)sqlite3_column_int64(statement, 1)};
    }
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_store_moves_held(struct nv_store *store, const struct nv_far_head *head, struct nv_error *error)
{
    struct nv_log_id id = {head->site, head->epoch, head->scope};
    enum nv_status status = nv_ready(store, error);
    const struct nv_log *log = status == NV_OK ? nv_log_find(store, &id) : NULL;
    if (log == NULL)
        return status;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_MOVES_HELD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)head->seq);
    return nv_db_run(statement, error);
}

enum nv_status nv_moves_follow(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 1; status == NV_OK && i <= nv_scope_number_count(store); i++) {
        if (others_carry(store, nv_scope_numbered(store, (nv_scope_number)i)->id))
            continue;
        sqlite3_stmt *statement = nv_statement(store, NV_SQL_MOVES_ALONE, error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_int64(statement, 1, (int64_t)i);
        status = nv_db_run(statement, error);
    }
    return status;
}

enum nv_status nv_moves_are_due(struct nv_store *store, bool *ret_due, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_MOVE_NEXT, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status = nv_db_step(statement, ret_due, error);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_moves_drop(struct nv_store *store, struct nv_scope_id scope, struct nv_error *error)
{
    static const enum nv_statement drops[] = {NV_SQL_MOVED_UNPLACE, NV_SQL_MOVED_DROP_SCOPE, NV_SQL_MOVE_DROP_SCOPE};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < sizeof drops / sizeof *drops; i++) {
        sqlite3_stmt *statement = nv_statement(store, drops[i], error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_blob(statement, 1, scope.bytes, sizeof scope.bytes, SQLITE_STATIC);
        status = nv_db_run(statement, error);
    }
    return status;
}
