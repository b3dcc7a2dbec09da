/* Frames as a person reads them, and as a hostile member would send them. */
#pragma once

#include "base/buffer.h"
#include "tests/unit/dice.h"

void sim_frame_text(struct nv_slice frame, char *ret_text, size_t capacity);

/* What a relay that means harm might send in the place of the frame: changesets with flipped bits, some left out,
 * twice, or in another order; with another signature, another body, or an op kept back; a Has of more than it has;
 * bytes that are no message; nothing at all. False: the frame as it is. */
bool sim_frame_alter(struct nv_dice *dice, struct nv_slice frame, struct nv_buffer *ret_frames, size_t ret_ends[4],
                     size_t *ret_count);
