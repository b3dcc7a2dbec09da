/* Memory for one job: many small allocations with one limit, given back at once.
 *
 * Whatever a peer's bytes make us allocate comes from an arena, so its cap is the cap on what they cost. A zeroed
 * struct with `limit` set is an empty arena.
 */
#pragma once

#include <stddef.h>

struct nv_arena_block;

struct nv_arena {
    size_t limit; /* bytes that may be in use at once */
    size_t used;
    struct nv_arena_block *blocks; /* newest first */
};

/* `size` bytes, aligned for any type, not zeroed; NULL where memory ran out or the limit was reached. */
void *nv_arena_alloc(struct nv_arena *arena, size_t size);

/* Forgets all allocations, keeps one block for the next job. */
void nv_arena_reset(struct nv_arena *arena);
void nv_arena_done(struct nv_arena *arena);
