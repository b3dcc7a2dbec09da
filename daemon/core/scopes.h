/* Sets of scopes: what a site carries, and what two sites carry both. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/ident.h"

/* The authority log's scope and `network` are in every set but the empty one, and are not listed. A zeroed struct is
 * the set of those two. */
struct nv_scope_set {
    bool is_empty; /* of who is no member */
    bool has_all;
    struct nv_scope_id *scopes; /* further ones, ascending */
    size_t count, capacity;     /* capacity 0: the scopes are somebody else's */
};

void nv_scope_set_done(struct nv_scope_set *set);

/* Whether they ascend without doubles: to be asked of all that a peer sent. */
bool nv_scopes_ascend(const struct nv_scope_id *scopes, size_t count);

bool nv_scope_set_has(const struct nv_scope_set *set, struct nv_scope_id scope);
bool nv_scope_set_equal(const struct nv_scope_set *a, const struct nv_scope_set *b);

/* Whether all that is in `lesser` is in `greater`. */
bool nv_scope_set_within(const struct nv_scope_set *lesser, const struct nv_scope_set *greater);

/* Makes `set` a copy of `other`, or the set of what is in both of two others. It is none of those. NV_OK, or
 * NV_NO_MEMORY (then it is unchanged). */
enum nv_status nv_scope_set_copy(struct nv_scope_set *set, const struct nv_scope_set *other);
enum nv_status nv_scope_set_meet(struct nv_scope_set *set, const struct nv_scope_set *a, const struct nv_scope_set *b);
