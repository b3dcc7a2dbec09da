/* The merge as the protocol says it (PROTOCOL.md, "Merge"), as plainly as it can be said: the state of a record is a
 * pure function of a set of ops. The programs are held to it.
 *
 * Nothing here is shared with core/: no vectors, no dots, no order. What an op's writer had seen is a set of ops, one
 * bit each, and the state is three tables that are filled by looking at every pair.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NV_MODEL_OPS = 256, NV_MODEL_FIELDS = 8, NV_MODEL_EXCEPTS = 128 };

/* A set of ops, by their places in the model. */
struct nv_model_set {
    uint64_t words[NV_MODEL_OPS / 64];
};

bool nv_model_has(const struct nv_model_set *set, size_t op);
void nv_model_add(struct nv_model_set *set, size_t op);
void nv_model_remove(struct nv_model_set *set, size_t op);

struct nv_model_op {
    size_t record;
    bool is_delete;
    uint8_t fields; /* of a put: bit n is field n; those that the schema refuses are not among them */
    unsigned home;  /* of a put: the site that it names as home; the sites are numbered in the order of their ids */
    struct nv_model_set seen; /* what its writer had applied */
    size_t except_count;
    struct {
        size_t op;
        uint8_t fields;
    } excepts[NV_MODEL_EXCEPTS];
};

struct nv_model {
    size_t count;
    struct nv_model_op ops[NV_MODEL_OPS];
};

struct nv_model_state {
    uint8_t siblings[NV_MODEL_OPS];            /* which fields of each put are siblings */
    bool live[NV_MODEL_OPS];                   /* which deletes no other op covers */
    uint8_t marks[NV_MODEL_OPS][NV_MODEL_OPS]; /* which sibling fields (second) each live delete (first) marks */
    bool has_home;
    unsigned home;
    bool is_shown;
};

/* The state of one record, as told by those ops of it that are in `ops`. */
void nv_model_meaning(const struct nv_model *model, size_t record, const struct nv_model_set *ops,
                      struct nv_model_state *ret_state);
