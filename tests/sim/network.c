/* Ways, connections and what is on its way. */
#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "network_internal.h"

struct sim_network sim_network;

void sim_network_start(uint64_t seed, const struct sim_network_watcher *watcher)
{
    memset(&sim_network, 0, sizeof sim_network);
    sim_network.dice = nv_dice_of(seed);
    sim_network.watcher = *watcher;
    for (size_t from = 0; from < SIM_PLACES; from++)
        for (size_t to = 0; to < SIM_PLACES; to++)
            sim_network.ways[from][to] = (struct sim_way){.latency_us = 2000, .jitter_us = 500};
}

void sim_network_set_chance(uint64_t seed)
{
    sim_network.dice = nv_dice_of(seed);
}

static void drop_items(struct sim_end *end)
{
    while (end->items != NULL) {
        struct sim_item *item = end->items;
        end->items = item->next;
        free(item);
    }
    end->bytes = 0;
}

void sim_network_end(void)
{
    while (sim_network.connections != NULL) {
        struct sim_connection *connection = sim_network.connections;
        sim_network.connections = connection->next;
        drop_items(&connection->ends[0]);
        drop_items(&connection->ends[1]);
        free(connection);
    }
}

struct sim_way *sim_network_way(size_t from, size_t to)
{
    assert(from < SIM_PLACES && to < SIM_PLACES);
    return &sim_network.ways[from][to];
}

void sim_network_set_place(size_t place)
{
    sim_network.place = place;
}

size_t sim_network_place(void)
{
    return sim_network.place;
}

void sim_network_set_silent(size_t place, bool silent)
{
    sim_network.silent[place] = silent;
}

size_t sim_network_most_on_its_way(void)
{
    return sim_network.most_on_its_way;
}

uint64_t sim_network_frames(void)
{
    return sim_network.frames;
}

/* ---- items ---- */

static int64_t arrival(const struct sim_way *way, struct sim_end *to, size_t size)
{
    struct nv_dice *dice = &sim_network.dice;
    int64_t at = sim_clock_us() + way->latency_us;
    if (way->jitter_us > 0)
        at += (int64_t)nv_dice_below(dice, (size_t)way->jitter_us);
    if (way->bytes_per_second > 0) {
        int64_t free_at = to->last_at > at ? to->last_at : at;
        at = free_at + (int64_t)size * 1000000 / way->bytes_per_second;
    }
    if (nv_dice_below(dice, 1000) < way->overtaking_permille)
        return at;
    if (at <= to->last_at)
        at = to->last_at + 1;
    to->last_at = at;
    return at;
}

static void put_once(struct sim_end *to, const struct sim_way *way, enum sim_item_kind kind, struct nv_slice bytes)
{
    struct sim_item *item = malloc(sizeof *item + bytes.size);
    assert(item != NULL);
    *item = (struct sim_item){.kind = kind, .at = arrival(way, to, bytes.size), .size = bytes.size};
    if (bytes.size > 0)
        memcpy(item->bytes, bytes.data, bytes.size);
    struct sim_item **place = &to->items;
    while (*place != NULL && (*place)->at <= item->at)
        place = &(*place)->next;
    item->next = *place;
    *place = item;
    to->bytes += bytes.size;
    if (to->bytes > sim_network.most_on_its_way)
        sim_network.most_on_its_way = to->bytes;
}

void sim_item_put(struct sim_connection *connection, unsigned end, enum sim_item_kind kind, struct nv_slice bytes)
{
    struct sim_end *to = &connection->ends[end];
    const struct sim_way *way = sim_network_way(connection->ends[1 - end].place, to->place);
    bool is_frame = kind == SIM_ITEM_FRAME;
    if (to->net == NULL || (is_frame && connection->is_cut))
        return;
    if (is_frame && nv_dice_below(&sim_network.dice, 1000) < way->lost_permille)
        return;
    put_once(to, way, kind, bytes);
    if (is_frame && nv_dice_below(&sim_network.dice, 1000) < way->doubled_permille)
        put_once(to, way, kind, bytes);
}

/* ---- connections ---- */

static void hold(struct nv_net *net, struct sim_connection *connection, unsigned end)
{
    net->held = realloc(net->held, (net->held_count + 1) * sizeof *net->held);
    assert(net->held != NULL);
    net->held[net->held_count++] = (struct sim_held){connection, end};
}

static void let_go(struct nv_net *net, const struct sim_connection *connection)
{
    size_t place = 0;
    while (net->held[place].connection != connection)
        place++;
    net->held_count--;
    memmove(&net->held[place], &net->held[place + 1], (net->held_count - place) * sizeof *net->held);
}

void sim_connection_open(struct nv_net *dialler, struct nv_net *listener, struct sim_dial *dial, struct nv_site_id from)
{
    struct sim_connection *connection = calloc(1, sizeof *connection);
    assert(connection != NULL);
    connection->ends[0] = (struct sim_end){
        .net = dialler, .place = dialler->place, .site = dial->member.site, .key = dial->member.curve_key};
    connection->ends[1] =
        (struct sim_end){.net = listener, .place = listener->place, .site = from, .key = dialler->own->public_key};
    struct sim_connection **last = &sim_network.connections;
    while (*last != NULL)
        last = &(*last)->next;
    *last = connection;
    dial->connection = connection;
    hold(dialler, connection, 0);
    hold(listener, connection, 1);
    sim_item_put(connection, 0, SIM_ITEM_OPENED, (struct nv_slice){NULL, 0});
    sim_item_put(connection, 1, SIM_ITEM_OPENED, (struct nv_slice){NULL, 0});
}

static void forget(struct sim_connection *connection)
{
    struct sim_connection **place = &sim_network.connections;
    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    free(connection);
}

void sim_end_leave(struct sim_connection *connection, unsigned end, bool tell)
{
    struct sim_end *leaving = &connection->ends[end], *other = &connection->ends[1 - end];
    if (leaving->net != NULL)
        for (size_t i = 0; i < leaving->net->dial_count; i++)
            if (leaving->net->dials[i].connection == connection)
                leaving->net->dials[i].connection = NULL;
    drop_items(leaving);
    /* A handshake takes both: where one is gone, what the other has not seen yet it will never see. */
    bool is_unknown = other->items != NULL && other->items->kind == SIM_ITEM_OPENED && other->session == 0;
    if (is_unknown && other->net != NULL && other == &connection->ends[1]) {
        drop_items(other);
        let_go(other->net, connection);
        other->net = NULL;
    }
    if (leaving->net != NULL)
        let_go(leaving->net, connection);
    leaving->net = NULL;
    leaving->session = 0;
    if (other->net == NULL) {
        forget(connection);
        return;
    }
    if (tell && !connection->is_cut)
        sim_item_put(connection, 1 - end, SIM_ITEM_CLOSED, (struct nv_slice){NULL, 0});
}

void sim_network_break(size_t a, size_t b, bool tell_a, bool tell_b)
{
    for (struct sim_connection *connection = sim_network.connections; connection != NULL;
         connection = connection->next) {
        struct sim_end *ends = connection->ends;
        if (connection->is_cut ||
            !((ends[0].place == a && ends[1].place == b) || (ends[0].place == b && ends[1].place == a)))
            continue;
        for (unsigned end = 0; end < 2; end++) {
            drop_items(&ends[end]);
            /* Who had only begun to dial gives up by itself. */
            if (ends[end].session == 0 || (ends[end].place == a ? tell_a : tell_b))
                sim_item_put(connection, end, SIM_ITEM_CLOSED, (struct nv_slice){NULL, 0});
        }
        connection->is_cut = true;
    }
}
