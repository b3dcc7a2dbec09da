/* All changesets that were ever signed in a network of real stores, by honest sites and by thieves, as the model of
 * what counts is told of them; and signing further ones that no honest site would make. */
#pragma once

#include "counting_model.h"
#include "stores.h"
#include "wire/changeset.h"

enum { NV_SIGNED_HEADS = 24 };

struct nv_signed_one {
    struct nv_buffer bytes;
    struct nv_header header;
    struct nv_far_head context[NV_SIGNED_HEADS]; /* the whole of it */
    size_t context_count;
    struct nv_hash hash;
    bool is_late; /* made by thieves when all honest sites knew that they have no right left */
};

struct nv_signed {
    struct nv_counting_model model; /* the same changesets at the same places */
    struct nv_signed_one all[NV_COUNTING_HEADERS];
    struct nv_log_id logs[NV_COUNTING_HEADERS]; /* as the model numbers them */
    size_t log_count;
    struct nv_hash positions[64]; /* the authority log's headers, by seq */
};

void nv_signed_done(struct nv_signed *all);

/* The place of a changeset; NV_COUNTING_NONE where it was not met before. */
int nv_signed_find(const struct nv_signed *all, const uint8_t hash[32]);

/* Meets what a store has sealed since it was asked last, and where its authority log stands. */
void nv_signed_notice(struct nv_signed *all, struct nv_stores *stores, size_t site);

/* Signs a changeset without ops: after `previous`, or as the first of the log where that is NV_COUNTING_NONE; its
 * context is what the one before names, raised to the heads in `named`. Returns its place. */
size_t nv_signed_forge(struct nv_signed *all, struct nv_stores *stores, const struct nv_sign_key *key, size_t site,
                       const struct nv_log_id *log, int previous, uint64_t position, const struct nv_model_set *named);

/* Those that a store holds: in its logs, merged, and beyond its logs. Of them all where a pointer is NULL. */
void nv_signed_held(const struct nv_signed *all, struct nv_stores *stores, size_t site, struct nv_model_set *ret_has,
                    struct nv_model_set *ret_merged, struct nv_model_set *ret_beyond);

/* How far a store knows the authority log. */
uint64_t nv_signed_known(struct nv_stores *stores, size_t site);
