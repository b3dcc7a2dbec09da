/* The sync machine's own state. Only core/sync*.c include this. */
#pragma once

#include "core/sync.h"

enum {
    NV_MILLISECOND = 1000,
    NV_SECOND = 1000 * NV_MILLISECOND,
    NV_GREETING_US = 10 * NV_SECOND, /* from the connection to the Hello */
    NV_PING_US = 5 * NV_SECOND,
    NV_SILENCE_US = 20 * NV_SECOND,
    NV_SILENCE_PULLING_US = 60 * NV_SECOND, /* one changeset of 20 MiB may be on its way over a slow line */
    NV_COMPARE_US = 15 * NV_SECOND,
    NV_SETTLED_US = 1 * NV_SECOND,        /* after the last changeset moved: compare digests */
    NV_HAS_US = 10 * NV_MILLISECOND,      /* between two Has of heads that grew */
    NV_WHOLE_US = 1 * NV_SECOND,          /* a vector that was said so lately is not said again */
    NV_PUSH_PATIENCE_US = 10 * NV_SECOND, /* without an acknowledgement */
    NV_PULL_PATIENCE_US = 10 * NV_SECOND, /* without a batch, of who talks or while another has it too */
    NV_CROSSING_US = 3 * NV_SECOND,       /* words that come so soon were sent before the pull was read */
    NV_SERVE_IDLE_US = 2 * NV_SECOND,     /* without credit: another pull may have the place */
    NV_SERVE_WORD_US = 3 * NV_SECOND,     /* to those that wait for a place */
    NV_REST_US = 1 * NV_SECOND,           /* a pull that brought nothing; doubles */
    NV_OWED_US = 1 * NV_SECOND,           /* before it is asked for bodies, and after it gave none; doubles */
    NV_OWED_MOST_US = 600 * NV_SECOND,
    NV_REFUSED_US = 5 * NV_SECOND,   /* a pull that brought a changeset to refuse; doubles */
    NV_UNWELCOME_US = 1 * NV_SECOND, /* after garbage; doubles */
    NV_FORGIVEN_US = 60 * NV_SECOND, /* a session that lasts so long wipes the slate */
    NV_COMING_US = 2 * NV_SECOND,    /* what is said to be coming is waited for */
    NV_TURN_US = 30 * NV_SECOND,     /* of one pull while another peer waits */
};

static const int64_t NV_NEVER_US = INT64_MAX;

/* Why we pull. */
enum nv_purpose {
    NV_PURPOSE_AHEAD,   /* the peer has what we do not hold */
    NV_PURPOSE_OWED,    /* it may have bodies that we owe */
    NV_PURPOSE_CLOSING, /* it still serves a pull for bodies that we left: it shall know where we are */
};

/* A batch that was pushed and is not acknowledged. */
struct nv_pushed {
    struct nv_far_head last;
    size_t bytes;
};

struct nv_peer {
    struct nv_site_id site;
    char note[200];

    /* The session. */
    uint32_t session; /* 0: none */
    bool dialled;
    bool greeted; /* it said a good Hello */
    uint32_t seed;
    int64_t since, heard, pinged;
    int64_t compare_at;
    int64_t moved; /* when a changeset last went either way; 0 once the digests were compared since */
    unsigned offences;
    int64_t welcome_after;

    /* What both carry: of anything else nothing is said, sent, asked for or kept. */
    struct nv_scope_set by_us;  /* by our authority log */
    struct nv_scope_set by_it;  /* by its word in this session; of one that is over: by its last */
    struct nv_scope_set shared; /* what is in both */
    uint64_t by_it_at;          /* its authority position when it said so */
    uint64_t position;          /* and as it told it last */

    /* What it has. */
    struct nv_heads has; /* by its own word, and what it sent us; kept while it is away */
    bool has_known;      /* it said so in this session */
    bool ever_known;
    bool maybe_ahead; /* its Has grew since we last saw that we lack nothing of it */
    bool was_behind;
    int64_t behind_since;

    /* What we told it. */
    uint64_t told;    /* it knows of our heads that grew up to this generation */
    bool has_due;     /* heads beyond that are to be said */
    int64_t said;     /* when a Has was last said */
    int64_t whole_at; /* when the whole vector was, at generation whole_told; 0: never in this session */
    uint64_t whole_told;

    /* What we send it: `believed` is its Has and what was sent in this session, which reaches it in order. */
    struct nv_heads believed;
    bool in_step; /* everything up to `cursor` is in `believed` */
    bool owing;   /* in step, and something after the cursor is to be pushed */
    bool serving; /* an NV_ACTION_SERVE is not answered yet */
    int64_t cursor;
    struct nv_pushed pushed[NV_SYNC_PUSH_BATCHES]; /* a ring, oldest at pushed_first */
    size_t pushed_first, pushed_count, pushed_bytes;
    int64_t pushed_moved; /* when the ring last got shorter, or began */

    /* Its pull of ours. */
    uint64_t served_pull; /* 0: none */
    int64_t served_credit;
    bool served_running;    /* has one of the places */
    uint64_t served_ticket; /* those without a place wait in this order */
    int64_t served_moved;   /* a batch, a credit, or the last word to one that waits */

    /* Our pulls of its. */
    size_t queued; /* received from it in this session and not yet durable */
    unsigned pull_failures;
    int64_t pull_after;
    int64_t ahead_since; /* since when it has what we do not hold; 0: it does not */
    unsigned owed_failures;
    int64_t owed_after; /* it is asked for bodies again */
    bool is_unfinished; /* it still serves a pull that we left */
    size_t refused;     /* changesets of its that were refused since `refused_since` */
    int64_t refused_since;
};

/* What we hold; of a scope that this site no longer reads, something for a while, of which nothing is said. */
struct nv_own {
    struct nv_heads heads;
    uint64_t *grown; /* heads.heads[i] grew last at this generation */
    size_t *fresh;   /* the places of those that grew in the last one */
    size_t fresh_count;
    struct nv_part_digest *parts; /* one a scope */
    size_t *firsts;               /* the heads of parts[i] are those from firsts[i] up to firsts[i + 1] */
    size_t part_count;
    uint64_t authority; /* our authority position */
};

struct nv_sync {
    struct nv_site_id self;
    uint8_t network[32];
    const struct nv_digests *digests;

    struct nv_own own;
    struct nv_part_digest *said; /* scratch, as long as own.parts */
    uint64_t generation;
    int64_t newest;
    struct nv_carrier *carriers; /* ascending by site */
    size_t carrier_count;

    struct nv_peer **peers; /* ascending by site id, so that a run does not depend on memory */
    size_t peer_count, peer_capacity;

    struct {                  /* the one pull that we run */
        struct nv_peer *peer; /* NULL: none */
        uint64_t number;
        int64_t credit;
        bool last;      /* the last batch came */
        bool turn_over; /* no more credit is given */
        enum nv_purpose purpose;
        size_t queued; /* of it, not yet durable */
        size_t consumed;
        size_t taken;
        int64_t begun, moved;
    } pull;
    uint64_t pull_number;     /* the last one given */
    struct nv_site_id pulled; /* whom we pulled from last: the next one is after it */

    bool owes;
    struct nv_far_head owed; /* the place before a changeset with bodies that we owe */

    size_t queued;          /* received and not yet durable */
    struct nv_heads coming; /* the heads of those, of at most NV_LIMIT_LOGS logs */
    size_t pushed_bytes;
    uint64_t tickets;
    struct nv_site_id served; /* who got a batch last */
    int64_t wake;
};

/* ---- sync.c: shared helpers ---- */
void nv_sync_wake_by(struct nv_sync *sync, int64_t when);
struct nv_action *nv_actions_add(struct nv_actions *actions, enum nv_action_kind kind, uint32_t session);
enum nv_status nv_sync_close(struct nv_sync *sync, struct nv_peer *peer, enum nv_close why, int64_t now,
                             struct nv_actions *actions);
void nv_sync_note(struct nv_peer *peer, const char *text);
/* Ends the session for what a peer sent, with a Refusal. */
enum nv_status nv_sync_garbage(struct nv_sync *sync, struct nv_peer *peer, const char *text, int64_t now,
                               struct nv_actions *actions);
/* Answers changesets, or heads, that are to be refused: with a Refusal, and with a rest; with the end of the session
 * where they are more than an honest site ever has. */
enum nv_status nv_sync_refuse(struct nv_sync *sync, struct nv_peer *peer, size_t count, const char *text, int64_t now,
                              struct nv_actions *actions);
/* Whether a peer has named more logs than an honest one can: also those that it took back count, as long as they stand
 * in `believed` beside ours. */
bool nv_sync_names_too_many(const struct nv_peer *peer);
/* Between three and five quarters of the time, so that peers that came back together do not speak together for ever. */
int64_t nv_sync_jittered(struct nv_peer *peer, int64_t time);
/* `base` doubled `times` times, at most `most`. */
int64_t nv_sync_backoff(int64_t base, unsigned times, int64_t most);

/* ---- sync_own.c: what we hold ---- */
void nv_sync_own_done(struct nv_own *own);
/* Takes up the new vector; *ret_shrank: something that was held is not any more. */
enum nv_status nv_sync_take_own(struct nv_sync *sync, const struct nv_event *event, bool *ret_shrank);
/* Our heads of some scopes, run by run, ascending. */
struct nv_runs {
    const struct nv_own *own;
    const struct nv_scope_set *scopes;
    size_t next; /* 0 at the beginning */
};
bool nv_sync_next_run(struct nv_runs *runs, const struct nv_far_head **ret_heads, size_t *ret_count);
/* Of what both carry: whether the peer has all that we hold; the digest of that; a copy in the arena of those heads
 * that grew after a generation. */
bool nv_sync_has_ours(const struct nv_sync *sync, const struct nv_peer *peer);
struct nv_digest nv_sync_digest(struct nv_sync *sync, const struct nv_peer *peer);
enum nv_status nv_sync_copy_own(const struct nv_sync *sync, const struct nv_peer *peer, uint64_t after,
                                struct nv_actions *actions, struct nv_far_head **ret_heads, size_t *ret_count);
/* Makes `has` what we hold of what both carry. */
enum nv_status nv_sync_assign_own(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_heads *has);

/* ---- sync_scopes.c: what both carry ---- */
enum nv_status nv_sync_take_carriers(struct nv_sync *sync, const struct nv_event *event);
void nv_sync_carriers_done(struct nv_sync *sync);
/* By our authority log; *ret_changed: it is another set than before. */
enum nv_status nv_sync_look_up_scopes(struct nv_sync *sync, struct nv_peer *peer, bool *ret_changed);
/* Takes up what both carry, by either side, as it stands now. Where *ret_changed is true, a digest is to be said. */
enum nv_status nv_sync_share(struct nv_sync *sync, struct nv_peer *peer, bool *ret_changed);
/* What a node says of that, in the arena. */
enum nv_status nv_sync_say_scopes(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_actions *actions,
                                  struct nv_scopes_said *ret_said);
enum nv_status nv_sync_hear_scopes(struct nv_peer *peer, const struct nv_scopes_said *said);
/* Whether a peer that names or sends something of that scope does wrong; false also where both carry it, or where it
 * cannot know better. */
bool nv_sync_is_foreign(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_scope_id scope);
/* Of a vector that a peer named what both carry; in the arena, where it is not all. *ret_foreign counts those that it
 * should not have named. Notes its authority position. */
enum nv_status nv_sync_keep_shared(const struct nv_sync *sync, struct nv_peer *peer, const struct nv_far_head *heads,
                                   size_t count, struct nv_actions *actions, const struct nv_far_head **ret_heads,
                                   size_t *ret_count, size_t *ret_foreign);
/* Answers what should not have been said, and has it counted; the session may be over then. */
enum nv_status nv_sync_refuse_foreign(struct nv_sync *sync, struct nv_peer *peer, size_t count, int64_t now,
                                      struct nv_actions *actions);

/* ---- sync_has.c: what is said of ours, and what is learnt of theirs ---- */
enum nv_status nv_sync_say_digest(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions);
enum nv_status nv_sync_say_grown(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions);
enum nv_status nv_sync_on_has(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message, int64_t now,
                              struct nv_actions *actions);
enum nv_status nv_sync_on_grew(struct nv_sync *sync, const struct nv_event *event, struct nv_actions *actions);
/* Draws the conclusions after peer->has grew: acknowledgements, being in step. */
enum nv_status nv_sync_settle(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions);

/* ---- sync_serve.c: pushes, and pulls of others ---- */
enum nv_status nv_sync_push(struct nv_sync *sync, struct nv_peer *peer, struct nv_actions *actions);
void nv_sync_forget_pushed(struct nv_sync *sync, struct nv_peer *peer);
void nv_sync_acknowledge(struct nv_sync *sync, struct nv_peer *peer, int64_t now);
/* The peer gets no pushes until it is known to have all again. */
void nv_sync_out_of_step(struct nv_sync *sync, struct nv_peer *peer);
enum nv_status nv_sync_on_pull(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                               int64_t now, struct nv_actions *actions);
void nv_sync_on_credit(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message, int64_t now);
enum nv_status nv_sync_on_served(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                 struct nv_actions *actions);
/* Gives free places to those that wait, and one batch to the next in turn. */
enum nv_status nv_sync_serve_next(struct nv_sync *sync, int64_t now, struct nv_actions *actions);

/* ---- sync_pull.c: our pulls, and what arrives ---- */
enum nv_status nv_sync_consider_pull(struct nv_sync *sync, int64_t now, struct nv_actions *actions);
void nv_sync_leave_pull(struct nv_sync *sync);
void nv_sync_ask_later(struct nv_peer *peer, int64_t now); /* for bodies that we owe: not all at once */
void nv_sync_on_owes(struct nv_sync *sync, const struct nv_event *event);
enum nv_status nv_sync_on_batch(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                struct nv_actions *actions);
enum nv_status nv_sync_on_ingested(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                   struct nv_actions *actions);
enum nv_status nv_sync_check_pull(struct nv_sync *sync, int64_t now, struct nv_actions *actions);
