/* Redactions: bodies that their own site lets go. Internal to store/.
 *
 * A Redact op names dots of its own site (of any epoch). Their bodies and salts give way to their digests, so that the
 * signature over the header still holds; the records that they changed are derived anew from the ops that remain. A
 * body that is missing and that no applied Redact names is owed. */
#pragma once

#include "store/log/opened.h"
#include "store/merge/merge.h"

/* Takes up a Redact op of the changeset that `merge` tells of. */
enum nv_status nv_redact_take(struct nv_merge *merge, const struct nv_op *op, struct nv_error *error);

/* Sets ret_named[place] for each op of the changeset at that place of a log that an applied Redact names. *ret_any. */
enum nv_status nv_redact_named(struct nv_store *store, nv_log_number log, const struct nv_header *header,
                               bool *ret_named, bool *ret_any, struct nv_error *error);
