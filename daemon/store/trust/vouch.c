#include "store/trust/vouch.h"

#include "base/planted.h"
#include "core/counting.h"
#include "store/capture/sealing.h"
#include "store/log/logs.h"
#include "store/scopes/reads.h"
#include "store/trust/rights.h"
#include "wire/authority.h"
#include "wire/changeset.h"

/* Whose right an op takes, and where: `scope` that of the authority log for every one. */
struct loss {
    bool takes;
    struct nv_site_id site;
    struct nv_scope_id scope;
};

static enum nv_status read_op(struct nv_slice bytes, struct nv_arena *arena, struct loss *ret_loss,
                              struct nv_error *error)
{
    struct nv_op op;
    struct nv_removal_op removal;
    struct nv_revocation_op revocation;
    struct nv_certificate certificate;
    *ret_loss = (struct loss){.scope = NV_SCOPE_AUTHORITY};
    enum nv_status status = nv_op_decode(bytes, arena, &op, error);
    if (status == NV_OK && op.kind == NV_OP_REMOVAL) {
        status = nv_removal_decode(bytes, arena, &removal, error);
        if (status == NV_OK)
            *ret_loss = (struct loss){true, removal.site, removal.scope};
    } else if (status == NV_OK && op.kind == NV_OP_REVOCATION) {
        status = nv_revocation_decode(bytes, arena, &revocation, error);
        if (status == NV_OK)
            *ret_loss = (struct loss){true, revocation.site, NV_SCOPE_AUTHORITY};
    } else if (status == NV_OK && op.kind == NV_OP_CERTIFICATE) {
        status = nv_certificate_decode(bytes, arena, &certificate, error);
        if (status == NV_OK && certificate.anew)
            *ret_loss = (struct loss){true, certificate.site, NV_SCOPE_AUTHORITY};
    }
    return status == NV_REFUSED || status == NV_NOT_YET ? NV_OK : status; /* whoever takes it up says so */
}

/* Whether something was merged in the scope that this site's last changeset there does not name. */
static bool has_news(const struct nv_store *store, const struct nv_log_id *own)
{
    static const struct nv_vector nothing;
    const struct nv_log *last = nv_log_find(store, own);
    const struct nv_vector *said = last == NULL ? &nothing : &last->context;
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        uint64_t seq = NV_PLANTED(CARRIER_VOUCHES) ? log->has_seq : log->applied_seq;
        if (log != last && nv_scope_id_equal(log->id.scope, own->scope) && seq > nv_vector_seq(said, log->number))
            return true;
    }
    return false;
}

static enum nv_status seal(struct nv_store *store, const struct nv_log_id *own, struct nv_wall_ms now,
                           struct nv_error *error)
{
    nv_log_number number;
    uint64_t seq;
    enum nv_status status = nv_seal_ready(store, error);
    if (status == NV_OK)
        status = nv_log_append_sealed(store, own, NULL, 0, NULL, store->signer, now, &number, &seq, error);
    if (status != NV_OK)
        return status;
    struct nv_log *log = nv_log_by_number(store, number);
    log->applied_seq = log->has_seq;
    log->applied_hash = log->has_hash;
    return NV_OK;
}

static enum nv_status vouch_in(struct nv_store *store, struct nv_scope_id scope, const struct loss *loss,
                               struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_log_id own = {store->identity.site, store->identity.epoch, scope};
    /* Of what is leaving it has nothing to say any more, whatever right there is anew. */
    bool reads = nv_scope_is_read(store, scope) && nv_right_reads(store, scope, own.site, NV_POSITION_NOW);
    return nv_vouch_is_due(own.site, loss->site, reads, has_news(store, &own)) ? seal(store, &own, now, error) : NV_OK;
}

enum nv_status nv_vouch_before(struct nv_store *store, struct nv_slice op, struct nv_wall_ms now,
                               struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    struct loss loss;
    const struct nv_scope *scopes;
    size_t count;
    enum nv_status status = read_op(op, &arena, &loss, error);
    nv_arena_done(&arena);
    nv_scopes(store, &scopes, &count);
    for (size_t i = 0; status == NV_OK && loss.takes && i < count; i++)
        if (nv_scope_id_equal(loss.scope, NV_SCOPE_AUTHORITY) || nv_scope_id_equal(loss.scope, scopes[i].id))
            status = vouch_in(store, scopes[i].id, &loss, now, error);
    return status;
}

enum nv_status nv_may_uncount(const struct nv_store *store, struct nv_slice op, bool *ret_may, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    struct nv_site_id self = store->identity.site;
    struct loss loss;
    enum nv_status status = read_op(op, &arena, &loss, error);
    nv_arena_done(&arena);
    bool is_own = nv_site_id_compare(loss.site, self) == 0;
    *ret_may = status == NV_OK && loss.takes && (is_own || nv_right_reads_granted(store, self, NV_POSITION_NOW));
    return status;
}
