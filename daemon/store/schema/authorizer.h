/* What a schema's SQL may do while SQLite prepares it. Internal to store/. */
#pragma once

#include <sqlite3.h>

#include "base/error.h"

/* Runs one statement of a schema (statement.c looked at it before) with the authorizer set: CREATE TABLE, INDEX and
 * VIEW, ALTER TABLE ADD COLUMN, in `main`; and, in `temp` alone, INSERT into navette_table and navette_column. */
enum nv_status nv_run_authorized(sqlite3 *db, const char *sql, struct nv_error *error);
