/* Which tables reference which: by what CREATE TABLE says of foreign keys, which nobody here enforces. */
#pragma once

#include <sqlite3.h>

#include "store/schema.h"

/* A table in step whose records reference those of another one. */
struct nv_reference {
    const struct nv_table *child;
    size_t count; /* of the columns that do */
    char from[NV_LIMIT_KEY_COLUMNS][NV_LIMIT_NAME + 1];
    char to[NV_LIMIT_KEY_COLUMNS][NV_LIMIT_NAME + 1];
};

/* All references to the table. Free the list. */
enum nv_status nv_references_find(struct nv_store *store, const struct nv_table *parent,
                                  struct nv_reference **ret_references, size_t *ret_count, struct nv_error *error);

/* A statement whose rows are the keys of the records that reference one record: its key is to be bound from the first
 * parameter on (nv_bind_key). NULL and the error set on failure. */
sqlite3_stmt *nv_reference_prepare(struct nv_store *store, const struct nv_reference *reference,
                                   const struct nv_table *parent, struct nv_error *error);
