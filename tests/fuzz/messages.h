/* Messages between nodes as the targets build and compare them. */
#pragma once

#include "parts.h"
#include "wire/message.h"

/* A message of any kind that a decoder takes. A batch's changesets are of some bytes. */
void nv_fuzz_message(struct nv_dice *dice, struct nv_arena *arena, struct nv_message *message);

bool nv_fuzz_messages_equal(const struct nv_message *a, const struct nv_message *b);
bool nv_fuzz_heads_equal(const struct nv_far_head *a, size_t a_count, const struct nv_far_head *b, size_t b_count);
