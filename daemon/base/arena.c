#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct nv_arena_block {
    struct nv_arena_block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

void *nv_arena_alloc(struct nv_arena *arena, size_t size)
{
    if (size > arena->limit || size > SIZE_MAX / 2)
        return NULL;
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (size > arena->limit - arena->used)
        return NULL;
    struct nv_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = malloc(sizeof *block + room);
        if (block == NULL)
            return NULL;
        *block = (struct nv_arena_block){.next = arena->blocks, .size = room};
        arena->blocks = block;
    }
    void *bytes = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    return bytes;
}

static void free_chain(struct nv_arena_block *block)
{
    while (block != NULL) {
        struct nv_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void nv_arena_reset(struct nv_arena *arena)
{
    arena->used = 0;
    if (arena->blocks == NULL)
        return;
    free_chain(arena->blocks->next);
    arena->blocks->next = NULL;
    arena->blocks->used = 0;
}

void nv_arena_done(struct nv_arena *arena)
{
    free_chain(arena->blocks);
    arena->blocks = NULL;
    arena->used = 0;
}
