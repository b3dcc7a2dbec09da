/* What a node says to its peers, and when: one pure machine a node. Events go in (they carry the time), actions come
 * out; the caller executes them in order. No clock, no I/O, no randomness in here.
 *
 * The protocol between two nodes (PROTOCOL.md, "Between two nodes")
 *
 * Opening. Both sides say Hello{protocol, network, site, scopes}. Nothing else is taken before a good Hello; a wrong
 * one is answered with a Refusal and the end of the session. The site must be the one that the transport authenticated.
 * One session a peer: where two sites dialled each other at once, the one dialled by the lesser site id stays; where a
 * site comes again, the newer one stays.
 *
 * Scopes. Two nodes speak of what both carry, and of nothing else. Each says what that is by its own authority log: in
 * Hello, in each Has that is whole, and in each that has no heads. What both said is shared. Where that changes, a Has
 * without heads is said at once, before anything else; what is no longer shared is forgotten at once, and of what newly
 * is, nothing is known until the vectors were said. What a peer names or sends beside that is not taken: it is refused
 * where the peer should know better, and else passed over, because one of the two has read less of the authority log.
 *
 * Has. What a node holds durably of what is shared: a vector over its logs, the authority log included. Its digest is
 * made of the digests of the scopes, which are kept. After Hello each side sends its digest alone. A node whose own
 * digest differs sends its whole vector and asks for the other's (please). Later a node says the heads that grew, after
 * they are durable, and never before. Every 15 seconds or so, and one second after the last changeset moved, a digest
 * is said again, so that whatever went wrong is noticed; so it is where heads went back, because what they named counts
 * no more.
 *
 * Pull. A node that lacks something which a peer has sends Pull{its own vector, credit}. It pulls from one peer at a
 * time, in turn. The other sends Batches of about 256 KiB while there is credit; the receiver gives the bytes back as
 * Credit once they are durable; the Batch marked `last` ends the pull. 10 seconds without a batch, and the receiver
 * leaves it, tries another peer, and lets that one rest. 30 seconds, or 16 MiB, and it is another peer's turn if one
 * waits. A node serves 8 pulls at once, one batch of each in turn; those that wait get an empty batch now and then, so
 * that they know.
 *
 * Bodies that are owed. Of a changeset that a node holds with bodies missing it asks the peers that have it, one at a
 * time and one after the other: the Pull names its log as if it ended before that changeset, and has the credit of one
 * batch. A peer that gives nothing of use rests for a while that doubles each time, up to ten minutes. A Pull of that
 * kind that did not come to its end is followed by a usual one, so that the peer knows where we are.
 *
 * Push. A peer that has all that we have is in step. When our log grows, a peer in step gets the new changesets at once
 * in a Batch that belongs to no pull (pull = 0), as long as less than 1 MiB of them is unacknowledged; a Has of theirs
 * acknowledges. A peer that does not acknowledge for 10 seconds is out of step. A peer that is out of step gets a Has
 * of the heads that grew (at most one in 10 ms), and pulls. A push that a receiver has no room for is dropped: it is
 * not in its Has, so it comes again by pull.
 *
 * Alive. Who heard nothing for 5 seconds sends a Ping; after 20 (60 while a large changeset may be on its way) the
 * session is closed.
 *
 * Refusals. A changeset that does not verify is answered with a Refusal; nothing is pulled from that peer for a while
 * that doubles each time, and is short again once it has news; the other peers go on. Who brings more of them than an
 * honest site ever would is treated like one whose messages cannot be read. A message that cannot be read ends the
 * session, and the peer is not welcome for a while that doubles each time.
 */
#pragma once

#include "base/arena.h"
#include "base/time.h"
#include "core/heads.h"
#include "core/message.h"
#include "core/scopes.h"

enum {
    NV_SYNC_CREDIT_BYTES = 2 << 20,    /* of one pull, on its way or not yet durable */
    NV_SYNC_BATCH_BYTES = 256 << 10,   /* a batch ends with the changeset that goes beyond */
    NV_SYNC_PUSH_BYTES = 1 << 20,      /* pushed to one peer and unacknowledged */
    NV_SYNC_PUSH_BYTES_ALL = 32 << 20, /* pushed to all peers and unacknowledged */
    NV_SYNC_PUSH_BATCHES = 128,        /* pushed to one peer and unacknowledged */
    NV_SYNC_QUEUE_BYTES = 8 << 20,     /* received and not yet durable; beyond, pushes are dropped and no pull begins */
    NV_SYNC_PEER_BYTES = 2 << 20,      /* of those, of one peer: its further pushes are dropped */
    NV_SYNC_LEAST_BYTES = 64,          /* a signature alone is so long: a shorter changeset is none */
    NV_SYNC_REFUSED_MOST = 1000,       /* changesets that are refused, of one peer within a minute */
    NV_SYNC_TURN_BYTES = 16 << 20,     /* pulled from one peer while another waits for its turn */
    NV_SYNC_SERVED_AT_ONCE = 8,
};

enum nv_event_kind {
    NV_EVENT_OPENED,  /* a connection to an authenticated site stands */
    NV_EVENT_CLOSED,  /* it is gone (not said for sessions that an action closed) */
    NV_EVENT_MESSAGE, /* a message came */
    NV_EVENT_GARBAGE, /* bytes came that are no message */
    NV_EVENT_GREW, /* our log grew and is durable: by sealing, by ingesting, by another process. Also once at the start,
                      and where it shrank, because this site no longer reads a scope, or some of it counts no more */
    NV_EVENT_OWES, /* a changeset with bodies that we owe, or that there is none any more. Said again and again, each
                      time of the next one */
    NV_EVENT_INGESTED, /* what one NV_ACTION_INGEST handed over is durable or judged; after the NV_EVENT_GREW it caused
                        */
    NV_EVENT_SERVED,   /* what one NV_ACTION_SERVE asked for was sent */
    NV_EVENT_TICK,     /* at nv_sync_wake(), and whenever the caller comes round */
};

struct nv_carrier {
    struct nv_site_id site;
    struct nv_scope_set scopes;
};

/* Everything that an event points to is the caller's, and is only looked at during the step. */
struct nv_event {
    enum nv_event_kind kind;
    struct nv_mono_us now;
    uint32_t session; /* the caller's number for it, never 0, not used twice within a day; 0 for GREW and TICK */
    union {
        struct {
            struct nv_site_id site;
            bool dialled;  /* by us */
            uint32_t seed; /* random: sets this session's jitter */
        } opened;
        struct {
            const struct nv_message *message;
            const struct nv_far_head *heads; /* a batch's: the head that each changeset's header names
                                                                    (pin: its hash); seq 0 where it cannot be read */
        } message;
        struct {
            const char *text; /* what is wrong, for a person */
        } garbage;
        struct {
            const struct nv_far_head *heads; /* all that we hold, ascending */
            size_t count;
            int64_t newest; /* arrival number of our newest changeset */
            /* Who carries what by the authority log that is among the heads; NULL: as before. Ascending by site, all
             * members, ourselves too; who is not listed carries nothing at all. */
            const struct nv_carrier *carriers;
            size_t carrier_count;
        } grew;
        struct {
            bool any;
            struct nv_far_head before; /* the place before it in its log; seq 0: it is the first */
        } owes;
        struct {
            uint64_t pull;
            size_t bytes; /* as in the action */
            size_t taken; /* changesets that were new, or had bodies that we owed */
            size_t refused;
            const char *text; /* why one was refused */
        } ingested;
        struct {
            uint64_t pull;
            const struct nv_far_head *heads; /* of the changesets that were sent, in order */
            size_t count;
            size_t bytes;
            int64_t cursor; /* where reading goes on */
            bool done;      /* nothing is left after the cursor */
        } served;
    };
};

/* How vectors become digests (PROTOCOL.md, "Has"): there is no hash function in here. */
struct nv_digests {
    struct nv_digest (*part)(const struct nv_far_head *heads, size_t count); /* of one scope */
    struct nv_digest (*whole)(const struct nv_part_digest *parts, size_t count);
};

enum nv_action_kind {
    NV_ACTION_SEND,
    NV_ACTION_CLOSE,  /* after what was sent to it; no NV_EVENT_CLOSED is expected */
    NV_ACTION_SERVE,  /* read what the peer lacks, send it as a Batch, then step NV_EVENT_SERVED before anything else */
    NV_ACTION_INGEST, /* take changesets of the batch that was just stepped; NV_EVENT_INGESTED once all are judged */
    NV_ACTION_REFUSED, /* a peer named or sent what it does not carry: to be counted */
};

enum nv_close {
    NV_CLOSE_GARBAGE,  /* it sent what cannot be read */
    NV_CLOSE_HELLO,    /* another protocol, network or site than it should be */
    NV_CLOSE_STALE,    /* it goes on with a session that has ended here, as after a line was cut */
    NV_CLOSE_REFUSED,  /* it refused us */
    NV_CLOSE_SILENT,   /* nothing was heard of it for too long */
    NV_CLOSE_REPLACED, /* another session with the same site stays */
    NV_CLOSE_UNWELCOME /* it sent garbage a moment ago, or there are too many sessions */
};
const char *nv_close_text(enum nv_close why);

struct nv_action {
    enum nv_action_kind kind;
    uint32_t session;
    union {
        struct nv_message send;
        struct {
            enum nv_close why;
            struct nv_site_id site;
        } close;
        struct {
            uint64_t pull;                  /* 0: a push */
            const struct nv_far_head *peer; /* what the peer has or was sent, ascending */
            size_t peer_count;
            struct nv_scope_set scopes; /* nothing of others goes to it */
            int64_t cursor;
            size_t budget;
        } serve;
        struct {
            uint64_t pull;
            const size_t *places; /* which of them, ascending */
            size_t count;
            size_t bytes; /* of these */
        } ingest;
        struct {
            struct nv_site_id site;
            const char *text;
        } refused;
    };
};

/* Actions and what they point to, until the caller has executed them all and clears the list. Stepping while the list
 * is executed appends to it; copy an action before you execute it. A zeroed struct is an empty list. */
struct nv_actions {
    struct nv_action *items;
    size_t count, capacity;
    struct nv_arena arena;
};

void nv_actions_clear(struct nv_actions *actions);
void nv_actions_done(struct nv_actions *actions);

struct nv_sync;

/* NULL where memory ran out. `digests` is kept by pointer. */
struct nv_sync *nv_sync_new(struct nv_site_id self, const uint8_t network[32], const struct nv_digests *digests);
void nv_sync_free(struct nv_sync *sync);

/* One step. Returns NV_OK, or NV_NO_MEMORY, after which the machine is of no use. */
enum nv_status nv_sync_step(struct nv_sync *sync, const struct nv_event *event, struct nv_actions *actions);

/* When NV_EVENT_TICK is due at the latest. */
struct nv_mono_us nv_sync_wake(const struct nv_sync *sync);

/* A peer as `status` shows it. */
struct nv_sync_view {
    struct nv_site_id site;
    uint32_t session; /* 0: not connected */
    bool in_step;
    struct nv_mono_us since; /* connected or not: since when */
    struct nv_mono_us heard; /* its last word */
    bool known;              /* it ever said what it has; else the following are 0 */
    uint64_t behind;         /* changesets of ours that it lacks, by its last word; of what both carry */
    uint64_t ahead;          /* changesets of its that we lack */
    struct nv_mono_us behind_since;
    const char *note; /* what went wrong last, "" where nothing did */
};

/* The `place`-th peer, from 0; false where there are not so many. Keeps in mind when it was first seen to be behind. */
bool nv_sync_look(struct nv_sync *sync, size_t place, struct nv_mono_us now, struct nv_sync_view *ret_view);

/* Whether some peer is known to hold that changeset of ours (its pin is not looked at): by its own word, which it says
 * once it is durable there. */
bool nv_sync_is_held(const struct nv_sync *sync, const struct nv_far_head *head);

/* Bytes that were received and are not yet durable. */
size_t nv_sync_queued(const struct nv_sync *sync);
