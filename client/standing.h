/* How a site stands: gathered from its store, its home and its daemon's lock. */
#pragma once

#include "client/home.h"
#include "client/sites.h"

enum nv_standing_state {
    NV_STANDING_NO_NETWORK,
    NV_STANDING_REVOKED,     /* it was a member, and is none any more */
    NV_STANDING_ALONE,       /* no other member */
    NV_STANDING_STOPPED,     /* the daemon does not run */
    NV_STANDING_CONNECTING,  /* it runs and has met nobody yet */
    NV_STANDING_OFFLINE,     /* it runs, and nobody is connected */
    NV_STANDING_CATCHING_UP, /* a connected peer has what we lack */
    NV_STANDING_UP_TO_DATE,
};

struct nv_standing_peer {
    struct nv_site_id site;
    char name[NV_SITE_TEXT];
    bool connected; /* false where the daemon does not run, whatever it noted last */
    struct nv_wall_ms since, last_heard, behind_since;
    uint64_t behind, ahead; /* changesets: of ours that it lacks, of its that we lack */
    int64_t clock_off_ms;   /* its clock less ours, where that is far; else 0 */
    char last_error[200];
};

/* A member that this site does not talk with directly. */
struct nv_standing_member {
    struct nv_site_id site;
    char name[NV_SITE_TEXT];
    struct nv_wall_ms newest; /* when its newest changeset here was sealed; 0: there is none */
};

struct nv_standing_refusal {
    char reason[40];
    char site[NV_SITE_TEXT]; /* "" where it is not known */
    char text[200];
    uint64_t count;
    struct nv_wall_ms last;
};

struct nv_standing {
    enum nv_standing_state state;
    bool is_running;
    struct nv_wall_ms now;
    struct nv_wall_ms since; /* OFFLINE: the last contact's end; UP_TO_DATE: the last word of a peer */
    uint64_t pending, conflicts, missing_rows, quarantine, forks, owed, unplaced, moving;
    uint64_t carried;     /* changesets of scopes that this site does not read */
    uint64_t waiting;     /* changesets that are here and not merged */
    uint64_t store_bytes; /* with its WAL */
    uint64_t free_bytes;  /* what is left on the store's disk for its user */
    bool is_full;         /* so little that a write may fail at any moment */
    size_t peer_count, member_count, refusal_count;
    struct nv_standing_peer *peers;
    struct nv_standing_member *members;
    struct nv_standing_refusal *refusals;
};

enum nv_status nv_standing_gather(const struct nv_home *home, struct nv_store *store, struct nv_standing *ret_standing,
                                  struct nv_error *error);
void nv_standing_done(struct nv_standing *standing);
