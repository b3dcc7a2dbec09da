/* One sync machine under a test's hands: events go in, one at a time, and what it wants done is looked at. The tests of
 * the single rules of core/sync.h are written with it. */
#pragma once

#include "core/sync.h"

enum { MILLI = 1000, SEC = 1000 * MILLI, KIB = 1024 };

extern const uint8_t probe_network[32];

enum { PROBE_SITES = 60, PROBE_MORE = 8 };

/* One machine, the heads of its log, and what it wanted since the last look. */
struct probe {
    struct nv_sync *sync;
    struct nv_actions actions;
    int64_t now;
    uint64_t own[8];                     /* seq by writer, in `network` */
    struct nv_far_head more[PROBE_MORE]; /* heads of other scopes, ascending; those of the authority log first */
    size_t more_count;
    int64_t newest;
    struct nv_carrier carriers[PROBE_SITES]; /* of the sites 1, 2, …; at first all of them carry everything */
    bool has_news;                           /* of these, to be told with the next growth */
};

/* A machine whose log has one changeset of its own. */
struct probe probe_of(uint8_t self);
void probe_done(struct probe *probe);

struct nv_site_id probe_site(uint8_t number);
struct nv_far_head probe_head(uint8_t writer, uint64_t seq);

/* All that it holds, ascending; and what is said of that in a digest. */
size_t probe_heads(const struct probe *probe, struct nv_far_head heads[8 + PROBE_MORE]);
struct nv_digest probe_digest(const struct nv_far_head *heads, size_t count);

/* ---- events; each of them steps, and fails the test where that is not NV_OK ---- */

void probe_step(struct probe *probe, struct nv_event event);
void probe_tick(struct probe *probe, int64_t later);

/* Our log grew to `seq` of that writer; in another scope than `network`. */
void probe_grow(struct probe *probe, uint8_t writer, uint64_t seq);
void probe_grow_in(struct probe *probe, struct nv_scope_id scope, uint8_t writer, uint64_t seq);

/* From the next growth on the site carries these scopes; NULL: it is no member. The list stays the caller's. */
void probe_carries(struct probe *probe, uint8_t site, struct nv_scope_set *scopes);

void probe_open(struct probe *probe, uint32_t session, uint8_t site, bool dialled);
void probe_hear(struct probe *probe, uint32_t session, struct nv_message message);
struct nv_message probe_hello(uint8_t site);
void probe_hear_digest(struct probe *probe, uint32_t session, const uint64_t seqs[8]);
void probe_hear_has(struct probe *probe, uint32_t session, const uint64_t seqs[8], bool whole, bool please);
void probe_hear_pull(struct probe *probe, uint32_t session, uint64_t number, uint64_t credit);

/* A batch of one changeset of that size; without any where it is 0. */
void probe_hear_batch(struct probe *probe, uint32_t session, uint64_t pull, uint8_t writer, uint64_t seq, size_t size,
                      bool last);

void probe_ingested(struct probe *probe, uint32_t session, uint64_t pull, size_t bytes, size_t taken, size_t refused);
void probe_served(struct probe *probe, uint32_t session, uint64_t pull, uint8_t writer, uint64_t seq, size_t bytes,
                  bool is_done);

/* A session that is greeted and in step; one with a site that has what we lack, up to `seq` of the writer 7. */
void probe_meet(struct probe *probe, uint32_t session, uint8_t site);
void probe_meet_ahead(struct probe *probe, uint32_t session, uint8_t site, uint64_t seq);

/* ---- what the last step wanted ---- */

/* The first action of that kind for that session (0: any); NULL where there is none. */
const struct nv_action *probe_wanted(const struct probe *probe, enum nv_action_kind kind, uint32_t session);
const struct nv_message *probe_said(const struct probe *probe, enum nv_message_kind kind, uint32_t session);
