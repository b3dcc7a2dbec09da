/* Changesets that were received and are not durable yet: a queue of batches, and a waiting room.
 *
 * What was handed over by an NV_ACTION_INGEST stands in the queue until each of its changesets has a verdict. One that
 * names what is not here yet goes to the waiting room, which is bounded: the oldest is dropped first, and comes again
 * by pull, because it is not in our Has. It is offered again when it is the next one of its log and our heads grew.
 */
#pragma once

#include "base/limits.h"
#include "core/heads.h"

struct nv_intake;

struct nv_intake *nv_intake_new(void); /* NULL where memory ran out */
void nv_intake_free(struct nv_intake *intake);

/* Copies a batch to the end of the queue. `heads` name the changesets, one each. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_intake_put(struct nv_intake *intake, uint32_t session, struct nv_site_id from, uint64_t pull,
                             const struct nv_slice *changesets, const struct nv_far_head *heads, size_t count);

struct nv_offered {
    struct nv_slice bytes;
    struct nv_site_id from; /* who sent it */
    void *place;            /* ours */
};

/* What is to be ingested next: first those of the waiting room whose turn may have come (`own` are our heads,
 * ascending), then a few of each sender, then the queue in order (that of one sender never changes); at most
 * `capacity`, ending with the one that goes beyond `bytes`. Returns how many. The bytes stay until they are judged. */
size_t nv_intake_offer(struct nv_intake *intake, const struct nv_far_head *own, size_t own_count,
                       struct nv_offered *ret_offered, size_t capacity, size_t bytes);

enum nv_judged { NV_JUDGED_TAKEN, NV_JUDGED_KNOWN, NV_JUDGED_WAITS, NV_JUDGED_REFUSED };

/* The verdict on one that was offered; call it in the order in which they were. Those that are not judged are offered
 * again. `text`: why it was refused. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_intake_judge(struct nv_intake *intake, const struct nv_offered *offered, enum nv_judged judged,
                               const char *text);

/* A batch of which all is judged: as in NV_EVENT_INGESTED. */
struct nv_taken_in {
    uint32_t session;
    uint64_t pull;
    size_t bytes, taken, refused;
    char text[200];
};

/* Takes the oldest batch of which all is judged off the queue; false where there is none. */
bool nv_intake_finished(struct nv_intake *intake, struct nv_taken_in *ret_taken_in);

void nv_intake_grew(struct nv_intake *intake);           /* our heads did: those that wait may be tried again */
bool nv_intake_has_work(const struct nv_intake *intake); /* whether an offer is worth while */
size_t nv_intake_waiting(const struct nv_intake *intake);
