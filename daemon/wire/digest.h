/* The digests of vectors: two nodes that hold the same say the same 16 bytes (PROTOCOL.md, "Has"). */
#pragma once

#include "core/sync.h"

/* BLAKE2b-128 over heads of one scope, ascending by (site, epoch) as given, each as site (16 bytes), epoch and seq (8
 * bytes each, least significant first), pin (16). */
struct nv_digest nv_heads_digest(const struct nv_far_head *heads, size_t count);

/* BLAKE2b-128 over those of all scopes that have heads, ascending by scope as given, each as scope (16), digest (16).
 */
struct nv_digest nv_vector_digest(const struct nv_part_digest *parts, size_t count);

/* For core/sync.h. */
extern const struct nv_digests nv_digests;
