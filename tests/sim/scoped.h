/* Records that not everybody reads (shapes.h): what people and their programs write of them, by plain SQL and by
 * `navette move`. Who may have what was written is noted (marks.h) before it is committed. */
#pragma once

#include "world.h"

void sim_scoped_write(struct sim_world *world, struct nv_dice *dice, size_t place);
/* A new value in a record of that group, which that place reads. */
void sim_scoped_probe(struct sim_world *world, size_t place, size_t group);

void sim_scoped_move(struct sim_world *world, struct nv_dice *dice, size_t place);
