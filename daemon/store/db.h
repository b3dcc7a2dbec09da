/* SQLite at arm's length: results become our status here, and statements are prepared once. For store/, and for
 * the command line's own queries. */
#pragma once

#include <sqlite3.h>

#include "base/buffer.h"
#include "base/error.h"
#include "core/value.h"

/* Our status for an SQLite result, with "doing: what SQLite says: what to do". SQLITE_OK, ROW and DONE are NV_OK.
 * SQLite's own messages may name tables and columns; they never hold values. */
enum nv_status nv_db_fail(sqlite3 *db, int result, const char *doing, struct nv_error *error);

enum nv_status nv_db_exec(sqlite3 *db, const char *sql, struct nv_error *error);
enum nv_status nv_db_execf(sqlite3 *db, struct nv_error *error, const char *format,
                           ...); /* sqlite3_mprintf's %Q %w %d */

/* Prepares; NULL and the error set on failure. The caller finalizes. Persistent: kept for long. */
sqlite3_stmt *nv_db_prepare(sqlite3 *db, const char *sql, struct nv_error *error);
sqlite3_stmt *nv_db_preparef(sqlite3 *db, struct nv_error *error, const char *format, ...);

/* Steps once. *ret_row says whether there is a row. On anything but a row the statement is reset. */
enum nv_status nv_db_step(sqlite3_stmt *statement, bool *ret_row, struct nv_error *error);

/* Steps a statement that gives no rows, and resets it. */
enum nv_status nv_db_run(sqlite3_stmt *statement, struct nv_error *error);

/* One integer from a query without parameters; `otherwise` where there is no row. */
enum nv_status nv_db_integer(sqlite3 *db, const char *sql, int64_t otherwise, int64_t *ret_value,
                             struct nv_error *error);

void nv_db_bind_slice(sqlite3_stmt *statement, int place, struct nv_slice bytes); /* a blob, not copied; never NULL */
struct nv_slice nv_db_blob(sqlite3_stmt *statement, int column);                  /* valid until the next step */
void nv_db_bind_value(sqlite3_stmt *statement, int place, const struct nv_value *value); /* not copied */
struct nv_value nv_db_value(sqlite3_stmt *statement, int column); /* bytes valid until the next step */
