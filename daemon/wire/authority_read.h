/* What the readers of the authority log's ops share. Internal to wire/. */
#pragma once

#include "wire/authority.h"
#include "wire/unpack.h"

/* NV_REFUSED: the op is a no-op at every site. */
enum nv_status nv_authority_refuse(const char *what, struct nv_error *error);

/* The op, which must be of that kind. */
enum nv_status nv_authority_unpack(struct nv_slice bytes, enum nv_op_kind kind, struct nv_arena *arena,
                                   const Navette__Op **ret_op, struct nv_error *error);

/* Which cuts an op may have: heads of logs of this site, of this scope alone (NULL: of any), never the authority's. */
struct nv_cuts_wanted {
    struct nv_site_id site;
    const struct nv_scope_id *scope;
};

enum nv_status nv_authority_take_cuts(Navette__Head *const *cuts, size_t count, const struct nv_cuts_wanted *wanted,
                                      struct nv_arena *arena, const struct nv_far_head **ret_cuts, size_t *ret_count,
                                      struct nv_error *error);
