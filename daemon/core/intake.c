#include "core/intake.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAIR_SHARE = 32 /* changesets of one sender in a row while others wait */, GROW_SHARES = 16 };

/* One changeset, of a batch or in the waiting room. */
struct nv_parcel {
    struct nv_parcel *next; /* in the waiting room, newer */
    struct nv_batch *batch; /* NULL in the waiting room */
    struct nv_far_head head;
    struct nv_site_id from;
    struct nv_slice bytes; /* within the batch, or after the parcel itself */
    bool gone;             /* waiting: it was judged for good */
    uint64_t offered_at;   /* waiting: the generation of our heads when it was judged last */
};

struct nv_batch {
    struct nv_batch *next;
    struct nv_taken_in result;
    size_t count, judged; /* judged are always the first ones */
    size_t offered;       /* the first ones that are judged, or offered just now */
    struct nv_parcel parcels[];
};

/* How many of one sender an offer holds. */
struct nv_share {
    struct nv_site_id from;
    size_t count;
};

struct nv_intake {
    struct nv_batch *first, **end;
    struct nv_share *shares; /* of the last offer */
    size_t share_count, share_capacity;
    struct nv_parcel *oldest, **newest;
    size_t waiting, waiting_bytes;
    uint64_t generation; /* of our heads */
    uint64_t offered_at; /* the generation at the last offer */
};

struct nv_intake *nv_intake_new(void)
{
    struct nv_intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL)
        return NULL;
    intake->end = &intake->first;
    intake->newest = &intake->oldest;
    return intake;
}

void nv_intake_free(struct nv_intake *intake)
{
    if (intake == NULL)
        return;
    for (struct nv_batch *batch = intake->first, *next; batch != NULL; batch = next) {
        next = batch->next;
        free(batch);
    }
    for (struct nv_parcel *parcel = intake->oldest, *next; parcel != NULL; parcel = next) {
        next = parcel->next;
        free(parcel);
    }
    free(intake->shares);
    free(intake);
}

enum nv_status nv_intake_put(struct nv_intake *intake, uint32_t session, struct nv_site_id from, uint64_t pull,
                             const struct nv_slice *changesets, const struct nv_far_head *heads, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += changesets[i].size;
    struct nv_batch *batch = calloc(1, sizeof *batch + count * sizeof batch->parcels[0] + bytes);
    if (batch == NULL)
        return NV_NO_MEMORY;
    batch->result = (struct nv_taken_in){.session = session, .pull = pull, .bytes = bytes};
    batch->count = count;
    uint8_t *room = (uint8_t *)&batch->parcels[count];
    for (size_t i = 0; i < count; i++) {
        struct nv_parcel *parcel = &batch->parcels[i];
        parcel->batch = batch;
        parcel->head = heads[i];
        parcel->from = from;
        parcel->bytes = (struct nv_slice){room, changesets[i].size};
        memcpy(room, changesets[i].data, changesets[i].size);
        room += changesets[i].size;
    }
    *intake->end = batch;
    intake->end = &batch->next;
    return NV_OK;
}

/* ---- the waiting room ---------------------------------------------------------------------------------------------
 */

static void unlink_parcel(struct nv_intake *intake, struct nv_parcel **link)
{
    struct nv_parcel *parcel = *link;
    *link = parcel->next;
    if (intake->newest == &parcel->next)
        intake->newest = link;
    intake->waiting--;
    intake->waiting_bytes -= parcel->bytes.size;
    free(parcel);
}

/* Those that were judged since: freed at once they would leave an offer pointing nowhere. */
static void sweep(struct nv_intake *intake)
{
    struct nv_parcel **link = &intake->oldest;
    while (*link != NULL) {
        if ((*link)->gone)
            unlink_parcel(intake, link);
        else
            link = &(*link)->next;
    }
}

static bool waits_already(const struct nv_intake *intake, const struct nv_far_head *head)
{
    for (const struct nv_parcel *parcel = intake->oldest; parcel != NULL; parcel = parcel->next)
        if (!parcel->gone && parcel->head.seq == head->seq && nv_far_head_order(&parcel->head, head) == 0 &&
            memcmp(&parcel->head.pin, &head->pin, sizeof head->pin) == 0)
            return true;
    return false;
}

static enum nv_status let_wait(struct nv_intake *intake, const struct nv_parcel *parcel)
{
    if (waits_already(intake, &parcel->head))
        return NV_OK;
    struct nv_parcel *waiting = malloc(sizeof *waiting + parcel->bytes.size);
    if (waiting == NULL)
        return NV_NO_MEMORY;
    uint8_t *room = (uint8_t *)(waiting + 1);
    memcpy(room, parcel->bytes.data, parcel->bytes.size);
    *waiting = (struct nv_parcel){
        .head = parcel->head,
        .from = parcel->from,
        .bytes = {room, parcel->bytes.size},
        .offered_at = intake->generation,
    };
    *intake->newest = waiting;
    intake->newest = &waiting->next;
    intake->waiting++;
    intake->waiting_bytes += waiting->bytes.size;
    return NV_OK;
}

static void evict(struct nv_intake *intake)
{
    while (intake->waiting > NV_LIMIT_WAITING_CHANGESETS || intake->waiting_bytes > NV_LIMIT_WAITING_BYTES)
        unlink_parcel(intake, &intake->oldest);
}

/* ---- offers and verdicts ------------------------------------------------------------------------------------------
 */

static uint64_t seq_of(const struct nv_far_head *own, size_t own_count, const struct nv_far_head *log)
{
    struct nv_heads view = {.heads = (struct nv_far_head *)(uintptr_t)own, .count = own_count};
    return nv_heads_seq(&view, log);
}

/* Where memory ran out, all share one. */
static size_t *share_of(struct nv_intake *intake, struct nv_site_id from)
{
    for (size_t i = 0; i < intake->share_count; i++)
        if (nv_site_id_compare(intake->shares[i].from, from) == 0)
            return &intake->shares[i].count;
    if (intake->share_count == intake->share_capacity) {
        size_t capacity = intake->share_capacity + GROW_SHARES;
        struct nv_share *shares = realloc(intake->shares, capacity * sizeof *shares);
        if (shares == NULL)
            return intake->share_count > 0 ? &intake->shares[0].count : NULL;
        intake->shares = shares;
        intake->share_capacity = capacity;
    }
    intake->shares[intake->share_count] = (struct nv_share){.from = from};
    return &intake->shares[intake->share_count++].count;
}

/* What is offered, and how much may be. */
struct nv_room {
    struct nv_offered *offered;
    size_t count, capacity, total, bytes;
};

/* Those of one sender stay in order. `fairly`: a few of each sender, so that nobody's flood holds up the others. */
static void offer_queued(struct nv_intake *intake, struct nv_room *room, bool fairly)
{
    for (struct nv_batch *batch = intake->first; batch != NULL; batch = batch->next) {
        if (batch->offered == batch->count)
            continue;
        size_t *share = fairly ? share_of(intake, batch->parcels[0].from) : NULL;
        while (batch->offered < batch->count && room->count < room->capacity && room->total < room->bytes &&
               (share == NULL || *share < FAIR_SHARE)) {
            struct nv_parcel *parcel = &batch->parcels[batch->offered++];
            room->offered[room->count++] = (struct nv_offered){parcel->bytes, parcel->from, parcel};
            room->total += parcel->bytes.size;
            if (share != NULL)
                ++*share;
        }
    }
}

size_t nv_intake_offer(struct nv_intake *intake, const struct nv_far_head *own, size_t own_count,
                       struct nv_offered *ret_offered, size_t capacity, size_t bytes)
{
    sweep(intake);
    evict(intake);
    size_t count = 0, total = 0;
    intake->offered_at = intake->generation;
    for (struct nv_parcel *parcel = intake->oldest; parcel != NULL && count < capacity && total < bytes;
         parcel = parcel->next) {
        if (parcel->offered_at == intake->generation || seq_of(own, own_count, &parcel->head) + 1 < parcel->head.seq)
            continue;
        ret_offered[count++] = (struct nv_offered){parcel->bytes, parcel->from, parcel};
        total += parcel->bytes.size;
    }
    for (struct nv_batch *batch = intake->first; batch != NULL; batch = batch->next)
        batch->offered = batch->judged;
    intake->share_count = 0;
    struct nv_room room = {ret_offered, count, capacity, total, bytes};
    offer_queued(intake, &room, true);
    offer_queued(intake, &room, false);
    return room.count;
}

static void count_verdict(struct nv_taken_in *result, enum nv_judged judged, const char *text)
{
    if (judged == NV_JUDGED_TAKEN)
        result->taken++;
    if (judged == NV_JUDGED_REFUSED) {
        result->refused++;
        snprintf(result->text, sizeof result->text, "%s", text);
    }
}

enum nv_status nv_intake_judge(struct nv_intake *intake, const struct nv_offered *offered, enum nv_judged judged,
                               const char *text)
{
    struct nv_parcel *parcel = offered->place;
    if (parcel->batch == NULL) {
        parcel->gone = judged != NV_JUDGED_WAITS;
        parcel->offered_at = intake->offered_at;
        return NV_OK;
    }
    count_verdict(&parcel->batch->result, judged, text);
    parcel->batch->judged++;
    return judged == NV_JUDGED_WAITS ? let_wait(intake, parcel) : NV_OK;
}

bool nv_intake_finished(struct nv_intake *intake, struct nv_taken_in *ret_taken_in)
{
    struct nv_batch **link = &intake->first;
    while (*link != NULL && (*link)->judged < (*link)->count)
        link = &(*link)->next;
    struct nv_batch *batch = *link;
    if (batch == NULL)
        return false;
    *ret_taken_in = batch->result;
    *link = batch->next;
    if (*link == NULL)
        intake->end = link;
    free(batch);
    return true;
}

void nv_intake_grew(struct nv_intake *intake)
{
    intake->generation++;
}

bool nv_intake_has_work(const struct nv_intake *intake)
{
    return intake->first != NULL || (intake->waiting > 0 && intake->offered_at != intake->generation);
}

size_t nv_intake_waiting(const struct nv_intake *intake)
{
    return intake->waiting;
}
