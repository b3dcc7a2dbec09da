/* What the files of trust/ share: the rights in memory, as the file has them. Internal to store/trust/. */
#pragma once

#include "core/heads.h"
#include "store/internal.h"
#include "store/trust/rights.h"

struct nv_span_of_right {
    uint64_t begins, ends; /* ends: not included; UINT64_MAX while it goes on */
};

struct nv_membership {
    struct nv_site_id site;
    struct nv_span_of_right span;
    struct nv_public_key sign_key, curve_key;
    enum nv_role role;
    bool reader;
};

struct nv_readership {
    struct nv_scope_id scope;
    struct nv_site_id site;
    struct nv_span_of_right span;
};

struct nv_rights {
    struct nv_membership *memberships; /* ascending by site, then as they began */
    struct nv_readership *readerships; /* ascending by (scope, site), then as they began */
    struct nv_scope *scopes;           /* ascending by id */
    struct nv_taking *takings;         /* ascending by site, then in the order of the authority log */
    struct nv_far_head *heads;         /* of all takings */
    size_t membership_count, readership_count, scope_count, taking_count, head_count;
};

/* The rows of one site, or of one site in one scope: where they begin and how many there are. */
const struct nv_membership *nv_memberships_of(const struct nv_rights *rights, struct nv_site_id site,
                                              size_t *ret_count);
const struct nv_readership *nv_readerships_of(const struct nv_rights *rights, struct nv_scope_id scope,
                                              struct nv_site_id site, size_t *ret_count);

/* The last of the site's memberships, which goes on where it is a member now; NULL where it never was one. */
const struct nv_membership *nv_membership_last(const struct nv_rights *rights, struct nv_site_id site);

/* ---- rights_change.c: inside the caller's transaction; nv_rights_load then takes it up ---- */
/* The site is a member with these keys and this role, from that position on. */
enum nv_status nv_membership_begin(struct nv_store *store, uint64_t position, const struct nv_certificate *certificate,
                                   struct nv_error *error);
enum nv_status nv_membership_end(struct nv_store *store, uint64_t position, const struct nv_site_id *site,
                                 struct nv_error *error);
enum nv_status nv_readership_begin(struct nv_store *store, uint64_t position, const struct nv_scope_id *scope,
                                   const struct nv_site_id *site, struct nv_error *error);
/* `scope` NULL: in every group. */
enum nv_status nv_readership_end(struct nv_store *store, uint64_t position, const struct nv_scope_id *scope,
                                 const struct nv_site_id *site, struct nv_error *error);
enum nv_status nv_group_add(struct nv_store *store, uint64_t position, const struct nv_scope_id *scope,
                            const char *name, struct nv_error *error);

/* Every op that takes a right away begins with this, before anything changes: keeps what it names. */
enum nv_status nv_taking_note(struct nv_store *store, const struct nv_taking *taking, struct nv_error *error);

/* ---- certificates.c, groups.c: judging an op and taking it up, as nv_authority_take does ---- */
enum nv_status nv_certificate_take(struct nv_store *store, uint64_t position, struct nv_slice op,
                                   struct nv_arena *arena, struct nv_error *error);
enum nv_status nv_group_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                             struct nv_error *error);
enum nv_status nv_reader_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                              struct nv_error *error);
enum nv_status nv_removal_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                               struct nv_error *error);
enum nv_status nv_revocation_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                                  struct nv_error *error);

/* ---- authority_rights.c ---- */
/* The heads of the site's logs as they are held here, of one scope or (NULL) of all but the authority's: what an op
 * that takes a right away names. */
enum nv_status nv_cuts_of(const struct nv_store *store, struct nv_site_id site, const struct nv_scope_id *scope,
                          struct nv_heads *ret_cuts, struct nv_error *error);

/* ---- authority_write.c ---- */
/* As nv_authority_certify, inside the caller's transaction. */
enum nv_status nv_authority_certify_in(struct nv_store *store, const struct nv_sign_key *authority,
                                       const struct nv_certificate *certificate, struct nv_wall_ms now,
                                       struct nv_error *error);
/* Ends the transaction of a call that wrote to the authority log: commits where all went well. */
enum nv_status nv_authority_finish(struct nv_store *store, enum nv_status status, struct nv_error *error);
