/* What must hold where rights are taken (checks.h), by a model of its own (tests/unit/counting_model.h):
 *
 *   counts      each store has in its logs what counts of all that it holds, and no more
 *   late        nothing counts that was signed by a right after all had heard that it was taken
 *   whole       each log that is held is there wholly
 */
#pragma once

#include "world.h"

/* What is cheap: after every turn in which a store grew. */
void sim_check_late(struct sim_world *world, size_t place);

void sim_check_counting(struct sim_world *world, size_t place);
