/* What nodes hold where the right of a writer in `network` is taken: of its changesets count those that all had then,
 * and those that others name. The rest is held beside the logs, said to nobody and served to nobody. */
#include <assert.h>
#include <stdlib.h>

#include "sync_world_internal.h"

enum { BEYOND_MOST = 4096 };

uint64_t node_held(const struct node *node, size_t scope, size_t writer)
{
    uint64_t seq = node->durable[scope][writer];
    for (size_t i = 0; scope == NETWORK && i < node->beyond_count; i++)
        if (node->beyond[i].writer == writer && node->beyond[i].seq > seq)
            seq = node->beyond[i].seq;
    return seq;
}

static void hold_beyond(struct node *node, const struct leaf *leaf)
{
    if (node->beyond == NULL)
        node->beyond = calloc(BEYOND_MOST, sizeof *node->beyond);
    assert(node->beyond != NULL && node->beyond_count < BEYOND_MOST);
    node->beyond[node->beyond_count++] = *leaf;
}

/* The next one of the writer, out of what is held beyond. */
static struct leaf next_beyond(struct node *node, size_t writer)
{
    size_t i = 0;
    while (node->beyond[i].writer != writer || node->beyond[i].seq != node->durable[NETWORK][writer] + 1)
        assert(++i < node->beyond_count);
    struct leaf leaf = node->beyond[i];
    memmove(&node->beyond[i], &node->beyond[i + 1], (--node->beyond_count - i) * sizeof leaf);
    return leaf;
}

void node_take(struct world *world, struct node *node, const struct leaf *leaf)
{
    if (leaf->scope == NETWORK && node->knows[leaf->writer] && leaf->seq > world->counts_up_to[leaf->writer]) {
        hold_beyond(node, leaf);
        return;
    }
    for (size_t writer = 0; leaf->scope == NETWORK && writer < WORLD_NODES; writer++)
        while (node->durable[NETWORK][writer] < leaf->context[writer]) {
            struct leaf named = next_beyond(node, writer);
            node_arrive(world, node, &named);
        }
    node_arrive(world, node, leaf);
}

/* Takes out of the log what counts no more: all after the last one that somebody names. */
static void put_back(struct node *node, size_t writer, uint64_t counts)
{
    for (size_t i = 0; i < node->arrival_count; i++) {
        const struct leaf *leaf = &node->arrivals[i];
        if (!leaf->is_gone && leaf->scope == NETWORK && leaf->writer != writer && leaf->context[writer] > counts)
            counts = leaf->context[writer];
    }
    for (size_t i = 0; i < node->arrival_count; i++) {
        struct leaf *leaf = &node->arrivals[i];
        if (leaf->is_gone || leaf->scope != NETWORK || leaf->writer != writer || leaf->seq <= counts)
            continue;
        hold_beyond(node, leaf);
        leaf->is_gone = true;
    }
    if (node->durable[NETWORK][writer] > counts)
        node->durable[NETWORK][writer] = counts;
}

void world_take_right(struct world *world, size_t writer)
{
    uint64_t counts = UINT64_MAX;
    for (size_t i = 0; i < world->settings.nodes; i++)
        if (world->nodes[i].durable[NETWORK][writer] < counts)
            counts = world->nodes[i].durable[NETWORK][writer];
    world->counts_up_to[writer] = counts;
}

void world_take_up(struct world *world, size_t place, size_t writer)
{
    struct node *node = &world->nodes[place];
    if (node->durable[NETWORK][writer] > world->counts_up_to[writer] && world_random(world, 2) == 0)
        world_write(world, place); /* it vouches for what it merged; the others only held it */
    node->knows[writer] = true;
    put_back(node, writer, world->counts_up_to[writer]);
    node_tell(world, node);
}

void world_leave(struct world *world, size_t place)
{
    world->nodes[place].has_left = true;
    for (size_t i = 0; i < world->line_count; i++)
        if (world->lines[i].ends[0] == place || world->lines[i].ends[1] == place)
            world_cut(world, i, true);
}
