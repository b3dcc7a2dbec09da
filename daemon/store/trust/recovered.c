#include "store/trust/recovered.h"

#include "store/statements.h"
#include "store/trust/keyring.h"
#include "store/trust/rights.h"

/* ---- at the hub ---- */

/* The box that a grant at a place of a stored changeset has for the site's recovery key. One that cannot be read keeps
 * nobody from having the others. */
static enum nv_status find_box(struct nv_store *store, struct nv_site_id site, int64_t changeset, uint32_t place,
                               struct nv_recovered_key *key, bool *ret_found, struct nv_error *error)
{
    struct nv_opened opened;
    struct nv_grant grant = {0};
    struct nv_error why;
    *ret_found = false;
    enum nv_status status = nv_opened_read_sealed(store, changeset, &opened, error);
    if (status != NV_OK)
        return status;
    if (place < opened.body.count && !opened.body.entries[place].is_redacted)
        status = nv_grant_decode(opened.body.entries[place].op, &opened.arena, &grant, &why);
    const struct nv_grant_box *box = status == NV_OK ? nv_grant_box_of(&grant, site, true) : NULL;
    if (box != NULL) {
        key->id = grant.key_id;
        memcpy(key->sealed, box->sealed, sizeof key->sealed);
        *ret_found = true;
    }
    nv_arena_done(&opened.arena);
    return status == NV_NO_MEMORY ? nv_no_memory(error) : NV_OK;
}

static enum nv_status append_row(struct nv_store *store, sqlite3_stmt *row, struct nv_site_id site,
                                 struct nv_buffer *bytes, struct nv_error *error)
{
    const struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(row, 0));
    struct nv_recovered_key key;
    bool found = false;
    enum nv_status status = log == NULL ? NV_OK
                                        : find_box(store, site, sqlite3_column_int64(row, 1),
                                                   (uint32_t)sqlite3_column_int64(row, 2), &key, &found, error);
    if (!found)
        return status;
    key.log = log->id;
    nv_recovered_key_append(&key, bytes);
    return bytes->failed ? nv_no_memory(error) : NV_OK;
}

/* The newest keys of each log in turn, so that a log with many leaves room for the others. Those who introduced a key
 * gave it first; others may have given it since, or something else under its id: so a key may be there several times,
 * and the site takes what gives the id. */
static enum nv_status list_scope(struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site,
                                 struct nv_buffer *bytes, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(store->db,
                                       "SELECT g.log, g.changeset, g.place FROM navette_grant AS g JOIN navette_log "
                                       "AS l ON l.number = g.log WHERE l.scope = ?1 "
                                       "ORDER BY row_number() OVER (PARTITION BY g.log "
                                       "ORDER BY NOT g.introduces, g.number DESC, g.changeset, g.place), g.log",
                                       error);
    bool more = true;
    if (rows == NULL)
        return error->status;
    sqlite3_bind_blob(rows, 1, scope.bytes, sizeof scope.bytes, SQLITE_STATIC);
    enum nv_status status = NV_OK;
    while (status == NV_OK && bytes->size < (size_t)NV_LIMIT_RECOVERED_KEYS * NV_RECOVERED_KEY_BYTES &&
           (status = nv_db_step(rows, &more, error)) == NV_OK && more)
        status = append_row(store, rows, site, bytes, error);
    sqlite3_finalize(rows);
    return status;
}

enum nv_status nv_recovered_list(struct nv_store *store, struct nv_site_id site, struct nv_buffer *bytes,
                                 struct nv_error *error)
{
    const struct nv_scope *scopes;
    size_t count;
    enum nv_status status = NV_OK;
    nv_scopes(store, &scopes, &count);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        if (nv_scope_is_sealed(scopes[i].id) && nv_right_reads(store, scopes[i].id, site, NV_POSITION_NOW))
            status = list_scope(store, scopes[i].id, site, bytes, error);
    return status;
}

/* ---- at the site ---- */

static enum nv_status keep(struct nv_store *store, const struct nv_hash *id, const uint8_t *sealed,
                           struct nv_error *error)
{
    static const enum nv_statement each[] = {NV_SQL_RECOVERED_SAVE, NV_SQL_RECOVERED_OPENS};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < sizeof each / sizeof each[0]; i++) {
        sqlite3_stmt *statement = nv_statement(store, each[i], error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_blob(statement, 1, id->bytes, sizeof id->bytes, SQLITE_STATIC);
        if (each[i] == NV_SQL_RECOVERED_SAVE)
            sqlite3_bind_blob(statement, 2, sealed, NV_SEALED_KEY_BYTES, SQLITE_STATIC);
        status = nv_db_run(statement, error);
    }
    return status;
}

/* False where what is sealed is not the key of that id. */
static bool seal_anew(const struct nv_recovered_key *from, const struct nv_curve_key *recovery,
                      const struct nv_public_key *to, uint8_t ret_sealed[NV_SEALED_KEY_BYTES])
{
    struct nv_content_key key;
    if (!nv_content_key_open(from->sealed, recovery, &key))
        return false;
    struct nv_hash id = nv_content_key_id(&key, &from->log);
    bool is_it = memcmp(id.bytes, from->id.bytes, sizeof id.bytes) == 0 && nv_content_key_seal(&key, to, ret_sealed);
    nv_wipe(&key, sizeof key);
    return is_it;
}

enum nv_status nv_recovered_keep(struct nv_store *store, const struct nv_slice *keys, size_t count,
                                 const struct nv_curve_key *recovery, const struct nv_public_key *to,
                                 struct nv_error *error)
{
    /* In a store that is there still, what the lost key opened is open no longer. */
    enum nv_status status = nv_db_exec(store->db, "UPDATE navette_grant SET opens = NULL WHERE opens = 1", error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        struct nv_recovered_key key;
        uint8_t sealed[NV_SEALED_KEY_BYTES];
        nv_recovered_key_read(keys[i].data, &key);
        if (seal_anew(&key, recovery, to, sealed))
            status = keep(store, &key.id, sealed, error);
    }
    store->keys_at.ms = INT64_MIN;
    return status;
}

/* ---- where a grant goes that gave a key ---- */

/* By their ids, those keys of other logs that the grants behind that seq gave this site, as they are sealed to it. */
static enum nv_status list_given(struct nv_store *store, nv_log_number log, uint64_t seq, struct nv_buffer *bytes,
                                 struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_preparef(store->db, error,
                                        "SELECT g.key_id, g.sealed FROM navette_grant AS g JOIN navette_changeset "
                                        "AS c ON c.number = g.changeset WHERE c.log = %u AND c.seq > %lld "
                                        "AND g.opens = 1 AND g.log <> c.log",
                                        log, (long long)seq);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        struct nv_slice id = nv_db_blob(rows, 0), sealed = nv_db_blob(rows, 1);
        if (id.size != sizeof(struct nv_hash) || sealed.size != NV_SEALED_KEY_BYTES)
            continue;
        nv_buffer_append(bytes, id.data, id.size);
        nv_buffer_append(bytes, sealed.data, sealed.size);
    }
    sqlite3_finalize(rows);
    return status == NV_OK && bytes->failed ? nv_no_memory(error) : status;
}

enum nv_status nv_recovered_instead(struct nv_store *store, nv_log_number log, uint64_t seq, struct nv_error *error)
{
    enum { KEPT = sizeof(struct nv_hash) + NV_SEALED_KEY_BYTES };
    struct nv_buffer given = {0};
    enum nv_status status = list_given(store, log, seq, &given, error);
    if (status == NV_OK)
        status = nv_db_execf(store->db, error,
                             "DELETE FROM navette_grant WHERE changeset IN (SELECT number FROM navette_changeset "
                             "WHERE log = %u AND seq > %lld)",
                             log, (long long)seq);
    for (size_t i = 0; status == NV_OK && i + KEPT <= given.size; i += KEPT) {
        struct nv_hash id;
        memcpy(id.bytes, given.data + i, sizeof id.bytes);
        status = keep(store, &id, given.data + i + sizeof id.bytes, error);
    }
    nv_buffer_done(&given);
    nv_keyring_forget(store);
    store->keys_at.ms = INT64_MIN;
    return status;
}

enum nv_status nv_recovered_find(struct nv_store *store, const struct nv_hash *key_id,
                                 uint8_t ret_sealed[NV_SEALED_KEY_BYTES], bool *ret_found, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_RECOVERED_FIND, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, key_id->bytes, sizeof key_id->bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_step(statement, ret_found, error);
    if (status == NV_OK && *ret_found) {
        struct nv_slice sealed = nv_db_blob(statement, 0);
        *ret_found = sealed.size == NV_SEALED_KEY_BYTES;
        if (*ret_found)
            memcpy(ret_sealed, sealed.data, sealed.size);
    }
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_recovered_drop(struct nv_store *store, const struct nv_hash *key_id, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_RECOVERED_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, key_id->bytes, sizeof key_id->bytes, SQLITE_STATIC);
    return nv_db_run(statement, error);
}
