/* Named scenarios: short stories of two to four machines (one of a hub and twenty schools) in virtual time, each about
 * one thing that the protocol or a site does. Their traces are kept in golden/ for people to read, and test_golden
 * holds every run against them; what the story is about is asserted in its function as well.
 */
#pragma once

#include "world.h"

struct sim_scenario {
    const char *name;
    const char *title;
    const char *shows; /* a paragraph: what happens, and what to look at */
    size_t machines;
    bool has_side_lines;
    void (*play)(struct sim_world *world);
    const char *const *teaches; /* endings of lines that are noise elsewhere; the last is NULL; NULL: none */
    bool (*hides)(const char *line);
};
extern const struct sim_scenario sim_scenarios[];
extern const size_t sim_scenario_count;

const struct sim_scenario *sim_scenario_named(const char *name); /* NULL: there is none */

/* Plays it, then lets all faults end and looks at everything (checks.h). Ends the process where something is wrong. */
void sim_scenario_play(const struct sim_scenario *scenario);

/* ---- the stories ---- */

void sim_play_first_meeting(struct sim_world *world);
void sim_play_school_to_school(struct sim_world *world);
void sim_play_outage(struct sim_world *world);
void sim_play_herd(struct sim_world *world);
bool sim_herd_hides(const char *line);
bool sim_refusal_hides(const char *line);
void sim_play_one_way(struct sim_world *world);
void sim_play_half_open(struct sim_world *world);
void sim_play_hostile_relay(struct sim_world *world);

void sim_play_crash_around_seal(struct sim_world *world);
void sim_play_crash_in_ingest(struct sim_world *world);
void sim_play_full_disk(struct sim_world *world);
void sim_play_wrong_clock(struct sim_world *world);

void sim_play_collision(struct sim_world *world);
void sim_play_delete_beside_edit(struct sim_world *world);
void sim_play_stale_form(struct sim_world *world);
void sim_play_rebuilt_table(struct sim_world *world);

void sim_play_latecomer(struct sim_world *world);
void sim_play_growing_schema(struct sim_world *world);
