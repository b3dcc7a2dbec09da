/* Statements of a schema file that were published before: a file may grow and be applied again. Internal to store/. */
#pragma once

#include <sqlite3.h>

#include "store/schema/sqltext.h"

/* Whether the statement says what stands in the database already; then there is nothing to run. A CREATE TABLE may lack
 * the columns that were added since. NV_REFUSED where it says something else of what was published. */
enum nv_status nv_statement_again(sqlite3 *db, const struct nv_sql_statement *statement, struct nv_arena *arena,
                                  bool *ret_known, struct nv_error *error);
