/* Everything that any site ever signed, read from the sites' logs as a second implementation would.
 *
 * It is what the checks hold the sites against: which ops there are, what each had seen, and what follows from a set of
 * them by the model (tests/unit/model.h). A place in a log for which two different headers turn up is told at once.
 * What is sealed is opened with the content keys that any grant gives to any key that is known here.
 */
#pragma once

#include "base/arena.h"
#include "core/heads.h"
#include "core/op.h"
#include "records.h"
#include "shapes.h"
#include "store/store.h"
#include "tests/unit/model.h"
#include "wire/sealed.h"

struct sim_changeset {
    struct nv_hash hash;
    size_t first_op, op_count;
    uint64_t *context; /* the seq of each log that was known then; of the own log: the changeset before */
    size_t context_count;
    uint64_t authority_seq;
};

struct sim_log {
    struct nv_site_id site;
    uint64_t epoch;
    struct nv_scope_id scope;
    struct sim_changeset *changesets; /* changesets[seq - 1] */
    size_t count;
};

struct sim_except {
    size_t op;
    uint8_t fields;
};

/* A record that an op is about: of `item` by its place in sim_record_keys, of other tables SIM_RECORDS and on by its
 * place in the list of those that were met. */
enum { SIM_KEY_BYTES = 16, SIM_NO_RECORD = -1 };
struct sim_named {
    enum sim_table table;
    struct nv_scope_id scope;
    struct nv_site_id home; /* zeros where it is no part of the record's name */
    char key[SIM_KEY_BYTES];
};

struct sim_content_key {
    size_t log;
    uint64_t number;
    struct nv_content_key key;
    uint64_t last_use; /* the newest authority position at which something was sealed with it */
};

/* A content key was given to a site. */
struct sim_grant {
    size_t key;
    struct nv_site_id to;
    size_t by_log;
    uint64_t position;
};

struct sim_op {
    size_t log;
    uint64_t seq;
    uint32_t index;
    int record; /* SIM_NO_RECORD: redacts, grants, asks, and what is no op of a record here */
    size_t key; /* the content key; SIZE_MAX: it is not sealed */
    bool is_delete;
    uint8_t fields;
    struct nv_value values[SIM_FIELDS];
    uint64_t codes[SIM_FIELDS];
    int64_t times[SIM_FIELDS]; /* a delete's: in the first */
    struct nv_site_id home;
    size_t except_count;
    struct sim_except *excepts;
    size_t moment;         /* when it turned up */
    uint64_t redacted_seq; /* of its site's log: from there on it says nothing any more; 0: it is not redacted */
};

struct sim_history {
    struct sim_log *logs;
    size_t log_count;
    struct sim_named *named;
    size_t named_count;
    struct nv_curve_key *openers; /* of all machines, ever */
    size_t opener_count;
    struct sim_content_key *keys;
    size_t key_count;
    struct sim_grant *grants;
    size_t grant_count;
    struct sim_op *ops;
    size_t op_count, op_capacity;
    struct nv_heads known; /* of all scopes */
    struct nv_arena arena, reading;
    uint64_t changesets;
    size_t moment; /* how many transactions there were by now */
};

void sim_history_done(struct sim_history *history);

/* Holds the heads that a daemon says it has against what is known, and takes what is new from its log, as `reader`, a
 * store of its own on the same file, finds it. */
void sim_history_take(struct sim_history *history, const struct nv_store *daemon, struct nv_store *reader,
                      const char *name, size_t moment);

/* How far each log is in a cut, by the places of the logs here. */
struct sim_cut {
    uint64_t *seqs;
    size_t count;
};
bool sim_cut_has(const struct sim_cut *cut, size_t log, uint64_t seq);

/* Whether the op's writer had seen the other one. */
bool sim_history_saw(const struct sim_history *history, const struct sim_op *op, const struct sim_op *other);
bool sim_op_covers(const struct sim_history *history, const struct sim_op *op, size_t other, int field);

/* The state of a record by the model, from the ops of the cut (NULL: all); `ret_ops` has the op for each place in the
 * model. */
enum { SIM_MODEL_OPS = NV_MODEL_OPS };
void sim_history_meaning(const struct sim_history *history, int record, const struct sim_cut *cut,
                         struct nv_model_state *ret_state, size_t ret_ops[SIM_MODEL_OPS], size_t *ret_count);

/* The log's place here; SIZE_MAX where it is not known. */
size_t sim_history_log(const struct sim_history *history, struct nv_site_id site, uint64_t epoch,
                       struct nv_scope_id scope);

/* A machine has that key from here on. */
void sim_history_add_opener(struct sim_history *history, const struct nv_curve_key *key);
