/* Bodies: ops in order, with what proves each of them. Internal to wire/. */
#pragma once

#include "wire/changeset.h"

/* Redaction may make a body longer by so much an op (a salt beside it, or a digest in its place). A body that has its
 * seed leaves room for that below NV_LIMIT_BODY_BYTES, so that none is ever too long to be redacted. */
enum { NV_REDACTION_BYTES = 32 };

struct nv_hash nv_op_digest(const struct nv_salt *salt, struct nv_slice op);
struct nv_hash nv_ops_root(const struct nv_hash *digests, size_t count);

/* Appends an encoded Body of ops whose salts come from `seed`. */
void nv_body_encode(const uint8_t seed[NV_SEED_BYTES], const struct nv_slice *ops, size_t count,
                    struct nv_buffer *buffer);
