/* Certificates: who may be a member, under which name and with which keys. */
#include "store/log/logs.h"
#include "store/statements.h"
#include "store/trust/state.h"

/* ---- judging ---- */

/* A site's own scope has the site's id, so no site may have the id of another scope; nor that of the authority, whose
 * word an op by that site would seem to be. */
static bool is_taken_id(const struct nv_store *store, struct nv_site_id site)
{
    struct nv_scope_id scope;
    memcpy(scope.bytes, site.bytes, sizeof scope.bytes);
    const struct nv_scope *known = nv_scope_find(store, scope);
    return nv_scope_id_equal(scope, NV_SCOPE_AUTHORITY) || nv_scope_id_equal(scope, NV_SCOPE_NETWORK) ||
           nv_site_id_compare(site, nv_authority_log_id(store).site) == 0 ||
           (known != NULL && known->kind == NV_SCOPE_IS_GROUP);
}

static bool same_key(const struct nv_public_key *a, const struct nv_public_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static const char *name_of(const struct nv_store *store, struct nv_site_id site)
{
    const char *name = nv_store_site_name(store, site);
    return name == NULL ? "of another name" : name;
}

/* What another site has, or had, is not for this one. */
static enum nv_status judge_others(const struct nv_store *store, const struct nv_certificate *certificate,
                                   struct nv_error *error)
{
    const struct nv_rights *rights = store->rights;
    for (size_t i = 0; i < rights->membership_count; i++) {
        const struct nv_membership *other = &rights->memberships[i];
        if (nv_site_id_compare(other->site, certificate->site) != 0 &&
            (same_key(&other->sign_key, &certificate->sign_key) ||
             same_key(&other->curve_key, &certificate->curve_key)))
            return nv_fail(error, NV_REFUSED, "site %s has one of these keys already, or had it",
                           name_of(store, other->site));
    }
    for (size_t i = 0; i < store->member_count; i++) {
        const struct nv_member *other = &store->members[i];
        if (nv_site_id_compare(other->site, certificate->site) != 0 &&
            sqlite3_stricmp(other->name, certificate->name) == 0)
            return nv_fail(error, NV_REFUSED, "there is a site named %s already: choose another name", other->name);
    }
    return NV_OK;
}

static enum nv_status judge(const struct nv_store *store, const struct nv_certificate *certificate,
                            struct nv_error *error)
{
    const struct nv_membership *last = nv_membership_last(store->rights, certificate->site);
    bool is_member = last != NULL && last->span.ends == NV_POSITION_NOW;
    if (is_taken_id(store, certificate->site))
        return nv_fail(error, NV_REFUSED, "this site id means something else in this network: make a new site");
    if (last != NULL && !is_member && !certificate->anew)
        return nv_fail(error, NV_REFUSED, "site %s was a member and is none any more: its rights have to begin anew",
                       name_of(store, certificate->site));
    if (is_member && !certificate->anew &&
        (!same_key(&last->sign_key, &certificate->sign_key) || !same_key(&last->curve_key, &certificate->curve_key)))
        return nv_fail(error, NV_REFUSED, "site %s is certified with other keys", name_of(store, certificate->site));
    return judge_others(store, certificate, error);
}

/* ---- taking it up ---- */

/* One a line. NULL where memory ran out. */
static char *join_endpoints(const struct nv_certificate *certificate, sqlite3 *db)
{
    if (certificate->endpoint_count == 0)
        return sqlite3_mprintf("");
    sqlite3_str *joined = sqlite3_str_new(db);
    for (size_t i = 0; i < certificate->endpoint_count; i++)
        sqlite3_str_appendf(joined, "%s%s", i == 0 ? "" : "\n", certificate->endpoints[i]);
    return sqlite3_str_finish(joined);
}

static void bind_key(sqlite3_stmt *statement, int place, const struct nv_public_key *key)
{
    sqlite3_bind_blob(statement, place, key->bytes, sizeof key->bytes, SQLITE_STATIC);
}

static enum nv_status write_member(struct nv_store *store, uint64_t position, const struct nv_certificate *certificate,
                                   struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_MEMBER_SAVE, error);
    char *endpoints = join_endpoints(certificate, store->db);
    if (statement == NULL || endpoints == NULL) {
        sqlite3_free(endpoints);
        return statement == NULL ? error->status : nv_no_memory(error);
    }
    sqlite3_bind_blob(statement, 1, certificate->site.bytes, sizeof certificate->site.bytes, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, certificate->name, -1, SQLITE_STATIC);
    bind_key(statement, 3, &certificate->sign_key);
    bind_key(statement, 4, &certificate->curve_key);
    bind_key(statement, 5, &certificate->recovery_key);
    sqlite3_bind_int(statement, 6, (int)certificate->role);
    sqlite3_bind_text(statement, 7, endpoints, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 8, certificate->not_before.ms);
    sqlite3_bind_int64(statement, 9, certificate->not_after.ms);
    sqlite3_bind_int64(statement, 10, (int64_t)position);
    sqlite3_bind_int(statement, 11, certificate->reader);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_free(endpoints);
    return status;
}

/* Whatever the site's keys were good for until here. Its groups stay. */
static enum nv_status take_from_old_keys(struct nv_store *store, uint64_t position,
                                         const struct nv_certificate *certificate, struct nv_error *error)
{
    const struct nv_taking taking = {position, certificate->site, NV_SCOPE_AUTHORITY, certificate->cut_count,
                                     certificate->cuts};
    enum nv_status status = nv_taking_note(store, &taking, error);
    if (status == NV_OK)
        status = nv_membership_end(store, position, &certificate->site, error);
    return status == NV_OK ? nv_rights_load(store, error) : status;
}

enum nv_status nv_certificate_take(struct nv_store *store, uint64_t position, struct nv_slice op,
                                   struct nv_arena *arena, struct nv_error *error)
{
    struct nv_certificate certificate;
    enum nv_status status = nv_certificate_decode(op, arena, &certificate, error);
    if (status == NV_OK)
        status = judge(store, &certificate, error);
    if (status == NV_OK && certificate.anew && nv_membership_last(store->rights, certificate.site) != NULL)
        status = take_from_old_keys(store, position, &certificate, error);
    if (status == NV_OK)
        status = write_member(store, position, &certificate, error);
    if (status == NV_OK)
        status = nv_membership_begin(store, position, &certificate, error);
    if (status == NV_OK)
        status = nv_rights_load(store, error);
    return status == NV_OK ? nv_members_load(store, error) : status;
}
