#include "core/intake.h"

#include <stdio.h>
#include <stdlib.h>

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
    struct nv_parcel parcels[];
};

struct nv_intake {
    struct nv_batch *first, **end;
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
        if (changesets[i].size > 0)
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
    for (struct nv_batch *batch = intake->first; batch != NULL; batch = batch->next) {
        for (size_t i = batch->judged; i < batch->count && count < capacity && total < bytes; i++) {
            ret_offered[count++] =
                (struct nv_offered){batch->parcels[i].bytes, batch->parcels[i].from, &batch->parcels[i]};
            total += batch->parcels[i].bytes.size;
        }
    }
    return count;
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
    struct nv_batch *batch = intake->first;
    if (batch == NULL || batch->judged < batch->count)
        return false;
    *ret_taken_in = batch->result;
    intake->first = batch->next;
    if (intake->first == NULL)
        intake->end = &intake->first;
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
