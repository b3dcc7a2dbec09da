/* Scopes that this site no longer reads: what it holds of them leaves, a slice at a time. Internal to store/.
 *
 * A scope that is leaving is marked so in the file, and none of it is merged until all of it is gone. If the site reads
 * it again by then, it begins anew: from the log where that is kept here for others, else from its peers. */
#pragma once

#include "store/merge/merge.h"

/* Notes what is read by right. */
void nv_scopes_look(struct nv_store *store);

/* Marks the scopes that are not read here any more, and has those merged that are read anew. In the transaction that
 * took up a changeset of the authority log. */
enum nv_status nv_scopes_follow(struct nv_store *store, struct nv_error *error);

/* Whether any scope is leaving. */
bool nv_scopes_leaving(const struct nv_store *store);

/* Takes rows and versions, then changesets that are not carried here, away until `end_us` of the monotonic clock,
 * inside the caller's transaction with the guard set. Writes that were pending on such rows are listed in quarantine.
 * *ret_more: not all is gone. */
enum nv_status nv_scopes_leave(struct nv_store *store, struct nv_wall_ms now, int64_t end_us, bool *ret_more,
                               struct nv_error *error);
