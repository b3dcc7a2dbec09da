/* Open conflicts as rows of navette_conflict, the same at every site. Internal to store/. */
#pragma once

#include "store/merge/rows.h"
#include "store/merge/versions.h"

/* Writes the record's open conflicts anew (removing those that stood there); sets version->is_conflicted. */
enum nv_status nv_conflicts_write(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                  struct nv_version *version, struct nv_arena *arena, struct nv_error *error);
