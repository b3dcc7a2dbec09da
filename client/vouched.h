/* What counts of sites whose right was taken away, by whose word; and what of theirs counts for nothing. */
#pragma once

#include "client/output.h"
#include "store/care.h"

/* A line each, where there is any. */
enum nv_status nv_say_vouched(struct nv_store *store, struct nv_error *error);

/* The same as a list. */
enum nv_status nv_vouched_json(struct nv_store *store, json_t **ret_list, struct nv_error *error);
