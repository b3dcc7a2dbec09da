/* What machines seal, take and show, for a person who reads the trace. */
#pragma once

#include "world.h"

/* Tells what grew in a machine's logs since this was last asked; nobody reads the trace: nothing is done. */
void sim_story_logs(struct sim_world *world, size_t place);

/* The rows that a machine shows, and the conflicts that it lists, a line each. */
void sim_story_shown(struct sim_world *world, size_t place, char *ret_text, size_t capacity);

/* The answer to a question in SQL, read as any program reads the machine's store: rows end with ';', their columns are
 * separated by ' '. Free it with sqlite3_free. */
char *sim_story_ask(struct sim_world *world, size_t place, const char *sql);
