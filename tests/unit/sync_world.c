#include "sync_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A changeset as it travels here: who wrote it, and how much of each log its writer had. */
struct leaf {
    uint32_t writer;
    uint32_t size;
    uint64_t seq;
    uint64_t context[WORLD_NODES];
};

struct letter {
    struct letter *next;
    int64_t at;
    bool hangs_up; /* the other side closed */
    uint32_t connection;
    struct nv_message message;
    uint8_t *bytes; /* of a batch's changesets */
};

struct line {
    size_t ends[2]; /* ends[0] dials */
    uint32_t connection;
    bool open[2];
    bool down;
    int64_t redial_at;
    struct letter *letters[2], **last[2]; /* towards ends[0], ends[1] */
    int64_t last_at[2];
};

struct node {
    struct nv_site_id site;
    struct nv_sync *sync;
    struct nv_intake *intake;
    struct nv_actions actions;
    bool executing;
    struct leaf *arrivals;
    size_t arrival_count, arrival_capacity;
    uint64_t durable[WORLD_NODES]; /* seq by writer */
    int64_t ingest_at;
    const struct nv_message *current; /* the message that is being stepped */
    const struct nv_far_head *current_heads;
};

struct world {
    struct world_settings settings;
    uint64_t random;
    int64_t now;
    bool calm;
    struct node nodes[WORLD_NODES];
    struct line lines[WORLD_LINES];
    size_t line_count;
    uint32_t connections;
    struct world_counts counts;
};

uint64_t world_random(struct world *world, uint64_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % below;
}

static bool happens(struct world *world, unsigned ppm)
{
    return !world->calm && world_random(world, 1000000) < ppm;
}

static struct nv_far_head head_of(size_t writer, uint64_t seq)
{
    struct nv_far_head head = {.epoch = 7, .scope = NV_SCOPE_NETWORK, .seq = seq};
    head.site.bytes[0] = (uint8_t)(writer + 1);
    head.pin.bytes[0] = (uint8_t)(writer + 1);
    memcpy(&head.pin.bytes[8], &seq, sizeof seq);
    return head;
}

static size_t heads_of(const struct node *node, struct nv_far_head *heads)
{
    size_t count = 0;
    for (size_t i = 0; i < WORLD_NODES; i++)
        if (node->durable[i] > 0)
            heads[count++] = head_of(i, node->durable[i]);
    return count;
}

static struct nv_digest digest_of(const struct nv_far_head *heads, size_t count)
{
    struct nv_digest digest = {{0}};
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (heads[i].seq * 1000003u + heads[i].site.bytes[0])) * 1099511628211u;
    memcpy(digest.bytes, &hash, sizeof hash);
    return digest;
}

/* ---- lines --------------------------------------------------------------------------------------------------------
 */

static void free_letter(struct letter *letter)
{
    if (letter->message.kind == NV_MESSAGE_HAS)
        free(letter->message.has.heads);
    if (letter->message.kind == NV_MESSAGE_PULL)
        free(letter->message.pull.has);
    if (letter->message.kind == NV_MESSAGE_BATCH)
        free(letter->message.batch.changesets);
    free(letter->bytes);
    free(letter);
}

static void *copy_of(const void *data, size_t size)
{
    void *copy = malloc(size + 1);
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static struct letter *letter_of(const struct nv_message *message)
{
    struct letter *letter = calloc(1, sizeof *letter);
    assert(letter != NULL);
    letter->message = *message;
    if (message->kind == NV_MESSAGE_HAS)
        letter->message.has.heads = copy_of(message->has.heads, message->has.head_count * sizeof *message->has.heads);
    if (message->kind == NV_MESSAGE_PULL)
        letter->message.pull.has = copy_of(message->pull.has, message->pull.has_count * sizeof *message->pull.has);
    if (message->kind == NV_MESSAGE_BATCH) {
        size_t count = message->batch.changeset_count, bytes = 0;
        letter->message.batch.changesets = copy_of(message->batch.changesets, count * sizeof(struct nv_slice));
        for (size_t i = 0; i < count; i++)
            bytes += message->batch.changesets[i].size;
        uint8_t *room = letter->bytes = malloc(bytes + 1);
        assert(room != NULL);
        for (size_t i = 0; i < count; i++) {
            struct nv_slice *slice = &letter->message.batch.changesets[i];
            memcpy(room, slice->data, slice->size);
            slice->data = room;
            room += slice->size;
        }
    }
    return letter;
}

static void post(struct world *world, struct line *line, size_t end, struct letter *letter)
{
    int64_t at = world->now + 200 + (int64_t)world_random(world, 5000);
    if (at < line->last_at[end])
        at = line->last_at[end];
    line->last_at[end] = letter->at = at;
    letter->connection = line->connection;
    *line->last[end] = letter;
    line->last[end] = &letter->next;
}

static void hang_up(struct world *world, struct line *line, size_t end)
{
    line->open[end] = false;
    if (line->redial_at <= world->now)
        line->redial_at = world->now + 200000 + (int64_t)world_random(world, 400000);
    if (!line->open[1 - end] || happens(world, 300000))
        return; /* or the other side only notices the silence */
    struct letter *letter = calloc(1, sizeof *letter);
    assert(letter != NULL);
    letter->hangs_up = true;
    post(world, line, 1 - end, letter);
}

static struct line *line_of(struct world *world, uint32_t session, size_t *ret_end)
{
    for (size_t i = 0; i < world->line_count; i++)
        if (world->lines[i].connection == session / 2) {
            *ret_end = session % 2;
            return &world->lines[i];
        }
    return NULL;
}

static uint32_t session_of(const struct line *line, size_t end)
{
    return line->connection * 2 + (uint32_t)end;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------
 */

static void execute(struct world *world, struct node *node);

static void step(struct world *world, struct node *node, struct nv_event *event)
{
    event->now.us = world->now;
    enum nv_status status = nv_sync_step(node->sync, event, &node->actions);
    assert(status == NV_OK);
    if (!node->executing)
        execute(world, node);
}

static void tell_grown(struct world *world, struct node *node)
{
    struct nv_far_head heads[WORLD_NODES];
    size_t count = heads_of(node, heads);
    nv_intake_grew(node->intake);
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = heads;
    event.grew.count = count;
    event.grew.digest = digest_of(heads, count);
    event.grew.newest = (int64_t)node->arrival_count;
    step(world, node, &event);
}

static void arrive(struct node *node, const struct leaf *leaf)
{
    if (node->arrival_count == node->arrival_capacity) {
        node->arrival_capacity = node->arrival_capacity * 2 + 64;
        node->arrivals = realloc(node->arrivals, node->arrival_capacity * sizeof *node->arrivals);
        assert(node->arrivals != NULL);
    }
    node->arrivals[node->arrival_count++] = *leaf;
    node->durable[leaf->writer] = leaf->seq;
}

/* The heart of what must hold: nothing is said that is not durable. */
static void check_said(const struct node *node, const struct nv_message *message)
{
    if (message->kind == NV_MESSAGE_HAS)
        for (size_t i = 0; i < message->has.head_count; i++)
            assert(message->has.heads[i].seq <= node->durable[message->has.heads[i].site.bytes[0] - 1]);
    if (message->kind == NV_MESSAGE_PULL)
        for (size_t i = 0; i < message->pull.has_count; i++)
            assert(message->pull.has[i].seq <= node->durable[message->pull.has[i].site.bytes[0] - 1]);
    if (message->kind == NV_MESSAGE_BATCH)
        for (size_t i = 0; i < message->batch.changeset_count; i++) {
            struct leaf leaf;
            memcpy(&leaf, message->batch.changesets[i].data, sizeof leaf);
            assert(leaf.seq <= node->durable[leaf.writer]);
        }
}

static void count_message(struct world *world, const struct nv_message *message)
{
    world->counts.messages++;
    world->counts.pulls += message->kind == NV_MESSAGE_PULL;
    world->counts.has_whole += message->kind == NV_MESSAGE_HAS && message->has.whole;
    if (message->kind == NV_MESSAGE_BATCH) {
        world->counts.batches++;
        world->counts.changesets += message->batch.changeset_count;
    }
}

static void send_message(struct world *world, struct node *node, uint32_t session, const struct nv_message *message)
{
    check_said(node, message);
    size_t end;
    struct line *line = line_of(world, session, &end);
    if (line == NULL || !line->open[end] || !line->open[1 - end] || line->down)
        return;
    count_message(world, message);
    if (happens(world, world->settings.drop_ppm))
        return;
    post(world, line, 1 - end, letter_of(message));
    if (happens(world, world->settings.twice_ppm))
        post(world, line, 1 - end, letter_of(message));
}

static void serve(struct world *world, struct node *node, const struct nv_action *action)
{
    enum { MOST = 64 };
    struct nv_far_head heads[MOST];
    struct nv_slice slices[MOST];
    struct nv_heads peer = {0};
    peer.heads = copy_of(action->serve.peer, action->serve.peer_count * sizeof *peer.heads);
    peer.count = action->serve.peer_count;
    assert(nv_heads_ascend(peer.heads, peer.count));
    size_t place = (size_t)action->serve.cursor, count = 0, bytes = 0;
    while (place < node->arrival_count && count < MOST && (count == 0 || bytes < action->serve.budget)) {
        const struct leaf *leaf = &node->arrivals[place++];
        struct nv_far_head head = head_of(leaf->writer, leaf->seq);
        if (nv_heads_seq(&peer, &head) >= leaf->seq)
            continue;
        uint8_t *room = calloc(1, leaf->size);
        assert(room != NULL);
        memcpy(room, leaf, sizeof *leaf);
        slices[count] = (struct nv_slice){room, leaf->size};
        heads[count++] = head;
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
        send_message(world, node, action->session, &message);
    }
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)slices[i].data);
    free(peer.heads);
    step(world, node, &event);
}

static void take_batch(struct world *world, struct node *node, const struct nv_action *action)
{
    const struct nv_message *message = node->current;
    assert(message != NULL && message->kind == NV_MESSAGE_BATCH && message->batch.pull == action->ingest.pull);
    struct nv_site_id nobody = {{0}};
    enum nv_status status =
        nv_intake_put(node->intake, action->session, nobody, message->batch.pull, message->batch.changesets,
                      node->current_heads, message->batch.changeset_count);
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
        send_message(world, node, action->session, &action->send);
        break;
    case NV_ACTION_CLOSE:
        line = line_of(world, action->session, &end);
        if (line != NULL && line->open[end])
            hang_up(world, line, end);
        break;
    case NV_ACTION_SERVE:
        serve(world, node, action);
        break;
    case NV_ACTION_INGEST:
        take_batch(world, node, action);
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

/* ---- what happens -------------------------------------------------------------------------------------------------
 */

static enum nv_judged judge(const struct node *node, const struct leaf *leaf)
{
    if (leaf->seq <= node->durable[leaf->writer])
        return NV_JUDGED_KNOWN;
    for (size_t i = 0; i < WORLD_NODES; i++)
        if (node->durable[i] < (i == leaf->writer ? leaf->seq - 1 : leaf->context[i]))
            return NV_JUDGED_WAITS;
    return NV_JUDGED_TAKEN;
}

static void ingest(struct world *world, struct node *node)
{
    struct nv_offered offered[16];
    struct nv_far_head heads[WORLD_NODES];
    size_t own = heads_of(node, heads);
    size_t count = nv_intake_offer(node->intake, heads, own, offered, 16, 1 << 20);
    bool grew = false;
    for (size_t i = 0; i < count; i++) {
        struct leaf leaf;
        memcpy(&leaf, offered[i].bytes.data, sizeof leaf);
        enum nv_judged judged = judge(node, &leaf);
        if (judged == NV_JUDGED_TAKEN) {
            arrive(node, &leaf);
            grew = true;
        }
        enum nv_status status = nv_intake_judge(node->intake, &offered[i], judged, NULL);
        assert(status == NV_OK);
    }
    if (grew)
        tell_grown(world, node);
    struct nv_taken_in taken;
    while (nv_intake_finished(node->intake, &taken)) {
        struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = taken.session};
        event.ingested.pull = taken.pull;
        event.ingested.bytes = taken.bytes;
        event.ingested.taken = taken.taken;
        step(world, node, &event);
    }
    node->ingest_at = nv_intake_has_work(node->intake) ? world->now + (int64_t)world_random(world, 20000) : INT64_MAX;
}

static void deliver(struct world *world, struct line *line, size_t end)
{
    struct letter *letter = line->letters[end];
    line->letters[end] = letter->next;
    if (line->letters[end] == NULL)
        line->last[end] = &line->letters[end];
    struct node *node = &world->nodes[line->ends[end]];
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session_of(line, end)};
    if (letter->connection != line->connection || !line->open[end]) {
        free_letter(letter);
        return;
    }
    if (letter->hangs_up) {
        line->open[end] = false;
        event.kind = NV_EVENT_CLOSED;
        step(world, node, &event);
    } else {
        struct nv_far_head heads[64] = {0};
        if (letter->message.kind == NV_MESSAGE_BATCH)
            for (size_t i = 0; i < letter->message.batch.changeset_count; i++) {
                struct leaf leaf;
                memcpy(&leaf, letter->message.batch.changesets[i].data, sizeof leaf);
                heads[i] = head_of(leaf.writer, leaf.seq);
            }
        event.message.message = node->current = &letter->message;
        event.message.heads = node->current_heads = heads;
        step(world, node, &event);
        node->current = NULL;
    }
    free_letter(letter);
    if (happens(world, world->settings.cut_ppm) && line->open[0])
        hang_up(world, line, 0);
}

static void redial(struct world *world, struct line *line)
{
    line->connection = ++world->connections;
    for (size_t end = 0; end < 2; end++)
        line->open[end] = true;
    for (size_t end = 0; end < 2; end++) {
        struct nv_event event = {.kind = NV_EVENT_OPENED, .session = session_of(line, end)};
        event.opened.site = world->nodes[line->ends[1 - end]].site;
        event.opened.dialled = end == 0;
        event.opened.seed = (uint32_t)world_random(world, UINT32_MAX);
        step(world, &world->nodes[line->ends[end]], &event);
    }
}

/* When the next thing happens. */
static int64_t next_time(const struct world *world)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < world->settings.nodes; i++) {
        int64_t wake = nv_sync_wake(world->nodes[i].sync).us;
        next = wake < next ? wake : next;
        next = world->nodes[i].ingest_at < next ? world->nodes[i].ingest_at : next;
    }
    for (size_t i = 0; i < world->line_count; i++) {
        const struct line *line = &world->lines[i];
        for (size_t end = 0; end < 2; end++)
            if (line->letters[end] != NULL && line->letters[end]->at < next)
                next = line->letters[end]->at;
        if (!line->open[0] && !line->down && line->redial_at < next)
            next = line->redial_at;
    }
    return next;
}

static void happen(struct world *world)
{
    for (size_t i = 0; i < world->line_count; i++) {
        struct line *line = &world->lines[i];
        for (size_t end = 0; end < 2; end++)
            while (line->letters[end] != NULL && line->letters[end]->at <= world->now)
                deliver(world, line, end);
        if (!line->open[0] && !line->down && line->redial_at <= world->now)
            redial(world, line);
    }
    for (size_t i = 0; i < world->settings.nodes; i++) {
        struct node *node = &world->nodes[i];
        if (node->ingest_at <= world->now)
            ingest(world, node);
        if (nv_sync_wake(node->sync).us <= world->now) {
            struct nv_event event = {.kind = NV_EVENT_TICK};
            step(world, node, &event);
        }
    }
}

void world_run(struct world *world, int64_t microseconds)
{
    int64_t end = world->now + microseconds;
    for (int64_t next = next_time(world); next <= end; next = next_time(world)) {
        if (next > world->now)
            world->now = next;
        happen(world);
    }
    world->now = end;
}

void world_write(struct world *world, size_t place)
{
    struct node *node = &world->nodes[place];
    struct leaf leaf = {.writer = (uint32_t)place, .seq = node->durable[place] + 1};
    leaf.size = (uint32_t)(sizeof leaf + world_random(world, world->settings.most_bytes));
    memcpy(leaf.context, node->durable, sizeof leaf.context);
    arrive(node, &leaf);
    tell_grown(world, node);
}

void world_cut(struct world *world, size_t place, bool down)
{
    struct line *line = &world->lines[place];
    if (down && line->open[0]) {
        struct nv_event event = {.kind = NV_EVENT_CLOSED, .session = session_of(line, 0)};
        hang_up(world, line, 0);
        step(world, &world->nodes[line->ends[0]], &event);
    }
    line->down = down;
}

void world_calm(struct world *world)
{
    world->calm = true;
    for (size_t i = 0; i < world->line_count; i++)
        world->lines[i].down = false;
}

static bool knows_all(struct node *node)
{
    struct nv_sync_view view;
    for (size_t i = 0; nv_sync_look(node->sync, i, (struct nv_mono_us){0}, &view); i++)
        if (view.session == 0 || !view.in_step || view.behind > 0 || view.ahead > 0)
            return false;
    return true;
}

bool world_converged(const struct world *world)
{
    for (size_t i = 0; i < world->settings.nodes; i++) {
        struct node node = world->nodes[i];
        if (memcmp(node.durable, world->nodes[0].durable, sizeof node.durable) != 0 || !knows_all(&node))
            return false;
    }
    return true;
}

void world_explain(const struct world *world)
{
    for (size_t i = 0; i < world->settings.nodes; i++) {
        struct node node = world->nodes[i];
        fprintf(stderr, "node %zu:", i);
        for (size_t j = 0; j < world->settings.nodes; j++)
            fprintf(stderr, " %llu", (unsigned long long)node.durable[j]);
        fprintf(stderr, " waiting %zu queued %zu\n", nv_intake_waiting(node.intake), nv_sync_queued(node.sync));
        struct nv_sync_view view;
        for (size_t j = 0; nv_sync_look(node.sync, j, (struct nv_mono_us){0}, &view); j++)
            fprintf(stderr, "  peer %d: session %u in step %d behind %llu ahead %llu note '%s'\n",
                    view.site.bytes[0] - 1, view.session, view.in_step, (unsigned long long)view.behind,
                    (unsigned long long)view.ahead, view.note);
    }
}

struct world *world_new(const struct world_settings *settings)
{
    static const uint8_t network[32] = {42};
    struct world *world = calloc(1, sizeof *world);
    assert(world != NULL && settings->nodes <= WORLD_NODES);
    world->settings = *settings;
    world->random = settings->seed * 2654435761u + 88172645463325252u;
    for (size_t i = 0; i < settings->nodes; i++) {
        struct node *node = &world->nodes[i];
        node->site.bytes[0] = (uint8_t)(i + 1);
        node->sync = nv_sync_new(node->site, network);
        node->intake = nv_intake_new();
        node->ingest_at = INT64_MAX;
        assert(node->sync != NULL && node->intake != NULL);
        tell_grown(world, node);
    }
    for (size_t i = 1; i < settings->nodes; i++)
        for (size_t j = 0; j < (settings->star ? 1 : i); j++) {
            struct line *line = &world->lines[world->line_count++];
            line->ends[0] = i;
            line->ends[1] = j;
            line->last[0] = &line->letters[0];
            line->last[1] = &line->letters[1];
            line->redial_at = (int64_t)world_random(world, 300000);
        }
    return world;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->line_count; i++)
        for (size_t end = 0; end < 2; end++)
            for (struct letter *letter = world->lines[i].letters[end], *next; letter != NULL; letter = next) {
                next = letter->next;
                free_letter(letter);
            }
    for (size_t i = 0; i < world->settings.nodes; i++) {
        nv_sync_free(world->nodes[i].sync);
        nv_intake_free(world->nodes[i].intake);
        nv_actions_done(&world->nodes[i].actions);
        free(world->nodes[i].arrivals);
    }
    free(world);
}

size_t world_lines(const struct world *world)
{
    return world->line_count;
}

struct world_counts world_counts(const struct world *world)
{
    return world->counts;
}
