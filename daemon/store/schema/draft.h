/* A schema file, read into what will be published. Internal to store/. */
#pragma once

#include "store/schema/manifest.h"

/* Reads the file's SQL beside what is published already: what stands there alike is left out, the rest gets its
 * numbers. `ret_op` and all of it are in `arena`; with no statement and no table there is nothing to publish. `summary`
 * (may be NULL) gets a line for each table, NUL-terminated at the end. NV_REFUSED with the line or the table, and the
 * fix. */
enum nv_status nv_draft_read(struct nv_store *store, const char *sql, struct nv_arena *arena,
                             struct nv_schema_op *ret_op, struct nv_buffer *summary, struct nv_error *error);
