/* Sealed ops whose content key is lacking.
 *
 * A site that may write in the scope does not merge the changeset: who wrote while it could not read would cover what
 * it has not seen. A hub that reads by the word of others alone writes nothing there. It merges the other ops, notes
 * what it merged around, and derives the records anew once it has the key. Internal to store/. */
#pragma once

#include "store/capture/pending.h"
#include "store/log/opened.h"
#include "store/merge/merge.h"

/* Whether this site merges around ops of the scope that it cannot read. */
bool nv_keyless_are_passed(const struct nv_store *store, struct nv_scope_id scope);

/* Notes that the changeset, which is being merged, has an op at `place` that was passed. */
enum nv_status nv_keyless_note(struct nv_store *store, const struct nv_opened *opened, uint32_t place,
                               struct nv_error *error);

/* The changeset, whose turn it is in its log, waits for a key. The log is not tried again until a grant comes; and
 * bodies that the changeset lacks are owed from now on: the grant itself may be among them. */
enum nv_status nv_keyless_wait(struct nv_store *store, struct nv_log *log, const struct nv_opened *opened,
                               struct nv_error *error);

/* Ops of one changeset that were passed, and whose key this site has now: from the place `next` on. */
struct nv_keyless {
    int64_t changeset;
    nv_log_number log;
    uint64_t number; /* of the key */
    uint32_t next;
    bool is_last; /* nothing of it is left behind `next` */
};
enum nv_status nv_keyless_next(struct nv_store *store, struct nv_keyless *ret_keyless, bool *ret_any,
                               struct nv_error *error);

/* Puts the records of some of them into the set, and moves `next` behind those, or sets `is_last`. NV_NOT_YET where
 * they cannot be merged yet: their table is missing, or this program has not the site's keys. */
enum nv_status nv_keyless_list(struct nv_store *store, struct nv_keyless *keyless, struct nv_touched_set *records,
                               struct nv_error *error);

/* Derives the records anew, on which nothing may be pending, and notes how far it has come. What is stale is noted in
 * `merge->stale`: then the caller rolls back. */
enum nv_status nv_keyless_take(struct nv_merge *merge, const struct nv_keyless *keyless,
                               const struct nv_touched_set *records, struct nv_error *error);
