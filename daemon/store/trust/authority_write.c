/* Writing the authority log, where its key is: store/authority.h. */
#include "store/authority.h"

#include "store/intake/counted.h"
#include "store/log/logs.h"
#include "store/scopes/leaving.h"
#include "store/trust/state.h"
#include "store/trust/vouch.h"

/* What does not count any more goes out of the logs. The op names all that is held here, so of its site nothing goes.
 */
static enum nv_status cut(struct nv_store *store, uint64_t position, struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_merge merge;
    nv_merge_init(&merge, store, now, NULL);
    enum nv_status status = nv_counted_cut(&merge, position, error);
    nv_merge_done(&merge);
    return status;
}

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
    enum nv_status status = nv_vouch_before(store, op, now, error);
    if (status == NV_OK)
        status = nv_authority_take(store, before == NULL ? 1 : before->has_seq + 1, op, error);
    if (status == NV_OK)
        status = nv_log_append_sealed(store, &id, &op, 1, NULL, authority, now, &number, &seq, error);
    if (status != NV_OK)
        return status;
    struct nv_log *log = nv_log_by_number(store, number);
    log->applied_seq = log->has_seq;
    log->applied_hash = log->has_hash;
    status = cut(store, seq, now, error);
    return status == NV_OK ? nv_scopes_follow(store, error) : status;
}

enum nv_status nv_authority_finish(struct nv_store *store, enum nv_status status, struct nv_error *error)
{
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
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
    nv_buffer_done(&op);
    return nv_authority_finish(store, status, error);
}

/* With the cuts as they are here. */
static enum nv_status append_anew(struct nv_store *store, const struct nv_sign_key *authority,
                                  const struct nv_certificate *certificate, struct nv_wall_ms now,
                                  struct nv_error *error)
{
    struct nv_heads cuts = {0};
    struct nv_certificate anew = *certificate;
    enum nv_status status = nv_cuts_of(store, certificate->site, NULL, &cuts, error);
    anew.cuts = cuts.heads;
    anew.cut_count = cuts.count;
    if (status == NV_OK)
        status = append_certificate(store, authority, &anew, now, error);
    nv_heads_done(&cuts);
    return status;
}

enum nv_status nv_authority_certify_in(struct nv_store *store, const struct nv_sign_key *authority,
                                       const struct nv_certificate *certificate, struct nv_wall_ms now,
                                       struct nv_error *error)
{
    return certificate->anew ? append_anew(store, authority, certificate, now, error)
                             : append_certificate(store, authority, certificate, now, error);
}

enum nv_status nv_authority_certify(struct nv_store *store, const struct nv_sign_key *authority,
                                    const struct nv_certificate *certificate, struct nv_wall_ms now,
                                    struct nv_error *error)
{
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_authority_certify_in(store, authority, certificate, now, error);
    return nv_authority_finish(store, status, error);
}
