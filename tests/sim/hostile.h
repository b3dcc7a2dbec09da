/* A carrier that means harm and has a memory: what it passed on it brings again, to whom it is not for, and bodies of
 * one log under headers of another. */
#pragma once

#include "base/buffer.h"
#include "tests/unit/dice.h"

enum { SIM_KEPT = 12 };

struct sim_hostile {
    struct nv_buffer kept[SIM_KEPT]; /* changesets, the oldest gives way */
    size_t next;
};

void sim_hostile_done(struct sim_hostile *hostile);

/* Keeps what is in a frame that it sends. */
void sim_hostile_keep(struct sim_hostile *hostile, struct nv_slice frame);

/* The frame, with what was kept brought into it; false where it has no room for that: then nothing was appended. */
bool sim_hostile_bring(const struct sim_hostile *hostile, struct nv_dice *dice, struct nv_slice frame,
                       struct nv_buffer *ret_frame);
