/* A changeset of our own in the making: ops of one scope, until it is sealed. Internal to store/. */
#pragma once

#include "store/log/opened.h"
#include "store/merge/merge.h"
#include "store/seal.h"

/* Its ops stand in `ops_arena` until it is sealed, where the merge finds them by dot. */
struct nv_making {
    struct nv_store *store;
    struct nv_merge merge; /* as of the next op */
    struct nv_log *log;    /* NULL: none is begun */
    struct nv_vector context;
    struct nv_opened current;
    struct nv_arena ops_arena;
    struct nv_slice *ops;
    uint32_t *record_hashes;
    size_t bytes;
    struct nv_wall_ms now;
    struct nv_sealed *sealed;
};

enum nv_status nv_making_init(struct nv_making *making, struct nv_store *store, struct nv_wall_ms now,
                              struct nv_sealed *sealed, struct nv_error *error);
void nv_making_done(struct nv_making *making);

/* Begins the next changeset of our own log of the scope; none may be begun already. */
enum nv_status nv_making_begin(struct nv_making *making, struct nv_scope_id scope, struct nv_error *error);

/* Whether the op, which is encoded in `making->merge.bytes`, is one that a changeset of that scope can hold. */
bool nv_making_takes(const struct nv_making *making, const struct nv_op *op);

/* Gives the op, which is encoded in `making->merge.bytes`, its place in the changeset. */
enum nv_status nv_making_add(struct nv_making *making, const struct nv_op *op, struct nv_error *error);

/* Makes room for so many ops in the changeset, if need be by closing it. */
enum nv_status nv_making_room(struct nv_making *making, size_t ops, struct nv_error *error);

/* Seals and appends the changeset once it is so long as one may be, and begins the next one of its log. To be called
 * when the op that was added last is merged. */
enum nv_status nv_making_close_full(struct nv_making *making, struct nv_error *error);

/* Seals and appends what there is; then none is begun. */
enum nv_status nv_making_end(struct nv_making *making, struct nv_error *error);
