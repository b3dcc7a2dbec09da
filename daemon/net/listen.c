/* Those who dial us: members at the listener, candidates at the enrolment desk. */
#include "net/internal.h"

#include <string.h>

#include "base/hex.h"

enum {
    SECOND = 1000000,
    SHUN_US = 30 * SECOND,
    ENROL_US = SECOND / 5, /* between two requests: a desk that anybody may come to must not cost more than that */
};

static bool routing_equal(const struct nv_routing *a, const struct nv_routing *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* libzmq cannot close one connection of a ROUTER. So what still comes over it is dropped, and the other side, which was
 * told or hears nothing more, closes it. */
void nv_shun(struct nv_net *net, const struct nv_routing *routing)
{
    net->shunned[net->shunned_next].routing = *routing;
    net->shunned[net->shunned_next].until = net->now + SHUN_US;
    net->shunned_next = (net->shunned_next + 1) % NV_SHUNNED_MOST;
}

static bool is_shunned(const struct nv_net *net, const struct nv_routing *routing)
{
    for (size_t i = 0; i < NV_SHUNNED_MOST; i++)
        if (net->now < net->shunned[i].until && routing_equal(&net->shunned[i].routing, routing))
            return true;
    return false;
}

/* Whose connection the frame came over: who has the key now that our ZAP handler saw when it was made. NULL: nobody. */
static const struct nv_zap_key *sender_of(struct nv_net *net)
{
    struct nv_public_key key;
    const char *user = zmq_msg_gets(&net->frame, "User-Id");
    return user != NULL && nv_unhex(user, key.bytes, sizeof key.bytes) ? nv_member_with(net, &key) : NULL;
}

static struct nv_session *session_at(struct nv_net *net, const struct nv_routing *routing)
{
    for (size_t i = 0; i < net->session_count; i++) {
        struct nv_session *session = &net->sessions[i];
        if (session->number != 0 && session->line == NULL && routing_equal(&session->routing, routing))
            return session;
    }
    return NULL;
}

/* False where the frame is dropped. */
static bool take_frame(struct nv_net *net, const struct nv_routing *routing, struct nv_net_event *ret_event)
{
    if (routing->size == 0 || is_shunned(net, routing))
        return false;
    const struct nv_zap_key *sender = sender_of(net);
    struct nv_session *session = session_at(net, routing);
    if (sender == NULL || (session != NULL && nv_site_id_compare(session->site, sender->site) != 0)) {
        nv_shun(net, routing);
        if (session == NULL)
            return false;
        *ret_event = (struct nv_net_event){.kind = NV_NET_CLOSED, .session = session->number, .site = session->site};
        nv_session_end(net, session, false, 0);
        return true;
    }
    if (session != NULL) {
        *ret_event = (struct nv_net_event){
            .kind = net->frame_garbage ? NV_NET_GARBAGE : NV_NET_FRAME,
            .session = session->number,
            .site = sender->site,
            .frame = {zmq_msg_data(&net->frame), zmq_msg_size(&net->frame)},
        };
        return true;
    }
    session = nv_session_open(net, sender, NULL, routing);
    if (session == NULL)
        return false;
    net->frame_held = true;
    net->frame_session = session->number;
    *ret_event = (struct nv_net_event){.kind = NV_NET_OPENED, .session = session->number, .site = session->site};
    return true;
}

bool nv_listener_next(struct nv_net *net, struct nv_net_event *ret_event)
{
    struct nv_routing routing;
    while (net->listener != NULL && nv_frame_receive(net, net->listener, &routing))
        if (take_frame(net, &routing, ret_event))
            return true;
    return false;
}

bool nv_desk_next(struct nv_net *net, struct nv_net_event *ret_event)
{
    if (net->desk == NULL || net->now < net->desk_after || !nv_frame_receive(net, net->desk, &net->candidate))
        return false;
    net->desk_after = net->now + ENROL_US;
    if (net->frame_garbage || net->candidate.size == 0)
        return false;
    *ret_event =
        (struct nv_net_event){.kind = NV_NET_ENROL, .frame = {zmq_msg_data(&net->frame), zmq_msg_size(&net->frame)}};
    return true;
}
