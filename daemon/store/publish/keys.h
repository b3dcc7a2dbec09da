/* Lists of records by whose they are, as temporary tables of their keys. Internal to store/publish/. */
#pragma once

#include "store/internal.h"

/* Whether a record is wanted: by its home, and its key (as many values as the table has key columns). */
typedef bool nv_keys_wanted(void *context, const struct nv_store *store, struct nv_site_id home,
                            const struct nv_value *key);

/* Makes the temporary table `name` (of columns k0, k1, …) of `db`, a connection to the store's database, and puts into
 * it the keys of the records of the table that have a row and are wanted. What waits to be sealed is not among them. */
enum nv_status nv_keys_list(struct nv_store *store, sqlite3 *db, const struct nv_table *table, const char *name,
                            nv_keys_wanted *wanted, void *context, struct nv_error *error);

/* Appends "NOT EXISTS (…)": that the row, which is called `row` in the statement, is not on the list. */
void nv_keys_append_absent(sqlite3_str *sql, const struct nv_table *table, const char *name, const char *row);

/* Runs what was put together, and frees it. */
enum nv_status nv_keys_run(sqlite3 *db, sqlite3_str *sql, struct nv_error *error);
