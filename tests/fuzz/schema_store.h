/* An authority's store in memory for the schema target, and what must hold of a schema that it has taken. */
#pragma once

#include "parts.h"
#include "store/internal.h"
#include "store/schema/published.h"

/* A store that founded a network; made once. `has_schema`: with tables that were published already. */
struct nv_store *nv_fuzz_schema_store(bool has_schema);
struct nv_sign_key nv_fuzz_schema_authority(void);

/* The next position of its authority log. */
uint64_t nv_fuzz_schema_position(struct nv_store *store);

/* A number that changes with all that a schema changes. */
uint64_t nv_fuzz_schema_state(struct nv_store *store);

/* The database holds tables, indexes and views alone, none of them virtual, and nothing beside `main`. */
void nv_fuzz_check_objects(sqlite3 *db);

/* A row of the table's defaults can be made, and some values of each of its first fields are taken by SQLite as they
 * are exactly where the merge accepts them. */
void nv_fuzz_check_accepts(struct nv_store *store, const struct nv_table *table, struct nv_dice *dice);
