/* What counts at this store (core/counting.h): what is put out of the logs when a right is taken away, and what joins
 * them when somebody's word for it comes. Internal to store/. */
#pragma once

#include "store/intake/admit.h"
#include "store/merge/merge.h"

/* Whether an op that takes a right stands above the header's authority position: then it counts only where it is named
 * or vouched for. The usual answer is no, and costs nothing. */
bool nv_is_cut(const struct nv_store *store, const struct nv_header *header);

/* Up to which seq ops that take rights name the log; 0: none does. */
uint64_t nv_named_seq(const struct nv_store *store, const struct nv_log_id *log);

/* Whether an op that takes a right names that header. */
bool nv_is_named(const struct nv_store *store, const struct nv_log_id *log, uint64_t seq, const struct nv_pin *pin);

/* Once the authority log's changeset at `position` stands in the log: holds beyond the logs what its ops cut off. What
 * of it was merged, as by a site that lost its right itself, is taken back: records are derived anew without it, and
 * the site's own values listed in quarantine. Stale rows are noted in `merge->stale`: then the caller rolls back. */
enum nv_status nv_counted_cut(struct nv_merge *merge, uint64_t position, struct nv_error *error);

/* Puts into the logs, unmerged, what is held beyond them and counts: until `end_us`, of the monotonic clock.
 * *ret_joined counts them; *ret_more: there are further ones. */
enum nv_status nv_counted_join(struct nv_merge *merge, int64_t end_us, size_t *ret_joined, bool *ret_more,
                               struct nv_error *error);
