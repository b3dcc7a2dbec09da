/* Giving and taking rights, where the authority's key is: store/authority.h. */
#include "store/log/logs.h"
#include "store/trust/state.h"

enum nv_status nv_cuts_of(const struct nv_store *store, struct nv_site_id site, const struct nv_scope_id *scope,
                          struct nv_heads *ret_cuts, struct nv_error *error)
{
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        bool is_in_scope = scope == NULL ? !nv_scope_id_equal(log->id.scope, NV_SCOPE_AUTHORITY)
                                         : nv_scope_id_equal(log->id.scope, *scope);
        if (!is_in_scope || log->has_seq == 0 || nv_site_id_compare(log->id.site, site) != 0)
            continue;
        const struct nv_far_head head = {site, log->id.epoch, log->id.scope, log->has_seq, nv_pin_of(&log->has_hash)};
        if (nv_heads_raise(ret_cuts, &head) != NV_OK)
            return nv_no_memory(error);
    }
    return NV_OK;
}

/* Appends an op that was encoded, and ends the transaction that the caller began. */
static enum nv_status finish_with(struct nv_store *store, const struct nv_sign_key *authority, struct nv_buffer *op,
                                  struct nv_wall_ms now, struct nv_error *error)
{
    enum nv_status status =
        op->failed ? nv_no_memory(error) : nv_authority_append(store, authority, nv_buffer_slice(op), now, error);
    nv_buffer_done(op);
    return nv_authority_finish(store, status, error);
}

enum nv_status nv_authority_group(struct nv_store *store, const struct nv_sign_key *authority, const char *name,
                                  struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_buffer op = {0};
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    nv_group_encode(&(struct nv_group_op){.name = name}, now, &op);
    return finish_with(store, authority, &op, now, error);
}

enum nv_status nv_authority_add_reader(struct nv_store *store, const struct nv_sign_key *authority,
                                       struct nv_scope_id group, struct nv_site_id site, struct nv_wall_ms now,
                                       struct nv_error *error)
{
    struct nv_buffer op = {0};
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    nv_reader_encode(&(struct nv_reader_op){.scope = group, .site = site}, now, &op);
    return finish_with(store, authority, &op, now, error);
}

enum nv_status nv_authority_remove_reader(struct nv_store *store, const struct nv_sign_key *authority,
                                          struct nv_scope_id group, struct nv_site_id site, struct nv_wall_ms now,
                                          struct nv_error *error)
{
    struct nv_heads cuts = {0};
    struct nv_buffer op = {0};
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_cuts_of(store, site, &group, &cuts, error);
    if (status == NV_OK)
        nv_removal_encode(&(struct nv_removal_op){group, site, cuts.count, cuts.heads}, now, &op);
    nv_heads_done(&cuts);
    return status == NV_OK ? finish_with(store, authority, &op, now, error) : nv_authority_finish(store, status, error);
}

enum nv_status nv_authority_revoke(struct nv_store *store, const struct nv_sign_key *authority, struct nv_site_id site,
                                   struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_heads cuts = {0};
    struct nv_buffer op = {0};
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_cuts_of(store, site, NULL, &cuts, error);
    if (status == NV_OK)
        nv_revocation_encode(&(struct nv_revocation_op){site, cuts.count, cuts.heads}, now, &op);
    nv_heads_done(&cuts);
    return status == NV_OK ? finish_with(store, authority, &op, now, error) : nv_authority_finish(store, status, error);
}
