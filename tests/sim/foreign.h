/* A member whose software is another than ours. It has no daemon here: what it signs comes in at some site, as if a
 * carrier had brought it, and may be what our own sealing never makes: ops of one record side by side in one changeset,
 * and redactions. It has seen nothing of what others write. */
#pragma once

#include "world.h"

void sim_foreign_seal(struct sim_world *world, struct nv_dice *dice, size_t place);
