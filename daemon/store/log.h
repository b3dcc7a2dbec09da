/* The log as others read it: what we hold, and the changesets themselves, in the order in which our Has grew. */
#pragma once

#include "core/op.h"
#include "core/scopes.h"
#include "store/store.h"

/* The heads that are durable and causally closed, all scopes, as far heads ascending by (scope, site, epoch). Owned by
 * the store, valid until its next call that changes or refreshes it. */
void nv_store_has(const struct nv_store *store, const struct nv_far_head **ret_heads, size_t *ret_count);

/* The same with what is held beyond the logs, because it does not count yet: so far nothing has to come again. Said to
 * nobody. */
void nv_store_held(const struct nv_store *store, const struct nv_far_head **ret_heads, size_t *ret_count);

/* Moves whenever something more is held beyond the logs: then what waits may be tried again. */
uint64_t nv_store_kept(const struct nv_store *store);

/* Reads changesets that a peer lacks, in our arrival order.
 * `peer` are the heads that the peer has (ascending as above); what is of other scopes than `scopes` is passed over,
 * and its bodies are not read (NULL: nothing is). Starts after the arrival number `*cursor` (0: from the first that
 * matters), appends encoded Changesets one after the other to `bytes` and their end offsets to `ends` (`ends_capacity`
 * at most), and stops once `bytes` grew by `budget_bytes` (at least one is given). `*cursor` moves to the last looked
 * at; `*ret_done` says that nothing is left. The heads given are in `ret_heads` (ends_capacity room). */
enum nv_status nv_store_read_for(struct nv_store *store, const struct nv_far_head *peer, size_t peer_count,
                                 const struct nv_scope_set *scopes, int64_t *cursor, size_t budget_bytes,
                                 struct nv_buffer *bytes, size_t *ends, struct nv_far_head *ret_heads,
                                 size_t ends_capacity, size_t *ret_count, bool *ret_done, struct nv_error *error);

/* The changeset after `*cursor`, by arrival and round and round, with bodies that are owed: `*cursor` is its arrival
 * number then, and `*ret_before` the place in its log before it (seq 0: it is the first). *ret_any false: none is owed.
 */
enum nv_status nv_store_owed(struct nv_store *store, int64_t *cursor, struct nv_far_head *ret_before, bool *ret_any,
                             struct nv_error *error);

/* How many changesets are held to be passed on alone, because this site does not read their scopes. */
uint64_t nv_store_only_carried(const struct nv_store *store);

/* How many changesets of scopes that this site reads are in the logs and not merged: they wait for a content key, for a
 * table that is away, for newer software, or for others that do. */
uint64_t nv_store_waiting(const struct nv_store *store);

/* The arrival number of the newest changeset; those after it came later. */
int64_t nv_store_newest(const struct nv_store *store);
