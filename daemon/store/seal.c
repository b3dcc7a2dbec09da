/* When to seal, and for how long at a time. */
#include "store/seal.h"

#include <time.h>

#include "store/capture/scan.h"
#include "store/capture/sealing.h"
#include "store/ingest.h"

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum nv_status nv_store_seal(struct nv_store *store, struct nv_wall_ms now, int budget_ms, struct nv_sealed *ret_sealed,
                             struct nv_error *error)
{
    struct nv_sealed sealed = {0};
    bool any, scan;
    *ret_sealed = sealed;
    enum nv_status status = nv_seal_ready(store, error);
    if (status == NV_OK)
        status = nv_seal_is_due(store, &any, error);
    if (status == NV_OK)
        status = nv_scan_is_due(store, &scan, error);
    if (status != NV_OK || (!any && !scan))
        return status;
    int64_t end = monotonic_ms() + budget_ms;
    status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_guard(store, error);
    if (status == NV_OK)
        status = nv_scan_check(store, now, &sealed, error);
    do {
        if (status == NV_OK)
            status = nv_seal_slice(store, now, &sealed, error);
    } while (status == NV_OK && sealed.more && monotonic_ms() < end);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK) {
        nv_rollback(store);
        return status;
    }
    *ret_sealed = sealed;
    /* A table that is back is what some changesets waited for. */
    return scan ? nv_store_ingest(store, NULL, 0, now, budget_ms, error) : NV_OK;
}
