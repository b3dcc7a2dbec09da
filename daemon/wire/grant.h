/* Ops about content keys, which everybody can read (PROTOCOL.md, "Sealed ops"): grants give a key to those who may
 * read, asks name the keys that their writer lacks. */
#pragma once

#include "wire/sealed.h"

/* A content key by what introduced it: the changeset `number` of a log, whose scope is that of the op. */
struct nv_key_name {
    struct nv_site_id site;
    uint64_t epoch;
    uint64_t number;
};

/* The key, sealed to one X25519 key of one site. */
struct nv_grant_box {
    struct nv_site_id site;
    bool recovery; /* its recovery key; else the one that it is called by on the transport */
    uint8_t sealed[NV_SEALED_KEY_BYTES];
};

struct nv_grant {
    bool is_elsewhere;      /* the key is of the log that `key` names; else of the log that the grant stands in */
    struct nv_key_name key; /* number 0: the changeset that the grant stands in introduces it */
    struct nv_hash key_id;
    size_t box_count;
    struct nv_grant_box *boxes; /* ascending, one for each key of a site */
};

struct nv_ask {
    struct nv_site_id of; /* who is asked */
    size_t key_count;
    struct nv_key_name *keys; /* ascending */
};

int nv_key_name_compare(const struct nv_key_name *a, const struct nv_key_name *b);
int nv_grant_box_compare(const struct nv_grant_box *a, const struct nv_grant_box *b);

/* Append the encoded op. They do not judge: boxes or keys that do not ascend, or more than there may be, are refused by
 * whoever decodes it. */
void nv_grant_encode(const struct nv_grant *grant, struct nv_buffer *buffer);
void nv_ask_encode(const struct nv_ask *ask, struct nv_buffer *buffer);

/* Read an op that nv_op_decode took as one of that kind. Boxes and keys are in `arena`. */
enum nv_status nv_grant_decode(struct nv_slice op, struct nv_arena *arena, struct nv_grant *ret_grant,
                               struct nv_error *error);
enum nv_status nv_ask_decode(struct nv_slice op, struct nv_arena *arena, struct nv_ask *ret_ask,
                             struct nv_error *error);
