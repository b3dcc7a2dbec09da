/* What the files of trust/ share: the rights in memory, as the file has them. Internal to store/trust/. */
#pragma once

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
    struct nv_membership *memberships; /* ascending by (site, begins) */
    struct nv_readership *readerships; /* ascending by (scope, site, begins) */
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

/* ---- rights_change.c: inside the caller's transaction, then all of them are loaded anew ---- */
/* The site is a member with these keys and this role, from that position on. */
enum nv_status nv_membership_begin(struct nv_store *store, uint64_t position, const struct nv_certificate *certificate,
                                   struct nv_error *error);
