/* A record's state anew from its retained ops: the second way to it, that must agree with the step-by-step merge.
 * Internal to store/. */
#pragma once

#include "store/log/opened.h"
#include "store/merge/merge.h"

/* The changesets (by number) and places of all ops on a record, oldest first; appended to `places`. Of a name without a
 * scope: those in every scope that this site reads. */
struct nv_op_place {
    int64_t changeset;
    uint32_t place;
};
struct nv_op_places {
    struct nv_op_place *places;
    size_t count, capacity;
};
void nv_op_places_done(struct nv_op_places *places);
enum nv_status nv_op_places_add(struct nv_op_places *places, struct nv_op_place place, struct nv_error *error);
enum nv_status nv_op_places_find(struct nv_store *store, struct nv_record_name name, struct nv_op_places *places,
                                 struct nv_error *error);

/* Sets `record` to the meaning of those of the ops that were applied. `merge` lends its arena, and judges what the
 * schema accepts at each op's authority position. */
enum nv_status nv_derive(struct nv_merge *merge, const struct nv_table *table, const struct nv_op_places *places,
                         struct nv_record *record, struct nv_error *error);

/* Makes a record what its ops that stand in the log say, its row too. `by`: the op that came late and changes it, where
 * that is why: what its row showed before is remembered as replaced by it; NULL where bodies went. A record whose row
 * was written without triggers is noted in `merge->stale`, and left as it is. */
enum nv_status nv_derive_again(struct nv_merge *merge, uint32_t table, struct nv_slice key, const struct nv_dot *by,
                               struct nv_error *error);
