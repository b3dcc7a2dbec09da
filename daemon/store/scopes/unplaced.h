/* Records that stand in another scope than they ask for: in the site's own, because that one could not be had; or where
 * they were, because their home has just said otherwise. They go there once they can. Internal to store/. */
#pragma once

#include "store/merge/merge.h"
#include "store/seal.h"

enum nv_status nv_unplaced_list(struct nv_store *store, uint32_t table, struct nv_slice key, struct nv_wall_ms now,
                                struct nv_error *error);

/* Lists the record at hand if its row asks for another scope than it is of, and its home is this site. */
enum nv_status nv_unplaced_check(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                 struct nv_error *error);

/* Whether any may have got its place since they were last looked at. */
enum nv_status nv_unplaced_is_due(struct nv_store *store, bool *ret_due, struct nv_error *error);

/* Looks at some of them, and begins the moves of those that can go. *ret_more: at further ones not yet. */
enum nv_status nv_unplaced_look(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed, bool *ret_more,
                                struct nv_error *error);
