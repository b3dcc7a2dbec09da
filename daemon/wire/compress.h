/* zstd, bounded: what a frame becomes is known and judged before a byte of it is decompressed. Internal to wire/. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

/* Puts one zstd frame in the place of the buffer's bytes from `start` on, where it is smaller than they are; else
 * leaves them and returns false. */
bool nv_compress(struct nv_buffer *buffer, size_t start);

/* Decompresses exactly one frame into `arena`. NV_REFUSED where it states no content size or one over `size_max`, wants
 * a dictionary, has anything behind it, or does not give exactly what it states. */
enum nv_status nv_decompress(struct nv_slice frame, size_t size_max, struct nv_arena *arena, struct nv_slice *ret_plain,
                             struct nv_error *error);
