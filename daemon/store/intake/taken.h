/* Putting a changeset that counts into its log. Internal to store/intake/. */
#pragma once

#include "store/intake/admit.h"
#include "store/merge/merge.h"

/* Appends what was admitted: merged just now, or not yet. */
enum nv_status nv_taken_append(struct nv_merge *merge, struct nv_arrival *arrival, bool is_merged,
                               const uint32_t *record_hashes, struct nv_error *error);

/* If our own log comes back to us longer than we hold it, this store is an old copy; or its site's right was taken away
 * while it wrote. From now on it writes another log. */
enum nv_status nv_leave_epoch(struct nv_store *store, struct nv_error *error);

/* Whether the log is the one that this store writes in its scope. */
bool nv_is_own_log(const struct nv_store *store, const struct nv_log_id *log);
