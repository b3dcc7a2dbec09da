#include "net/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATE_BYTES = 64 << 10, SOCKETS_MOST = 8192, FAREWELL_MS = 500 };

static bool is_set(const char *endpoint)
{
    return endpoint != NULL && endpoint[0] != '\0';
}

enum nv_status nv_net_open(const struct nv_net_settings *settings, struct nv_net **ret_net, struct nv_error *error)
{
    struct nv_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the network");
    net->own = settings->own;
    nv_random(&net->last_number, sizeof net->last_number);
    nv_random(&net->zap.test_key, sizeof net->zap.test_key);
    net->context = zmq_ctx_new();
    if (net->context == NULL || zmq_ctx_set(net->context, ZMQ_MAX_SOCKETS, SOCKETS_MOST) != 0) {
        nv_socket_fail("cannot start ZeroMQ", error);
        goto out;
    }
    if (nv_zap_open(&net->zap, net->context, error) != NV_OK)
        goto out;
    if (is_set(settings->listen)) {
        net->listener = nv_socket_listen(net->context, net->own, NV_DOMAIN_MEMBERS, NV_LIMIT_MESSAGE_BYTES,
                                         settings->listen, net->listens, error);
        if (net->listener == NULL)
            goto out;
    }
    if (is_set(settings->enrol)) {
        net->desk = nv_socket_listen(net->context, net->own, NV_DOMAIN_ENROLMENT, CANDIDATE_BYTES, settings->enrol,
                                     net->enrols, error);
        if (net->desk == NULL)
            goto out;
    }
    *ret_net = net;
    return NV_OK;
out:
    nv_net_close(net);
    return error->status;
}

void nv_net_close(struct nv_net *net)
{
    if (net == NULL)
        return;
    if (net->has_frame)
        zmq_msg_close(&net->frame);
    nv_lines_done(net);
    nv_socket_hang_up(net->listener, NULL, 0);
    nv_socket_hang_up(net->desk, NULL, 0);
    nv_zap_close(&net->zap);
    if (net->context != NULL)
        zmq_ctx_term(net->context);
    nv_outboxes_done(net); /* after libzmq let go of all that counts in them */
    free(net->keys);
    free(net->items);
    free(net);
}

const char *nv_net_listens(const struct nv_net *net)
{
    return net->listens;
}

const char *nv_net_enrols(const struct nv_net *net)
{
    return net->enrols;
}

/* Whoever speaks with a key that is no member's, or now another member's. */
static void cut_off_strangers(struct nv_net *net)
{
    for (size_t i = 0; i < net->session_count; i++) {
        struct nv_session *session = &net->sessions[i];
        const struct nv_zap_key *member = nv_member_with(net, &session->curve_key);
        if (session->number == 0 || (member != NULL && nv_site_id_compare(member->site, session->site) == 0))
            continue;
        if (session->line == NULL)
            nv_shun(net, &session->routing);
        nv_session_end(net, session, true, 0);
    }
}

enum nv_status nv_net_set_members(struct nv_net *net, const struct nv_net_member *members, size_t count,
                                  struct nv_mono_us now, struct nv_error *error)
{
    net->now = now.us;
    struct nv_zap_key *keys = calloc(count + 1, sizeof *keys);
    if (keys == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the list of members");
    for (size_t i = 0; i < count; i++) {
        keys[i].curve_key = members[i].curve_key;
        keys[i].site = members[i].site;
    }
    free(net->keys);
    net->keys = keys;
    net->zap.keys = keys;
    net->zap.key_count = count;
    cut_off_strangers(net);
    return nv_lines_set(net, members, count, error);
}

/* The frame whose session was told just before. */
static bool held_frame(struct nv_net *net, struct nv_net_event *ret_event)
{
    if (!net->frame_held)
        return false;
    net->frame_held = false;
    struct nv_session *session = nv_session_of(net, net->frame_session);
    if (session == NULL)
        return false;
    *ret_event = (struct nv_net_event){
        .kind = net->frame_garbage ? NV_NET_GARBAGE : NV_NET_FRAME,
        .session = session->number,
        .site = session->site,
        .dialled = session->line != NULL,
        .frame = {zmq_msg_data(&net->frame), zmq_msg_size(&net->frame)},
    };
    return true;
}

static bool closed_next(struct nv_net *net, struct nv_net_event *ret_event)
{
    if (net->closed_count == 0)
        return false;
    net->closed_count--;
    *ret_event = (struct nv_net_event){.kind = NV_NET_CLOSED,
                                       .session = net->closed[net->closed_count].number,
                                       .site = net->closed[net->closed_count].site};
    return true;
}

static bool stranger_next(struct nv_net *net, struct nv_net_event *ret_event)
{
    if (net->strangers_told == net->zap.refused)
        return false;
    net->strangers_told++;
    *ret_event = (struct nv_net_event){.kind = NV_NET_STRANGER};
    return true;
}

bool nv_net_next(struct nv_net *net, struct nv_mono_us now, struct nv_net_event *ret_event)
{
    net->now = now.us;
    if (closed_next(net, ret_event) || held_frame(net, ret_event))
        return true;
    nv_zap_answer(&net->zap);
    nv_lines_tend(net);
    return stranger_next(net, ret_event) || nv_lines_next(net, ret_event) || nv_listener_next(net, ret_event) ||
           nv_desk_next(net, ret_event);
}

bool nv_net_send(struct nv_net *net, uint32_t number, struct nv_slice frame)
{
    struct nv_session *session = nv_session_of(net, number);
    if (session == NULL)
        return false;
    bool sent = session->line != NULL ? nv_frame_send(session->line->socket, NULL, frame, session->outbox)
                                      : nv_frame_send(net->listener, &session->routing, frame, session->outbox);
    if (!sent)
        nv_session_end(net, session, true, 0);
    return sent;
}

void nv_net_hang_up(struct nv_net *net, uint32_t number, bool shun, struct nv_mono_us now)
{
    net->now = now.us;
    struct nv_session *session = nv_session_of(net, number);
    if (session == NULL)
        return;
    if (shun && session->line == NULL)
        nv_shun(net, &session->routing);
    nv_session_end(net, session, false, FAREWELL_MS);
}

void nv_net_answer(struct nv_net *net, struct nv_slice frame)
{
    nv_frame_send(net->desk, &net->candidate, frame, NULL);
}

struct nv_mono_us nv_net_wake(const struct nv_net *net)
{
    if (net->closed_count > 0 || net->frame_held || net->strangers_told != net->zap.refused)
        return (struct nv_mono_us){0};
    int64_t wake = nv_lines_wake(net);
    if (net->desk != NULL && net->now < net->desk_after && net->desk_after < wake)
        wake = net->desk_after;
    return (struct nv_mono_us){wake};
}

static void add_socket(struct nv_net *net, size_t *count, void *socket)
{
    if (socket != NULL)
        net->items[(*count)++] = (zmq_pollitem_t){.socket = socket, .events = ZMQ_POLLIN};
}

enum nv_status nv_net_wait(struct nv_net *net, const int *descriptors, size_t descriptor_count, int timeout_ms,
                           struct nv_error *error)
{
    size_t most = descriptor_count + net->line_count * 2 + 3;
    if (most > net->item_capacity) {
        zmq_pollitem_t *items = realloc(net->items, most * sizeof *items);
        if (items == NULL)
            return nv_fail(error, NV_NO_MEMORY, "no memory to wait for the network");
        net->items = items;
        net->item_capacity = most;
    }
    size_t count = 0;
    for (size_t i = 0; i < descriptor_count; i++)
        net->items[count++] = (zmq_pollitem_t){.fd = descriptors[i], .events = ZMQ_POLLIN};
    add_socket(net, &count, net->zap.socket);
    add_socket(net, &count, net->listener);
    /* A desk that rests is not looked at, else a request that waits would keep us awake. */
    add_socket(net, &count, net->now < net->desk_after ? NULL : net->desk);
    for (size_t i = 0; i < net->line_count; i++) {
        add_socket(net, &count, net->lines[i]->socket);
        add_socket(net, &count, net->lines[i]->monitor);
    }
    if (zmq_poll(net->items, (int)count, timeout_ms) < 0 && zmq_errno() != EINTR)
        return nv_socket_fail("cannot wait for the network", error);
    return NV_OK;
}
