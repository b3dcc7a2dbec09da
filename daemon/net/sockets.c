#include "net/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/catalogue.h"

enum {
    CURVE_BYTES = 64, /* what CURVE and ZMTP add to a frame, rounded up */
    HANDSHAKE_MS = 3000,
    ALIVE_AFTER_S = 20, /* of silence: TCP asks whether the other machine is there */
    ALIVE_EVERY_S = 10,
    ALIVE_TIMES = 4,
    STUCK_MS = 60000, /* what was sent and is not acknowledged by TCP for so long ends the connection */
    CONNECT_TIMEOUT_MS = 5000,
    RECEIVE_MOST = 64,
    BACKLOG = 512,
};

/* zmq.h names this option in its draft part alone; the library has it in every build (options.cpp of 4.3.4). */
enum { ZAP_ENFORCE_DOMAIN = 93 };

enum nv_status nv_socket_fail(const char *doing, struct nv_error *error)
{
    int code = zmq_errno();
    bool ours = code == EINVAL || code == EPROTONOSUPPORT || code == ENOCOMPATPROTO || code == ENODEV ||
                code == EADDRNOTAVAIL || code == EADDRINUSE;
    return nv_fail(error, ours ? NV_REFUSED : NV_IO, "%s: %s", doing, zmq_strerror(code));
}

static bool set_integer(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* A connection whose other end vanished is found by TCP, and a session that says nothing by the sync machine. ZeroMQ's
 * own heartbeats stay off: where one is due on a connection that broke while its receive queue was full, libzmq 4.3
 * aborts the program. */
static bool set_common(void *socket, size_t message_bytes_max, const char *endpoint)
{
    int64_t frame_bytes_max = (int64_t)message_bytes_max + CURVE_BYTES;
    return set_integer(socket, ZMQ_LINGER, 0) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max, sizeof frame_bytes_max) == 0 &&
           set_integer(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) && set_integer(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           set_integer(socket, ZMQ_TCP_KEEPALIVE_IDLE, ALIVE_AFTER_S) &&
           set_integer(socket, ZMQ_TCP_KEEPALIVE_INTVL, ALIVE_EVERY_S) &&
           set_integer(socket, ZMQ_TCP_KEEPALIVE_CNT, ALIVE_TIMES) && set_integer(socket, ZMQ_TCP_MAXRT, STUCK_MS) &&
           set_integer(socket, ZMQ_RCVHWM, RECEIVE_MOST) &&
           set_integer(socket, ZMQ_IPV6, strchr(endpoint, '[') != NULL);
}

static bool set_server(void *socket, const struct nv_curve_key *own, const char *domain)
{
    return set_integer(socket, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret, sizeof own->secret) == 0 &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0 &&
           set_integer(socket, ZAP_ENFORCE_DOMAIN, 1) && set_integer(socket, ZMQ_ROUTER_MANDATORY, 1) &&
           set_integer(socket, ZMQ_BACKLOG, BACKLOG);
}

static bool set_client(void *socket, const struct nv_curve_key *own, const struct nv_public_key *server)
{
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server->bytes, sizeof server->bytes) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key.bytes, sizeof own->public_key.bytes) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret, sizeof own->secret) == 0 &&
           set_integer(socket, ZMQ_RECONNECT_IVL, -1) && set_integer(socket, ZMQ_IMMEDIATE, 1) &&
           set_integer(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS);
}

void *nv_socket_listen(void *context, const struct nv_curve_key *own, const char *domain, size_t message_bytes_max,
                       const char *endpoint, char ret_endpoint[NV_ENDPOINT_BYTES], struct nv_error *error)
{
    char doing[NV_ENDPOINT_BYTES + 64];
    snprintf(doing, sizeof doing, _("cannot listen on %.255s"), endpoint);
    char real[NV_ENDPOINT_BYTES];
    size_t size = sizeof real;
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    if (socket == NULL || !set_common(socket, message_bytes_max, endpoint) || !set_server(socket, own, domain) ||
        zmq_bind(socket, endpoint) != 0 || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, real, &size) != 0) {
        nv_socket_fail(doing, error);
        nv_socket_hang_up(socket, NULL, 0);
        return NULL;
    }
    memcpy(ret_endpoint, real, size);
    return socket;
}

static void *watch(void *context, void *socket)
{
    char address[64];
    snprintf(address, sizeof address, "inproc://navette-line-%p", socket);
    int events = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (zmq_socket_monitor(socket, address, events) != 0)
        return NULL;
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    if (monitor == NULL || !set_integer(monitor, ZMQ_LINGER, 0) || zmq_connect(monitor, address) != 0) {
        if (monitor != NULL)
            zmq_close(monitor);
        zmq_socket_monitor(socket, NULL, 0);
        return NULL;
    }
    return monitor;
}

void *nv_socket_dial(void *context, const struct nv_curve_key *own, const struct nv_public_key *server,
                     size_t message_bytes_max, const char *endpoint, void **ret_monitor, struct nv_error *error)
{
    char doing[NV_ENDPOINT_BYTES + 64];
    snprintf(doing, sizeof doing, _("cannot dial %.255s"), endpoint);
    void *monitor = NULL;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    if (socket == NULL || !set_common(socket, message_bytes_max, endpoint) || !set_client(socket, own, server) ||
        (monitor = watch(context, socket)) == NULL || zmq_connect(socket, endpoint) != 0) {
        nv_socket_fail(doing, error);
        nv_socket_hang_up(socket, monitor, 0);
        return NULL;
    }
    *ret_monitor = monitor;
    return socket;
}

void nv_socket_hang_up(void *socket, void *monitor, int linger_ms)
{
    if (monitor != NULL) {
        zmq_socket_monitor(socket, NULL, 0);
        zmq_close(monitor);
    }
    if (socket != NULL) {
        set_integer(socket, ZMQ_LINGER, linger_ms);
        zmq_close(socket);
    }
}

/* An event is two frames: number and value; the endpoint, which we know. */
enum nv_line_event nv_socket_line_event(void *monitor)
{
    uint8_t frame[6], endpoint[8];
    int size = zmq_recv(monitor, frame, sizeof frame, ZMQ_DONTWAIT);
    if (size < 0)
        return NV_LINE_NOTHING;
    zmq_recv(monitor, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
    uint16_t number = 0;
    if (size >= 2)
        memcpy(&number, frame, sizeof number);
    switch (number) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return NV_LINE_UP;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return NV_LINE_DENIED;
    case ZMQ_EVENT_CONNECT_RETRIED:
    case ZMQ_EVENT_CLOSED:
    case ZMQ_EVENT_DISCONNECTED:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return NV_LINE_DOWN;
    default:
        return NV_LINE_OTHER;
    }
}
