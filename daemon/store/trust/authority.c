/* Taking up what the authority log says, one op after the other, alike at every site. */
#include "store/authority.h"

#include "store/trust/state.h"
#include "wire/changeset.h"

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

/* Nothing stands before the genesis, and there is one. */
static enum nv_status judge_order(struct nv_store *store, enum nv_op_kind kind, struct nv_error *error)
{
    int64_t founded;
    enum nv_status status =
        nv_db_integer(store->db, "SELECT 1 FROM navette_meta WHERE name = 'network_name'", 0, &founded, error);
    if (status == NV_OK && founded == 1 && kind == NV_OP_GENESIS)
        status = nv_fail(error, NV_REFUSED, "this network has begun already: it begins once");
    else if (status == NV_OK && founded != 1 && kind != NV_OP_GENESIS)
        status = nv_fail(error, NV_REFUSED, "an op stands before the one that begins the network");
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
            status = nv_certificate_take(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_SCHEMA:
            status = nv_schema_take(store, authority_seq, op_bytes, error);
            break;
        case NV_OP_GROUP:
            status = nv_group_take(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_READER:
            status = nv_reader_take(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_REMOVAL:
            status = nv_removal_take(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_REVOCATION:
            status = nv_revocation_take(store, authority_seq, op_bytes, &arena, error);
            break;
        case NV_OP_PUT:
        case NV_OP_DELETE:
        case NV_OP_REDACT:
        case NV_OP_SEALED:
        case NV_OP_GRANT:
        case NV_OP_ASK:
            status = nv_fail(error, NV_REFUSED, "the authority log holds no records");
            break;
        }
    }
    nv_arena_done(&arena);
    return status;
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
