/* Is a changeset valid, and can it be taken now? Pure of any merging: who signed it, what it builds on, what it holds.
 * Internal to store/. */
#pragma once

#include "store/ingest.h"
#include "store/log/opened.h"

/* A changeset on its way in, as far as it was looked at. */
struct nv_arrival {
    struct nv_changeset_parts parts;
    struct nv_opened opened; /* header, hash, body; changeset 0, or the one we hold, where this is a copy
                                 of it that has bodies which we owe */
    struct nv_log *log;      /* NULL: its log is not known here yet */
    struct nv_vector context;
    struct nv_vector before; /* the context of the header that it follows, where that is held beyond the log */
    bool follows_beyond;     /* that is so */
    bool is_cut;             /* it counts only where it is named or vouched for */
    bool is_beyond;          /* it is to be held beyond its log, for that or for what it builds on */
};

void nv_arrival_done(struct nv_arrival *arrival);

/* Looks at a changeset. Sets the verdict: TAKEN means that it may be appended, or held beyond its log (nothing was
 * written yet); the reason and text where it is refused. Evidence of a fork is kept in navette_fork. An error is one of
 * reading the store. */
enum nv_status nv_admit(struct nv_store *store, struct nv_incoming *incoming, struct nv_wall_ms now,
                        struct nv_arrival *arrival, struct nv_error *error);
