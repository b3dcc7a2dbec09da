/* A scenario's trace as people read it: its title and paragraph, then what happened, by milliseconds, without what
 * teaches nothing there (pings, digests, credit). */
#pragma once

#include "base/buffer.h"
#include "scenarios.h"

/* Plays it in a process of its own and appends the text. False where that process broke, or a check failed: then the
 * last line is the check's. */
bool sim_golden_take(const struct sim_scenario *scenario, struct nv_buffer *ret_text);
