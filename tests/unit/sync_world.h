/* A world of sync machines in virtual time: lines that delay, drop, double and break by a seed, and logs that are
 * durable only after a while. Whatever a machine says is held against what its log holds at that moment. */
#pragma once

#include "core/intake.h"
#include "core/sync.h"

enum { WORLD_NODES = 6, WORLD_LINES = 15 };

struct world;

struct world_settings {
    uint64_t seed;
    size_t nodes;
    bool star;          /* node 0 is the hub: the others are dialled by nobody else */
    unsigned drop_ppm;  /* messages that vanish */
    unsigned twice_ppm; /* messages that come twice */
    unsigned cut_ppm;   /* a line breaks, at each message */
    size_t most_bytes;  /* of one changeset */
};

struct world *world_new(const struct world_settings *settings);
void world_free(struct world *world);

/* Runs for so much virtual time. */
void world_run(struct world *world, int64_t microseconds);

/* A changeset at a node, durable and told to its machine at once. */
void world_write(struct world *world, size_t node);

/* From now on lines are kept down, or come up again; and no more faults happen. */
void world_cut(struct world *world, size_t line, bool down);
void world_calm(struct world *world);

/* Whether all nodes hold the same, and the machines know it of each other where a line is up. */
bool world_converged(const struct world *world);
void world_explain(const struct world *world); /* prints what does not */

uint64_t world_random(struct world *world, uint64_t below);
size_t world_lines(const struct world *world);

/* Counters: what was sent over the lines in all. */
struct world_counts {
    size_t messages, batches, changesets, pulls, has_whole;
};
struct world_counts world_counts(const struct world *world);
