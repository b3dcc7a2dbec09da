/* net/net.h over the simulated network. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "network_internal.h"

enum { FIRST_PAUSE_US = 200000, LONGEST_PAUSE_US = 15000000, GOOD_US = 5000000 };

static void tell_line(const struct nv_net *net, size_t to, const char *what)
{
    if (sim_network.watcher.line != NULL)
        sim_network.watcher.line(sim_network.watcher.context, net->place, to, what);
}

enum nv_status nv_net_open(const struct nv_net_settings *settings, struct nv_net **ret_net, struct nv_error *error)
{
    struct nv_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return nv_no_memory(error);
    net->place = sim_network.place;
    net->own = settings->own;
    if (settings->listen != NULL)
        snprintf(net->listens, sizeof net->listens, "%s", settings->listen);
    net->last_number = (uint32_t)nv_dice_bits(&sim_network.dice);
    assert(sim_network.nets[net->place] == NULL);
    sim_network.nets[net->place] = net;
    *ret_net = net;
    return NV_OK;
}

void nv_net_close(struct nv_net *net)
{
    if (net == NULL)
        return;
    bool tell = !sim_network.silent[net->place];
    while (net->held_count > 0)
        sim_end_leave(net->held[0].connection, net->held[0].end, tell);
    sim_network.nets[net->place] = NULL;
    free(net->current);
    free(net->held);
    free(net->dials);
    free(net);
}

const char *nv_net_listens(const struct nv_net *net)
{
    return net->listens;
}

const char *nv_net_enrols(const struct nv_net *net)
{
    (void)net;
    return "";
}

enum nv_status nv_net_self_test(struct nv_net *net, struct nv_error *error)
{
    (void)net;
    (void)error;
    return NV_OK;
}

/* ---- members and dialling ---- */

static const struct sim_dial *member_with(const struct nv_net *net, const struct nv_public_key *key)
{
    for (size_t i = 0; i < net->dial_count; i++)
        if (memcmp(&net->dials[i].member.curve_key, key, sizeof *key) == 0)
            return &net->dials[i];
    return NULL;
}

static void end_session(struct nv_net *net, struct sim_end *end, bool tell)
{
    if (tell && end->session != 0) {
        assert(net->closed_count < sizeof net->closed / sizeof *net->closed);
        net->closed[net->closed_count].session = end->session;
        net->closed[net->closed_count++].site = end->site;
    }
    end->session = 0;
}

/* Half to the whole of a pause that doubles, as net/dial.c has it. */
static void rest(struct sim_dial *dial)
{
    int64_t pause = FIRST_PAUSE_US, now = sim_clock_us();
    if (dial->since != 0 && now - dial->since >= GOOD_US)
        dial->failures = 0;
    for (unsigned i = 0; i < dial->failures && pause < LONGEST_PAUSE_US; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE_US)
        pause = LONGEST_PAUSE_US;
    dial->failures++;
    dial->since = 0;
    dial->at = now + pause / 2 + (int64_t)nv_dice_below(&sim_network.dice, (size_t)pause / 2);
}

/* The session ends at this end: a line that was dialled goes down and is dialled again, one that was accepted stays. */
static void close_end(struct nv_net *net, struct sim_connection *connection, unsigned end, bool tell, bool shun)
{
    struct sim_end *own = &connection->ends[end];
    end_session(net, own, tell);
    own->shuns = own->shuns || shun;
    if (end != 0)
        return;
    for (size_t i = 0; i < net->dial_count; i++)
        if (net->dials[i].connection == connection)
            rest(&net->dials[i]);
    sim_end_leave(connection, end, true);
}

/* A session belongs to the key that it began with, and to the site that had it. */
static void cut_off_strangers(struct nv_net *net)
{
    for (size_t i = net->held_count; i > 0; i--) {
        const struct sim_held held = net->held[i - 1];
        const struct sim_end *end = &held.connection->ends[held.end];
        const struct sim_dial *member = member_with(net, &end->key);
        if (member == NULL || nv_site_id_compare(member->member.site, end->site) != 0)
            close_end(net, held.connection, held.end, true, true);
    }
}

enum nv_status nv_net_set_members(struct nv_net *net, const struct nv_net_member *members, size_t count,
                                  struct nv_mono_us now, struct nv_error *error)
{
    struct sim_dial *dials = calloc(count + 1, sizeof *dials);
    if (dials == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        const struct sim_dial *old = member_with(net, &members[i].curve_key);
        if (old != NULL)
            dials[i] = *old;
        else
            dials[i].at = now.us;
        dials[i].member = members[i];
        snprintf(dials[i].endpoint, sizeof dials[i].endpoint, "%s",
                 members[i].endpoint == NULL ? "" : members[i].endpoint);
        dials[i].member.endpoint = NULL; /* the caller's; ours is the copy */
    }
    free(net->dials);
    net->dials = dials;
    net->dial_count = count;
    cut_off_strangers(net);
    return NV_OK;
}

static struct nv_net *listener_at(const char *endpoint)
{
    for (size_t place = 0; place < SIM_PLACES; place++)
        if (sim_network.nets[place] != NULL && strcmp(sim_network.nets[place]->listens, endpoint) == 0)
            return sim_network.nets[place];
    return NULL;
}

static void dial(struct nv_net *net, struct sim_dial *dial)
{
    struct nv_net *listener = listener_at(dial->endpoint);
    if (listener == NULL || sim_network_way(net->place, listener->place)->blocked ||
        sim_network_way(listener->place, net->place)->blocked ||
        memcmp(&listener->own->public_key, &dial->member.curve_key, sizeof(struct nv_public_key)) != 0) {
        rest(dial);
        return;
    }
    const struct sim_dial *admitted = member_with(listener, &net->own->public_key);
    if (admitted == NULL) {
        listener->strangers++;
        if (net->denied_count < SIM_PLACES)
            net->denied[net->denied_count++] = dial->member.site;
        rest(dial);
        return;
    }
    dial->since = sim_clock_us();
    sim_connection_open(net, listener, dial, admitted->member.site);
}

static bool is_accepted(const struct nv_net *net, struct nv_site_id site)
{
    for (size_t i = 0; i < net->held_count; i++) {
        const struct sim_end *end = &net->held[i].connection->ends[net->held[i].end];
        if (net->held[i].end == 1 && end->session != 0 && nv_site_id_compare(end->site, site) == 0)
            return true;
    }
    return false;
}

static bool wants_dialling(const struct nv_net *net, const struct sim_dial *dial)
{
    return dial->endpoint[0] != '\0' && dial->connection == NULL && !is_accepted(net, dial->member.site);
}

/* ---- events ---- */

static bool told_next(struct nv_net *net, struct nv_net_event *ret_event)
{
    if (net->closed_count > 0) {
        net->closed_count--;
        *ret_event = (struct nv_net_event){.kind = NV_NET_CLOSED,
                                           .session = net->closed[net->closed_count].session,
                                           .site = net->closed[net->closed_count].site};
        return true;
    }
    if (net->strangers > 0) {
        net->strangers--;
        *ret_event = (struct nv_net_event){.kind = NV_NET_STRANGER};
        return true;
    }
    if (net->denied_count > 0) {
        *ret_event = (struct nv_net_event){.kind = NV_NET_DENIED, .site = net->denied[--net->denied_count]};
        return true;
    }
    return false;
}

static bool passes(const struct sim_connection *connection, unsigned end)
{
    return !sim_network.ways[connection->ends[1 - end].place][connection->ends[end].place].blocked;
}

/* The connection and end with the earliest item for this net; the connection is NULL where there is none. */
static struct sim_connection *earliest(const struct nv_net *net, unsigned *ret_end)
{
    struct sim_connection *found = NULL;
    for (size_t i = 0; i < net->held_count; i++) {
        const struct sim_held *held = &net->held[i];
        const struct sim_item *item = held->connection->ends[held->end].items;
        if (item == NULL || !passes(held->connection, held->end) ||
            (found != NULL && item->at >= found->ends[*ret_end].items->at))
            continue;
        found = held->connection;
        *ret_end = held->end;
    }
    return found;
}

static struct nv_net_event event_of(const struct sim_connection *connection, unsigned end, enum nv_net_event_kind kind)
{
    const struct sim_end *own = &connection->ends[end];
    return (struct nv_net_event){.kind = kind, .session = own->session, .site = own->site, .dialled = end == 0};
}

static bool open_session(struct nv_net *net, struct sim_connection *connection, unsigned end,
                         struct nv_net_event *ret_event)
{
    struct sim_end *own = &connection->ends[end];
    if (++net->last_number == 0)
        net->last_number = 1;
    own->session = net->last_number;
    *ret_event = event_of(connection, end, NV_NET_OPENED);
    tell_line(net, connection->ends[1 - end].place, "opened");
    return true;
}

/* Takes one item; false where it makes no event. */
static bool take_item(struct nv_net *net, struct sim_connection *connection, unsigned end,
                      struct nv_net_event *ret_event)
{
    struct sim_end *own = &connection->ends[end];
    struct sim_item *item = own->items;
    if (item->kind == SIM_ITEM_FRAME && own->session == 0 && !own->shuns)
        return open_session(net, connection, end, ret_event); /* the frame comes next */
    own->items = item->next;
    own->bytes -= item->size;
    switch (item->kind) {
    case SIM_ITEM_OPENED:
        free(item);
        /* A frame may have overtaken it; or who dialled is no member any more. */
        return own->session == 0 && !own->shuns && open_session(net, connection, end, ret_event);
    case SIM_ITEM_CLOSED: {
        bool had = own->session != 0;
        *ret_event = event_of(connection, end, NV_NET_CLOSED);
        tell_line(net, connection->ends[1 - end].place, "closed");
        free(item);
        own->session = 0;
        for (size_t i = 0; i < net->dial_count; i++)
            if (net->dials[i].connection == connection)
                rest(&net->dials[i]);
        sim_end_leave(connection, end, false);
        return had;
    }
    case SIM_ITEM_FRAME:
        break;
    }
    if (own->session == 0) {
        free(item);
        return false;
    }
    net->current = item;
    *ret_event = event_of(connection, end, NV_NET_FRAME);
    ret_event->frame = (struct nv_slice){item->bytes, item->size};
    sim_network.frames++;
    if (sim_network.watcher.came != NULL)
        sim_network.watcher.came(sim_network.watcher.context, connection->ends[1 - end].place, net->place,
                                 ret_event->frame);
    return true;
}

bool nv_net_next(struct nv_net *net, struct nv_mono_us now, struct nv_net_event *ret_event)
{
    free(net->current);
    net->current = NULL;
    if (told_next(net, ret_event))
        return true;
    for (size_t i = 0; i < net->dial_count; i++)
        if (net->dials[i].at <= now.us && wants_dialling(net, &net->dials[i]))
            dial(net, &net->dials[i]);
    unsigned end;
    struct sim_connection *connection;
    while ((connection = earliest(net, &end)) != NULL && connection->ends[end].items->at <= now.us)
        if (take_item(net, connection, end, ret_event))
            return true;
    return told_next(net, ret_event);
}

struct nv_mono_us nv_net_wake(const struct nv_net *net)
{
    int64_t wake = INT64_MAX;
    if (net->closed_count > 0 || net->strangers > 0 || net->denied_count > 0)
        return (struct nv_mono_us){0};
    for (size_t i = 0; i < net->dial_count; i++)
        if (net->dials[i].endpoint[0] != '\0' && net->dials[i].at < wake && wants_dialling(net, &net->dials[i]))
            wake = net->dials[i].at;
    unsigned end;
    const struct sim_connection *connection = earliest(net, &end);
    if (connection != NULL && connection->ends[end].items->at < wake)
        wake = connection->ends[end].items->at;
    return (struct nv_mono_us){wake};
}

/* ---- sending ---- */

static struct sim_connection *connection_of(const struct nv_net *net, uint32_t session, unsigned *ret_end)
{
    for (size_t i = 0; session != 0 && i < net->held_count; i++)
        if (net->held[i].connection->ends[net->held[i].end].session == session) {
            *ret_end = net->held[i].end;
            return net->held[i].connection;
        }
    return NULL;
}

/* Whoever sends to a machine that runs, where nobody listens to this connection any more, is told so. */
static bool is_refused(const struct sim_connection *connection, unsigned end)
{
    const struct sim_end *other = &connection->ends[1 - end];
    return other->net == NULL && sim_network.nets[other->place] != NULL && passes(connection, 1 - end);
}

static void send_frames(struct nv_net *net, struct sim_connection *connection, unsigned end, struct nv_slice frame)
{
    size_t to = connection->ends[1 - end].place, ends[4], count = 0, start = 0;
    struct nv_buffer altered = {0};
    const struct sim_network_watcher *watcher = &sim_network.watcher;
    if (watcher->alter != NULL && watcher->alter(watcher->context, net->place, to, frame, &altered, ends, &count)) {
        for (size_t i = 0; i < count; start = ends[i++])
            sim_item_put(connection, 1 - end, SIM_ITEM_FRAME, (struct nv_slice){altered.data + start, ends[i] - start});
    } else {
        sim_item_put(connection, 1 - end, SIM_ITEM_FRAME, frame);
    }
    nv_buffer_done(&altered);
}

bool nv_net_send(struct nv_net *net, uint32_t session, struct nv_slice frame)
{
    unsigned end;
    struct sim_connection *connection = connection_of(net, session, &end);
    if (connection == NULL)
        return false;
    if (connection->ends[1 - end].bytes + frame.size > NV_LIMIT_OUTBOX_BYTES) {
        close_end(net, connection, end, true, true);
        return false;
    }
    if (sim_network.watcher.sent != NULL)
        sim_network.watcher.sent(sim_network.watcher.context, net->place, connection->ends[1 - end].place, frame);
    if (is_refused(connection, end))
        sim_item_put(connection, end, SIM_ITEM_CLOSED, (struct nv_slice){NULL, 0});
    else
        send_frames(net, connection, end, frame);
    return true;
}

void nv_net_hang_up(struct nv_net *net, uint32_t session, bool shun, struct nv_mono_us now)
{
    (void)now;
    unsigned end;
    struct sim_connection *connection = connection_of(net, session, &end);
    if (connection != NULL)
        close_end(net, connection, end, false, shun);
}

void nv_net_answer(struct nv_net *net, struct nv_slice frame)
{
    (void)net;
    (void)frame;
}

enum nv_status nv_net_wait(struct nv_net *net, const int *descriptors, size_t count, int timeout_ms,
                           struct nv_error *error)
{
    (void)net;
    (void)descriptors;
    (void)count;
    (void)timeout_ms;
    return nv_fail(error, NV_BUG, "nobody waits in a simulation");
}
