/* Content keys by what introduces them: the changeset `number` of a log. They are opened from the grants that stand in
 * the logs, kept in memory only, a few at a time, and overwritten when they go. Internal to store/. */
#pragma once

#include "store/trust/grants.h"

enum nv_key_standing {
    NV_KEY_HELD,    /* this site has it */
    NV_KEY_LACKING, /* it was introduced, or may have been, and no grant gives it to this site */
    NV_KEY_VOID,    /* that changeset introduces none: what names it is a no-op at every site */
};

/* The key, where it is held: a copy, which the caller wipes. `number` is of a changeset that stands in the log. */
enum nv_status nv_keyring_find(struct nv_store *store, const struct nv_log *log, uint64_t number,
                               enum nv_key_standing *ret_standing, struct nv_held_key *ret_key, struct nv_error *error);

/* The id that the key was introduced with; NV_NOT_FOUND where that is not known (the error is not set then). */
enum nv_status nv_keyring_id(struct nv_store *store, nv_log_number log, uint64_t number, struct nv_hash *ret_id,
                             struct nv_error *error);

/* What is noted of the keys of a log goes, for the site no longer reads its scope: what is lacking and asked for; with
 * `grants` also what stands in the log, which is about to go. */
enum nv_status nv_keyring_leave(struct nv_store *store, const struct nv_log *log, bool grants, struct nv_error *error);

/* Forgets what is known of one key, for a grant of it came; of all. */
void nv_keyring_drop(struct nv_store *store, nv_log_number log, uint64_t number);
void nv_keyring_forget(struct nv_store *store);
void nv_keyring_done(struct nv_store *store);
