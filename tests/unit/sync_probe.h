/* One sync machine under a test's hands: events go in, one at a time, and what it wants done is looked at. The tests of
 * the single rules of core/sync.h are written with it. */
#pragma once

#include "core/sync.h"

enum { MILLI = 1000, SEC = 1000 * MILLI, KIB = 1024 };

extern const uint8_t probe_network[32];

/* One machine, the heads of its log, and what it wanted since the last look. */
struct probe {
    struct nv_sync *sync;
    struct nv_actions actions;
    int64_t now;
    uint64_t own[8]; /* seq by writer */
    int64_t newest;
};

/* A machine whose log has one changeset of its own. */
struct probe probe_of(uint8_t self);
void probe_done(struct probe *probe);

struct nv_site_id probe_site(uint8_t number);
struct nv_far_head probe_head(uint8_t writer, uint64_t seq);

/* ---- events; each of them steps, and fails the test where that is not NV_OK ---- */

void probe_step(struct probe *probe, struct nv_event event);
void probe_tick(struct probe *probe, int64_t later);

/* Our log grew to `seq` of that writer. */
void probe_grow(struct probe *probe, uint8_t writer, uint64_t seq);

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
