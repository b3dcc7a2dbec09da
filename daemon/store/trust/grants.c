#include "store/trust/grants.h"

#include "base/catalogue.h"
#include "core/record.h"
#include "store/ingest.h"
#include "store/statements.h"
#include "store/trust/keyring.h"
#include "store/trust/recovered.h"

/* ---- opening ---- */

const struct nv_grant_box *nv_grant_box_of(const struct nv_grant *grant, struct nv_site_id site, bool recovery)
{
    const struct nv_grant_box wanted = {.site = site, .recovery = recovery};
    for (size_t i = 0; i < grant->box_count; i++)
        if (nv_grant_box_compare(&grant->boxes[i], &wanted) == 0)
            return &grant->boxes[i];
    return NULL;
}

/* Opens a box with the site's own key; `gives` where what is in it is the key that the grant names. */
static enum nv_grant_gives open_box(const struct nv_store *store, const struct nv_hash *key_id, const uint8_t *sealed,
                                    const struct nv_log_id *log, enum nv_grant_gives gives, struct nv_held_key *ret_key)
{
    struct nv_held_key held;
    if (store->opener == NULL || !nv_content_key_open(sealed, store->opener, &held.key))
        return NV_GIVES_NOTHING;
    held.id = nv_content_key_id(&held.key, log);
    bool is_it = memcmp(held.id.bytes, key_id->bytes, sizeof held.id.bytes) == 0;
    if (is_it)
        *ret_key = held;
    nv_wipe(&held, sizeof held);
    return is_it ? gives : NV_GIVES_ANOTHER_KEY;
}

enum nv_status nv_grant_open(struct nv_store *store, const uint8_t *sealed, const struct nv_hash *key_id,
                             const struct nv_log_id *log, enum nv_grant_gives *ret_gives, struct nv_held_key *ret_key,
                             struct nv_error *error)
{
    uint8_t recovered[NV_SEALED_KEY_BYTES];
    bool is_recovered;
    *ret_gives = sealed == NULL ? NV_GIVES_NOTHING : open_box(store, key_id, sealed, log, NV_GIVES_BY_OWN_KEY, ret_key);
    if (*ret_gives == NV_GIVES_BY_OWN_KEY)
        return NV_OK;
    enum nv_status status = nv_recovered_find(store, key_id, recovered, &is_recovered, error);
    if (status == NV_OK && is_recovered &&
        open_box(store, key_id, recovered, log, NV_GIVES_BY_RECOVERY_KEY, ret_key) == NV_GIVES_BY_RECOVERY_KEY)
        *ret_gives = NV_GIVES_BY_RECOVERY_KEY;
    return status;
}

enum nv_status nv_grant_introduced(struct nv_opened *opened, struct nv_grant *ret_grant, struct nv_error *error)
{
    static const char none[] = N_("this changeset introduces no content key");
    const struct nv_body *body = &opened->body;
    if (opened->header.control_count == 0)
        return nv_fail(error, NV_NOT_FOUND, none);
    const struct nv_entry *last = &body->entries[body->count - 1];
    struct nv_op *op = nv_arena_alloc(&opened->arena, sizeof *op);
    if (op == NULL)
        return nv_no_memory(error);
    if (last->is_redacted)
        return nv_fail(error, NV_NOT_YET, "the grant that introduces a content key is owed");
    if (nv_op_kind_of(last->op) != NV_OP_GRANT)
        return nv_fail(error, NV_NOT_FOUND, none);
    struct nv_grant grant;
    enum nv_status status = nv_op_decode(last->op, &opened->arena, op, error);
    if (status == NV_OK)
        status = nv_grant_decode(op->control, &opened->arena, &grant, error);
    if (status == NV_REFUSED || (status == NV_OK && (grant.is_elsewhere || grant.key.number != 0)))
        return nv_fail(error, NV_NOT_FOUND, none);
    if (status == NV_OK)
        *ret_grant = grant;
    return status;
}

/* ---- noting ---- */

/* The log whose key a grant gives, and the number of the key; false where the grant is void. */
static bool find_named(const struct nv_store *store, const struct nv_cover *cover, uint32_t place, uint32_t op_count,
                       const struct nv_grant *grant, struct nv_log **ret_log, uint64_t *ret_number)
{
    struct nv_log *log = nv_log_by_number(store, cover->dot.log);
    if (!grant->is_elsewhere && grant->key.number == 0) {
        *ret_log = log;
        *ret_number = cover->dot.seq;
        return place + 1 == op_count;
    }
    if (grant->is_elsewhere) {
        struct nv_log_id id = {grant->key.site, grant->key.epoch, log->id.scope};
        log = nv_log_find(store, &id);
    }
    *ret_log = log;
    *ret_number = grant->key.number;
    return log != NULL && nv_cover_includes(cover, (struct nv_dot){log->number, 0, grant->key.number});
}

static enum nv_status drop_other_keys(struct nv_store *store, nv_log_number log, uint64_t number,
                                      const struct nv_hash *key_id, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_GRANTS_OF_OTHER_KEYS_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)number);
    sqlite3_bind_blob(statement, 3, key_id->bytes, sizeof key_id->bytes, SQLITE_STATIC);
    return nv_db_run(statement, error);
}

struct noting {
    struct nv_store *store;
    const struct nv_granting *granting;
    struct nv_cover cover;
    struct nv_wall_ms now;
};

static enum nv_status write_grant(struct noting *noting, uint32_t place, const struct nv_log *log, uint64_t number,
                                  bool introduces, const struct nv_grant *grant, enum nv_grant_gives gives,
                                  struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(noting->store, NV_SQL_GRANT_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)number);
    sqlite3_bind_int64(statement, 3, noting->granting->changeset);
    sqlite3_bind_int64(statement, 4, place);
    sqlite3_bind_int(statement, 5, introduces);
    sqlite3_bind_blob(statement, 6, grant->key_id.bytes, sizeof grant->key_id.bytes, SQLITE_STATIC);
    if (gives == NV_GIVES_NOTHING && noting->store->opener == NULL)
        sqlite3_bind_null(statement, 7);
    else
        sqlite3_bind_int(statement, 7, gives == NV_GIVES_ANOTHER_KEY ? NV_GIVES_NOTHING : (int)gives);
    const struct nv_grant_box *box = nv_grant_box_of(grant, noting->store->identity.site, false);
    sqlite3_bind_null(statement, 8);
    if (box != NULL)
        sqlite3_bind_blob(statement, 8, box->sealed, sizeof box->sealed, SQLITE_STATIC);
    return nv_db_run(statement, error);
}

/* Somebody more has a key of this site's own: so it is not that of those any more whom it was made for. */
static enum nv_status is_given_on(struct noting *noting, const struct nv_log *log, uint64_t number,
                                  struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(noting->store, NV_SQL_GRANT_READERS, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)number);
    sqlite3_bind_null(statement, 3);
    return nv_db_run(statement, error);
}

static enum nv_status list_wrong(struct noting *noting, uint32_t place, struct nv_error *error)
{
    if (noting->granting->fresh != NULL && !noting->granting->fresh[place])
        return NV_OK;
    const struct nv_log *log = nv_log_by_number(noting->store, noting->cover.dot.log);
    return nv_store_note_refusal(noting->store, NV_REASON_MALFORMED, &log->id.site,
                                 "a grant that it signed gives another content key than it says: it gives none",
                                 noting->now, error);
}

/* A key that was introduced with another id is not given by this one. */
static enum nv_status is_of_that_key(struct noting *noting, const struct nv_log *log, uint64_t number,
                                     const struct nv_grant *grant, bool *ret_is, struct nv_error *error)
{
    struct nv_hash id;
    enum nv_status status = nv_keyring_id(noting->store, log->number, number, &id, error);
    *ret_is = status == NV_NOT_FOUND || memcmp(id.bytes, grant->key_id.bytes, sizeof id.bytes) == 0;
    return status == NV_NOT_FOUND ? NV_OK : status;
}

static enum nv_status note(struct noting *noting, uint32_t place, uint32_t op_count, const struct nv_grant *grant,
                           struct nv_error *error)
{
    struct nv_log *log;
    uint64_t number;
    if (!find_named(noting->store, &noting->cover, place, op_count, grant, &log, &number))
        return NV_OK;
    bool introduces = log->number == noting->cover.dot.log && number == noting->cover.dot.seq, is_of_it = true;
    enum nv_status status = introduces ? drop_other_keys(noting->store, log->number, number, &grant->key_id, error)
                                       : is_of_that_key(noting, log, number, grant, &is_of_it, error);
    if (status != NV_OK || !is_of_it)
        return status == NV_OK ? list_wrong(noting, place, error) : status;
    struct nv_held_key key;
    enum nv_grant_gives gives;
    const struct nv_grant_box *box = nv_grant_box_of(grant, noting->store->identity.site, false);
    status =
        nv_grant_open(noting->store, box == NULL ? NULL : box->sealed, &grant->key_id, &log->id, &gives, &key, error);
    nv_wipe(&key, sizeof key);
    if (status == NV_OK)
        status = write_grant(noting, place, log, number, introduces, grant, gives, error);
    if (status == NV_OK && !introduces)
        status = is_given_on(noting, log, number, error);
    if (status == NV_OK && gives == NV_GIVES_ANOTHER_KEY)
        status = list_wrong(noting, place, error);
    if (status == NV_OK && gives == NV_GIVES_BY_OWN_KEY)
        status = nv_recovered_drop(noting->store, &grant->key_id, error);
    nv_keyring_drop(noting->store, log->number, number);
    nv_opened_forget(noting->store); /* what was opened without it has its boxes closed */
    log->lacks_key = false;
    noting->store->keys_at.ms = INT64_MIN;
    return status;
}

enum nv_status nv_grants_note(struct nv_store *store, const struct nv_granting *granting, struct nv_wall_ms now,
                              struct nv_error *error)
{
    struct noting noting = {.store = store,
                            .granting = granting,
                            .cover = {.dot = {granting->log, 0, granting->seq}, .vector = granting->context},
                            .now = now};
    const struct nv_body *body = granting->body;
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    for (uint32_t i = 0; status == NV_OK && i < body->count; i++) {
        struct nv_grant grant;
        struct nv_op op;
        if (body->entries[i].is_redacted || nv_op_kind_of(body->entries[i].op) != NV_OP_GRANT)
            continue;
        nv_arena_reset(&arena);
        status = nv_op_decode(body->entries[i].op, &arena, &op, error);
        if (status == NV_OK)
            status = nv_grant_decode(op.control, &arena, &grant, error);
        if (status == NV_OK)
            status = note(&noting, i, (uint32_t)body->count, &grant, error);
        else if (status == NV_REFUSED || status == NV_NOT_YET)
            status = NV_OK; /* a no-op; or of newer software: it is noted when its changeset is merged */
    }
    nv_arena_done(&arena);
    return status;
}
