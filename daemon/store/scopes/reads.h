/* Which scopes this store reads: their changesets are merged here, those of others only kept and passed on. Internal to
 * store/. */
#pragma once

#include "store/trust/rights.h"

/* Whether this site reads the scope, as far as its authority log goes. A hub that may be granted keys reads what it can
 * open of every scope. */
bool nv_scope_is_read(const struct nv_store *store, struct nv_scope_id scope);
