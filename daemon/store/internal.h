/* The store's own state. Only files of store/ include this. */
#pragma once

#include "base/arena.h"
#include "store/authority.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/store.h"

/* Tracked tables carry numbers: navette_pending_N is a table's pending table, with the columns
 *   n INTEGER PRIMARY KEY, what ('I', 'U', 'D'), at_ms, k0… (the key's columns),
 * and navette_old_N has the old values of its 'U' rows: n, o0… (by field number). navette_insert_N, navette_update_N,
 * navette_rekey_N and navette_delete_N are its triggers. */

struct nv_published;     /* published.h: the schema as it was published */
struct nv_logs;          /* logs.h: numbers, heads, contexts */
struct nv_scope_numbers; /* scopes/numbers.h */
struct nv_values;        /* values.h: opened changesets, to read old values from */
struct nv_keyring;       /* trust/keyring.h: content keys */
struct nv_rights;        /* trust/rights.h: keys, memberships, groups, by position */

struct nv_store {
    sqlite3 *db;
    char *path;
    uint64_t file_device, file_inode;
    struct nv_identity identity;
    const struct nv_sign_key *signer;
    const struct nv_curve_key *opener; /* NULL: not there */
    const char *const *hub_readers;    /* names of hubs that may be granted keys */
    size_t hub_reader_count;
    struct nv_wall_ms keys_at; /* when to look whether keys are lacking or asked for (trust/tend.h) */
    uint8_t row_digest_key[16];
    int64_t data_version; /* SQLite's, at the last look */
    int64_t schema_version;
    bool in_transaction;
    bool owes_rollback;      /* a transaction of ours could not be ended */
    bool owes_merge;         /* what changesets in the log waited for may be there */
    bool owes_trim;          /* the write-ahead log may have what was taken away (store/care.h) */
    bool owes_join;          /* what is held beyond the logs may count */
    bool owes_placing;       /* records that stand elsewhere may get their place (scopes/unplaced.h), */
    uint32_t unplaced_table; /* of those behind this one */
    struct nv_buffer unplaced_key;
    bool is_loaded; /* what follows is what the file says */
    bool is_muted;  /* a trigger of the site's own rolled an apply back: none of them fires in the next one */

    struct nv_member *members; /* ascending by site id */
    size_t member_count;
    struct nv_rights *rights;

    struct nv_table **tables; /* ascending by number */
    size_t table_count;
    struct nv_table_access *access; /* rows.h: prepared statements, one a table, in the same order */
    struct nv_published *published;

    struct nv_logs *logs;
    struct nv_scope_numbers *scope_numbers;
    struct nv_values *values;
    struct nv_keyring *keyring;
    sqlite3_stmt *statements[128]; /* prepared on first use: enum nv_statement in statements.h */
};

/* ---- schema.c, tracking.c ---- */
enum nv_status nv_tables_load(struct nv_store *store, struct nv_error *error);
void nv_tables_done(struct nv_store *store);
/* Takes up a schema op of the authority log at position `authority_seq`, inside the caller's transaction: statements
 * run under the authorizer, manifest rows, triggers; then loads the tables anew. */
enum nv_status nv_schema_take(struct nv_store *store, uint64_t authority_seq, struct nv_slice op,
                              struct nv_error *error);
/* Creates what capture writes to, with the columns that are missing: also for a table that is not here at the moment.
 */
enum nv_status nv_tracking_prepare(struct nv_store *store, const struct nv_table *table, struct nv_error *error);
/* The same, and creates the triggers of a table anew. */
enum nv_status nv_tracking_install(struct nv_store *store, const struct nv_table *table, struct nv_error *error);
/* Whether the table is there, with its published columns, and its triggers are the ones that we would make. */
enum nv_status nv_tracking_check(struct nv_store *store, const struct nv_table *table, bool *ret_table_there,
                                 bool *ret_triggers_there, struct nv_error *error);
/* Whether the column's CHECKs (and STRICT rules) take the value: asked of SQLite. Only called where has_check. */
enum nv_status nv_check_accepts(struct nv_store *store, const struct nv_table *table, unsigned field,
                                const struct nv_value *value, bool *ret_accepts, struct nv_error *error);

/* ---- members.c, rights_load.c ---- */
enum nv_status nv_members_load(struct nv_store *store, struct nv_error *error);
enum nv_status nv_rights_load(struct nv_store *store, struct nv_error *error);
void nv_rights_done(struct nv_store *store);

/* ---- authority.c ---- */
/* Takes up one op of the authority log (genesis, certificate, schema), inside the caller's transaction. NV_REFUSED
 * where the op is against the rules (it is then a no-op), NV_NOT_YET for a kind that this software does not know. */
enum nv_status nv_authority_take(struct nv_store *store, uint64_t authority_seq, struct nv_slice op,
                                 struct nv_error *error);

/* Says whose network this is, inside the caller's transaction. */
enum nv_status nv_network_set(struct nv_store *store, const struct nv_public_key *authority, struct nv_error *error);

/* ---- store.c ---- */
/* What a call begins with that opens no transaction: mends what a failed one could not, for want of memory or of a
 * disk that answers: ends its transaction, reads the state anew. */
enum nv_status nv_ready(struct nv_store *store, struct nv_error *error);
int nv_wait_a_little(void *context, int tries);                          /* SQLite's busy handler of every store */
enum nv_status nv_begin(struct nv_store *store, struct nv_error *error); /* BEGIN IMMEDIATE, then refreshes the state */
/* One reading transaction, so that all that is read is of one moment; refreshes the state. */
enum nv_status nv_begin_reading(struct nv_store *store, struct nv_error *error);
void nv_end_reading(struct nv_store *store);
/* Silences capture until the transaction ends. */
enum nv_status nv_guard(struct nv_store *store, struct nv_error *error);
enum nv_status nv_commit(struct nv_store *store, struct nv_error *error);
void nv_rollback(struct nv_store *store); /* and reads the state anew, now or when it is needed next */
enum nv_status nv_meta_set(struct nv_store *store, const char *name, const struct nv_value *value,
                           struct nv_error *error);

/* ---- logs.c ---- (nv_log_append_sealed is what authority.c appends with) ---- */
struct nv_changeset_parts;
/* Seals the ops as the next changeset of the log of (site, epoch, scope) with `key` and appends it, inside the caller's
 * transaction: header, context (all that was applied in that scope), authority position. `record_hashes` may be NULL
 * (zeros). In a scope where ops are sealed they are put into boxes, for those who read it now; and the changeset may
 * get a grant behind them, for which there must be room (NV_BOXED_OPS). */
enum nv_status nv_log_append_sealed(struct nv_store *store, const struct nv_log_id *log, const struct nv_slice *ops,
                                    size_t op_count, const uint32_t *record_hashes, const struct nv_sign_key *key,
                                    struct nv_wall_ms now, nv_log_number *ret_log, uint64_t *ret_seq,
                                    struct nv_error *error);
