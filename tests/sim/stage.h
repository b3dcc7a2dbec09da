/* What a scenario is made of: headings, things that happen, waiting, and what must be so. It is all told in the trace,
 * and what is not as the scenario says ends the run (sim_fail).
 */
#pragma once

#include "people.h"
#include "world.h"

enum { HUB = 0, PANTIN = 1, POISSY = 2 };

/* A heading. What happens before the first one is not in the golden text. It stands at a whole tenth of a second, and
 * chance begins anew: so what a site does otherwise than before changes little of what is told after the next one. */
void sim_stage_head(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All machines find each other, and nothing is written yet. */
void sim_stage_meet(struct sim_world *world);

void sim_stage_wait(struct sim_world *world, int64_t ms);
/* Each waits until something is so, which must be within so long: all hold the same, nothing waits,
 * and what they say of it has been heard; a machine holds
 * so many changesets of another one's log; SQL gives this answer at a machine. */
void sim_stage_await_one(struct sim_world *world, int64_t most_ms);
void sim_stage_await_held(struct sim_world *world, size_t place, size_t of, uint64_t seq, int64_t most_ms);
void sim_stage_await_answer(struct sim_world *world, size_t place, const char *sql, const char *answer,
                            int64_t most_ms);

/* Somebody's SQL, which must pass or must fail; the records that it names are those that it touches. */
void sim_stage_sql(struct sim_world *world, size_t place, const char *sql);
void sim_stage_sql_fails(struct sim_world *world, size_t place, const char *sql);

/* Somebody answers the first of so many open conflicts (7 at most): `fall` is what the dice show when sim_people_answer
 * takes its choice; of values, the one that is listed so manieth. */
void sim_stage_answer(struct sim_world *world, size_t place, size_t open, uint8_t fall);

/* The ways between two machines: what is sent on one that is cut is kept until it is open again. */
void sim_stage_cut(size_t a, size_t b);
void sim_stage_heal(size_t a, size_t b);

/* A machine without power stays down until somebody switches it on. */
void sim_stage_power_cut(struct sim_world *world, size_t place);
void sim_stage_keep_off(struct sim_world *world, size_t place); /* from the start, or after it died by itself */
void sim_stage_switch_on(struct sim_world *world, size_t place);
/* The daemon's next fsync fails, with the machine's power. */
void sim_stage_power_cut_at_commit(struct sim_world *world, size_t place);

/* Tells what a machine, or each member, shows; where all show the same it is said once. */
void sim_stage_show(struct sim_world *world, size_t place);
void sim_stage_show_all(struct sim_world *world);

/* What the machine's store, or that of each member, answers to SQL (story.h) must be this. */
void sim_stage_expect(struct sim_world *world, size_t place, const char *sql, const char *answer);
void sim_stage_expect_all(struct sim_world *world, const char *sql, const char *answer);

/* How many changesets of another machine's log, or its own, a machine holds. */
uint64_t sim_stage_held(const struct sim_world *world, size_t place, size_t of);
