/* Version vectors with pinned heads: for each log, how far it was seen, and the hash of the header there.
 *
 * Parker et al., "Detection of Mutual Inconsistency in Distributed Systems" (1983); the pins make a vector name one
 * branch of a log where somebody forked it. A zeroed struct is the empty vector.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/ident.h"

struct nv_head {
    nv_log_number log;
    uint64_t seq; /* at least 1 */
    struct nv_pin pin;
};

struct nv_vector {
    struct nv_head *heads; /* ascending by log number, one a log */
    size_t count;
    size_t capacity;
};

void nv_vector_done(struct nv_vector *vector);
void nv_vector_clear(struct nv_vector *vector);

/* Sets a log's head, whatever it was. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_vector_set(struct nv_vector *vector, struct nv_head head);

/* Makes `vector` a copy of `other`. NV_OK, or NV_NO_MEMORY (then it is unchanged). */
enum nv_status nv_vector_copy(struct nv_vector *vector, const struct nv_vector *other);

/* The head of a log; NULL where the vector has none. Valid until the next change. */
const struct nv_head *nv_vector_find(const struct nv_vector *vector, nv_log_number log);

/* The seq seen of a log, 0 where none was. */
uint64_t nv_vector_seq(const struct nv_vector *vector, nv_log_number log);

/* Whether all that `lesser` names is in `greater`, by seq. */
bool nv_vector_covers(const struct nv_vector *greater, const struct nv_vector *lesser);

/* Raises each log of `vector` to what `other` has seen of it. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_vector_join(struct nv_vector *vector, const struct nv_vector *other);
