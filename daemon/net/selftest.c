/* libzmq's CURVE lets any key in where the check of keys is not asked. So each start proves that it is. */
#include "net/internal.h"

#include <time.h>

enum { TEST_MS = 3000, STEP_MS = 50 };

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Pumps the check of keys until the line's fate is known. */
static enum nv_line_event outcome(struct nv_net *net, void *monitor)
{
    for (int64_t end = clock_ms() + TEST_MS; clock_ms() < end;) {
        zmq_pollitem_t items[] = {
            {.socket = net->zap.socket, .events = ZMQ_POLLIN},
            {.socket = monitor, .events = ZMQ_POLLIN},
        };
        zmq_poll(items, 2, STEP_MS);
        nv_zap_answer(&net->zap);
        enum nv_line_event event;
        while ((event = nv_socket_line_event(monitor)) != NV_LINE_NOTHING)
            if (event == NV_LINE_UP || event == NV_LINE_DENIED)
                return event;
    }
    return NV_LINE_NOTHING;
}

static bool make_stranger(struct nv_curve_key *ret_key)
{
    char public_text[41], secret_text[41];
    bool made = zmq_curve_keypair(public_text, secret_text) == 0 &&
                zmq_z85_decode(ret_key->public_key.bytes, public_text) != NULL &&
                zmq_z85_decode(ret_key->secret, secret_text) != NULL;
    nv_wipe(secret_text, sizeof secret_text);
    return made;
}

static enum nv_status test_listener(struct nv_net *net, const char *endpoint, struct nv_error *error)
{
    struct nv_curve_key stranger;
    if (!make_stranger(&stranger))
        return nv_socket_fail("cannot make a key for the self-test: this libzmq has no CURVE", error);
    net->zap.test_key = stranger.public_key;
    void *monitor = NULL;
    void *socket = nv_socket_dial(net->context, &stranger, &net->own->public_key, NV_LIMIT_MESSAGE_BYTES, endpoint,
                                  &monitor, error);
    nv_wipe(stranger.secret, sizeof stranger.secret);
    if (socket == NULL)
        return nv_fail_in(error, "the self-test of the listening socket");
    enum nv_line_event event = outcome(net, monitor);
    nv_socket_hang_up(socket, monitor, 0);
    if (event == NV_LINE_DENIED)
        return NV_OK;
    if (event == NV_LINE_UP)
        return nv_fail(
            error, NV_BUG,
            "an unknown key was let in at %s: this build of ZeroMQ does not check keys, and the daemon must not "
            "run with it: install libzmq 4.3.4 or newer with CURVE",
            endpoint);
    return nv_fail(
        error, NV_UNREACHABLE,
        "%s could not be tested: an unknown key was neither refused nor let in within 3 seconds: look whether "
        "a packet filter stops this machine from dialling its own address",
        endpoint);
}

enum nv_status nv_net_self_test(struct nv_net *net, struct nv_error *error)
{
    return net->listener == NULL ? NV_OK : test_listener(net, net->listens, error);
}
