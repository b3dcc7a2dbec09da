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
};

void nv_arrival_done(struct nv_arrival *arrival);

/* Looks at a changeset. Sets the verdict: TAKEN means that it may be appended (nothing was written yet); the reason and
 * text where it is refused. Evidence of a fork is kept in navette_fork. An error is one of reading the store. */
enum nv_status nv_admit(struct nv_store *store, struct nv_incoming *incoming, struct nv_wall_ms now,
                        struct nv_arrival *arrival, struct nv_error *error);
