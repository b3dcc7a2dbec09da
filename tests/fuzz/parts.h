/* What the targets build valid things from, by dice that fall as the input says; and what all of them start with. */
#pragma once

#include "tests/unit/dice.h"
#include "wire/changeset.h"

/* Starts libsodium once, with a source of "random" bytes that is the same in every run. */
void nv_fuzz_start(void);

/* An arena for one input; what was in it before is gone. Every pointer of the parts below is into it. */
struct nv_arena *nv_fuzz_arena(void);
void *nv_fuzz_alloc(struct nv_arena *arena, size_t size);

/* Key pairs, the same in every run. */
struct nv_sign_key nv_fuzz_key(uint8_t which);

/* Numbers around the places where their encodings grow. */
uint64_t nv_fuzz_number(struct nv_dice *dice);

/* Text of at most `most` bytes without control characters; now and then empty, or no UTF-8 where `is_good` is false. */
const char *nv_fuzz_text(struct nv_dice *dice, struct nv_arena *arena, size_t most, bool is_good);

struct nv_slice nv_fuzz_bytes(struct nv_dice *dice, struct nv_arena *arena, size_t most);
struct nv_far_dot nv_fuzz_dot(struct nv_dice *dice);

/* An op of kind put, delete, redact or sealed that keeps to the protocol; what is in the box is no op. */
void nv_fuzz_op(struct nv_dice *dice, struct nv_arena *arena, struct nv_op *op);

/* A grant or an ask, encoded. */
void nv_fuzz_key_op(struct nv_dice *dice, struct nv_buffer *buffer);

/* Heads that ascend, at most `most`, in that scope; NULL: in several. */
struct nv_far_head *nv_fuzz_heads(struct nv_dice *dice, struct nv_arena *arena, const struct nv_scope_id *scope,
                                  size_t most, size_t *ret_count);

/* A header that keeps to the protocol, but for its count and root of ops. */
struct nv_header nv_fuzz_header(struct nv_dice *dice, struct nv_arena *arena);

/* What the op target holds every op to that a decoder took: the same bytes come of it again. */
void nv_fuzz_op_again(const struct nv_op *op, struct nv_slice bytes);

/* Turns one bit; the dice say which. `bytes` is not empty. */
void nv_fuzz_flip(struct nv_dice *dice, uint8_t *bytes, size_t size);
