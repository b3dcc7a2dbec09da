/* A record's state anew from its retained ops: the second way to it, that must agree with the step-by-step merge.
 * Internal to store/. */
#pragma once

#include "store/log/opened.h"
#include "store/merge/merge.h"

/* The changesets (by number) and places of all ops on a record, oldest first; appended to `dots`. */
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
enum nv_status nv_op_places_find(struct nv_store *store, uint32_t table, struct nv_slice key,
                                 struct nv_op_places *places, struct nv_error *error);

/* Sets `record` to the meaning of those of the ops that were applied. `merge` lends its arena, and judges what the
 * schema accepts at each op's authority position. */
enum nv_status nv_derive(struct nv_merge *merge, const struct nv_table *table, const struct nv_op_places *places,
                         struct nv_record *record, struct nv_error *error);
