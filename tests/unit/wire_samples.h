/* Random but repeatable pieces for the tests of wire/: ops, headers, sealed changesets. The seed comes from
 * NAVETTE_TEST_SEED where that is set, and is printed. */
#pragma once

#include "wire/changeset.h"

uint64_t sample_random(uint64_t below); /* 0 .. below - 1 */
void sample_bytes(void *ret_bytes, size_t size);

/* Key pairs made in memory, the same in every run. */
struct nv_sign_key sample_key(uint8_t which);

/* An op of a random kind (or of that kind) that keeps to the protocol; what it points to is in `arena`. */
void sample_op(struct nv_op *op, struct nv_arena *arena);
void sample_op_of(enum nv_op_kind kind, struct nv_op *op, struct nv_arena *arena);

/* Turns a bit, or changes, adds or takes away a byte, once or twice; or cuts it. */
void sample_change(struct nv_buffer *bytes);

/* A learner of twelve text columns, about 150 bytes: what a changeset mostly holds. */
void sample_row(struct nv_op *op, struct nv_arena *arena);

struct nv_header sample_header(struct nv_arena *arena, size_t context_count);

/* A sealed changeset and all that it was made of. */
struct sample {
    struct nv_arena arena;
    struct nv_sign_key key;
    struct nv_public_key network;
    struct nv_header header;
    struct nv_slice *ops;
    size_t op_count;
    struct nv_hash hash;
    struct nv_buffer scratch;
    struct nv_changeset_parts parts; /* within scratch */
    struct nv_buffer bytes;          /* the encoded Changeset */
};

void sample_seal(struct sample *sample, size_t op_count);
void sample_make_plain(struct sample *sample); /* the same changeset with its body as it is, not compressed */
void sample_done(struct sample *sample);

/* Split, header, signature, body and each op, of bytes that nothing may read beyond. The first that is not NV_OK. */
enum nv_status sample_open(const struct sample *sample, struct nv_slice bytes, struct nv_arena *arena,
                           struct nv_body *ret_body);
