/* Open conflicts, as `conflicts` lists them and `get` shows them beside a record. */
#pragma once

#include <jansson.h>

#include "core/ident.h"
#include "store/schema.h"

/* All open conflicts, or those of one record where `table` is not NULL. */
enum nv_status nv_conflicts_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                 json_t **ret_list, struct nv_error *error);
enum nv_status nv_conflicts_print(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                  size_t *ret_open, struct nv_error *error);
