/* What two nodes say to each other, as plain structs. wire/message.h encodes them, core/sync.h decides what to say. */
#pragma once

#include "base/buffer.h"
#include "core/op.h"
#include "core/scopes.h"

enum { NV_PROTOCOL = 1 };

enum nv_message_kind {
    NV_MESSAGE_HELLO = 1,
    NV_MESSAGE_HAS = 2,
    NV_MESSAGE_PULL = 3,
    NV_MESSAGE_BATCH = 4,
    NV_MESSAGE_CREDIT = 5,
    NV_MESSAGE_PING = 6,
    NV_MESSAGE_REFUSAL = 7,
};

enum nv_refusal {
    NV_REFUSAL_PROTOCOL = 1,  /* another version of the protocol */
    NV_REFUSAL_NETWORK = 2,   /* another network */
    NV_REFUSAL_IDENTITY = 3,  /* not the site that the key was certified for */
    NV_REFUSAL_MALFORMED = 4, /* a message that could not be read */
    NV_REFUSAL_CHANGESET = 5, /* a changeset that does not verify */
};

struct nv_digest { /* BLAKE2b-128 */
    uint8_t bytes[16];
};

/* The digest of a part of a vector: of the heads of one scope. That of the whole is over those of its parts. */
struct nv_part_digest {
    struct nv_scope_id scope;
    struct nv_digest digest;
};

/* What a node holds to be carried by both, at its authority position. */
struct nv_scopes_said {
    bool is_said; /* false: as it said before */
    uint64_t authority_seq;
    struct nv_scope_set scopes; /* never the empty one */
};

struct nv_message {
    enum nv_message_kind kind;
    union {
        struct {
            uint32_t protocol;
            uint8_t network[32];
            struct nv_site_id site;
            struct nv_scopes_said scopes;
            struct nv_wall_ms now; /* the sender's clock; 0: it does not say */
        } hello;
        struct {
            struct nv_digest digest;
            bool whole, please;
            struct nv_far_head *heads;
            size_t head_count;
            struct nv_scopes_said scopes;
        } has;
        struct {
            uint64_t pull;
            struct nv_far_head *has;
            size_t has_count;
            uint64_t credit_bytes;
        } pull;
        struct {
            uint64_t pull;
            struct nv_slice *changesets;
            size_t changeset_count;
            bool last;
        } batch;
        struct {
            uint64_t pull;
            uint64_t bytes;
        } credit;
        struct {
            bool reply;
            struct nv_wall_ms now; /* as in hello */
        } ping;
        struct {
            enum nv_refusal reason;
            char text[256];
        } refusal;
    };
};
