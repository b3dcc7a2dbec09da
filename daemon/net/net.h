/* The lines to other sites: ZeroMQ and CURVE, turned into events.
 *
 * A session is one connection to one member, whoever dialled; its number is never 0 and not used again soon. A frame is
 * what one message of the protocol takes on the wire; what is in it is not looked at here. Nothing blocks but
 * nv_net_wait; no thread of ours. The right to speak is checked at each message, so a member that is taken off the list
 * is cut off at once, and so is whoever speaks with a key that a member had before.
 *
 * Who dials whom is the caller's to say (nv_net_member.endpoint). A line that fails is dialled again after a pause that
 * doubles from 0.2 to 15 seconds, jittered.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/time.h"
#include "wire/keys.h"

struct nv_net;

struct nv_net_settings {
    const struct nv_curve_key *own; /* kept by pointer */
    const char *listen;             /* for members; NULL or "": does not listen */
    const char *enrol;              /* for those who want to become one; NULL or "": not here */
};

/* Opens the sockets and binds them. Nobody is admitted before nv_net_set_members. */
enum nv_status nv_net_open(const struct nv_net_settings *settings, struct nv_net **ret_net, struct nv_error *error);
void nv_net_close(struct nv_net *net);

/* Where it really listens, "" where it does not. */
const char *nv_net_listens(const struct nv_net *net);
const char *nv_net_enrols(const struct nv_net *net);

/* Dials the listening socket with a key that nobody knows, for at most 3 seconds, and returns NV_OK if that was
 * refused. Any other end means that the transport would let anybody in: the daemon must not run. */
enum nv_status nv_net_self_test(struct nv_net *net, struct nv_error *error);

struct nv_net_member {
    struct nv_site_id site;
    struct nv_public_key curve_key;
    const char *endpoint; /* to dial; NULL or "": it dials us, if anybody */
};

/* Who is admitted, and who is dialled; all others are cut off. Copied. */
enum nv_status nv_net_set_members(struct nv_net *net, const struct nv_net_member *members, size_t count,
                                  struct nv_mono_us now, struct nv_error *error);

enum nv_net_event_kind {
    NV_NET_OPENED,   /* a session stands */
    NV_NET_CLOSED,   /* it is gone (not said after nv_net_hang_up) */
    NV_NET_FRAME,    /* a frame came */
    NV_NET_GARBAGE,  /* something came that is not one frame */
    NV_NET_STRANGER, /* somebody with an unknown key was refused */
    NV_NET_DENIED,   /* a member does not admit our key (site says which) */
    NV_NET_ENROL,    /* a frame came at the enrolment socket; nv_net_answer answers it */
};

struct nv_net_event {
    enum nv_net_event_kind kind;
    uint32_t session;
    struct nv_site_id site;
    bool dialled;
    struct nv_slice frame; /* valid until the next call */
};

/* The next event, if there is one; never waits. */
bool nv_net_next(struct nv_net *net, struct nv_mono_us now, struct nv_net_event *ret_event);

/* Sends one frame. False where the session is gone or does not take it: then it is closed here, and NV_NET_CLOSED
 * follows. */
bool nv_net_send(struct nv_net *net, uint32_t session, struct nv_slice frame);

/* Ends a session, after what was sent. `shun` : whatever still comes over that connection is dropped for a while. */
void nv_net_hang_up(struct nv_net *net, uint32_t session, bool shun, struct nv_mono_us now);

/* Answers the NV_NET_ENROL that came last. */
void nv_net_answer(struct nv_net *net, struct nv_slice frame);

/* When nv_net_next should be asked again although no socket says so. */
struct nv_mono_us nv_net_wake(const struct nv_net *net);

/* Waits until a socket or one of the file descriptors is readable. `timeout_ms` < 0: for ever. */
enum nv_status nv_net_wait(struct nv_net *net, const int *descriptors, size_t count, int timeout_ms,
                           struct nv_error *error);
