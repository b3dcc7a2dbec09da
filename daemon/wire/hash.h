/* Hashes for those who must not know libsodium: BLAKE2b-256 in pieces, and a short keyed hash for tables in memory. */
#pragma once

#include <stdalign.h>

#include "base/buffer.h"
#include "core/ident.h"

/* BLAKE2b-256 over bytes that come one piece after the other. In the caller's storage; nothing to free. */
struct nv_hasher {
    alignas(64) unsigned char state[384];
};

void nv_hasher_start(struct nv_hasher *hasher);
void nv_hasher_update(struct nv_hasher *hasher, const void *bytes, size_t size);
struct nv_hash nv_hasher_finish(struct nv_hasher *hasher); /* start anew before the next use */

struct nv_hash nv_hash_of(struct nv_slice bytes);

/* SipHash-2-4, read as a little-endian number: for hash tables and row digests, never as a proof. */
uint64_t nv_short_hash(const uint8_t key[16], struct nv_slice bytes);
