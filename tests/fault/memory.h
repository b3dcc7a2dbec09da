/* Memory that runs out at a chosen moment: for Navette's own allocations, for those from arenas, and for SQLite's.
 *
 * The programs of this folder are linked with --wrap for malloc and its like and for nv_arena_alloc, so that every
 * allocation of ours comes through here; SQLite's come through an allocator of its own. Nothing fails unless it was
 * planned.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nv_memory_source { NV_MEMORY_OWN, NV_MEMORY_ARENA, NV_MEMORY_SQLITE, NV_MEMORY_SOURCES };
extern const char *const nv_memory_names[NV_MEMORY_SOURCES];

/* Before SQLite's first use. Small allocations, which SQLite takes from a pool of each connection, go through here
 * too. */
void nv_memory_start(void);

/* From now on the source's `at`th allocation (1: the next) fails, or with `for_ever` that one and all after it. */
void nv_memory_plan(enum nv_memory_source source, uint64_t at, bool for_ever);

/* Forgets the plan. Returns how many allocations failed; `ret_asked` (may be NULL): how many there were. */
uint64_t nv_memory_end(uint64_t *ret_asked);

/* What is allocated now and not given back: blocks of ours and bytes of SQLite's. */
struct nv_memory_held {
    int64_t blocks, bytes;
};
struct nv_memory_held nv_memory_held(void);
