/* Bodies that are owed: missing in a changeset that was merged, or is only carried here, and named by no redaction.
 * They are noted, asked of other peers, and taken once a copy of the changeset brings them. Internal to store/. */
#pragma once

#include "store/intake/admit.h"
#include "store/merge/merge.h"

enum nv_status nv_owed_note(struct nv_store *store, int64_t changeset, uint32_t place, struct nv_error *error);

/* Notes all that is missing in a changeset that stands in the log, and that no redaction which was taken up names. */
enum nv_status nv_owed_note_missing(struct nv_store *store, const struct nv_opened *opened, int64_t changeset,
                                    struct nv_error *error);

/* Whether any body of the changeset is owed; sets in `ret_places` (count booleans) which. */
enum nv_status nv_owed_places(struct nv_store *store, int64_t changeset, bool *ret_places, size_t count, bool *ret_any,
                              struct nv_error *error);

/* Takes the owed bodies that the arrival has into the changeset that we hold, and derives anew what they change:
 * records, or by a redaction those that it names. Nothing may be pending on them. What is stale is noted in
 * `merge->stale`: then the caller rolls back. */
enum nv_status nv_owed_take(struct nv_merge *merge, const struct nv_arrival *arrival, struct nv_error *error);
