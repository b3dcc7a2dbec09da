/* Rights that begin and end: what an op of the authority log that was judged good changes. */
#include "store/trust/state.h"

static void bind_key(sqlite3_stmt *statement, int place, const struct nv_public_key *key)
{
    sqlite3_bind_blob(statement, place, key->bytes, sizeof key->bytes, SQLITE_STATIC);
}

/* Prepares a statement whose first parameters are the position and the site. */
static sqlite3_stmt *prepare(struct nv_store *store, const char *sql, uint64_t position, const struct nv_site_id *site,
                             struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db, sql, error);
    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 1, (int64_t)position);
    sqlite3_bind_blob(statement, 2, site->bytes, sizeof site->bytes, SQLITE_STATIC);
    return statement;
}

static enum nv_status run(sqlite3_stmt *statement, struct nv_error *error)
{
    enum nv_status status = statement == NULL ? error->status : nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

/* What began at this very position was never held: all ops of one changeset take effect together. */
static enum nv_status end_membership(struct nv_store *store, uint64_t position, const struct nv_site_id *site,
                                     struct nv_error *error)
{
    enum nv_status status = run(
        prepare(store, "DELETE FROM navette_membership WHERE site = ?2 AND begins = ?1", position, site, error), error);
    if (status == NV_OK)
        status = run(prepare(store, "UPDATE navette_membership SET ends = ?1 WHERE site = ?2 AND ends IS NULL",
                             position, site, error),
                     error);
    return status;
}

static bool goes_on_as(const struct nv_store *store, const struct nv_certificate *certificate)
{
    size_t count;
    const struct nv_membership *rows = nv_memberships_of(store->rights, certificate->site, &count);
    const struct nv_membership *last = count == 0 ? NULL : &rows[count - 1];
    return last != NULL && last->span.ends == NV_POSITION_NOW && last->role == certificate->role &&
           memcmp(&last->sign_key, &certificate->sign_key, sizeof last->sign_key) == 0 &&
           memcmp(&last->curve_key, &certificate->curve_key, sizeof last->curve_key) == 0;
}

enum nv_status nv_membership_begin(struct nv_store *store, uint64_t position, const struct nv_certificate *certificate,
                                   struct nv_error *error)
{
    if (goes_on_as(store, certificate))
        return NV_OK; /* new endpoints */
    enum nv_status status = end_membership(store, position, &certificate->site, error);
    sqlite3_stmt *statement =
        status != NV_OK ? NULL
                        : prepare(store,
                                  "INSERT INTO navette_membership(begins, site, sign_key, curve_key, role, reader) "
                                  "VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                                  position, &certificate->site, error);
    if (statement == NULL)
        return error->status;
    bind_key(statement, 3, &certificate->sign_key);
    bind_key(statement, 4, &certificate->curve_key);
    sqlite3_bind_int(statement, 5, (int)certificate->role);
    status = run(statement, error);
    return status == NV_OK ? nv_rights_load(store, error) : status;
}
