/* Logs by scope, read as a second implementation would, and what they mean by the model: what a reader of the scope
 * must keep of it, whatever else it reads. */
#pragma once

#include "model.h"
#include "store/merge/versions.h"
#include "stores.h"

enum { NV_SCOPED_FIELDS = 4, NV_SCOPED_LOGS = 64 };

struct nv_scoped_op {
    size_t log, site;
    uint64_t seq;
    uint32_t index;
    struct nv_hash header;
    uint64_t epoch;
    int codes[NV_SCOPED_FIELDS]; /* of a put's fields */
    int64_t times[NV_SCOPED_FIELDS];
};

/* The ops on one table in one scope; with a home, those of its own log alone. */
struct nv_scoped {
    struct nv_scope_id scope;
    uint32_t table;
    size_t home;    /* NV_STORES_ALL: of every site */
    uint64_t asked; /* the field that says who reads a record, as a set: only a record's home gives it a value */
    struct nv_log_id logs[NV_SCOPED_LOGS];
    size_t log_count;
    struct nv_model model;
    struct nv_scoped_op ops[NV_MODEL_OPS];
    struct nv_model_set all;
};

/* Reads all that the site holds of them; scope, table, home and asked are set. Keys are those of nv_stores_keys. */
void nv_scoped_read(struct nv_scoped *scoped, struct nv_stores *stores, size_t site);

/* The state of one record by the model. */
void nv_scoped_state(const struct nv_scoped *scoped, size_t record, struct nv_model_state *ret_state);

/* What the site keeps of the record is that. */
void nv_scoped_check_version(struct nv_scoped *scoped, struct nv_stores *stores, size_t site, size_t record,
                             const struct nv_model_state *state);

/* The code of the value that a row of the record shows, by the rule `last`. */
int nv_scoped_shown(const struct nv_scoped *scoped, struct nv_stores *stores, const struct nv_model_state *state,
                    int field);
