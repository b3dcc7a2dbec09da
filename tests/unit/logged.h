/* The log of a store, read as a second implementation would, and what it means by the model: what every site must show.
 */
#pragma once

#include "model.h"
#include "written.h"

struct nv_logged_op {
    size_t site;
    uint64_t seq;
    uint32_t index;
    int codes[NV_STORES_FIELDS]; /* of a put's fields */
    struct nv_candidate_of_op {
        int64_t times[NV_STORES_FIELDS];
        uint8_t header_hash[32];
        uint64_t epoch;
    } named;
};

struct nv_logged {
    struct nv_model model;
    struct nv_logged_op ops[NV_MODEL_OPS];
    struct nv_model_set all;
};

/* Reads all that the site holds. */
void nv_logged_read(struct nv_logged *logged, struct nv_stores *stores, size_t site);

/* The site's rows and open conflicts are what the model says. */
void nv_logged_check_site(const struct nv_logged *logged, struct nv_stores *stores, size_t site);

/* Every write stands in the log as it was written, and is a sibling (or a live delete), or was knowingly covered. */
void nv_logged_check_writes(const struct nv_logged *logged, const struct nv_writes *writes);
