/* One node: a sync machine and its waiting room, with a caller that carries the actions out as the daemon does, and
 * holds them to the promises of core/sync.h. What the peers say is the fuzz target's business.
 *
 * A changeset here is a leaf: who wrote it, and how much of each log its writer had.
 */
#pragma once

#include "core/intake.h"
#include "core/sync.h"
#include "messages.h"

enum { NODE_WRITERS = 6, NODE_SELF = 2 /* the node's own place among them */, NODE_SESSIONS = 64, NODE_SITES = 16 };

/* Scopes by number, and sets of them as bits: a site carries either all of them or these two and some of the others. */
enum { NODE_AUTHORITY, NODE_NETWORK, NODE_GROUP, NODE_SCOPES = 5 };
enum { NODE_EVERY_SCOPE = (1 << NODE_SCOPES) - 1, NODE_LEAST_SCOPES = 1 << NODE_AUTHORITY | 1 << NODE_NETWORK };

struct leaf {
    uint32_t writer, scope;
    bool is_bad;  /* to be refused */
    bool is_gone; /* it was here, and its scope is no longer read */
    uint64_t seq;
    uint64_t context[NODE_WRITERS];
};

/* What the node's machine and a peer have said in one session. */
struct session {
    uint32_t number; /* from 1 */
    struct nv_site_id site;
    bool open, greeted;          /* greeted: the peer said a good Hello */
    bool was_helloed;            /* by the node */
    uint64_t pull;               /* the node's last pull of the peer */
    uint64_t served;             /* the peer's last pull */
    uint64_t credit;             /* what the peer gave for it and the node has not used */
    bool has_news;               /* the node said a Has with heads in it */
    uint64_t told[NODE_WRITERS]; /* in `network` */
    unsigned heard;              /* the scopes that the peer says both carry */
};

struct node {
    struct nv_sync *sync;
    struct nv_intake *intake;
    struct nv_actions actions;
    bool executing;
    int64_t now;
    struct leaf *arrivals;
    size_t arrival_count, arrival_capacity;
    uint64_t durable[NODE_SCOPES][NODE_WRITERS]; /* of the authority log: by the writer 0 */
    unsigned carries[NODE_SITES];                /* what each site carries; 0: it is no member */
    size_t queued;                               /* bytes handed to the waiting room, and not told as ingested */
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
size_t node_place(struct nv_site_id site); /* its place among the sites, NODE_SITES where it has none */
struct nv_scope_id node_scope(size_t scope);
struct nv_far_head node_head(size_t scope, size_t writer, uint64_t seq);
/* Those of one scope, and all that the node holds of some scopes. */
size_t node_heads(size_t scope, const uint64_t seqs[NODE_WRITERS], struct nv_far_head *heads);
size_t node_own(const struct node *node, unsigned scopes, struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS]);
struct nv_digest node_digest(const struct nv_far_head *heads, size_t count);
struct nv_scope_set node_scopes(unsigned scopes, struct nv_scope_id room[NODE_SCOPES]);
unsigned node_bits(const struct nv_scope_set *scopes);

/* NULL where there are too many already. */
struct session *node_open(struct node *node, struct nv_site_id site, bool dialled, uint32_t seed);
void node_close(struct node *node, struct session *session);
void node_garbage(struct node *node, struct session *session);

/* `heads`: of a batch, the head that each changeset names. */
void node_hear(struct node *node, struct session *session, const struct nv_message *message,
               const struct nv_far_head *heads);

void node_write(struct node *node, size_t scope); /* a changeset of its own, in what it carries */
void node_ingest(struct node *node);              /* judges a few of what was received */

/* The authority log grows, and from now on that site carries these. What the node itself carries no more is gone. */
void node_set_carried(struct node *node, size_t site, unsigned scopes);

/* What both carry, by the node's authority log and by what the peer said. */
unsigned node_shared(const struct node *node, const struct session *session);

/* node_said.c: that what the node says holds. Notes what the books need. */
void node_check_said(struct node *node, struct session *session, const struct nv_message *message);

/* Lets time pass, and ticks until the machine wants no more of it at that time. */
void node_wait(struct node *node, int64_t microseconds);
