/* What must hold, in the transient states and at rest. Each check ends the run (sim_fail) with its name:
 *
 *   durable     a machine that came back holds all that it ever told the others
 *   honest      nobody says more than it holds
 *   closed      everything that a held changeset's context names is held; and applied, where it is applied
 *   fork        one header for each place of a log
 *   model       rows and open conflicts are what the project's model says of the ops that are merged
 *   digest      equal vectors of closed cuts, equal digests
 *   bounded     what waits in memory or on its way is within the limits
 *   daemon      a daemon ends only where its disk failed
 *   rest        at the end all hold and show the same, nothing is owed, left over or in quarantine
 *   chain       every log verifies from its first header
 *   rebuild     the tables are what the logs say
 *   liveness    once faults stop, all converge within a bounded time
 *   prompt      in a calm network a write is everywhere at once
 *
 * and those of history.h, ledger.h, checks_scopes.h and checks_counting.h.
 */
#pragma once

#include "world.h"

void sim_check_sent(struct sim_world *world, size_t from, size_t to, struct nv_slice frame);

/* After a turn: what is cheap always, the rest now and then (`thoroughly`: now). */
void sim_check_turn(struct sim_world *world, size_t place, bool thoroughly);

/* After a start. */
void sim_check_started(struct sim_world *world, size_t place);

/* What the store at the place has still to do by itself, in a word; NULL: nothing. */
const char *sim_check_what_waits(struct sim_world *world, size_t place);

void sim_check_end(struct sim_world *world);

/* Reads one number by SQL; -1 where that fails. */
int64_t sim_check_number(sqlite3 *db, const char *sql);
