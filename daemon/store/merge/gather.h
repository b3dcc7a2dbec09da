/* The siblings of one field with their values, as the rules look at them. Internal to store/. */
#pragma once

#include "core/rule.h"
#include "store/log/opened.h"
#include "store/merge/versions.h"

/* Lists the field's siblings; values are copied to `arena`, *ret_candidates too. Of a text or blob over 4,096 bytes a
 * candidate has these and the hash of the whole: enough to choose by and to tell values apart, alike at every site. */
enum nv_status nv_gather(struct nv_store *store, const struct nv_record *record, unsigned field, struct nv_arena *arena,
                         struct nv_candidate **ret_candidates, size_t *ret_count, struct nv_error *error);

/* The whole value of a candidate of that field of the record. */
enum nv_status nv_gather_whole(struct nv_store *store, const struct nv_record *record,
                               const struct nv_candidate *candidate, unsigned field, struct nv_arena *arena,
                               struct nv_value *ret_value, struct nv_error *error);

/* The value that the row shows of a field with at least one sibling. */
enum nv_status nv_gather_shown(struct nv_store *store, const struct nv_table *table, const struct nv_record *record,
                               unsigned field, struct nv_arena *arena, struct nv_value *ret_value,
                               struct nv_error *error);
