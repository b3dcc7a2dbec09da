/* Changesets: their bytes, and the proof that they are what the writer signed (PROTOCOL.md, "Changesets").
 *
 * signature = Ed25519(prefix || network || header bytes), prefix "navette changeset 1\n" ; header hash = BLAKE2b-256
 * over the header bytes; op digest = BLAKE2b-256(salt || op bytes); ops root = BLAKE2b-256(the digests in order). The
 * salts are the ChaCha20-IETF keystream of the body's seed (nonce zero), 24 bytes an op. Bytes from a peer are never
 * encoded anew: what was signed is what is kept.
 *
 * What is signed has one form only (PROTOCOL.md, "Canonical form"), and a part of it that is not known here means newer
 * software: NV_NOT_YET, never refused and never passed over.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/op.h"
#include "wire/keys.h"

enum { NV_FORMAT = 1, NV_SEED_BYTES = 32, NV_SALT_BYTES = 24 };

/* A changeset as bytes in four pieces, all within the bytes that were opened (or read from the store). */
struct nv_changeset_parts {
    struct nv_slice header;
    struct nv_slice signature; /* 64 bytes */
    struct nv_slice body;
    bool compressed; /* body is one zstd frame */
};

/* Splits an encoded Changeset without copying, checking sizes against the limits. NV_REFUSED with the reason;
 * NV_NOT_YET where it has a further part, which newer software made. */
enum nv_status nv_changeset_split(struct nv_slice bytes, struct nv_changeset_parts *ret_parts, struct nv_error *error);

/* The encoded Changeset of the parts, appended to `buffer`. */
void nv_changeset_join(const struct nv_changeset_parts *parts, struct nv_buffer *buffer);

/* Decodes a header into plain structs in `arena`. Checks form and limits alone: sizes of ids, seq at least 1,
 * `previous` present exactly where seq > 1, context ascending without doubles, counts. An unknown format is NV_NOT_YET.
 */
enum nv_status nv_header_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_header *ret_header,
                                struct nv_error *error);
struct nv_hash nv_header_hash(struct nv_slice header_bytes);

/* NV_OK, or NV_REFUSED where the signature is not by that key over this header in this network. */
enum nv_status nv_changeset_verify(const struct nv_changeset_parts *parts, const struct nv_public_key *key,
                                   const struct nv_public_key *network, struct nv_error *error);

struct nv_salt {
    uint8_t bytes[NV_SALT_BYTES];
};

/* One entry of a body. Where the op was redacted, `op` is empty, `salt` NULL and `is_redacted` true. Who opens boxes
 * puts what is in them into `op`, or marks the entry as keyless where the content key is lacking. */
struct nv_entry {
    struct nv_slice op;
    const struct nv_salt *salt; /* of the op as it is signed */
    bool is_redacted;
    bool is_keyless;
};

struct nv_body {
    struct nv_entry *entries;
    size_t count;
};

/* Decompresses (into `arena`, bounded before), decodes, and checks every digest against the header's ops root and the
 * count against its op count. NV_REFUSED where they differ. An op of a kind that does not belong at its place is left
 * empty: it is a no-op at every site. */
enum nv_status nv_body_open(const struct nv_changeset_parts *parts, const struct nv_header *header,
                            struct nv_arena *arena, struct nv_body *ret_body, struct nv_error *error);

/* The same body with the entries whose place is set in `redact` (count booleans) replaced by their digests; the
 * header's ops root still holds. The new body is appended to `buffer`; `ret_compressed` says whether as a zstd frame.
 */
enum nv_status nv_body_redact(const struct nv_changeset_parts *parts, const struct nv_header *header,
                              const bool *redact, struct nv_arena *arena, struct nv_buffer *buffer,
                              bool *ret_compressed, struct nv_error *error);

/* The same body with the entries that are missing in it, and whose place is set in `given` (count booleans), taken from
 * another copy, which has them. The new body is appended to `buffer`, as above. NV_REFUSED where the copy's body is not
 * what was signed. */
enum nv_status nv_body_fill(const struct nv_changeset_parts *parts, const struct nv_changeset_parts *copy,
                            const struct nv_header *header, const bool *given, struct nv_arena *arena,
                            struct nv_buffer *buffer, bool *ret_compressed, struct nv_error *error);

/* Decodes one op; excepts and names are in `arena`, all else in `ret_op` points into `bytes`. An unknown kind or field
 * is NV_NOT_YET; anything that is against PROTOCOL.md ("Ops": fields and values that do not fit, an over-long key, a
 * time out of range) NV_REFUSED. The struct is large and this runs for every op: only what the op has is written (so
 * many values and ages), and on failure `ret_op` holds nothing of use. */
enum nv_status nv_op_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_op *ret_op,
                            struct nv_error *error);

/* The kind that an encoded op says it is of, whatever the rest of it; 0 where it says none. */
uint32_t nv_op_kind_of(struct nv_slice op);

/* Encodes one op of kind put, delete, redact or sealed; the buffer's `failed` tells of lost memory. It does not judge:
 * what breaks a limit (a key over NV_LIMIT_KEY_BYTES, a time beyond NV_LIMIT_TIME_MS) will be refused by whoever
 * decodes it. */
void nv_op_encode(const struct nv_op *op, struct nv_buffer *buffer);

/* What a changeset's salts come from, and the salts that a seed stands for. Made before the ops where those need their
 * salts: a box's nonce is one. It stands in the body, and is no secret from whoever reads that. */
struct nv_seed {
    uint8_t bytes[NV_SEED_BYTES];
};
void nv_seed_make(struct nv_seed *ret_seed);
void nv_salts_of(const uint8_t seed[NV_SEED_BYTES], struct nv_salt *ret_salts, size_t count);

/* Seals ops into a changeset: digests, ops root (set in `header`, the counts too), header bytes, signature; zstd where
 * it makes the body smaller. Control ops stand behind all others. `scratch` is emptied first; the parts point into it
 * and are valid while it is. NV_REFUSED where an op is over NV_LIMIT_OP_BYTES, NV_BUG where the ops together or the
 * header are against the protocol: then scratch and parts hold nothing of use. */
enum nv_status nv_changeset_seal_from(const struct nv_seed *seed, struct nv_header *header, const struct nv_slice *ops,
                                      size_t op_count, const struct nv_sign_key *key,
                                      const struct nv_public_key *network, struct nv_buffer *scratch,
                                      struct nv_changeset_parts *ret_parts, struct nv_hash *ret_hash,
                                      struct nv_error *error);

/* The same with a new seed. */
enum nv_status nv_changeset_seal(struct nv_header *header, const struct nv_slice *ops, size_t op_count,
                                 const struct nv_sign_key *key, const struct nv_public_key *network,
                                 struct nv_buffer *scratch, struct nv_changeset_parts *ret_parts,
                                 struct nv_hash *ret_hash, struct nv_error *error);
