/* What people look at and mend: conflicts, history, verification, digests, rebuilding, and the peers. */
#pragma once

#include "core/op.h"
#include "store/ingest.h"
#include "store/schema.h"

/* ---- conflicts ----
 * The open ones are rows of navette_conflict, alike at every site:
 *   (table_name, key_text, field, value, site, time_ms, shown, kind): one row a sibling value; kind 'values', or
 *   'deleted' (field and value NULL) for the record's live deletes beside a value that they did not see. */

/* Gives a field one value that covers all its siblings: `choice` is the number of a value as `conflicts` lists them
 * (from 1), or 0 for `value` (as SQLite text, stored with the column's affinity). `field` NULL: the record's deletes
 * are answered: choice 1 keeps the record, choice 2 deletes it. It is an ordinary write with an intent beside it: it is
 * sealed like any other. NV_NOT_FOUND where there is no such open conflict. */
enum nv_status nv_conflict_resolve(struct nv_store *store, const char *table, struct nv_slice key, const char *field,
                                   int choice, const char *value, struct nv_wall_ms now, struct nv_error *error);

/* ---- keys as people write them ----
 * A key of one column is its text; of several, the columns' texts with '/' between them ("\/" for a slash inside). A
 * blob is x'…', a text that no command line can carry is t'…'; keytext.c says it all. Each key has one text and comes
 * back. */
enum nv_status nv_key_from_text(const struct nv_table *table, const char *text, struct nv_buffer *ret_key,
                                struct nv_error *error);
void nv_key_to_text(const struct nv_table *table, struct nv_slice key, struct nv_buffer *ret_text); /* NUL-terminated */

/* ---- history ---- */
struct nv_history_entry {
    enum nv_op_kind kind;
    struct nv_scope_id scope;
    struct nv_site_id site;
    uint64_t epoch, seq;
    uint32_t index;
    struct nv_wall_ms time;
    const struct nv_table *table;
    const struct nv_op *op; /* field n's value: count the bits below n in op->fields */
    bool is_redacted;       /* the body is gone; op has nothing but its name */
};
/* Calls `each` for every op on the record, in each scope that this site reads, oldest first (by arrival). A false from
 * it ends the walk. */
enum nv_status nv_store_history(struct nv_store *store, const char *table, struct nv_slice key,
                                bool (*each)(const struct nv_history_entry *entry, void *context), void *context,
                                struct nv_error *error);

/* ---- verify ---- */
struct nv_verified {
    uint64_t logs, changesets, ops, redacted;
    uint64_t no_ops; /* ops that their site signed against the protocol: nothing anywhere, and no fault of this store */
    uint64_t bad;    /* changesets that fail; the first one is told in `first` */
    char first[256];
};
/* Walks every log from its first header: chain, signatures, certificates, contexts, ops roots. NV_OK and
 * bad = 0, or NV_OK and bad > 0; an error is one of reading. `progress` may be NULL. */
enum nv_status nv_store_verify(struct nv_store *store, struct nv_verified *ret_verified,
                               void (*progress)(uint64_t done, uint64_t total), struct nv_error *error);

/* ---- digest ---- */
struct nv_scope_digest {
    struct nv_scope_id scope;
    struct nv_hash state;  /* of siblings (values and dots), live deletes and their marks */
    struct nv_hash vector; /* of what was applied: equal vectors, equal states */
    uint64_t records, shown;
    bool closed; /* false: bodies are owed, or something that we hold is not merged yet */
};
enum nv_status nv_store_digest(struct nv_store *store, struct nv_scope_id scope, struct nv_scope_digest *ret_digest,
                               struct nv_error *error);

/* The scopes that this site reads and in which something was written, `network` first and always. At most `capacity` of
 * them; returns how many. */
enum { NV_SCOPES_READ = 2048 };
size_t nv_store_scopes(const struct nv_store *store, struct nv_scope_id *ret_scopes, size_t capacity);

/* ---- rebuild ---- */
struct nv_rebuilt {
    uint64_t records;
    uint64_t versions_mended; /* records whose versions were not what the log says */
    uint64_t rows_mended;     /* rows that were */
};
/* Derives every record anew from its retained ops, compares, and mends what differs, in one transaction (pending rows
 * are sealed first). */
enum nv_status nv_store_rebuild(struct nv_store *store, struct nv_wall_ms now, struct nv_rebuilt *ret_rebuilt,
                                void (*progress)(uint64_t done, uint64_t total), struct nv_error *error);

/* ---- what counts by somebody's word ---- (PROTOCOL.md, "What counts") ---- */
enum { NV_VOUCHERS_SHOWN = 8 };
struct nv_vouched {
    struct nv_site_id site; /* whose right was taken */
    struct nv_scope_id scope;
    uint64_t changesets; /* of it that count although an op that took its right does not name them */
    uint64_t held;       /* of it that are held beside the logs, and count for nothing */
    size_t by_count;     /* by whose word they count: the first few of them */
    struct nv_site_id by[NV_VOUCHERS_SHOWN];
};
/* One entry a site and scope of which there is any. Free the list. */
enum nv_status nv_store_vouched(struct nv_store *store, struct nv_vouched **ret_list, size_t *ret_count,
                                struct nv_error *error);

/* ---- who can read more than his rights say ---- (PROTOCOL.md, "Sealed ops") ---- */
struct nv_granted {
    struct nv_scope_id scope;
    struct nv_site_id to; /* did not read the scope where the grant stands: a hub that is let read, for one */
    struct nv_site_id by; /* who gave it a content key */
};
/* One entry a scope and pair of sites. Free the list. */
enum nv_status nv_store_granted(struct nv_store *store, struct nv_granted **ret_list, size_t *ret_count,
                                struct nv_error *error);

/* ---- what is gone ---- */
/* Empties the write-ahead log where a scope was left since the last time, and once after the store was opened, because
 * a daemon that was killed could not. To be called now and then; it waits for no reader. */
enum nv_status nv_store_trim(struct nv_store *store, struct nv_error *error);

/* ---- peers, for `status` ---- (navette_peer: one row a site that this daemon spoke with) ---- */
struct nv_peer_state {
    struct nv_site_id site;
    bool connected;
    struct nv_wall_ms since; /* connected or not: since when */
    struct nv_wall_ms last_heard;
    uint64_t behind_changesets;     /* of ours that it lacks, by its last word */
    struct nv_wall_ms behind_since; /* 0: it is not behind */
    uint64_t ahead_changesets;      /* of its that we lack */
    int64_t clock_off_ms;           /* its clock less ours, in whole minutes, where that is far; else 0 */
    char last_error[200];
};
enum nv_status nv_store_save_peer(struct nv_store *store, const struct nv_peer_state *peer, struct nv_error *error);
