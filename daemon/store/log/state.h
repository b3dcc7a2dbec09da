/* What the files of log/ share: the logs in memory. Internal to store/log/. */
#pragma once

#include "core/heads.h"
#include "store/log/logs.h"

enum { CONTEXT_CACHE = 256 };

struct cached_context {
    int64_t changeset;
    struct nv_vector context;
};

struct nv_logs {
    struct nv_log **logs; /* logs[number - 1] */
    size_t count, capacity;
    struct nv_site_id *sites; /* sites[number - 1] */
    size_t site_count, site_capacity;
    struct nv_far_head *has; /* for nv_store_has: ascending; only what is durable, whatever else is in memory */
    size_t has_count;
    struct nv_far_head *held; /* the same for nv_store_held */
    size_t held_count;
    bool has_grown;       /* there is more once the transaction is committed */
    int64_t newest;       /* changeset */
    bool beyond_changed;  /* in this transaction */
    uint64_t beyond_kept; /* how often something was held beyond a log, since the store was opened */
    struct cached_context cache[CONTEXT_CACHE];
};

/* For qsort. */
static inline int nv_order_far_heads(const void *a, const void *b)
{
    return nv_far_head_order(a, b);
}

/* Takes bytes of exactly that size; leaves `to` alone where they are of another one. */
static inline void nv_copy_exact(void *to, size_t size, struct nv_slice bytes)
{
    if (bytes.size == size)
        memcpy(to, bytes.data, size);
}
