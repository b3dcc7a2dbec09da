/* The state behind net/net.h. Internal to net/. */
#pragma once

#include <stdatomic.h>
#include <zmq.h>

#include "base/limits.h"
#include "net/net.h"
#include "net/zap.h"

enum { NV_ROUTING_BYTES = 16, NV_SHUNNED_MOST = 256 };

/* libzmq's own name for a connection of a ROUTER: 5 bytes that it chose. */
struct nv_routing {
    uint8_t bytes[NV_ROUTING_BYTES];
    size_t size;
};

/* What was sent to one site and still lies with libzmq, which bounds the messages of a connection and not their bytes.
 * It outlives the site's sessions: libzmq keeps what it has for a connection that we gave up. */
struct nv_outbox {
    struct nv_outbox *next;
    struct nv_site_id site;
    atomic_size_t bytes; /* libzmq's own thread counts down */
};

struct nv_session {
    uint32_t number; /* 0: this place is free */
    struct nv_site_id site;
    struct nv_public_key curve_key; /* that the other side has proved to have */
    struct nv_line *line;           /* NULL: it was accepted */
    struct nv_routing routing;      /* where it was accepted */
    struct nv_outbox *outbox;
};

/* One member that we dial. */
struct nv_line {
    struct nv_site_id site;
    struct nv_public_key curve_key;
    char endpoint[NV_ENDPOINT_BYTES];
    void *socket, *monitor; /* NULL between two attempts */
    uint32_t session;       /* 0: not up */
    int64_t at;             /* the next attempt, or when this one is given up, or since when it is up */
    unsigned failures;
    bool wanted;
};

struct nv_net {
    void *context;
    const struct nv_curve_key *own;
    struct nv_zap zap;
    struct nv_zap_key *keys;
    void *listener, *desk; /* NULL: none */
    char listens[NV_ENDPOINT_BYTES], enrols[NV_ENDPOINT_BYTES];

    struct nv_line **lines;
    size_t line_count;
    size_t turn; /* the line that is looked at first next time */

    struct nv_session sessions[NV_LIMIT_SESSIONS];
    size_t session_count; /* places that were ever used */
    struct nv_outbox *outboxes;
    uint32_t last_number;

    struct { /* connections that we no longer listen to */
        struct nv_routing routing;
        int64_t until;
    } shunned[NV_SHUNNED_MOST];
    size_t shunned_next;

    zmq_msg_t frame; /* what the last event points to */
    bool has_frame;
    bool frame_held; /* its session was told; the frame itself is the next event */
    bool frame_garbage;
    uint32_t frame_session;

    struct { /* to be told */
        uint32_t number;
        struct nv_site_id site;
    } closed[NV_LIMIT_SESSIONS];
    size_t closed_count;

    uint64_t strangers_told;
    struct nv_routing candidate;
    int64_t desk_after; /* the next request is taken then */

    zmq_pollitem_t *items;
    size_t item_capacity;
    int64_t now;
};

/* ---- sessions.c ---- */
struct nv_session *nv_session_of(struct nv_net *net, uint32_t number);
/* A new session with who has that key; NULL where there are too many, or memory ran out. */
struct nv_session *nv_session_open(struct nv_net *net, const struct nv_zap_key *key, struct nv_line *line,
                                   const struct nv_routing *routing);
/* Forgets the session and, where it was dialled, plans the next attempt. `tell`: NV_NET_CLOSED follows. */
void nv_session_end(struct nv_net *net, struct nv_session *session, bool tell, int linger_ms);
void nv_outboxes_done(struct nv_net *net);
/* The member with that key; NULL where there is none. */
const struct nv_zap_key *nv_member_with(const struct nv_net *net, const struct nv_public_key *curve_key);
/* Whether an accepted session with that site stands. */
bool nv_has_accepted(const struct nv_net *net, struct nv_site_id site);

/* ---- frames.c: one frame of ours out of whatever came ---- */
/* Receives a message into net->frame. False where none waits. `ret_routing` not NULL: the socket is a ROUTER. More
 * frames than one, or none, set net->frame_garbage. */
bool nv_frame_receive(struct nv_net *net, void *socket, struct nv_routing *ret_routing);
/* False where the socket or the outbox does not take it. `outbox` NULL: nobody counts. */
bool nv_frame_send(void *socket, const struct nv_routing *routing, struct nv_slice frame, struct nv_outbox *outbox);

/* ---- dial.c ---- */
enum nv_status nv_lines_set(struct nv_net *net, const struct nv_net_member *members, size_t count,
                            struct nv_error *error);
void nv_lines_done(struct nv_net *net);
/* Dials what is due; hangs up what is not wanted. */
void nv_lines_tend(struct nv_net *net);
bool nv_lines_next(struct nv_net *net, struct nv_net_event *ret_event);
void nv_line_failed(struct nv_net *net, struct nv_line *line, int linger_ms);
int64_t nv_lines_wake(const struct nv_net *net);

/* ---- listen.c ---- */
bool nv_listener_next(struct nv_net *net, struct nv_net_event *ret_event);
bool nv_desk_next(struct nv_net *net, struct nv_net_event *ret_event);
void nv_shun(struct nv_net *net, const struct nv_routing *routing);
