/* What a table declares of its records' scopes: `network`, `site`, `column:NAME`, `parent:COLUMN`. Internal to store/.
 */
#pragma once

#include "store/schema.h"
#include "store/schema/shape.h"
#include "wire/authority.h"

/* Takes a declaration apart: its kind, and the column's name behind it ("" where it has none). False where it is none
 * that this software knows. */
bool nv_declaration_read(const char *text, enum nv_declared *ret_kind, const char **ret_column);

/* NV_NOT_YET where a table's scope or writers are such as this software does not know. */
enum nv_status nv_declaration_form(const struct nv_schema_table *table, struct nv_error *error);

/* Whether the op's tables declare what they can: their columns are there, their parents are tracked, and no table is
 * its own ancestor. `db` has what is published, with the op's statements. NV_REFUSED with the table and the fix. */
enum nv_status nv_declarations_judge(const struct nv_store *store, sqlite3 *db, const struct nv_schema_op *op,
                                     struct nv_error *error);

/* Sets what of its own declaration a loaded table says; then, once all are loaded, who its ancestors are. NV_CORRUPT
 * where that is not what can have been published. */
enum nv_status nv_declared_take(struct nv_table *table, struct nv_error *error);
enum nv_status nv_declared_link(struct nv_store *store, struct nv_error *error);

/* The table that a column of another one REFERENCES; "" where it references none, or more than one. */
enum nv_status nv_declared_parent(sqlite3 *db, const char *table, const char *column,
                                  char ret_parent[NV_LIMIT_NAME + 1], struct nv_error *error);
