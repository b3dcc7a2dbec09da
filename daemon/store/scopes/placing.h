/* The scope of a new record, decided when it is sealed, and kept with it. Internal to store/. */
#pragma once

#include "store/merge/merge.h"

/* Sets merge->scope to that of the new record whose row is loaded, as its table declares it. */
enum nv_status nv_scope_of_new(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                               struct nv_error *error);
