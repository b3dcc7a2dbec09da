#include "store/trust/invitations.h"

static const struct nv_member *member_called(const struct nv_store *store, const char *name)
{
    for (size_t i = 0; i < store->member_count; i++)
        if (sqlite3_stricmp(store->members[i].name, name) == 0)
            return &store->members[i];
    return NULL;
}

enum nv_status nv_invitation_keep(struct nv_store *store, const struct nv_invitation *invitation, const char *name,
                                  enum nv_role role, struct nv_error *error)
{
    struct nv_hash hash = nv_invitation_secret_hash(invitation->secret);
    if (!nv_name_is_good(name))
        return nv_fail(error, NV_REFUSED, "a site's name has 1 to %d bytes and no control characters", NV_LIMIT_NAME);
    sqlite3_stmt *statement = nv_ready(store, error) != NV_OK
                                  ? NULL
                                  : nv_db_prepare(store->db,
                                                  "INSERT INTO navette_invitation(number, secret_hash, name, role, "
                                                  "expires_ms, recovers) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                                                  error);
    if (statement == NULL)
        return error->status;
    const struct nv_member *member = member_called(store, name);
    sqlite3_bind_int64(statement, 1, (int64_t)invitation->number);
    sqlite3_bind_blob(statement, 2, hash.bytes, sizeof hash.bytes, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 4, (int)role);
    sqlite3_bind_int64(statement, 5, invitation->expires.ms);
    if (member != NULL)
        sqlite3_bind_blob(statement, 6, member->site.bytes, sizeof member->site.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

static bool take_site(sqlite3_stmt *row, int column, struct nv_site_id *ret_site)
{
    struct nv_slice site = nv_db_blob(row, column);
    if (site.size != sizeof ret_site->bytes)
        return false;
    memcpy(ret_site->bytes, site.data, site.size);
    return true;
}

enum nv_status nv_invitation_find(struct nv_store *store, uint64_t number, struct nv_kept_invitation *ret_kept,
                                  bool *ret_found, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db,
                                            "SELECT secret_hash, name, role, expires_ms, used_by, recovers "
                                            "FROM navette_invitation WHERE number = ?1",
                                            error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    enum nv_status status = nv_db_step(statement, ret_found, error);
    if (status == NV_OK && *ret_found) {
        struct nv_slice hash = nv_db_blob(statement, 0);
        *ret_kept = (struct nv_kept_invitation){.role = (enum nv_role)sqlite3_column_int(statement, 2),
                                                .expires = {sqlite3_column_int64(statement, 3)}};
        if (hash.size == sizeof ret_kept->secret_hash.bytes)
            memcpy(ret_kept->secret_hash.bytes, hash.data, hash.size);
        sqlite3_snprintf(sizeof ret_kept->name, ret_kept->name, "%s", sqlite3_column_text(statement, 1));
        ret_kept->is_used = take_site(statement, 4, &ret_kept->used_by);
        ret_kept->recovers = take_site(statement, 5, &ret_kept->lost);
    }
    sqlite3_finalize(statement);
    return status;
}

enum nv_status nv_invitation_use(struct nv_store *store, uint64_t number, struct nv_site_id site,
                                 struct nv_error *error)
{
    sqlite3_stmt *statement =
        nv_db_prepare(store->db, "UPDATE navette_invitation SET used_by = ?2 WHERE number = ?1", error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    sqlite3_bind_blob(statement, 2, site.bytes, sizeof site.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

enum nv_status nv_invitation_find_lost(struct nv_store *store, const struct nv_kept_invitation *kept,
                                       const struct nv_public_key *recovery, struct nv_site_id *ret_site, bool *ret_any,
                                       bool *ret_matches, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db,
                                            "SELECT site, recovery_key = ?3 FROM navette_member WHERE site = ?1 OR "
                                            "(?1 IS NULL AND (site = ?4 OR (ends IS NOT NULL AND name = ?2 COLLATE "
                                            "NOCASE))) ORDER BY 2 DESC, ends DESC LIMIT 1",
                                            error);
    if (statement == NULL)
        return error->status;
    if (kept->recovers)
        sqlite3_bind_blob(statement, 1, kept->lost.bytes, sizeof kept->lost.bytes, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, kept->name, -1, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, recovery->bytes, sizeof recovery->bytes, SQLITE_STATIC);
    if (kept->is_used) /* it is a member again: by this invitation */
        sqlite3_bind_blob(statement, 4, kept->used_by.bytes, sizeof kept->used_by.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_step(statement, ret_any, error);
    *ret_any = status == NV_OK && *ret_any && take_site(statement, 0, ret_site);
    *ret_matches = *ret_any && sqlite3_column_int(statement, 1) != 0;
    sqlite3_finalize(statement);
    return status;
}
