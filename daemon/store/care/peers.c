/* What `status` knows of peers: store/care.h. */
#include "store/care.h"
#include "store/statements.h"

enum nv_status nv_store_save_peer(struct nv_store *store, const struct nv_peer_state *peer, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_ready(store, error) == NV_OK ? nv_statement(store, NV_SQL_PEER_SAVE, error) : NULL;
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, peer->site.bytes, sizeof peer->site.bytes, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, peer->connected);
    sqlite3_bind_int64(statement, 3, peer->since.ms);
    sqlite3_bind_int64(statement, 4, peer->last_heard.ms);
    sqlite3_bind_int64(statement, 5, (int64_t)peer->behind_changesets);
    sqlite3_bind_int64(statement, 6, peer->behind_since.ms);
    sqlite3_bind_int64(statement, 7, (int64_t)peer->ahead_changesets);
    sqlite3_bind_text(statement, 8, peer->last_error, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 9, peer->clock_off_ms);
    return nv_db_run(statement, error);
}
