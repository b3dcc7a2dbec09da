/* Logs and sites by number, their heads, and what the next header's context is. Internal to store/.
 *
 * A log's `context` is kept whole as it stands at the log's newest changeset, so that a header's delta can be taken up
 * without walking back. What changed is written to navette_log once a transaction, by nv_logs_save.
 */
#pragma once

#include "core/vector.h"
#include "store/internal.h"
#include "store/scopes/numbers.h"

/* What is held beyond a log's head (beyond.h). */
struct nv_log_beyond {
    size_t count, bytes;
    uint64_t seq;         /* the furthest */
    uint64_t awaited_seq; /* up to here, a changeset that waits would vouch; forgotten when the program ends */
    /* What was kept last, because most often the next one follows it. seq 0: nothing. */
    struct nv_hash last_hash;
    uint64_t last_seq, last_authority_seq;
    struct nv_vector last_context;
};

struct nv_log {
    nv_log_number number;
    uint32_t site_number;
    struct nv_log_id id;
    nv_scope_number scope; /* the number of its scope; 0 for the authority log */
    uint64_t has_seq, applied_seq;
    struct nv_hash has_hash, applied_hash;
    uint64_t authority_seq;   /* named by its newest header */
    struct nv_vector context; /* of its newest header: other logs of the scope */
    bool is_dirty;
    bool lacks_key; /* what stands next in it waits for a content key: it is not tried again until a grant comes */
    struct nv_log_beyond beyond;
};

enum nv_status nv_logs_load(struct nv_store *store, struct nv_error *error);
/* Writes what changed, before the commit; after it, that is what we have. */
enum nv_status nv_logs_save(struct nv_store *store, struct nv_error *error);
void nv_logs_saved(struct nv_store *store);
void nv_logs_done(struct nv_store *store);

struct nv_log *nv_log_by_number(const struct nv_store *store, nv_log_number number);
struct nv_log *nv_log_find(const struct nv_store *store, const struct nv_log_id *id); /* NULL where it is not known */
size_t nv_log_count(const struct nv_store *store);

/* Finds the log or gives it a number. */
enum nv_status nv_log_intern(struct nv_store *store, const struct nv_log_id *id, struct nv_log **ret_log,
                             struct nv_error *error);

/* The number of a site, given now where it has none; and back (zeros for a number that was never given). */
enum nv_status nv_site_intern(struct nv_store *store, struct nv_site_id site, uint32_t *ret_number,
                              struct nv_error *error);
struct nv_site_id nv_site_by_number(const struct nv_store *store, uint32_t number);

/* Whether something stands in a log that this site reads, and was not merged. */
bool nv_logs_lag(const struct nv_store *store);

/* The authority log, NULL before there is one. */
struct nv_log *nv_authority_log(const struct nv_store *store);
struct nv_log_id nv_authority_log_id(const struct nv_store *store);

/* How many changesets were merged, of all logs. */
int64_t nv_logs_merged(const struct nv_store *store);

/* What was merged of a scope, as a vector. The caller's vector is overwritten. */
enum nv_status nv_logs_applied(const struct nv_store *store, struct nv_scope_id scope, struct nv_vector *vector);

/* Sets `context` to the header's whole context, its own log's part apart; `before` is the context at the previous
 * header. NV_NOT_YET with the log's name where it names a log that we don't know. */
enum nv_status nv_context_take(struct nv_store *store, const struct nv_header *header, const struct nv_vector *before,
                               struct nv_vector *context, struct nv_error *error);

/* The whole context of a stored changeset, by walking back to an absolute one; cached. `ret_context` is the cache's
 * own, valid until the next call. */
enum nv_status nv_context_of(struct nv_store *store, int64_t changeset, const struct nv_vector **ret_context,
                             struct nv_error *error);

/* Puts a verified changeset behind its log's head. `record_hashes`: 4 bytes an op (may be NULL: zeros). */
enum nv_status nv_log_append(struct nv_store *store, struct nv_log *log, const struct nv_header *header,
                             const struct nv_hash *hash, const struct nv_changeset_parts *parts,
                             const struct nv_vector *context, const uint32_t *record_hashes, int64_t *ret_changeset,
                             struct nv_error *error);

/* Takes all of the log's changesets away: it is as if none had ever come. */
enum nv_status nv_log_empty(struct nv_store *store, struct nv_log *log, struct nv_error *error);

/* Before changesets are taken away: peers are served from a number on, and contexts kept by it, so that none is given
 * twice. */
enum nv_status nv_changesets_go(struct nv_store *store, struct nv_error *error);

/* The greatest number that a changeset of this file was given. */
enum nv_status nv_changeset_newest(struct nv_store *store, int64_t *ret_newest, struct nv_error *error);

/* Finds a changeset by its place. NV_NOT_FOUND where we don't hold it. `ret_hash` may be NULL. */
enum nv_status nv_changeset_at(struct nv_store *store, nv_log_number log, uint64_t seq, int64_t *ret_changeset,
                               struct nv_hash *ret_hash, struct nv_error *error);

/* Its header; the context is in the arena. */
enum nv_status nv_header_at(struct nv_store *store, nv_log_number log, uint64_t seq, struct nv_arena *arena,
                            struct nv_header *ret_header, struct nv_hash *ret_hash, struct nv_error *error);

/* Whether the header at a place that the log has is the one with that pin. */
enum nv_status nv_changeset_is(struct nv_store *store, const struct nv_log *log, uint64_t seq, const struct nv_pin *pin,
                               bool *ret_is, struct nv_error *error);
