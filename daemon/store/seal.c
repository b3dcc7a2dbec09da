/* When to seal, and for how long at a time. */
#include "store/seal.h"

#include "base/clock.h"
#include "store/capture/scan.h"
#include "store/capture/sealing.h"
#include "store/ingest.h"

enum nv_status nv_store_seal(struct nv_store *store, struct nv_wall_ms now, int budget_ms, struct nv_sealed *ret_sealed,
                             struct nv_error *error)
{
    struct nv_sealed sealed = {0};
    bool any, scan;
    *ret_sealed = sealed;
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK)
        status = nv_seal_ready(store, error);
    if (status == NV_OK)
        status = nv_seal_is_due(store, &any, error);
    if (status == NV_OK)
        status = nv_scan_is_due(store, &scan, error);
    if (status != NV_OK || (!any && !scan))
        return status;
    int64_t end = nv_mono_now().us + (int64_t)budget_ms * 1000;
    status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_guard(store, error);
    if (status == NV_OK)
        status = nv_scan_check(store, now, &sealed, error);
    do {
        if (status == NV_OK)
            status = nv_seal_slice(store, now, &sealed, error);
    } while (status == NV_OK && sealed.more && nv_mono_now().us < end);
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
