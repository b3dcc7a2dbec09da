#include "net/enrol.h"

#include <time.h>
#include <zmq.h>

#include "base/catalogue.h"
#include "base/limits.h"
#include "net/sockets.h"

enum { ATTEMPT_MS = 4000, PAUSE_MS = 300 };

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool receive(void *socket, struct nv_buffer *reply)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    bool received = zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0;
    if (received)
        nv_buffer_append(reply, zmq_msg_data(&frame), zmq_msg_size(&frame));
    zmq_msg_close(&frame);
    return received;
}

/* One attempt on an open socket. True once the answer is there; false where the line failed or time is up. */
static bool converse(void *socket, void *monitor, struct nv_slice request, int64_t end, struct nv_buffer *reply)
{
    bool asked = false;
    while (clock_ms() < end) {
        zmq_pollitem_t items[] = {
            {.socket = socket, .events = ZMQ_POLLIN},
            {.socket = monitor, .events = ZMQ_POLLIN},
        };
        zmq_poll(items, 2, (long)(end - clock_ms()));
        if (receive(socket, reply))
            return true;
        for (enum nv_line_event event; (event = nv_socket_line_event(monitor)) != NV_LINE_NOTHING;) {
            if (event == NV_LINE_DOWN || event == NV_LINE_DENIED)
                return false;
            if (event == NV_LINE_UP && !asked)
                asked = zmq_send(socket, request.data, request.size, ZMQ_DONTWAIT) >= 0;
        }
    }
    return false;
}

enum nv_status nv_enrol_ask(const struct nv_invitation *invitation, const struct nv_curve_key *own,
                            struct nv_slice request, int timeout_ms, struct nv_buffer *reply, struct nv_error *error)
{
    void *context = zmq_ctx_new();
    if (context == NULL)
        return nv_socket_fail(_("cannot start ZeroMQ"), error);
    enum nv_status status = NV_UNREACHABLE;
    int64_t end = clock_ms() + timeout_ms;
    while (status == NV_UNREACHABLE && clock_ms() < end) {
        void *monitor = NULL;
        void *socket = nv_socket_dial(context, own, &invitation->hub_curve_key, NV_LIMIT_MESSAGE_BYTES,
                                      invitation->endpoint, &monitor, error);
        if (socket == NULL) {
            status = error->status;
            break;
        }
        int64_t give_up = clock_ms() + ATTEMPT_MS;
        if (converse(socket, monitor, request, give_up < end ? give_up : end, reply))
            status = NV_OK;
        nv_socket_hang_up(socket, monitor, 0);
        if (status == NV_UNREACHABLE)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
    }
    zmq_ctx_term(context);
    if (status == NV_OK && reply->failed)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the hub's answer");
    if (status == NV_UNREACHABLE)
        return nv_fail(error, NV_UNREACHABLE,
                       "the hub does not answer at %s: nothing was changed: see that its daemon runs and that this "
                       "machine reaches it, then join again with the same invitation",
                       invitation->endpoint);
    return status;
}
