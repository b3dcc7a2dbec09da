/* Records of one table and key in several scopes: the row shows the narrowest that is shown, and values never merge
 * between them. Internal to store/. */
#pragma once

#include "store/merge/merge.h"

/* Finds which record of the key the row shows, and makes it the one at hand; where it shows none `merge->scope` is 0.
 * The row itself is not read. */
enum nv_status nv_namesakes_find_shown(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                       struct nv_error *error);

/* Reads the version of the record at hand (that of `merge->scope`), and what there is beside it. */
enum nv_status nv_namesakes_load(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                 bool *ret_found, struct nv_error *error);

/* Whether the key has a record in any scope. */
enum nv_status nv_namesakes_any(struct nv_store *store, uint32_t table, struct nv_slice key, bool *ret_any,
                                struct nv_error *error);

/* Of the key's records that are shown, the next one after that of the scope `after`, from the narrowest (0) to the
 * widest: its scope, 0 where there is none. */
nv_scope_number nv_namesakes_next_shown(const struct nv_merge *merge, nv_scope_number after);

/* As nv_merge_show, where the record at hand has namesakes: another one may come to the row, or leave it. */
enum nv_status nv_namesakes_show(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                 nv_fields touched, nv_fields *ret_changed, struct nv_error *error);
