/* Tables that a tool rebuilt, and rows that changed with no trigger to tell of it. Internal to store/.
 *
 * When SQLite's schema version moves, tables whose triggers are gone or changed are compared with the row digests:
 * changed and new rows are sealed as local edits; rows that are gone are listed and never deleted for it. */
#pragma once

#include "store/schema.h"
#include "store/seal.h"

/* Whether the schema version moved since the last check: tables may be gone. Cheap. */
enum nv_status nv_schema_moved(struct nv_store *store, bool *ret_moved, struct nv_error *error);

/* Whether that is so, or a table waits to be scanned. Cheap. */
enum nv_status nv_scan_is_due(struct nv_store *store, bool *ret_due, struct nv_error *error);

/* Looks at the tables, inside the caller's transaction with the guard set; does nothing where nothing is due. */
enum nv_status nv_scan_check(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                             struct nv_error *error);

/* Compares this table at the next check, whatever its triggers. */
enum nv_status nv_scan_request(struct nv_store *store, const struct nv_table *table, struct nv_error *error);
