/* Records that move from one scope to another one, both read here: made anew there, and deleted where they were once
 * another node has that. Meanwhile they stand in both. Children go with their parents. */
#pragma once

#include "core/op.h"
#include "store/schema.h"

/* Asks for it: writes the scope into the record's column, as a person might. Sealing begins the move. NV_NOT_FOUND
 * where there is no such record, NV_REFUSED where its table has no such column or this site may not. */
enum nv_status nv_store_move(struct nv_store *store, const char *table, struct nv_slice key, struct nv_scope_id scope,
                             struct nv_error *error);

/* Changesets of our own that another node must have before a move can end: at most `capacity` of them, the oldest
 * first. */
enum nv_status nv_store_moves_awaited(struct nv_store *store, struct nv_far_head *ret_heads, size_t capacity,
                                      size_t *ret_count, struct nv_error *error);

/* Another node has that one: the next sealing ends the moves that waited for it. */
enum nv_status nv_store_moves_held(struct nv_store *store, const struct nv_far_head *head, struct nv_error *error);
