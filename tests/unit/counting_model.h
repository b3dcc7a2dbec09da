/* What counts as the protocol says it (PROTOCOL.md, "What counts"), as plainly as it can be said: the least fixed point
 * over a set of headers of one scope, by looking at every pair until nothing changes. The programs are held to it.
 *
 * Nothing here is shared with core/: no logs in question, no ends, no order. A header is a place in a list, and what it
 * names are places.
 */
#pragma once

#include "model.h"

enum { NV_COUNTING_TAKINGS = 32, NV_COUNTING_HEADERS = NV_MODEL_OPS, NV_COUNTING_NONE = -1 };

/* A header of the scope. Two with one log and seq are two histories of it. */
struct nv_counting_model_header {
    unsigned site, log; /* logs are numbered over all sites */
    unsigned seq;
    int previous; /* NV_COUNTING_NONE: it is a first one */
    unsigned position;
    bool is_valid;               /* signed with its site's key there, and its site reads the scope there */
    struct nv_model_set context; /* the heads that it names */
};

/* An op that takes a right in the scope. */
struct nv_counting_model_taking {
    unsigned site, position;
    struct nv_model_set named;
};

struct nv_counting_model {
    size_t header_count, taking_count;
    struct nv_counting_model_header headers[NV_COUNTING_HEADERS];
    struct nv_counting_model_taking takings[NV_COUNTING_TAKINGS];
};

bool nv_model_holds_all(const struct nv_model_set *set, const struct nv_model_set *all);

/* Whether `later` is that header, or stands after it in the same chain. */
bool nv_counting_model_descends(const struct nv_counting_model *model, size_t later, size_t header);

/* Those of `held` that count, where the authority log is known up to `known`. */
struct nv_model_set nv_counting_model_counts(const struct nv_counting_model *model, const struct nv_model_set *held,
                                             unsigned known);
