/* Changesets that a member signs with its own key and that break one rule: our own sealing would never make them. */
#pragma once

#include "pair.h"
#include "wire/changeset.h"

/* A changeset in the making: a test changes its header before it is signed. */
struct forged {
    struct nv_pair *pair;
    struct nv_header header;
    struct nv_far_head context[4];
    const struct nv_sign_key *key;
    struct nv_buffer bytes;
    struct nv_hash hash;
};

/* The first changeset of a new log of the school: good as it is. */
struct forged forged_begin(struct nv_pair *pair);
void forged_done(struct forged *forged);

/* Signs it, with ops that need not be any. The context is what stands in `context`. */
void forged_sign_ops(struct forged *forged, const struct nv_slice *ops, size_t count);

/* The same with one op as text; "": with none. */
void forged_sign(struct forged *forged, const char *op);

/* Makes it the next one of its log: after it was signed. */
void forged_follow(struct forged *forged);
