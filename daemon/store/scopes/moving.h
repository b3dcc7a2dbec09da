/* Moves under way: begun by making records anew in another scope, ended by deleting them where they were. Each step is
 * one transaction. Internal to store/. */
#pragma once

#include "store/merge/merge.h"
#include "store/seal.h"

/* Records that go to one scope, in one move. */
struct nv_moving {
    struct nv_scope_id scope;
    const struct nv_place *places;
    size_t count;
};

/* Makes the records and their children, those that are of the same scope as they, anew there. All that is pending was
 * sealed. A record that cannot be made anew stays where it is, and is listed in quarantine. */
enum nv_status nv_moves_begin(struct nv_store *store, const struct nv_moving *moving, struct nv_wall_ms now,
                              struct nv_sealed *sealed, struct nv_error *error);

/* Whether the record is on its way. */
enum nv_status nv_moves_have(struct nv_store *store, uint32_t table, struct nv_slice key, bool *ret_have,
                             struct nv_error *error);

/* Has moves end that wait for nobody any more: those to a scope that no other member carries. In the transaction that
 * took up a changeset of the authority log. */
enum nv_status nv_moves_follow(struct nv_store *store, struct nv_error *error);

/* Whether a move can end. */
enum nv_status nv_moves_are_due(struct nv_store *store, bool *ret_due, struct nv_error *error);

/* Ends one move that can: what changed since is put there, and all of it is deleted where it was. *ret_more: others
 * can, too. */
enum nv_status nv_moves_end(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed, bool *ret_more,
                            struct nv_error *error);

/* Gives up the moves from or to a scope that this site no longer reads; what was to go there goes once it can. */
enum nv_status nv_moves_drop(struct nv_store *store, struct nv_scope_id scope, struct nv_error *error);
