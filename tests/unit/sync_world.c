#include "sync_world.h"

#include <assert.h>
#include <stdlib.h>

#include "sync_world_internal.h"
#include "wire/digest.h"

uint64_t world_random(struct world *world, uint64_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % below;
}

bool world_happens(struct world *world, unsigned ppm)
{
    return !world->calm && world_random(world, 1000000) < ppm;
}

/* ---- lines --------------------------------------------------------------------------------------------------------
 */

static void free_letter(struct letter *letter)
{
    if (letter->message.kind == NV_MESSAGE_HELLO)
        nv_scope_set_done(&letter->message.hello.scopes.scopes);
    if (letter->message.kind == NV_MESSAGE_HAS) {
        nv_scope_set_done(&letter->message.has.scopes.scopes);
        free(letter->message.has.heads);
    }
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

static struct nv_scope_set copy_of_scopes(const struct nv_scopes_said *said)
{
    struct nv_scope_set copy = {0};
    enum nv_status status = nv_scope_set_copy(&copy, &said->scopes);
    assert(status == NV_OK);
    return copy;
}

static struct letter *letter_of(const struct nv_message *message)
{
    struct letter *letter = calloc(1, sizeof *letter);
    assert(letter != NULL);
    letter->message = *message;
    if (message->kind == NV_MESSAGE_HELLO)
        letter->message.hello.scopes.scopes = copy_of_scopes(&message->hello.scopes);
    if (message->kind == NV_MESSAGE_HAS) {
        letter->message.has.scopes.scopes = copy_of_scopes(&message->has.scopes);
        letter->message.has.heads = copy_of(message->has.heads, message->has.head_count * sizeof *message->has.heads);
    }
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

void world_hang_up(struct world *world, struct line *line, size_t end)
{
    line->open[end] = false;
    if (line->redial_at <= world->now)
        line->redial_at = world->now + 200000 + (int64_t)world_random(world, 400000);
    if (!line->open[1 - end] || world_happens(world, 300000))
        return; /* or the other side only notices the silence */
    struct letter *letter = calloc(1, sizeof *letter);
    assert(letter != NULL);
    letter->hangs_up = true;
    post(world, line, 1 - end, letter);
}

struct line *world_line_of(struct world *world, uint32_t session, size_t *ret_end)
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

void world_post(struct world *world, struct node *node, uint32_t session, const struct nv_message *message)
{
    size_t end;
    struct line *line = world_line_of(world, session, &end);
    if (line == NULL || !line->open[end])
        return;
    assert(&world->nodes[line->ends[end]] == node);
    world_check_said(world, line, end, message);
    if (!line->open[1 - end] || line->down)
        return;
    count_message(world, message);
    if (world_happens(world, world->settings.drop_ppm))
        return;
    post(world, line, 1 - end, letter_of(message));
    if (world_happens(world, world->settings.twice_ppm))
        post(world, line, 1 - end, letter_of(message));
}

/* ---- what happens -------------------------------------------------------------------------------------------------
 */

static void note_heard(struct line *line, size_t end, const struct nv_message *message)
{
    if (message->kind == NV_MESSAGE_HELLO)
        line->heard[end] = world_bits_of(&message->hello.scopes.scopes);
    if (message->kind == NV_MESSAGE_HAS && message->has.scopes.is_said)
        line->heard[end] = world_bits_of(&message->has.scopes.scopes);
}

static void deliver(struct world *world, struct line *line, size_t end)
{
    struct letter *letter = line->letters[end];
    line->letters[end] = letter->next;
    if (line->letters[end] == NULL)
        line->last[end] = &line->letters[end];
    struct node *node = &world->nodes[line->ends[end]];
    bool arrives = letter->connection == line->connection && line->open[end];
    if (arrives && letter->hangs_up) {
        struct nv_event event = {.kind = NV_EVENT_CLOSED, .session = session_of(line, end)};
        line->open[end] = false;
        node_step(world, node, &event);
    } else if (arrives) {
        note_heard(line, end, &letter->message);
        node_deliver(world, node, session_of(line, end), &letter->message);
    }
    free_letter(letter);
    if (arrives && world_happens(world, world->settings.cut_ppm) && line->open[0])
        world_hang_up(world, line, 0);
}

static void redial(struct world *world, struct line *line)
{
    line->connection = ++world->connections;
    for (size_t end = 0; end < 2; end++) {
        line->open[end] = true;
        line->heard[end] = 0;
    }
    for (size_t end = 0; end < 2; end++) {
        struct nv_event event = {.kind = NV_EVENT_OPENED, .session = session_of(line, end)};
        event.opened.site = world->nodes[line->ends[1 - end]].site;
        event.opened.dialled = end == 0;
        event.opened.seed = (uint32_t)world_random(world, UINT32_MAX);
        node_step(world, &world->nodes[line->ends[end]], &event);
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
        next = world->nodes[i].drop_at < next ? world->nodes[i].drop_at : next;
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
            node_ingest(world, node);
        if (node->drop_at <= world->now)
            node_drop(world, node);
        if (nv_sync_wake(node->sync).us <= world->now) {
            struct nv_event event = {.kind = NV_EVENT_TICK};
            node_step(world, node, &event);
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

void world_cut(struct world *world, size_t place, bool down)
{
    struct line *line = &world->lines[place];
    if (down && line->open[0]) {
        struct nv_event event = {.kind = NV_EVENT_CLOSED, .session = session_of(line, 0)};
        world_hang_up(world, line, 0);
        node_step(world, &world->nodes[line->ends[0]], &event);
    }
    line->down = down;
}

void world_calm(struct world *world)
{
    world->calm = true;
    for (size_t i = 0; i < world->line_count; i++) {
        const struct line *line = &world->lines[i];
        if (!world->nodes[line->ends[0]].has_left && !world->nodes[line->ends[1]].has_left)
            world_cut(world, i, false);
    }
}

static void add_line(struct world *world, size_t from, size_t to)
{
    struct line *line = &world->lines[world->line_count++];
    line->ends[0] = from;
    line->ends[1] = to;
    line->last[0] = &line->letters[0];
    line->last[1] = &line->letters[1];
    line->redial_at = (int64_t)world_random(world, 300000);
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
        node->place = i;
        node->site.bytes[0] = (uint8_t)(i + 1);
        node->sync = nv_sync_new(node->site, network, &nv_digests);
        node->intake = nv_intake_new();
        node->ingest_at = node->drop_at = INT64_MAX;
        assert(node->sync != NULL && node->intake != NULL);
    }
    for (size_t i = 0; i < settings->nodes; i++)
        node_tell(world, &world->nodes[i]);
    for (size_t i = 1; i < settings->nodes; i++)
        for (size_t j = 0; j < i; j++)
            if (!settings->star || j < settings->hubs)
                add_line(world, i, j);
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
        free(world->nodes[i].beyond);
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
