/* When to seal, and for how long at a time. */
#include "store/seal.h"

#include "base/clock.h"
#include "base/planted.h"
#include "store/capture/scan.h"
#include "store/capture/sealing.h"
#include "store/ingest.h"
#include "store/scopes/leaving.h"
#include "store/scopes/moving.h"
#include "store/scopes/unplaced.h"
#include "store/trust/tend.h"

static enum nv_status is_due(struct nv_store *store, struct nv_wall_ms now, bool *ret_scan, bool *ret_keys,
                             bool *ret_due, struct nv_error *error)
{
    bool any = false, unplaced = false, moves = false;
    *ret_keys = false;
    enum nv_status status = nv_ready(store, error);
    *ret_scan = false;
    if (status == NV_OK)
        status = nv_seal_ready(store, error);
    if (status == NV_OK)
        status = nv_seal_is_due(store, &any, error);
    if (status == NV_OK)
        status = nv_scan_is_due(store, ret_scan, error);
    if (status == NV_OK)
        status = nv_unplaced_is_due(store, &unplaced, error);
    if (status == NV_OK)
        status = nv_moves_are_due(store, &moves, error);
    if (status == NV_OK)
        status = nv_keys_are_due(store, now, ret_keys, error);
    *ret_due = any || *ret_scan || unplaced || moves || *ret_keys;
    return status;
}

/* Once all is sealed: records that can go where they ask to be, and moves that can end. */
static enum nv_status move(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                           struct nv_error *error)
{
    bool due = false, more = false;
    store->owes_placing = store->owes_placing || sealed->changesets > 0;
    enum nv_status status = nv_moves_end(store, now, sealed, &more, error);
    sealed->more = sealed->more || more;
    more = false;
    if (status == NV_OK)
        status = nv_unplaced_is_due(store, &due, error);
    if (status == NV_OK && due)
        status = nv_unplaced_look(store, now, sealed, &more, error);
    sealed->more = sealed->more || more;
    return status;
}

static enum nv_status seal(struct nv_store *store, struct nv_wall_ms now, int64_t end, bool keys,
                           struct nv_sealed *sealed, struct nv_error *error)
{
    if (NV_PLANTED(SEND_EARLY))
        nv_db_exec(store->db, "PRAGMA synchronous = NORMAL", error);
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_guard(store, error);
    if (status == NV_OK)
        status = nv_scan_check(store, now, sealed, error);
    do {
        if (status == NV_OK)
            status = nv_seal_slice(store, now, sealed, error);
    } while (status == NV_OK && sealed->more && nv_mono_now().us < end);
    if (status == NV_OK && !sealed->more)
        status = move(store, now, sealed, error);
    if (status == NV_OK && keys)
        status = nv_keys_tend(store, now, sealed, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}

/* What the site no longer reads goes, whether it may still write anything or not. */
static enum nv_status leave(struct nv_store *store, struct nv_wall_ms now, int64_t end, bool *ret_more,
                            struct nv_error *error)
{
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = nv_guard(store, error);
    if (status == NV_OK)
        status = nv_scopes_leave(store, now, end, ret_more, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    struct nv_error ignored;
    bool moved = false;
    if (status == NV_REFUSED && nv_schema_moved(store, &moved, &ignored) == NV_OK && moved) {
        *ret_more = false; /* a tool has just taken a table away: that is looked at first */
        return NV_OK;
    }
    return status;
}

/* A table that is back, or a content key that came, is what some changesets waited for. Those that still wait are none
 * of this. */
static enum nv_status merge_owed(struct nv_store *store, struct nv_wall_ms now, int budget_ms, struct nv_error *error)
{
    store->owes_merge = false;
    enum nv_status status = nv_store_ingest(store, NULL, 0, now, budget_ms, error);
    if (status != NV_OK)
        store->owes_merge = true;
    return status;
}

enum nv_status nv_store_seal(struct nv_store *store, struct nv_wall_ms now, int budget_ms, struct nv_sealed *ret_sealed,
                             struct nv_error *error)
{
    struct nv_sealed sealed = {0};
    struct nv_error ignored;
    bool scan, keys, due;
    int64_t end = nv_mono_now().us + (int64_t)budget_ms * 1000;
    *ret_sealed = sealed;
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK && nv_scopes_leaving(store))
        status = leave(store, now, end, &ret_sealed->more, error);
    if (status != NV_OK || ret_sealed->more)
        return status;
    status = is_due(store, now, &scan, &keys, &due, error);
    if (status != NV_OK)
        return status;
    if (!due) {
        status = store->owes_merge ? merge_owed(store, now, budget_ms, error) : NV_OK;
        ret_sealed->more = status == NV_OK && store->owes_merge;
        return status;
    }
    status = seal(store, now, end, keys, &sealed, error);
    if (status != NV_OK)
        return status;
    /* What was sealed is durable, and to be told, whatever becomes of this: the next call tries it again. */
    if (scan || store->owes_merge)
        merge_owed(store, now, budget_ms, &ignored);
    sealed.more = sealed.more || store->owes_merge;
    *ret_sealed = sealed;
    return NV_OK;
}
