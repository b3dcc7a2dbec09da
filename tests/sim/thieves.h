/* Who was revoked and goes on: it has its keys and its store, and members to whom it brings what it likes, as if a
 * carrier had done so. What it signs by hand has no ops: it is old authority positions, branches of logs, new epochs,
 * and contexts that name what other thieves signed. */
#pragma once

#include "world.h"

/* Hands what is in a thief's logs to a member. */
void sim_thieves_smuggle(struct sim_world *world, struct nv_dice *dice, size_t place);

/* All thieves come to a member, bring what they have, and sign something more. */
void sim_thieves_forge(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_thieves_visit(struct sim_world *world, struct nv_dice *dice, size_t to);

/* What is in the logs at one place is carried to a member, as over a line that nobody sees. */
void sim_thieves_carry(struct sim_world *world, struct nv_dice *dice, size_t from, size_t to);

/* Signs something more for a member: who came back, by its new right, in a log that it has left. */
void sim_thieves_go_on(struct sim_world *world, size_t signer, size_t to);
