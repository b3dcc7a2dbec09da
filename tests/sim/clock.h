/* Virtual time, in the place of daemon/base/clock.c: it moves when the simulator says so, and a little at each look.
 *
 * All machines share one monotonic clock. Each has a wall clock of its own, which may be wrong and may jump; so it is
 * told whose turn it is.
 */
#pragma once

#include <stdint.h>

/* 2026-01-05T08:00:00Z by a clock that is right, when the monotonic clock shows SIM_START_US. */
static const int64_t SIM_EPOCH_MS = 1767600000000;
static const int64_t SIM_START_US = 1000000;

void sim_clock_start(void);
int64_t sim_clock_us(void);
void sim_clock_advance_to(int64_t us); /* never back */

/* From now on wall clocks, SQLite's among them, show what a machine's clock does that is so far ahead. */
void sim_clock_set_ahead(int64_t ms);
int64_t sim_clock_wall_ms(void);

/* What a look at the clock costs: large, and slices of work end early. */
void sim_clock_set_cost(int64_t us);
