/* What a node of the world does beside its machine: it keeps changesets, judges them, serves them, lets them go. */
#include <assert.h>
#include <stdlib.h>

#include "sync_world_internal.h"

enum { LINGERS_US = 3000000 };

static void execute(struct world *world, struct node *node);

void node_step(struct world *world, struct node *node, struct nv_event *event)
{
    event->now.us = world->now;
    enum nv_status status = nv_sync_step(node->sync, event, &node->actions);
    assert(status == NV_OK);
    if (!node->executing)
        execute(world, node);
}

void node_tell(struct world *world, struct node *node)
{
    struct nv_far_head heads[SCOPES * WORLD_NODES];
    struct nv_carrier carriers[WORLD_NODES];
    struct nv_scope_id room[WORLD_NODES][SCOPES];
    struct nv_event event = {.kind = NV_EVENT_GREW};
    nv_intake_grew(node->intake);
    event.grew.heads = heads;
    event.grew.count = world_heads(node, EVERY_SCOPE, heads);
    event.grew.newest = (int64_t)node->arrival_count;
    if (!node->was_told || node->told_position != node_position(node)) {
        for (size_t i = 0; i < world->settings.nodes; i++) {
            carriers[i].site = world->nodes[i].site;
            carriers[i].scopes = world_set_of(world_carries(world, i, node_position(node)), room[i]);
        }
        event.grew.carriers = carriers;
        event.grew.carrier_count = world->settings.nodes;
    }
    node->was_told = true;
    node->told_position = node_position(node);
    node_step(world, node, &event);
}

/* ---- keeping ------------------------------------------------------------------------------------------------------
 */

static unsigned carried(const struct world *world, const struct node *node)
{
    return world_carries(world, node->place, node_position(node));
}

static void drop_lost(const struct world *world, struct node *node)
{
    unsigned scopes = carried(world, node);
    node->drop_at = INT64_MAX;
    for (size_t scope = 0; scope < SCOPES; scope++)
        if ((scopes >> scope & 1) == 0)
            memset(node->durable[scope], 0, sizeof node->durable[scope]);
    for (size_t i = 0; i < node->arrival_count; i++)
        node->arrivals[i].is_gone = node->arrivals[i].is_gone || (scopes >> node->arrivals[i].scope & 1) == 0;
}

void node_drop(struct world *world, struct node *node)
{
    drop_lost(world, node);
    node_tell(world, node);
}

void node_arrive(struct world *world, struct node *node, const struct leaf *leaf)
{
    if (node->arrival_count == node->arrival_capacity) {
        node->arrival_capacity = node->arrival_capacity * 2 + 64;
        node->arrivals = realloc(node->arrivals, node->arrival_capacity * sizeof *node->arrivals);
        assert(node->arrivals != NULL);
    }
    node->arrivals[node->arrival_count++] = *leaf;
    node->durable[leaf->scope][leaf->writer] = leaf->seq;
    if (leaf->scope != AUTHORITY)
        return;
    if (world->settings.lingers)
        node->drop_at = world->now + (int64_t)world_random(world, LINGERS_US);
    else
        drop_lost(world, node);
}

static void write_in(struct world *world, struct node *node, size_t scope)
{
    struct leaf leaf = {.writer = (uint32_t)node->place, .scope = (uint32_t)scope, .position = node_position(node)};
    leaf.seq = node->durable[scope][node->place] + 1;
    leaf.size = (uint32_t)(sizeof leaf + world_random(world, world->settings.most_bytes));
    if (scope != AUTHORITY)
        memcpy(leaf.context, node->durable[scope], sizeof leaf.context);
    node->written[scope] = leaf.seq;
    node_arrive(world, node, &leaf);
    node_tell(world, node);
}

/* Hubs carry groups, and read none. A log of its own that a node lost is written on once it is back. */
static bool may_write(const struct world *world, const struct node *node, size_t scope)
{
    bool is_reader =
        scope == NETWORK || (node->place >= world->settings.hubs && (carried(world, node) >> scope & 1) != 0);
    return is_reader && node->durable[scope][node->place] == node->written[scope];
}

void world_write(struct world *world, size_t place)
{
    struct node *node = &world->nodes[place];
    size_t scope = NETWORK;
    if (world->settings.has_scopes)
        do
            scope = NETWORK + world_random(world, SCOPES - NETWORK);
        while (!may_write(world, node, scope));
    write_in(world, node, scope);
}

static bool write_if(struct world *world, struct node *node, size_t scope)
{
    bool may = may_write(world, node, scope);
    if (may)
        write_in(world, node, scope);
    return may;
}

bool world_write_own(struct world *world, size_t node)
{
    return write_if(world, &world->nodes[node], OWN + node);
}

bool world_write_group(struct world *world, size_t node, size_t group)
{
    return write_if(world, &world->nodes[node], GROUP + group);
}

void world_set_reader(struct world *world, size_t group, size_t node, bool is_reader)
{
    uint64_t position = node_position(&world->nodes[0]);
    assert(position + 1 < POSITIONS);
    memcpy(world->readers[position + 1], world->readers[position], sizeof world->readers[position]);
    unsigned bit = 1u << node, before = world->readers[position][group];
    world->readers[position + 1][group] = is_reader ? before | bit : before & ~bit;
    write_in(world, &world->nodes[0], AUTHORITY);
}

bool world_is_reader(const struct world *world, size_t group, size_t node)
{
    return (world->readers[node_position(&world->nodes[0])][group] >> node & 1) != 0;
}

/* Lowers the heads until nothing that is left builds on what is not. */
static void close_down(const struct node *node, size_t scope, uint64_t heads[WORLD_NODES])
{
    for (bool sinks = true; sinks;) {
        sinks = false;
        for (size_t i = 0; i < node->arrival_count; i++) {
            const struct leaf *leaf = &node->arrivals[i];
            bool is_open = false;
            for (size_t j = 0; j < WORLD_NODES; j++)
                is_open = is_open || (j != leaf->writer && leaf->context[j] > heads[j]);
            if (leaf->is_gone || leaf->scope != scope || leaf->seq > heads[leaf->writer] || !is_open)
                continue;
            heads[leaf->writer] = leaf->seq - 1;
            sinks = true;
        }
    }
}

/* Not where it would take away what the node wrote itself: others need not have that. */
void world_sink(struct world *world, size_t place)
{
    struct node *node = &world->nodes[place];
    size_t scope = NETWORK + world_random(world, SCOPES - NETWORK), writer = world_random(world, WORLD_NODES);
    uint64_t heads[WORLD_NODES];
    memcpy(heads, node->durable[scope], sizeof heads);
    heads[writer] = world_random(world, heads[writer] + 1);
    close_down(node, scope, heads);
    if (heads[place] != node->durable[scope][place])
        return;
    memcpy(node->durable[scope], heads, sizeof heads);
    for (size_t i = 0; i < node->arrival_count; i++) {
        struct leaf *leaf = &node->arrivals[i];
        leaf->is_gone = leaf->is_gone || (leaf->scope == scope && leaf->seq > heads[leaf->writer]);
    }
    node_tell(world, node);
}

/* ---- serving ------------------------------------------------------------------------------------------------------
 */

static struct nv_far_head head_of(const struct leaf *leaf)
{
    struct nv_far_head head = {.epoch = 7, .scope = scope_id(leaf->scope), .seq = leaf->seq};
    head.site.bytes[0] = head.pin.bytes[0] = (uint8_t)(leaf->writer + 1);
    memcpy(&head.pin.bytes[8], &leaf->seq, sizeof leaf->seq);
    return head;
}

static bool lacks(const struct nv_action *action, const struct leaf *leaf)
{
    struct nv_heads peer = {.heads = (struct nv_far_head *)(uintptr_t)action->serve.peer,
                            .count = action->serve.peer_count};
    struct nv_far_head head = head_of(leaf);
    return !leaf->is_gone && nv_scope_set_has(&action->serve.scopes, head.scope) &&
           nv_heads_seq(&peer, &head) < leaf->seq;
}

static void serve(struct world *world, struct node *node, const struct nv_action *action)
{
    enum { MOST = 64 };
    struct nv_far_head heads[MOST];
    struct nv_slice slices[MOST];
    assert(nv_heads_ascend(action->serve.peer, action->serve.peer_count));
    size_t place = (size_t)action->serve.cursor, count = 0, bytes = 0;
    for (; place < node->arrival_count && count < MOST && (count == 0 || bytes < action->serve.budget); place++) {
        const struct leaf *leaf = &node->arrivals[place];
        if (!lacks(action, leaf))
            continue;
        uint8_t *room = calloc(1, leaf->size);
        assert(room != NULL);
        memcpy(room, leaf, sizeof *leaf);
        slices[count] = (struct nv_slice){room, leaf->size};
        heads[count++] = head_of(leaf);
        bytes += leaf->size;
    }
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = action->session};
    event.served.pull = action->serve.pull;
    event.served.heads = heads;
    event.served.count = count;
    event.served.bytes = bytes;
    event.served.cursor = (int64_t)place;
    event.served.done = place == node->arrival_count;
    if (count > 0 || action->serve.pull != 0) {
        struct nv_message message = {.kind = NV_MESSAGE_BATCH};
        message.batch.pull = action->serve.pull;
        message.batch.changesets = slices;
        message.batch.changeset_count = count;
        message.batch.last = action->serve.pull != 0 && event.served.done;
        world_post(world, node, action->session, &message);
    }
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)slices[i].data);
    node_step(world, node, &event);
}

/* ---- taking -------------------------------------------------------------------------------------------------------
 */

static void take_batch(struct world *world, struct node *node, const struct nv_action *action)
{
    enum { MOST = 64 };
    struct nv_slice changesets[MOST];
    struct nv_far_head heads[MOST];
    const struct nv_message *message = node->current;
    assert(message != NULL && message->kind == NV_MESSAGE_BATCH && message->batch.pull == action->ingest.pull);
    size_t bytes = 0;
    for (size_t i = 0; i < action->ingest.count; i++) {
        size_t place = action->ingest.places[i];
        assert(place < message->batch.changeset_count && (i == 0 || place > action->ingest.places[i - 1]));
        changesets[i] = message->batch.changesets[place];
        heads[i] = node->current_heads[place];
        bytes += changesets[i].size;
    }
    assert(bytes == action->ingest.bytes);
    struct nv_site_id nobody = {{0}};
    enum nv_status status = nv_intake_put(node->intake, action->session, nobody, message->batch.pull, changesets, heads,
                                          action->ingest.count);
    assert(status == NV_OK);
    if (node->ingest_at > world->now + 20000)
        node->ingest_at = world->now + (int64_t)world_random(world, 20000);
}

static void execute_one(struct world *world, struct node *node, const struct nv_action *action)
{
    size_t end;
    struct line *line;
    switch (action->kind) {
    case NV_ACTION_SEND:
        world_post(world, node, action->session, &action->send);
        break;
    case NV_ACTION_CLOSE:
        line = world_line_of(world, action->session, &end);
        if (line != NULL && line->open[end])
            world_hang_up(world, line, end);
        break;
    case NV_ACTION_SERVE:
        serve(world, node, action);
        break;
    case NV_ACTION_INGEST:
        take_batch(world, node, action);
        break;
    case NV_ACTION_REFUSED:
        world->counts.refused++;
        break;
    }
}

static void execute(struct world *world, struct node *node)
{
    node->executing = true;
    for (size_t i = 0; i < node->actions.count; i++) {
        struct nv_action action = node->actions.items[i];
        execute_one(world, node, &action);
    }
    nv_actions_clear(&node->actions);
    node->executing = false;
}

void node_deliver(struct world *world, struct node *node, uint32_t session, const struct nv_message *message)
{
    struct nv_far_head heads[64] = {0};
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    for (size_t i = 0; message->kind == NV_MESSAGE_BATCH && i < message->batch.changeset_count; i++) {
        struct leaf leaf;
        memcpy(&leaf, message->batch.changesets[i].data, sizeof leaf);
        heads[i] = head_of(&leaf);
    }
    event.message.message = node->current = message;
    event.message.heads = node->current_heads = heads;
    node_step(world, node, &event);
    node->current = NULL;
}

/* What is of a scope that the node no longer reads when it comes to it, or not yet, waits. */
static enum nv_judged judge(const struct world *world, const struct node *node, const struct leaf *leaf)
{
    const struct world_settings *settings = &world->settings;
    bool is_new_to_it = settings->old_node != 0 && node->place == settings->old_node && leaf->scope == AUTHORITY &&
                        leaf->seq >= settings->old_position;
    if (is_new_to_it || (carried(world, node) >> leaf->scope & 1) == 0)
        return NV_JUDGED_WAITS;
    if (leaf->seq <= node_held(node, leaf->scope, leaf->writer))
        return NV_JUDGED_KNOWN;
    if (leaf->scope != AUTHORITY && leaf->position > node_position(node))
        return NV_JUDGED_WAITS;
    for (size_t i = 0; i < WORLD_NODES; i++)
        if (node_held(node, leaf->scope, i) < (i == leaf->writer ? leaf->seq - 1 : leaf->context[i]))
            return NV_JUDGED_WAITS;
    return NV_JUDGED_TAKEN;
}

void node_ingest(struct world *world, struct node *node)
{
    struct nv_offered offered[16];
    struct nv_far_head heads[SCOPES * WORLD_NODES];
    size_t own = world_heads(node, EVERY_SCOPE, heads);
    size_t count = nv_intake_offer(node->intake, heads, own, offered, 16, 1 << 20);
    bool grew = false;
    for (size_t i = 0; i < count; i++) {
        struct leaf leaf;
        memcpy(&leaf, offered[i].bytes.data, sizeof leaf);
        enum nv_judged judged = judge(world, node, &leaf);
        if (judged == NV_JUDGED_TAKEN)
            node_take(world, node, &leaf);
        grew = grew || judged == NV_JUDGED_TAKEN;
        enum nv_status status = nv_intake_judge(node->intake, &offered[i], judged, NULL);
        assert(status == NV_OK);
    }
    if (grew)
        node_tell(world, node);
    struct nv_taken_in taken;
    while (nv_intake_finished(node->intake, &taken)) {
        struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = taken.session};
        event.ingested.pull = taken.pull;
        event.ingested.bytes = taken.bytes;
        event.ingested.taken = taken.taken;
        node_step(world, node, &event);
    }
    node->ingest_at = nv_intake_has_work(node->intake) ? world->now + (int64_t)world_random(world, 20000) : INT64_MAX;
}
