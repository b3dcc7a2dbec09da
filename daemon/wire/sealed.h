/* Boxes: ops that only those read who have the content key (PROTOCOL.md, "Sealed ops").
 *
 * A content key is of one log. Its id commits to the key and to the log; a box is bound to the key's id and to its
 * place in the log, its nonce is the salt that the ops root is made with, and its size tells the size of the op in
 * steps only. Secrets are the caller's to wipe (nv_wipe).
 */
#pragma once

#include "wire/changeset.h"

enum { NV_SEALED_KEY_BYTES = 80, NV_BOX_EXTRA_BYTES = 16, NV_BOX_BOUND_BYTES = 101 };

struct nv_content_key {
    uint8_t bytes[32];
};

void nv_content_key_make(struct nv_content_key *ret_key);
struct nv_hash nv_content_key_id(const struct nv_content_key *key, const struct nv_log_id *log);

/* Seals the key so that only the holder of an X25519 key can open it; false where `to` is no key that anything could be
 * sealed to. */
bool nv_content_key_seal(const struct nv_content_key *key, const struct nv_public_key *to,
                         uint8_t ret_sealed[NV_SEALED_KEY_BYTES]);
/* False where it was sealed to another key, or is no sealed key. */
bool nv_content_key_open(const uint8_t sealed[NV_SEALED_KEY_BYTES], const struct nv_curve_key *own,
                         struct nv_content_key *ret_key);

/* The size that `size` bytes are padded to: 64, or the least of four steps a doubling. */
size_t nv_size_class(size_t size);
/* Whether a box can have that size. */
bool nv_box_size_is_good(size_t size);

/* What boxes of one changeset are bound to: the key's id, and their place but for the index. */
struct nv_box_bound {
    uint8_t bytes[NV_BOX_BOUND_BYTES];
};
struct nv_box_bound nv_box_bound_of(const struct nv_hash *key_id, const struct nv_log_id *log, uint64_t seq);

/* Appends the encoded op of kind `sealed` that holds `op` (1 to NV_LIMIT_BOXED_OP_BYTES), for the place `index`. */
void nv_box_append(const struct nv_content_key *key, uint64_t key_number, struct nv_box_bound *bound, uint32_t index,
                   const struct nv_salt *salt, struct nv_slice op, struct nv_buffer *buffer);

/* Opens a box of a good size. `room` has as many bytes as the box; *ret_op is in it. False where the box is of another
 * key, place or salt, was changed, or is not padded as it must be. */
bool nv_box_open(const struct nv_content_key *key, struct nv_box_bound *bound, uint32_t index,
                 const struct nv_salt *salt, struct nv_slice box, uint8_t *room, struct nv_slice *ret_op);
