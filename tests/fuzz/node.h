/* One node: a sync machine and its waiting room, with a caller that carries the actions out as the daemon does, and
 * holds them to the promises of core/sync.h. What the peers say is the fuzz target's business.
 *
 * A changeset here is a leaf: who wrote it, and how much of each log its writer had.
 */
#pragma once

#include "core/intake.h"
#include "core/sync.h"
#include "messages.h"

enum { NODE_WRITERS = 6, NODE_SELF = 2 /* the node's own place among them */, NODE_SESSIONS = 64 };

struct leaf {
    uint32_t writer;
    bool is_bad; /* to be refused */
    uint64_t seq;
    uint64_t context[NODE_WRITERS];
};

/* What the node's machine and a peer have said in one session. */
struct session {
    uint32_t number; /* from 1 */
    struct nv_site_id site;
    bool open, greeted; /* greeted: the peer said a good Hello */
    bool was_helloed;   /* by the node */
    uint64_t pull;      /* the node's last pull of the peer */
    uint64_t served;    /* the peer's last pull */
    uint64_t credit;    /* what the peer gave for it and the node has not used */
    bool has_news;      /* the node said a Has with heads in it */
    uint64_t told[NODE_WRITERS];
};

struct node {
    struct nv_sync *sync;
    struct nv_intake *intake;
    struct nv_actions actions;
    bool executing;
    int64_t now;
    struct leaf *arrivals;
    size_t arrival_count, arrival_capacity;
    uint64_t durable[NODE_WRITERS];
    size_t queued; /* bytes handed to the waiting room, and not told as ingested */
    struct session sessions[NODE_SESSIONS];
    size_t session_count;
    const struct nv_message *current; /* the message that is being stepped */
    const struct nv_far_head *current_heads;
    struct session *current_session;
    size_t largest_batch;
};

void node_start(struct node *node);
void node_done(struct node *node);

extern const uint8_t node_network[32];
struct nv_site_id node_site(size_t writer);
struct nv_far_head node_head(size_t writer, uint64_t seq);
size_t node_heads(const uint64_t seqs[NODE_WRITERS], struct nv_far_head heads[NODE_WRITERS]);
struct nv_digest node_digest(const struct nv_far_head *heads, size_t count);

/* NULL where there are too many already. */
struct session *node_open(struct node *node, struct nv_site_id site, bool dialled, uint32_t seed);
void node_close(struct node *node, struct session *session);
void node_garbage(struct node *node, struct session *session);

/* `heads`: of a batch, the head that each changeset names. */
void node_hear(struct node *node, struct session *session, const struct nv_message *message,
               const struct nv_far_head *heads);

void node_write(struct node *node);  /* a changeset of its own */
void node_ingest(struct node *node); /* judges a few of what was received */

/* Lets time pass, and ticks until the machine wants no more of it at that time. */
void node_wait(struct node *node, int64_t microseconds);
