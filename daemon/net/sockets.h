/* Every libzmq socket that we make, and every setting of it. Internal to net/.
 *
 * The settings, and why (each was seen to matter with libzmq 4.3.4):
 * - CURVE_SERVER with ZAP_DOMAIN and ZAP_ENFORCE_DOMAIN: without a domain or the enforcement, a missing ZAP handler
 * means that any key is let in. The handler (net/zap.h) is bound before anything listens, and net/selftest.c proves at
 * each start that an unknown key is refused.
 * - RECONNECT_IVL -1: after a ZAP refusal a socket gives up for good, and otherwise it dials ten times a second. We
 * watch its monitor, close it at the first failure, and make a new one after a pause of our own (net/dial.c).
 * - IMMEDIATE 1: a socket without a peer does not swallow messages.
 * - ROUTER_MANDATORY 1, and DONTWAIT at every send: a message to a peer that is gone or full is an error, not a silent
 * loss. No routing id is ever set or trusted: a session belongs to the User-Id that our ZAP handler gave to the
 * connection.
 * - MAXMSGSIZE: of one frame, CURVE's own bytes included. A message of ours is one frame; further ones are dropped.
 * - HANDSHAKE_IVL 3 s: connections that never speak do not crowd out the others.
 * - TCP_KEEPALIVE, TCP_MAXRT: the backstop that frees a dead TCP connection; the sessions' own pings notice it sooner.
 * ZeroMQ's heartbeats stay off (see sockets.c): with them, who floods a busy daemon and breaks off ends it.
 * - LINGER 0: nothing is worth waiting for at the end; what was not acknowledged is sent again.
 * - RCVHWM: messages of one connection that wait for us; beyond it TCP holds the sender up.
 */
#pragma once

#include "base/error.h"
#include "wire/keys.h"

enum { NV_ENDPOINT_BYTES = 256 };

#define NV_DOMAIN_MEMBERS "navette"
#define NV_DOMAIN_ENROLMENT "navette-enrol"

/* A ROUTER that listens. `ret_endpoint` is where it really does (a port "*" is chosen by the kernel). NULL and the
 * error set where that is not possible. */
void *nv_socket_listen(void *context, const struct nv_curve_key *own, const char *domain, size_t message_bytes_max,
                       const char *endpoint, char ret_endpoint[NV_ENDPOINT_BYTES], struct nv_error *error);

/* A DEALER that dials once, and a PAIR that tells what becomes of it. NULL and the error set where the endpoint is
 * none. */
void *nv_socket_dial(void *context, const struct nv_curve_key *own, const struct nv_public_key *server,
                     size_t message_bytes_max, const char *endpoint, void **ret_monitor, struct nv_error *error);

/* Closes what nv_socket_dial made; either may be NULL. What was sent gets `linger_ms` to leave. */
void nv_socket_hang_up(void *socket, void *monitor, int linger_ms);

/* What a monitor says. */
enum nv_line_event {
    NV_LINE_NOTHING, /* no event is there */
    NV_LINE_OTHER,   /* one that changes nothing */
    NV_LINE_UP,      /* the handshake succeeded */
    NV_LINE_DENIED,  /* the other side does not admit our key */
    NV_LINE_DOWN,    /* not reached, or lost */
};
enum nv_line_event nv_socket_line_event(void *monitor);

/* "doing: what libzmq says"; returns NV_IO, or NV_REFUSED where the endpoint is not one. */
enum nv_status nv_socket_fail(const char *doing, struct nv_error *error);
