/* The digest of a whole vector: two nodes that hold the same say the same 16 bytes (PROTOCOL.md, "Has"). */
#pragma once

#include "core/message.h"

/* BLAKE2b-128 over each head, ascending by (scope, site, epoch) as given: scope (16 bytes), site (16), epoch and seq
 * (8 bytes each, least significant first), pin (16). */
struct nv_digest nv_heads_digest(const struct nv_far_head *heads, size_t count);
