/* What a run of the simulator has to say: counters, and the first thing that was wrong. It may lie in memory that
 * processes share, so that one that breaks is still heard. */
#pragma once

#include <stdint.h>

struct sim_report {
    uint64_t seed; /* that runs now */
    uint64_t seeds, writes, faults, turns, frames, changesets, virtual_ms, longest_calm_ms, stores_checked,
        digests_compared, counted, values, rights_taken;
    char checker[32]; /* "" where nothing was wrong */
    char text[1024];
    char hash[40]; /* of the last seed's trace */
};
extern struct sim_report *sim_report;

/* Notes what is wrong and ends the process with SIM_EXIT_FAILED. `checker` is one word. */
enum { SIM_EXIT_FAILED = 3 };
void sim_fail(const char *checker, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
