/* Local writes that this site has no right to: listed in quarantine with their values, and put back. Internal to
 * store/.
 */
#pragma once

#include "store/capture/pending.h"
#include "store/merge/merge.h"

/* The row of the record at hand, which is another site's to write, becomes again what its version says. */
enum nv_status nv_put_back(struct nv_merge *merge, struct nv_table_access *access, const struct nv_touched *touched,
                           struct nv_error *error);

/* Takes a field out of the op of the record at hand, and lists it with that reason. */
enum nv_status nv_leave_out(struct nv_merge *merge, struct nv_op *op, unsigned field, const char *reason,
                            struct nv_error *error);

/* Takes out what the home alone may write: the column that says who reads the record. Adds it to `left_out`. */
enum nv_status nv_leave_out_scope(struct nv_merge *merge, const struct nv_table *table, struct nv_op *op,
                                  nv_fields *left_out, struct nv_error *error);
