/* What the triggers noted, grouped by record. Internal to store/. */
#pragma once

#include "store/merge/rows.h"

/* One row of a pending table. */
struct nv_change {
    struct nv_change *next; /* written later */
    int64_t number;
    char what; /* 'I' inserted, 'U' updated, 'D' deleted */
    struct nv_wall_ms at;
    const struct nv_value *old; /* 'U': the fields before, by field number; else NULL */
    size_t old_count;
};

/* A record with all of its changes that were read, and what a person said about its conflicts. */
struct nv_touched {
    uint32_t table;
    struct nv_slice key;
    struct nv_change *first, *last;
    nv_fields answered;   /* fields whose conflict a person answered */
    bool answers_deletes; /* and the record's own */
    struct nv_wall_ms answered_at;
    struct nv_touched *chain;
};

struct nv_touched_set {
    struct nv_touched **records; /* in the order of their first change */
    size_t count, capacity;
    struct nv_touched **buckets;
    size_t bucket_count;
    struct nv_arena arena;
};

void nv_touched_done(struct nv_touched_set *set);

/* The record's entry; made where there is none yet, if `make`. NULL: there is none, or (with `make`) no memory. */
struct nv_touched *nv_touched_get(struct nv_touched_set *set, uint32_t table, struct nv_slice key, bool make);

/* Reads pending rows of one table, oldest first, `limit` rows or `limit_bytes` at most, into the set, and deletes what
 * it read. With `only_known` just those of records that are in the set already, however many. *ret_more: some are left.
 */
enum nv_status nv_pending_take(struct nv_store *store, struct nv_table_access *access, struct nv_touched_set *set,
                               bool only_known, size_t limit, size_t limit_bytes, bool *ret_more,
                               struct nv_error *error);

/* Whether there are intents for a table that is here. */
enum nv_status nv_intents_are_due(struct nv_store *store, bool *ret_any, struct nv_error *error);

/* Reads and deletes the intents for the tables that are here. */
enum nv_status nv_intents_take(struct nv_store *store, struct nv_touched_set *set, struct nv_error *error);

/* About how many pending rows a table has: by the first and the last number. */
enum nv_status nv_pending_estimate(struct nv_store *store, struct nv_table_access *access, uint64_t *ret_rows,
                                   struct nv_error *error);
