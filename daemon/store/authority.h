/* The network's authority log: members, groups, certificates, invitations. Rights are judged by these alone; who has
 * which one, and since when, is in store/trust/rights.h. */
#pragma once

#include "store/store.h"
#include "wire/invitation.h"

/* At the authority: begins a network (genesis and this hub's own certificate). The key's public half becomes the
 * network's name for good. Refuses where the store is in a network already. */
enum nv_status nv_authority_found(struct nv_store *store, const char *network_name, const struct nv_sign_key *authority,
                                  const struct nv_public_key *successor, const struct nv_certificate *self,
                                  struct nv_wall_ms now, struct nv_error *error);

/* At the authority: certifies a site: a new one; new endpoints for one that is certified with the same keys; or, with
 * `anew`, one that was certified before, whose old keys have no right from here on. What of its logs goes on counting
 * is what is held here (`cuts` is not looked at). */
enum nv_status nv_authority_certify(struct nv_store *store, const struct nv_sign_key *authority,
                                    const struct nv_certificate *certificate, struct nv_wall_ms now,
                                    struct nv_error *error);

/* At the authority: makes a group, lists a member in it, takes one out of it. */
enum nv_status nv_authority_group(struct nv_store *store, const struct nv_sign_key *authority, const char *name,
                                  struct nv_wall_ms now, struct nv_error *error);
enum nv_status nv_authority_add_reader(struct nv_store *store, const struct nv_sign_key *authority,
                                       struct nv_scope_id group, struct nv_site_id site, struct nv_wall_ms now,
                                       struct nv_error *error);
enum nv_status nv_authority_remove_reader(struct nv_store *store, const struct nv_sign_key *authority,
                                          struct nv_scope_id group, struct nv_site_id site, struct nv_wall_ms now,
                                          struct nv_error *error);

/* At the authority: takes a site's membership away, and with it every group. */
enum nv_status nv_authority_revoke(struct nv_store *store, const struct nv_sign_key *authority, struct nv_site_id site,
                                   struct nv_wall_ms now, struct nv_error *error);

/* At the authority: appends a control op that was encoded with wire/authority.h, in a transaction that the caller
 * opened
 * (`nv_schema_apply` uses it). */
enum nv_status nv_authority_append(struct nv_store *store, const struct nv_sign_key *authority, struct nv_slice op,
                                   struct nv_wall_ms now, struct nv_error *error);

/* A new site: takes the authority log that the hub answered with (encoded Changesets), from the invitation's key on.
 * NV_REFUSED where it doesn't verify or certifies no site of ours. */
enum nv_status nv_authority_adopt(struct nv_store *store, const struct nv_public_key *authority,
                                  const struct nv_slice *changesets, size_t count, struct nv_wall_ms now,
                                  struct nv_error *error);

/* The same at a site that lost its keys and its store: it becomes the site that the log certifies with the store's
 * signer, and keeps the content keys of the answer that its recovery key opens, sealed to `curve`. */
enum nv_status nv_authority_recover(struct nv_store *store, const struct nv_public_key *authority,
                                    const struct nv_enrol_reply *reply, const struct nv_curve_key *recovery,
                                    const struct nv_public_key *curve, struct nv_wall_ms now, struct nv_error *error);

struct nv_member {
    struct nv_site_id site;
    char name[65];
    struct nv_public_key sign_key, curve_key;
    struct nv_public_key recovery_key; /* zeros: none */
    enum nv_role role;
    bool reader;        /* a hub that may be granted keys, and so read what others only carry */
    char endpoint[256]; /* the first one; "" where it has none */
    struct nv_wall_ms not_before, not_after;
};

/* All that are members now, ascending by site id. Owned by the store, valid until its next change. */
void nv_store_members(const struct nv_store *store, const struct nv_member **ret_members, size_t *ret_count);
const struct nv_member *nv_store_member(const struct nv_store *store, struct nv_site_id site);

/* Invitations, at the hub: kept by the hash of their secret. Under the name of a member it is for that one alone, once
 * it lost its keys. */
enum nv_status nv_invitation_keep(struct nv_store *store, const struct nv_invitation *invitation, const char *name,
                                  enum nv_role role, struct nv_error *error);

/* At the hub: judges a request (known invitation, proof, not used by another site, not expired, a free name; or the
 * proof that a member's recovery key is there), certifies the site and appends the encoded EnrolReply to `reply`: also
 * for a refusal, which says why. A site that asks again after a lost answer gets the same answer. */
enum nv_status nv_authority_enrol(struct nv_store *store, const struct nv_sign_key *authority, struct nv_slice request,
                                  struct nv_wall_ms now, struct nv_buffer *reply, struct nv_error *error);
