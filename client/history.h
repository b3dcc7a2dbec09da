/* Who changed which field of a record, and when. */
#pragma once

#include <jansson.h>

#include "store/care.h"

/* "put", "delete", … */
const char *nv_op_kind_name(enum nv_op_kind kind);

/* The record's history as a list, oldest first; empty where nothing was ever sealed of it. */
enum nv_status nv_history_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                               json_t **ret_list, struct nv_error *error);
