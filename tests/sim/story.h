/* What machines seal, take and show, told in the trace for a person who reads it; nobody reads: nothing is done. */
#pragma once

#include "world.h"

/* What grew in a machine's logs since this was last asked. */
void sim_story_logs(struct sim_world *world, size_t place);

/* The rows that a machine shows and the conflicts that it lists. */
void sim_story_rows(struct sim_world *world, size_t place);

/* The answer to a question in SQL, read as any program reads the machine's store: rows end with ';', their columns are
 * separated by ' '. Free it with sqlite3_free. */
char *sim_story_ask(struct sim_world *world, size_t place, const char *sql);
