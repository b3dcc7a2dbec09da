/* Vouching (PROTOCOL.md, "What counts"): what a site does before it takes up an op that takes a right from another one.
 * Internal to store/. */
#pragma once

#include "store/internal.h"

/* To be called with each op of the authority log before any op of its changeset is taken up, in the same transaction.
 * Where the op takes a right away, seals an empty changeset in each scope concerned in which this site merged something
 * since its last one, at the authority position that it has until now. NV_NOT_YET where the key for that is not here:
 * then the op cannot be taken up either. */
enum nv_status nv_vouch_before(struct nv_store *store, struct nv_slice op, struct nv_wall_ms now,
                               struct nv_error *error);

/* Whether the op may cut off something that this site has merged: it takes a right from the site itself, or the site
 * reads by the word of others and so vouches for nothing. */
enum nv_status nv_may_uncount(const struct nv_store *store, struct nv_slice op, bool *ret_may, struct nv_error *error);
