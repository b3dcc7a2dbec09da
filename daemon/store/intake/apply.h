/* Merging a changeset that stands in the log, or is about to. Internal to store/. */
#pragma once

#include "store/log/opened.h"
#include "store/merge/merge.h"

/* Whether this site can merge every op of a changeset of a data scope: NV_OK, or NV_NOT_YET where it has an op of a
 * kind that this software does not know, or of a table that is missing here, or redacts one of such a table. It then
 * stays in the log until that changes. */
enum nv_status nv_apply_ready(struct nv_store *store, const struct nv_opened *opened, struct nv_error *error);

/* Whether an op that can be read is a no-op at every site all the same: one of a kind that does not belong in the
 * scope, or one that is still in its box. */
bool nv_op_is_void(const struct nv_op *op, struct nv_scope_id scope);

/* Lists that the changeset has an op which is a no-op at every site. */
enum nv_status nv_note_void(struct nv_merge *merge, struct nv_error *error);

/* By what the record of each op is found, 4 bytes an op; 0 where there is none. */
enum nv_status nv_record_hashes(const struct nv_opened *opened, uint32_t *record_hashes, struct nv_error *error);

/* Writes them for a changeset that stands in the log, where they are others than were written. */
enum nv_status nv_record_hashes_write(struct nv_store *store, const struct nv_opened *opened, struct nv_error *error);

/* Merges all ops of a changeset whose context is `context`, as its log's next. Records noted in `merge->stale` ask the
 * caller for a rollback. `record_hashes` (may be NULL) gets 4 bytes an op. */
enum nv_status nv_apply_changeset(struct nv_merge *merge, struct nv_log *log, const struct nv_opened *opened,
                                  const struct nv_vector *context, uint32_t *record_hashes, struct nv_error *error);

/* Lets go of what the changeset's redactions name. Only once it stands in the log and its log's applied_seq says so: a
 * record is derived anew from what stands there, this changeset's own ops included. */
enum nv_status nv_apply_redactions(struct nv_merge *merge, const struct nv_opened *opened,
                                   const struct nv_vector *context, struct nv_error *error);

/* Merges what is held and was not merged yet, where it can be now: until the time `end`, but at least one changeset.
 * *ret_more: time was up. */
enum nv_status nv_apply_lagging(struct nv_merge *merge, struct nv_mono_us end, bool *ret_more, struct nv_error *error);
