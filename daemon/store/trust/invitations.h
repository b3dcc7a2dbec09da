/* Invitations, as the hub keeps them. Internal to store/trust/. */
#pragma once

#include "store/internal.h"

struct nv_kept_invitation {
    struct nv_hash secret_hash;
    char name[NV_LIMIT_NAME + 1];
    enum nv_role role;
    struct nv_wall_ms expires;
    bool is_used, recovers;          /* recovers: it is for a member that lost its keys, */
    struct nv_site_id used_by, lost; /* this one */
};

enum nv_status nv_invitation_find(struct nv_store *store, uint64_t number, struct nv_kept_invitation *ret_kept,
                                  bool *ret_found, struct nv_error *error);

enum nv_status nv_invitation_use(struct nv_store *store, uint64_t number, struct nv_site_id site,
                                 struct nv_error *error);

/* The site that an invitation may bring back: the member that it is for, or who had its name before being taken out of
 * the network. *ret_any: there is such a site; *ret_matches: and `recovery` is its recovery key. */
enum nv_status nv_invitation_find_lost(struct nv_store *store, const struct nv_kept_invitation *kept,
                                       const struct nv_public_key *recovery, struct nv_site_id *ret_site, bool *ret_any,
                                       bool *ret_matches, struct nv_error *error);
