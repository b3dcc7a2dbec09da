/* What a local write says, as an op: which fields really changed, when, and what the writer cannot have seen.
 * Internal to store/. */
#pragma once

#include "store/capture/pending.h"
#include "store/merge/merge.h"

/* Which fields of the record at hand a person changed: all of a row that is new. */
enum nv_status nv_local_fields(struct nv_merge *merge, const struct nv_table *table, const struct nv_touched *touched,
                               nv_fields *ret_changed, struct nv_error *error);

/* Adds the dots of what is owed in the merge's scope to the op's excepts, for these fields: nobody here has seen it. */
enum nv_status nv_except_owed(struct nv_merge *merge, nv_fields fields, struct nv_op *op, struct nv_error *error);

/* Makes the op of one record from its changes and its row, which are loaded into `merge` (with its version). Allocates
 * in the merge's arena. *ret_any false: nothing changed. A row that is gone without a DELETE is noted as missing. */
enum nv_status nv_local_op(struct nv_merge *merge, struct nv_table_access *access, const struct nv_touched *touched,
                           struct nv_op *op, bool *ret_any, struct nv_error *error);
