/* When to look whether another process wrote to the store.
 *
 * inotify tells of each write to the WAL. But a commit is seen only once the index beside the WAL is updated, which
 * comes after the writes and, with synchronous=FULL, after an fsync: so after an event there are looks after 0, 0.1,
 * 0.3, 1, 2, 4 … ms, up to about 200 ms. A look every half second is the fallback where inotify tells nothing (a
 * network file system).
 */
#pragma once

#include "base/error.h"
#include "base/time.h"

struct nv_watch {
    int descriptor; /* readable where something may have been written */
    int64_t look_at;
    unsigned looks; /* since the last event */
};

enum nv_status nv_watch_open(struct nv_watch *watch, const char *home, struct nv_mono_us now, struct nv_error *error);
void nv_watch_close(struct nv_watch *watch);

/* Takes what inotify told. */
void nv_watch_read(struct nv_watch *watch, struct nv_mono_us now);

/* Whether to look now; if so, plans the next look. */
bool nv_watch_is_due(struct nv_watch *watch, struct nv_mono_us now);
