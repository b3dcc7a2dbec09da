/* What no longer counts: out of the logs, and out of the records where it was merged. It was merged only where the site
 * lost its right itself: every other one has vouched for what it merged. Internal to store/intake/. */
#pragma once

#include "store/capture/pending.h"
#include "store/merge/merge.h"

struct nv_uncounted {
    struct nv_merge *merge;
    struct nv_scope_id scope;
    struct nv_uncounted_log {
        const struct nv_log *log;
        struct nv_touched_set records; /* that it had changed */
    } * logs;
    size_t count;
};

/* All of it is of one scope. */
void nv_uncounted_init(struct nv_uncounted *uncounted, struct nv_merge *merge, struct nv_scope_id scope);
void nv_uncounted_done(struct nv_uncounted *uncounted);

/* Holds all after `seq` beyond its log. Of what was merged, notes the records, and lists the site's own values in
 * quarantine. */
enum nv_status nv_uncounted_put_back(struct nv_uncounted *uncounted, struct nv_log *log, uint64_t seq,
                                     struct nv_error *error);

/* Once all is put back: derives those records anew. */
enum nv_status nv_uncounted_finish(struct nv_uncounted *uncounted, struct nv_error *error);
