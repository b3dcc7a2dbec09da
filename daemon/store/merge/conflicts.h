/* Open conflicts as rows of navette_conflict, the same at every site. Internal to store/. */
#pragma once

#include "store/merge/merge.h"

/* Writes the record's open conflicts anew (removing those that stood there); sets version->is_conflicted. Those of a
 * record that a narrower one keeps from the row are open all the same. */
enum nv_status nv_conflicts_write(struct nv_store *store, const struct nv_table *table, struct nv_record_name name,
                                  struct nv_version *version, struct nv_arena *arena, struct nv_error *error);

/* Writes anew that several records of the key at hand are shown, or removes it: kind 'scopes', one row a record, the
 * one that the row shows first; `value` is the scope's id in hexadecimal, `site` the record's home, `time_ms` that of
 * its newest value. */
enum nv_status nv_collisions_write(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                   struct nv_error *error);
