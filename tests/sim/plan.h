/* A plan: how a network looks, and what is done to it when. A seed makes one; a file can hold one, so that a run that
 * once found something can be repeated for ever, whatever the tables of actions look like by then.
 *
 * The steps do not depend on each other: each has its own seed, and one can be left out without changing the others.
 */
#pragma once

#include <stdio.h>

#include "world.h"

struct sim_action {
    const char *name;
    unsigned weight; /* how often it is chosen */
    void (*run)(struct sim_world *world, struct nv_dice *dice, size_t place);
    bool needs_scopes; /* of the profile */
};
extern const struct sim_action sim_actions[];
extern const size_t sim_action_count;

struct sim_step {
    int64_t at_us; /* from the start */
    size_t action, place;
    uint64_t seed;
    bool is_left_out;
};

enum { SIM_STEPS = 400 };

struct sim_plan {
    uint64_t seed;
    struct sim_profile profile;
    struct sim_step steps[SIM_STEPS];
    size_t count;
};

void sim_plan_make(struct sim_plan *plan, uint64_t seed);
void sim_plan_write(const struct sim_plan *plan, FILE *file);
bool sim_plan_read(struct sim_plan *plan, FILE *file);

/* The whole run: the plan, then calm, then everything is looked at. Ends the process where something is wrong. */
void sim_plan_run(const struct sim_plan *plan);
