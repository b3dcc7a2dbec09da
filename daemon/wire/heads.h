/* Pinned heads between plain structs and protobuf's. Internal to wire/. */
#pragma once

#include "core/op.h"
#include "wire/unpack.h"

/* Heads to be packed, in `arena`: NULL where memory ran out (or count is 0). Without scopes: those of a header's
 * context. */
Navette__Head **nv_heads_to_pack(const struct nv_far_head *heads, size_t count, bool with_scope,
                                 struct nv_arena *arena);

/* Copies unpacked heads into `arena`. `scope`: of a context's heads, which name none; NULL: each names its own.
 * NV_REFUSED where an id has another size or a seq is 0. */
enum nv_status nv_heads_take(Navette__Head *const *heads, size_t count, const struct nv_scope_id *scope,
                             struct nv_arena *arena, struct nv_far_head **ret_heads, struct nv_error *error);
