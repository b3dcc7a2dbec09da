/* Which scopes this store reads: their changesets are merged here, those of others only kept and passed on. Internal to
 * store/. */
#pragma once

#include "store/scopes/numbers.h"
#include "store/trust/rights.h"

/* Whether this site reads the scope by right, as far as its authority log goes. A hub that may be granted keys reads
 * what it can open of every scope. Who is no member any more keeps what he read last, and a site's own scope it always
 * reads: nothing leaves it until it is a member again, and then not all of it comes anew. */
bool nv_scope_is_due(const struct nv_store *store, struct nv_scope_id scope);

/* Whether it reads the scope by right, and nothing is leaving of it. */
bool nv_scope_is_read(const struct nv_store *store, struct nv_scope_id scope);

/* Whether a row shows a record of the one number before one of the other: sites' own scopes are narrower than groups,
 * and these than the network; of two sites' scopes ours comes first; then the scope's id decides, then the home, where
 * we come first. Sites that read both agree, but for what is their own. */
bool nv_scope_is_narrower(const struct nv_store *store, nv_scope_number one, nv_scope_number other);
