/* A world of sync machines in virtual time: lines that delay, drop, double and break by a seed, logs that are durable
 * only after a while, scopes, and groups whose readers change. Whatever a machine says is held against what its log
 * holds at that moment, and against what both sides may carry by what it has read of the authority log. */
#pragma once

#include "core/intake.h"
#include "core/sync.h"

enum { WORLD_NODES = 6, WORLD_LINES = 15, WORLD_GROUPS = 3 };

struct world;

struct world_settings {
    uint64_t seed;
    size_t nodes;
    size_t hubs;        /* the first ones: they carry all */
    bool star;          /* whoever is no hub dials hubs alone */
    bool has_scopes;    /* nodes write in their own scopes and in groups, not in `network` alone */
    bool lingers;       /* what a node no longer reads goes only after a while */
    unsigned drop_ppm;  /* messages that vanish */
    unsigned twice_ppm; /* messages that come twice */
    unsigned cut_ppm;   /* a line breaks, at each message */
    size_t most_bytes;  /* of one changeset */
    size_t old_node;    /* a node whose software knows nothing of the ops from `old_position` on; 0: none */
    uint64_t old_position;
};

struct world *world_new(const struct world_settings *settings);
void world_free(struct world *world);

/* Runs for so much virtual time. */
void world_run(struct world *world, int64_t microseconds);

/* A changeset at a node, durable and told to its machine at once, in a scope of the seed's choice that the node reads.
 */
void world_write(struct world *world, size_t node);

/* The same in its own scope, or in a group; false where it may not write there. */
bool world_write_own(struct world *world, size_t node);
bool world_write_group(struct world *world, size_t node, size_t group);

/* The end of some log at a node does not count any more: it is not in its Has, until somebody gives it once more. */
void world_sink(struct world *world, size_t node);

/* The authority, which is node 0, puts a site into a group, or takes it out. */
void world_set_reader(struct world *world, size_t group, size_t node, bool is_reader);
bool world_is_reader(const struct world *world, size_t group, size_t node); /* as it stands now */

/* A writer's right is taken: of its changesets in `network` counts from now on what every node has, and what others
 * that count name. Each node takes that up at a time of its own; some of them vouch first for what they have. */
void world_take_right(struct world *world, size_t writer);
void world_take_up(struct world *world, size_t node, size_t writer);

/* All lines of that node are down for good, and nobody waits for it. */
void world_leave(struct world *world, size_t node);

/* From now on lines are kept down, or come up again; and no more faults happen. */
void world_cut(struct world *world, size_t line, bool down);
void world_calm(struct world *world);

/* Whether all that two nodes with a line between them carry both is held by both, and their machines know that; and
 * what nodes no longer read is gone. (An old node lacks what waits for its software.) */
bool world_converged(const struct world *world);
void world_explain(const struct world *world); /* prints what does not */

/* How many changesets of one writer a node holds: of its own scope; of a group. */
uint64_t world_holds_own(const struct world *world, size_t node, size_t writer);
uint64_t world_holds_group(const struct world *world, size_t node, size_t group, size_t writer);

uint64_t world_random(struct world *world, uint64_t below);
size_t world_lines(const struct world *world);

/* Counters: what was sent over the lines in all. */
struct world_counts {
    size_t messages, batches, changesets, pulls, has_whole;
    size_t refused; /* what peers should not have named or sent */
};
struct world_counts world_counts(const struct world *world);
