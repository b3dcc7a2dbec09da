/* Sealing: what was written locally becomes signed changesets (ARCHITECTURE.md, "From a write to a changeset"). */
#pragma once

#include "store/store.h"

struct nv_sealed {
    size_t changesets; /* appended to the own log */
    size_t ops;
    bool more; /* something is left to do: call again */
};

/* Seals pending rows, in one transaction of about `budget_ms`. Nothing pending: NV_OK and zeros, without a write lock.
 * NV_BUSY where another program holds the lock: call again. NV_NOT_YET while the site has no certificate or no signer.
 * What it appended is durable on return. */
enum nv_status nv_store_seal(struct nv_store *store, struct nv_wall_ms now, int budget_ms, struct nv_sealed *ret_sealed,
                             struct nv_error *error);

/* Whether it is time to look for content keys that are lacking, or asked for: nv_store_seal asks and answers, and it is
 * to be called although nothing was written. Looks at nothing but the time. */
bool nv_store_keys_wait(const struct nv_store *store, struct nv_wall_ms now);

/* How many rows wait to be sealed (a row written twice counts twice). */
enum nv_status nv_store_pending(struct nv_store *store, uint64_t *ret_rows, struct nv_error *error);
