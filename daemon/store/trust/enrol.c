/* Invitations and requests to be certified, at the hub: store/authority.h. */
#include <stdlib.h>

#include "store/log/logs.h"
#include "store/trust/state.h"
#include "wire/changeset.h"

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
                                                  "expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                                                  error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)invitation->number);
    sqlite3_bind_blob(statement, 2, hash.bytes, sizeof hash.bytes, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 4, (int)role);
    sqlite3_bind_int64(statement, 5, invitation->expires.ms);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

struct kept_invitation {
    struct nv_hash secret_hash;
    char name[NV_LIMIT_NAME + 1];
    enum nv_role role;
    struct nv_wall_ms expires;
    bool is_used;
    struct nv_site_id used_by;
};

static enum nv_status find_invitation(struct nv_store *store, uint64_t number, struct kept_invitation *kept,
                                      bool *ret_found, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(
        store->db, "SELECT secret_hash, name, role, expires_ms, used_by FROM navette_invitation WHERE number = ?1",
        error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    enum nv_status status = nv_db_step(statement, ret_found, error);
    if (status == NV_OK && *ret_found) {
        struct nv_slice hash = nv_db_blob(statement, 0);
        *kept = (struct kept_invitation){.role = (enum nv_role)sqlite3_column_int(statement, 2),
                                         .expires = {sqlite3_column_int64(statement, 3)}};
        if (hash.size == sizeof kept->secret_hash.bytes)
            memcpy(kept->secret_hash.bytes, hash.data, hash.size);
        sqlite3_snprintf(sizeof kept->name, kept->name, "%s", sqlite3_column_text(statement, 1));
        struct nv_slice used_by = nv_db_blob(statement, 4);
        kept->is_used = used_by.size == sizeof kept->used_by.bytes;
        if (kept->is_used)
            memcpy(kept->used_by.bytes, used_by.data, used_by.size);
    }
    sqlite3_finalize(statement);
    return status;
}

/* NULL, or why the request is refused: in words for the person who runs `join`. */
static const char *judge(const struct nv_store *store, const struct nv_enrol_request *request,
                         const struct kept_invitation *kept, bool found, struct nv_wall_ms now)
{
    if (!found || !nv_enrol_proof_holds(request, &kept->secret_hash))
        return "this hub knows no such invitation: ask for a new one";
    if (kept->is_used && nv_site_id_compare(kept->used_by, request->wanted.site) != 0)
        return "this invitation was used by another site: ask for a new one";
    const struct nv_membership *last = nv_membership_last(store->rights, request->wanted.site);
    bool is_member = last != NULL && last->span.ends == NV_POSITION_NOW;
    if (last != NULL && (memcmp(last->sign_key.bytes, request->wanted.sign_key.bytes, 32) != 0 ||
                         memcmp(last->curve_key.bytes, request->wanted.curve_key.bytes, 32) != 0))
        return "this site id is certified with other keys: make a new site";
    if (kept->is_used && !is_member)
        return "this invitation was used, and the site was taken out of the network since: ask for a new one";
    if (kept->is_used)
        return NULL; /* it asks again after a lost answer */
    if (is_member)
        return "this site is a member of the network already: there is nothing to join";
    if (now.ms > kept->expires.ms)
        return "this invitation has expired: ask for a new one";
    return NULL;
}

static enum nv_status mark_used(struct nv_store *store, const struct nv_enrol_request *request, struct nv_error *error)
{
    sqlite3_stmt *statement =
        nv_db_prepare(store->db, "UPDATE navette_invitation SET used_by = ?2 WHERE number = ?1", error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)request->invitation_number);
    sqlite3_bind_blob(statement, 2, request->wanted.site.bytes, sizeof request->wanted.site.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status certify(struct nv_store *store, const struct nv_sign_key *authority,
                              const struct nv_enrol_request *request, const struct kept_invitation *kept,
                              struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_certificate certificate = request->wanted;
    certificate.name = kept->name;
    certificate.role = kept->role;
    /* No beginning: others judge it by their own clocks, which may be years behind. */
    certificate.not_before = (struct nv_wall_ms){0};
    certificate.not_after = (struct nv_wall_ms){0};
    /* Who was taken out of the network comes back with the keys that it had, and begins anew. */
    certificate.anew =
        nv_membership_last(store->rights, certificate.site) != NULL && nv_store_member(store, certificate.site) == NULL;
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_authority_certify_in(store, authority, &certificate, now, error);
    if (status == NV_OK)
        status = mark_used(store, request, error);
    return nv_authority_finish(store, status, error);
}

/* The whole authority log, as encoded changesets one after the other, with where each ends. */
static enum nv_status read_log(struct nv_store *store, struct nv_buffer *bytes, size_t *ends, size_t capacity,
                               struct nv_error *error)
{
    const struct nv_log *log = nv_authority_log(store);
    sqlite3_stmt *rows = nv_db_preparef(store->db, error,
                                        "SELECT header, signature, compressed, body FROM navette_changeset "
                                        "WHERE log = %u ORDER BY seq",
                                        log->number);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    size_t count = 0;
    while (status == NV_OK && count < capacity && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        struct nv_changeset_parts parts = {.header = nv_db_blob(rows, 0),
                                           .signature = nv_db_blob(rows, 1),
                                           .compressed = sqlite3_column_int(rows, 2) != 0,
                                           .body = nv_db_blob(rows, 3)};
        nv_changeset_join(&parts, bytes);
        ends[count++] = bytes->size;
    }
    sqlite3_finalize(rows);
    return status == NV_OK && bytes->failed ? nv_no_memory(error) : status;
}

static enum nv_status admit(struct nv_store *store, struct nv_buffer *reply, struct nv_error *error)
{
    const struct nv_log *log = nv_authority_log(store);
    size_t count = (size_t)log->has_seq;
    struct nv_buffer bytes = {0};
    size_t *ends = calloc(count + 1, sizeof *ends);
    struct nv_slice *changesets = calloc(count + 1, sizeof *changesets);
    enum nv_status status =
        ends == NULL || changesets == NULL ? nv_no_memory(error) : read_log(store, &bytes, ends, count, error);
    if (status == NV_OK) {
        for (size_t i = 0; i < count; i++) {
            size_t begin = i == 0 ? 0 : ends[i - 1];
            changesets[i] = (struct nv_slice){bytes.data + begin, ends[i] - begin};
        }
        nv_enrol_reply_encode(true, "", changesets, count, reply);
    }
    free(ends);
    free(changesets);
    nv_buffer_done(&bytes);
    return status;
}

enum nv_status nv_authority_enrol(struct nv_store *store, const struct nv_sign_key *authority, struct nv_slice request,
                                  struct nv_wall_ms now, struct nv_buffer *reply, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 1u << 20};
    struct nv_enrol_request asked;
    struct kept_invitation kept = {0};
    bool found = false, changed;
    enum nv_status status = nv_enrol_request_decode(request, &arena, &asked, error);
    if (status == NV_REFUSED) {
        nv_enrol_reply_encode(false, error->text, NULL, 0, reply);
        nv_arena_done(&arena);
        return NV_OK;
    }
    if (status == NV_OK)
        status = nv_store_refresh(store, &changed, error);
    if (status == NV_OK)
        status = find_invitation(store, asked.invitation_number, &kept, &found, error);
    if (status == NV_OK) {
        const char *why = judge(store, &asked, &kept, found, now);
        bool is_known = kept.is_used && nv_store_member(store, asked.wanted.site) != NULL;
        if (why == NULL && !is_known) {
            status = certify(store, authority, &asked, &kept, now, error);
            if (status == NV_REFUSED) {
                why = error->text;
                status = NV_OK;
            }
        }
        if (why != NULL)
            nv_enrol_reply_encode(false, why, NULL, 0, reply);
        else if (status == NV_OK)
            status = admit(store, reply, error);
    }
    nv_arena_done(&arena);
    return status;
}
