/* Asking for content keys, and answering: ops in the clear, in the site's own log of each scope that it writes in.
 * Internal to store/. */
#pragma once

#include "store/log/opened.h"
#include "store/seal.h"
#include "store/trust/readers.h"

/* What is to be said in one scope. */
struct nv_tending {
    struct nv_store *store;
    struct nv_scope_id scope;
    const struct nv_scope_readers *readers;
    struct nv_wall_ms now;
    struct nv_buffer bytes; /* encoded ops, one behind the other */
    size_t ends[NV_LIMIT_CHANGESET_OPS];
    size_t count;
};

/* What was appended to `bytes` since the last op is one op more; nothing is none. */
void nv_tending_add(struct nv_tending *tending);

/* Whether there is something to ask or to answer. Cheap where there is not. */
enum nv_status nv_keys_are_due(struct nv_store *store, struct nv_wall_ms now, bool *ret_due, struct nv_error *error);

/* Says it, inside the caller's transaction. */
enum nv_status nv_keys_tend(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                            struct nv_error *error);
