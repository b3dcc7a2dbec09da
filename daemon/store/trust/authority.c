#include "store/authority.h"

#include "store/log/logs.h"
#include "store/statements.h"
#include "store/trust/state.h"
#include "wire/changeset.h"

/* ---- taking up ops ---- */

static enum nv_status take_genesis(struct nv_store *store, uint64_t authority_seq, struct nv_slice op,
                                   struct nv_arena *arena, struct nv_error *error)
{
    struct nv_genesis genesis;
    enum nv_status status = nv_genesis_decode(op, arena, &genesis, error);
    if (status != NV_OK)
        return status;
    if (authority_seq != 1 ||
        memcmp(genesis.authority_key.bytes, store->identity.network.bytes, sizeof genesis.authority_key.bytes) != 0)
        return nv_fail(error, NV_REFUSED, "this is not how this network began");
    status = nv_meta_set(
        store, "network_name",
        &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)genesis.network, strlen(genesis.network)}},
        error);
    if (status == NV_OK)
        status =
            nv_meta_set(store, "successor_key",
                        &(struct nv_value){.type = NV_BLOB,
                                           .bytes = {genesis.successor_key.bytes, sizeof genesis.successor_key.bytes}},
                        error);
    return status;
}

static enum nv_status judge_certificate(const struct nv_store *store, const struct nv_certificate *certificate,
                                        struct nv_error *error)
{
    for (size_t i = 0; i < store->member_count; i++) {
        const struct nv_member *member = &store->members[i];
        bool same_keys = memcmp(member->sign_key.bytes, certificate->sign_key.bytes, 32) == 0 &&
                         memcmp(member->curve_key.bytes, certificate->curve_key.bytes, 32) == 0;
        bool shares_key = memcmp(member->sign_key.bytes, certificate->sign_key.bytes, 32) == 0 ||
                          memcmp(member->curve_key.bytes, certificate->curve_key.bytes, 32) == 0;
        if (nv_site_id_compare(member->site, certificate->site) == 0) {
            if (!same_keys)
                return nv_fail(error, NV_REFUSED, "site %s is certified with other keys", member->name);
        } else if (shares_key) {
            return nv_fail(error, NV_REFUSED, "site %s has one of these keys already", member->name);
        } else if (sqlite3_stricmp(member->name, certificate->name) == 0) {
            return nv_fail(error, NV_REFUSED, "there is a site named %s already: choose another name", member->name);
        }
    }
    return NV_OK;
}

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

static enum nv_status write_member(struct nv_store *store, uint64_t authority_seq,
                                   const struct nv_certificate *certificate, struct nv_error *error)
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
    sqlite3_bind_int64(statement, 10, (int64_t)authority_seq);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_free(endpoints);
    if (status == NV_OK)
        status = nv_membership_begin(store, authority_seq, certificate, error);
    return status == NV_OK ? nv_members_load(store, error) : status;
}

static enum nv_status take_certificate(struct nv_store *store, uint64_t authority_seq, struct nv_slice op,
                                       struct nv_arena *arena, struct nv_error *error)
{
    struct nv_certificate certificate;
    enum nv_status status = nv_certificate_decode(op, arena, &certificate, error);
    if (status == NV_OK)
        status = judge_certificate(store, &certificate, error);
    return status == NV_OK ? write_member(store, authority_seq, &certificate, error) : status;
}

/* Nothing stands before the genesis, and there is one. */
static enum nv_status judge_order(struct nv_store *store, enum nv_op_kind kind, struct nv_error *error)
{
    int64_t founded;
    enum nv_status status =
        nv_db_integer(store->db, "SELECT 1 FROM navette_meta WHERE name = 'network_name'", 0, &founded, error);
    if (status == NV_OK && (founded == 1) == (kind == NV_OP_GENESIS))
        status = nv_fail(error, NV_REFUSED,
                         founded == 1 ? "this network has begun already: it begins once"
                                      : "an op stands before the one that begins the network");
    return status;
}

enum nv_status nv_authority_take(struct nv_store *store, uint64_t authority_seq, struct nv_slice op_bytes,
                                 struct nv_error *error)
{
    struct nv_arena arena = {.limit = 4 * (size_t)NV_LIMIT_SQL_BYTES};
    struct nv_op op;
    enum nv_status status = nv_op_decode(op_bytes, &arena, &op, error);
    if (status == NV_OK)
        status = judge_order(store, op.kind, error);
    if (status == NV_OK) {
        switch (op.kind) {
        case NV_OP_GENESIS:
            status = take_genesis(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_CERTIFICATE:
            status = take_certificate(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_SCHEMA:
            status = nv_schema_take(store, authority_seq, op_bytes, error);
            break;
        case NV_OP_GROUP:
        case NV_OP_READER:
        case NV_OP_REMOVAL:
        case NV_OP_REVOCATION:
            status = nv_fail(error, NV_NOT_YET, "an op that gives or takes a right: newer software wrote it");
            break;
        case NV_OP_PUT:
        case NV_OP_DELETE:
        case NV_OP_REDACT:
            status = nv_fail(error, NV_REFUSED, "the authority log holds no records");
            break;
        }
    }
    nv_arena_done(&arena);
    return status;
}

/* ---- writing the log, at the authority ---- */

enum nv_status nv_authority_append(struct nv_store *store, const struct nv_sign_key *authority, struct nv_slice op,
                                   struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_log_id id = nv_authority_log_id(store);
    nv_log_number number;
    uint64_t seq;
    const struct nv_log *before = nv_log_find(store, &id);
    if (!store->identity.has_network ||
        memcmp(authority->public_key.bytes, store->identity.network.bytes, sizeof authority->public_key.bytes) != 0)
        return nv_fail(error, NV_REFUSED,
                       "this is not the key of this network's authority: run this at the hub that began the network");
    enum nv_status status = nv_authority_take(store, before == NULL ? 1 : before->has_seq + 1, op, error);
    if (status == NV_OK)
        status = nv_log_append_sealed(store, &id, &op, 1, NULL, authority, now, &number, &seq, error);
    if (status != NV_OK)
        return status;
    struct nv_log *log = nv_log_by_number(store, number);
    log->applied_seq = log->has_seq;
    log->applied_hash = log->has_hash;
    return NV_OK;
}

enum nv_status nv_network_set(struct nv_store *store, const struct nv_public_key *authority, struct nv_error *error)
{
    enum nv_status status =
        nv_meta_set(store, "network",
                    &(struct nv_value){.type = NV_BLOB, .bytes = {authority->bytes, sizeof authority->bytes}}, error);
    if (status == NV_OK) {
        store->identity.network = *authority;
        store->identity.has_network = true;
    }
    return status;
}

static enum nv_status append_certificate(struct nv_store *store, const struct nv_sign_key *authority,
                                         const struct nv_certificate *certificate, struct nv_wall_ms now,
                                         struct nv_error *error)
{
    struct nv_buffer op = {0};
    nv_certificate_encode(certificate, now, &op);
    enum nv_status status =
        op.failed ? nv_no_memory(error) : nv_authority_append(store, authority, nv_buffer_slice(&op), now, error);
    nv_buffer_done(&op);
    return status;
}

enum nv_status nv_authority_found(struct nv_store *store, const char *network_name, const struct nv_sign_key *authority,
                                  const struct nv_public_key *successor, const struct nv_certificate *self,
                                  struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_buffer op = {0};
    struct nv_genesis genesis = {network_name, authority->public_key, *successor};
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = store->identity.has_network
                 ? nv_fail(error, NV_REFUSED, "this site is in a network already: a network is founded once")
                 : nv_network_set(store, &authority->public_key, error);
    nv_genesis_encode(&genesis, now, &op);
    if (status == NV_OK && op.failed)
        status = nv_no_memory(error);
    if (status == NV_OK)
        status = nv_authority_append(store, authority, nv_buffer_slice(&op), now, error);
    if (status == NV_OK)
        status = append_certificate(store, authority, self, now, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    nv_buffer_done(&op);
    return status;
}

enum nv_status nv_authority_certify(struct nv_store *store, const struct nv_sign_key *authority,
                                    const struct nv_certificate *certificate, struct nv_wall_ms now,
                                    struct nv_error *error)
{
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = append_certificate(store, authority, certificate, now, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}
