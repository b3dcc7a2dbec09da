/* Children of records, by the columns that reference them: those whose record is of the same scope as their parent's
 * was. One look at each child's table for all parents at once. Internal to store/. */
#pragma once

#include "store/merge/merge.h"

struct nv_follower {
    struct nv_place place;
    struct nv_scope_id scope; /* that the parent was of, and the child is */
};

struct nv_following {
    struct nv_store *store;
    bool any; /* parents were added since the last look */
    struct nv_follower *followers;
    size_t count, capacity;
    struct nv_arena keys;
};

void nv_following_init(struct nv_following *following, struct nv_store *store);
void nv_following_done(struct nv_following *following);

/* A parent, whose record was of that scope. */
enum nv_status nv_following_add(struct nv_following *following, struct nv_place parent, struct nv_scope_id scope,
                                struct nv_error *error);
bool nv_following_any(const struct nv_following *following);

/* Lists the children of the parents that were added since the last call, which are forgotten: in `followers`, until the
 * next one. */
enum nv_status nv_following_next(struct nv_following *following, struct nv_error *error);
