/* Sealing inside a transaction that stands already: for nv_store_seal, and for what an apply must seal before it may
 * change a record. Internal to store/. */
#pragma once

#include "store/capture/pending.h"
#include "store/merge/merge.h"
#include "store/seal.h"

/* Seals the records of the set (their pending rows were read, or they are stale and have none) as one changeset of our
 * own log in each scope, or several where they are too many. Nothing is appended where nothing changed. */
enum nv_status nv_seal_records(struct nv_store *store, struct nv_touched_set *set, struct nv_wall_ms now,
                               struct nv_sealed *sealed, struct nv_error *error);

/* Seals one slice of every table that has pending rows, and all intents. sealed->more: some are left. */
enum nv_status nv_seal_slice(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                             struct nv_error *error);

/* Whether there is anything to seal: pending rows, or an answer to a conflict. */
enum nv_status nv_seal_is_due(struct nv_store *store, bool *ret_any, struct nv_error *error);

/* Whether this site can sign: NV_OK, or NV_NOT_YET with why not. */
enum nv_status nv_seal_ready(struct nv_store *store, struct nv_error *error);
