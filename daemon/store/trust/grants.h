/* Grants: found in what stands in the logs, noted by the key that they give, and opened with the site's own keys.
 * Internal to store/. */
#pragma once

#include "store/log/opened.h"
#include "wire/grant.h"

/* A content key that was opened. The caller wipes it. */
struct nv_held_key {
    struct nv_content_key key;
    struct nv_hash id;
};

/* What a grant gives to this site. The numbers stand in navette_grant. */
enum nv_grant_gives {
    NV_GIVES_NOTHING = 0,
    NV_GIVES_BY_OWN_KEY = 1,
    NV_GIVES_BY_RECOVERY_KEY = 2, /* which opened it when this site joined again (trust/recovered.h) */
    NV_GIVES_ANOTHER_KEY = 3,     /* than the one that it names: nothing, and listed */
};

/* The box that a grant has for a key of a site; NULL where it has none. */
const struct nv_grant_box *nv_grant_box_of(const struct nv_grant *grant, struct nv_site_id site, bool recovery);

/* Opens what a grant has for this site (`sealed` NULL: nothing), or finds the key with that id among those that were
 * recovered; the key is of `log`. */
enum nv_status nv_grant_open(struct nv_store *store, const uint8_t *sealed, const struct nv_hash *key_id,
                             const struct nv_log_id *log, enum nv_grant_gives *ret_gives, struct nv_held_key *ret_key,
                             struct nv_error *error);

/* The grant by which a changeset introduces a key, decoded into `arena`: NV_OK; NV_NOT_FOUND where it introduces none,
 * NV_NOT_YET where the body that would tell is owed, or was written by newer software. */
enum nv_status nv_grant_introduced(struct nv_opened *opened, struct nv_grant *ret_grant, struct nv_error *error);

/* A changeset that stands in the log, to be looked through for grants. */
struct nv_granting {
    nv_log_number log;
    uint64_t seq;
    int64_t changeset;
    const struct nv_vector *context;
    const struct nv_body *body;
    const bool *fresh; /* by place: whether the op is looked at for the first time; NULL: all are */
};

/* Notes its grants; those that were noted already stay as they are. A fresh one of a wrong key is listed. */
enum nv_status nv_grants_note(struct nv_store *store, const struct nv_granting *granting, struct nv_wall_ms now,
                              struct nv_error *error);
