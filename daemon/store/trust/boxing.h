/* The writer's side of sealed scopes: the ops of a changeset in boxes, and the grant of their key where one is due.
 * Internal to store/. */
#pragma once

#include "store/trust/keyring.h"
#include "store/trust/readers.h"

/* The ops of a changeset as they will be signed. */
struct nv_boxed {
    struct nv_slice *ops; /* in the order that they were given, and a grant behind them where one was due */
    size_t count;
    bool introduces; /* the last one is the grant of a new key, `key` */
    struct nv_held_key key;
    struct nv_hash readers; /* what the readers' keys hash to */
    struct nv_buffer bytes; /* what was encoded */
};

/* Ops of records that a changeset may have where it is sealed: one place is left for a grant. */
enum { NV_BOXED_OPS = NV_LIMIT_CHANGESET_OPS - 1 };

/* Puts ops of records into boxes, for the changeset `seq` of this site's own log that will have that seed, with the
 * log's content key; or with a new one, which is granted to the readers, where they are others than the last one was
 * granted to. Ops of other kinds stay as they are. NV_NOT_YET without the site's X25519 key, NV_REFUSED where this site
 * is no reader itself. To be given back with nv_boxed_done, also where it fails. */
enum nv_status nv_box_ops(struct nv_store *store, const struct nv_log *log, uint64_t seq, const struct nv_seed *seed,
                          const struct nv_slice *ops, size_t count, const struct nv_scope_readers *readers,
                          struct nv_boxed *ret_boxed, struct nv_error *error);
void nv_boxed_done(struct nv_boxed *boxed);

/* Notes whom the key was granted to, once the changeset stands in the log and its grants are noted. */
enum nv_status nv_boxed_note(struct nv_store *store, const struct nv_log *log, const struct nv_boxed *boxed,
                             struct nv_error *error);

/* Appends an encoded grant of a key to those readers, to each of their keys that something can be sealed to. `name`: of
 * a key that was introduced before, which `is_elsewhere` where it is not of the log that the grant will stand in; NULL
 * where the changeset introduces it. */
enum nv_status nv_grant_append(const struct nv_held_key *key, const struct nv_key_name *name, bool is_elsewhere,
                               const struct nv_scope_readers *readers, struct nv_buffer *buffer,
                               struct nv_error *error);

/* Seals and appends a changeset as nv_log_append_sealed does, whose ops only `readers` shall read; NULL: whoever has
 * it.
 */
enum nv_status nv_log_append_for(struct nv_store *store, const struct nv_log_id *log,
                                 const struct nv_scope_readers *readers, const struct nv_slice *ops, size_t op_count,
                                 const uint32_t *record_hashes, const struct nv_sign_key *key, struct nv_wall_ms now,
                                 nv_log_number *ret_log, uint64_t *ret_seq, struct nv_error *error);
