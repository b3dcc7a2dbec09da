/* Messages between two nodes, as plain structs (PROTOCOL.md, "Between two nodes"). Pointers are into the arena. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/message.h"

/* Appends the encoded Message. */
void nv_message_encode(const struct nv_message *message, struct nv_buffer *buffer);

/* NV_REFUSED with the reason where the bytes are not a message within the limits (heads ascend by scope, site and
 * epoch, each log once); NV_NOT_YET where it is of a kind that is not known here, to be passed over, as are unknown
 * fields. `arena` should have room for the message and 10 MiB. */
enum nv_status nv_message_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_message *ret_message,
                                 struct nv_error *error);
