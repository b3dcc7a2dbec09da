/* A simulated network of machines, and the loop that gives each its turn in virtual time.
 *
 * What is done to it (people.c, faults.c) comes from a plan (plan.h) or from a scenario; what must hold is in checks.c
 * and is looked at after every turn.
 */
#pragma once

#include "history.h"
#include "hostile.h"
#include "ledger.h"
#include "machine.h"
#include "marks.h"
#include "rights.h"
#include "tests/unit/dice.h"

/* How a network of this seed looks. */
struct sim_profile {
    size_t machines;     /* that are there from the start, the hub among them */
    unsigned records;    /* that people write to: the fewer, the more they collide */
    bool has_side_lines; /* schools that also dial each other */
    bool has_equal_values;
    bool has_large_values;
    bool has_scopes; /* groups, what is not for everybody, and rights that are taken */
    int64_t clock_cost_us;
    int64_t span_us; /* in which the plan happens */
};

struct sim_cut_seen { /* a closed cut that somebody showed */
    struct nv_scope_id scope;
    struct nv_hash vector, state;
    size_t place;
};

struct sim_world;

/* As `alter` of network.h. */
typedef bool sim_harm(size_t from, size_t to, struct nv_slice frame, struct nv_buffer *ret_frames, size_t ret_ends[4],
                      size_t *ret_count);

struct sim_timer { /* what ends by itself: a cut line, a full disk, a held lock */
    int64_t at;
    void (*end)(struct sim_world *world, size_t a, size_t b);
    size_t a, b;
};

struct sim_form { /* a form that somebody has open */
    bool is_open;
    int record;
    int64_t opened_us;
    size_t changes; /* of the record's fields that were signed by then */
    struct sim_row row;
    char *update; /* the SQL that saves it */
};

struct sim_foreign { /* the log of a member with another software (foreign.h) */
    uint64_t seq, authority_seq;
    struct nv_hash previous;
    uint64_t puts[16]; /* those changesets of its that it may let go of */
    size_t put_count;
};

struct sim_world {
    uint64_t seed;
    struct nv_dice dice;
    struct sim_profile profile;
    size_t places;
    struct sim_machine machines[SIM_PLACES];
    const struct sim_founding *founding;
    struct sim_history history;
    struct sim_ledger ledger;
    struct sim_rights rights;
    struct sim_marks marks;
    size_t ops_seen, grants_seen;              /* of the history, by checks_scopes.c */
    bool is_out[SIM_PLACES];                   /* it was revoked, and goes on as if nothing had happened */
    bool was_taken[SIM_PLACES];                /* a right was taken from it: what it wrote may count for nothing */
    bool was_recovered[SIM_PLACES];            /* by its recovery secret */
    bool has_lost_keys[SIM_PLACES];            /* it began anew with other keys, and without it */
    bool has_gone_on[SIM_PLACES];              /* by hand, in a log that it had left */
    struct nv_heads said[SIM_PLACES];          /* what each ever told the others that it holds */
    bool has_spoken[SIM_PLACES];               /* since that was looked at */
    uint64_t known_when_said[SIM_PLACES];      /* of the authority log, when that was looked at last */
    struct nv_heads told[SIM_PLACES];          /* what the trace says that each holds */
    bool is_hostile[SIM_PLACES];               /* what it sends is altered on the way out */
    struct sim_hostile hostile;                /* what it keeps in mind */
    sim_harm *harm;                            /* how; NULL: as its dice have it */
    bool is_disk_bad[SIM_PLACES];              /* a fault is planned: errors are to be expected */
    bool is_left_out[SIM_PLACES][SIM_RECORDS]; /* a tool that rebuilt the table left the row out */
    bool is_full[SIM_PLACES], is_late_published;
    bool is_away[SIM_PLACES]; /* the table is not in the store, for a while */
    struct sim_foreign foreign;
    struct sim_form forms[SIM_PLACES];
    struct sim_write doubt[SIM_PLACES]; /* a commit that was answered with an error: done or not, nobody knows yet */
    bool is_in_doubt[SIM_PLACES];
    bool may_revive[SIM_PLACES];       /* it was not done; once the power goes it may be */
    struct sim_write held[SIM_PLACES]; /* a transaction that a tool has open */
    bool is_held[SIM_PLACES];
    int64_t written_at[SIM_PLACES][SIM_RECORDS]; /* by a program there, for the last time */
    unsigned tokens;                             /* values given out */
    struct sim_timer timers[256];
    size_t timer_count;
    struct sim_cut_seen *cuts;
    size_t cut_count;
    uint64_t grown[SIM_PLACES]; /* changesets that each held after its last turn */
    uint64_t turns;
    bool is_calm; /* no faults any more */
};

void sim_world_make(struct sim_world *world, uint64_t seed, const struct sim_profile *profile);
void sim_world_free(struct sim_world *world);

/* Runs for so long, or until `until` says so; false where time ran out before. `until` may be NULL. */
bool sim_world_run(struct sim_world *world, int64_t us, bool (*until)(struct sim_world *world));

void sim_world_timer(struct sim_world *world, int64_t after_us, void (*end)(struct sim_world *, size_t, size_t),
                     size_t a, size_t b);

/* Whatever happened to a machine from outside, or in a call of a program: its daemon may have died of it. */
void sim_world_settle(struct sim_world *world, size_t place);

/* Starts a daemon now; where that fails because of a fault, its supervisor tries again. */
void sim_world_start(struct sim_world *world, size_t place);

/* Its daemon ends and stays down until somebody starts it; with `loses_disk` all that the machine held is gone. */
void sim_world_take_down(struct sim_world *world, size_t place, bool loses_disk);

/* All faults end, whatever is down comes back, whatever was left out is put back. */
void sim_world_calm(struct sim_world *world);

/* Whether all members hold the same, have merged it, and nothing waits. */
/* Whether it is a member, with a machine: the others are no business of ours. */
bool sim_world_has(const struct sim_world *world, size_t place);

bool sim_world_is_one(struct sim_world *world);
const char *sim_world_what_is_left(struct sim_world *world); /* the first thing that is in the way; NULL: nothing */
