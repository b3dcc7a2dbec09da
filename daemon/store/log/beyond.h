/* Changesets that are valid and do not count, and what builds on them (PROTOCOL.md, "What counts"): held beside the
 * logs. Each builds on what is held, in the log or here; a log may have several histories here. Which of them count is
 * found by store/intake/counted.h. Internal to store/. */
#pragma once

#include "store/log/opened.h"

enum { NV_BEYOND_ARENA = 8 << 20 }; /* for one header that is decoded */

enum nv_status nv_beyond_load(struct nv_store *store, struct nv_error *error);

/* How many are held, of all logs. */
size_t nv_beyond_count(const struct nv_store *store);

/* Whether the header with that pin is held beyond the log. */
enum nv_status nv_beyond_find(struct nv_store *store, const struct nv_log *log, uint64_t seq, const struct nv_pin *pin,
                              bool *ret_found, struct nv_error *error);

/* How many headers are held at one place beyond the log. */
enum nv_status nv_beyond_branches(struct nv_store *store, const struct nv_log *log, uint64_t seq, size_t *ret_count,
                                  struct nv_error *error);

/* What a header that stands on one beyond is judged by: that one's authority position and whole context (the caller's
 * vector is overwritten). */
enum nv_status nv_beyond_before(struct nv_store *store, struct nv_log *log, uint64_t seq, const struct nv_hash *hash,
                                struct nv_vector *ret_context, uint64_t *ret_authority_seq, bool *ret_found,
                                struct nv_error *error);

/* Keeps a changeset whose whole context is `context`. `is_awaited`: somebody's word for it is here, or about to be.
 * *ret_kept false: there is no room for it. */
enum nv_status nv_beyond_keep(struct nv_store *store, struct nv_log *log, const struct nv_header *header,
                              const struct nv_hash *hash, const struct nv_changeset_parts *parts,
                              const struct nv_vector *context, bool is_awaited, bool *ret_kept, struct nv_error *error);

/* Takes all after `seq` out of the log, and holds it beyond. */
enum nv_status nv_beyond_put_back(struct nv_store *store, struct nv_log *log, uint64_t seq, struct nv_error *error);

/* Opens one; the caller gives it back with nv_arena_done(&ret_opened->arena), into which the parts point. */
enum nv_status nv_beyond_open(struct nv_store *store, const struct nv_head *head, struct nv_opened *ret_opened,
                              struct nv_changeset_parts *ret_parts, struct nv_error *error);

/* Of so many bytes. */
enum nv_status nv_beyond_drop(struct nv_store *store, const struct nv_head *head, size_t size, struct nv_error *error);

/* Where another history of a log was taken: drops what builds on nothing that is held any more, of one scope. */
enum nv_status nv_beyond_prune(struct nv_store *store, struct nv_scope_id scope, struct nv_wall_ms now,
                               struct nv_error *error);

/* Drops all that is held beyond the logs of a scope. */
enum nv_status nv_beyond_forget(struct nv_store *store, struct nv_scope_id scope, struct nv_error *error);

/* ---- for the files of log/ ---- */
/* The row of a header: header, signature, compressed, body. The caller resets the statement; *ret_row false: there is
 * none. */
enum nv_status nv_beyond_select(struct nv_store *store, nv_log_number log, uint64_t seq, const struct nv_pin *pin,
                                sqlite3_stmt **ret_statement, bool *ret_row, struct nv_error *error);
/* Looks how much of a log is held; 0: of each. */
enum nv_status nv_beyond_count_again(struct nv_store *store, nv_log_number number, struct nv_error *error);
