/* Rights that begin and end: what an op of the authority log that was judged good changes. */
#include "store/trust/state.h"

static void bind_key(sqlite3_stmt *statement, int place, const struct nv_public_key *key)
{
    sqlite3_bind_blob(statement, place, key->bytes, sizeof key->bytes, SQLITE_STATIC);
}

/* Prepares a statement whose first parameters are the position, the site and the scope, where those are given. */
static sqlite3_stmt *prepare(struct nv_store *store, const char *sql, uint64_t position, const struct nv_site_id *site,
                             const struct nv_scope_id *scope, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db, sql, error);
    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 1, (int64_t)position);
    if (site != NULL)
        sqlite3_bind_blob(statement, 2, site->bytes, sizeof site->bytes, SQLITE_STATIC);
    if (scope != NULL)
        sqlite3_bind_blob(statement, 3, scope->bytes, sizeof scope->bytes, SQLITE_STATIC);
    return statement;
}

static enum nv_status run(sqlite3_stmt *statement, struct nv_error *error)
{
    enum nv_status status = statement == NULL ? error->status : nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

/* ---- memberships ---- */

static bool goes_on_as(const struct nv_store *store, const struct nv_certificate *certificate)
{
    const struct nv_membership *last = nv_membership_last(store->rights, certificate->site);
    return last != NULL && last->span.ends == NV_POSITION_NOW && last->role == certificate->role &&
           last->reader == certificate->reader &&
           memcmp(&last->sign_key, &certificate->sign_key, sizeof last->sign_key) == 0 &&
           memcmp(&last->curve_key, &certificate->curve_key, sizeof last->curve_key) == 0;
}

enum nv_status nv_membership_begin(struct nv_store *store, uint64_t position, const struct nv_certificate *certificate,
                                   struct nv_error *error)
{
    if (goes_on_as(store, certificate))
        return NV_OK; /* new endpoints, or another name */
    enum nv_status status = nv_membership_end(store, position, &certificate->site, error);
    sqlite3_stmt *statement =
        status != NV_OK ? NULL
                        : prepare(store,
                                  "INSERT INTO navette_membership(begins, site, sign_key, curve_key, role, reader) "
                                  "VALUES (?1, ?2, ?4, ?5, ?6, ?7)",
                                  position, &certificate->site, NULL, error);
    if (statement == NULL)
        return error->status;
    bind_key(statement, 4, &certificate->sign_key);
    bind_key(statement, 5, &certificate->curve_key);
    sqlite3_bind_int(statement, 6, (int)certificate->role);
    sqlite3_bind_int(statement, 7, certificate->reader);
    return run(statement, error);
}

enum nv_status nv_membership_end(struct nv_store *store, uint64_t position, const struct nv_site_id *site,
                                 struct nv_error *error)
{
    return run(prepare(store, "UPDATE navette_membership SET ends = ?1 WHERE site = ?2 AND ends IS NULL", position,
                       site, NULL, error),
               error);
}

/* ---- groups ---- */

enum nv_status nv_group_add(struct nv_store *store, uint64_t position, const struct nv_scope_id *scope,
                            const char *name, struct nv_error *error)
{
    sqlite3_stmt *statement = prepare(store, "INSERT INTO navette_group(made, scope, name) VALUES (?1, ?3, ?4)",
                                      position, NULL, scope, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_text(statement, 4, name, -1, SQLITE_STATIC);
    return run(statement, error);
}

enum nv_status nv_readership_begin(struct nv_store *store, uint64_t position, const struct nv_scope_id *scope,
                                   const struct nv_site_id *site, struct nv_error *error)
{
    return run(prepare(store, "INSERT INTO navette_readership(begins, site, scope) VALUES (?1, ?2, ?3)", position, site,
                       scope, error),
               error);
}

enum nv_status nv_readership_end(struct nv_store *store, uint64_t position, const struct nv_scope_id *scope,
                                 const struct nv_site_id *site, struct nv_error *error)
{
    return run(prepare(store,
                       "UPDATE navette_readership SET ends = ?1 WHERE site = ?2 AND ends IS NULL "
                       "AND (?3 IS NULL OR scope = ?3)",
                       position, site, scope, error),
               error);
}

/* ---- what was taken away ---- */

static enum nv_status note_row(struct nv_store *store, int64_t number, const struct nv_taking *taking,
                               const struct nv_far_head *head, struct nv_error *error)
{
    sqlite3_stmt *statement = prepare(store,
                                      "INSERT INTO navette_cut(taken_at, site, scope, taking, epoch, seq, pin) "
                                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                      taking->position, &taking->site, &head->scope, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 4, number);
    sqlite3_bind_int64(statement, 5, (int64_t)head->epoch);
    sqlite3_bind_int64(statement, 6, (int64_t)head->seq);
    sqlite3_bind_blob(statement, 7, head->pin.bytes, head->seq == 0 ? 0 : sizeof head->pin.bytes, SQLITE_STATIC);
    return run(statement, error);
}

enum nv_status nv_taking_note(struct nv_store *store, const struct nv_taking *taking, struct nv_error *error)
{
    int64_t number;
    struct nv_far_head itself = {.scope = taking->scope};
    enum nv_status status = nv_db_integer(store->db, "SELECT max(taking) + 1 FROM navette_cut", 1, &number, error);
    if (status == NV_OK)
        status = note_row(store, number, taking, &itself, error);
    for (size_t i = 0; status == NV_OK && i < taking->head_count; i++)
        status = note_row(store, number, taking, &taking->heads[i], error);
    return status;
}
