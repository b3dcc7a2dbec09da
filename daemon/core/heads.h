/* Vectors as they travel: arrays of pinned heads, ascending by (scope, site, epoch), one a log.
 *
 * core/vector.h is the same inside one store, where logs have small numbers. Here logs have their full names, because
 * two nodes share no numbers. A zeroed struct is the empty vector.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/op.h"

struct nv_heads {
    struct nv_far_head *heads;
    size_t count, capacity;
};

void nv_heads_done(struct nv_heads *vector);
void nv_heads_clear(struct nv_heads *vector); /* keeps the memory */

/* Their logs' order alone: seq and pin are not looked at. */
int nv_far_head_order(const struct nv_far_head *a, const struct nv_far_head *b);

/* Whether the array ascends without doubles and each seq is at least 1: to be asked of all that a peer sent. */
bool nv_heads_ascend(const struct nv_far_head *heads, size_t count);

/* The head of the log that `log` names (its seq and pin are not looked at), NULL where there is none. */
const struct nv_far_head *nv_heads_find(const struct nv_heads *vector, const struct nv_far_head *log);
uint64_t nv_heads_seq(const struct nv_heads *vector, const struct nv_far_head *log); /* 0 where there is none */

/* Makes the vector a copy of the array, which ascends. NV_OK, or NV_NO_MEMORY (then it is unchanged). */
enum nv_status nv_heads_assign(struct nv_heads *vector, const struct nv_far_head *heads, size_t count);

/* Raises one log's head to this one, where it is beyond. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_heads_raise(struct nv_heads *vector, const struct nv_far_head *head);

/* Raises every log's head to that of the array, which ascends. NV_OK or NV_NO_MEMORY (then some were raised). */
enum nv_status nv_heads_join(struct nv_heads *vector, const struct nv_far_head *heads, size_t count);

/* Whether `vector` has seen all that the array names, by seq. */
bool nv_heads_cover(const struct nv_heads *vector, const struct nv_far_head *heads, size_t count);

/* How many changesets of `greater` the vector `lesser` lacks: the sum of the differences in seq, or UINT64_MAX where it
 * is beyond that, as by the word of a peer it may be. */
uint64_t nv_heads_lacking(const struct nv_heads *lesser, const struct nv_heads *greater);
