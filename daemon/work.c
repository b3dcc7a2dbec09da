/* The store's slices of work: looking, sealing, ingesting, enrolling, moving. Each returns at once where the store is
 * busy, and is tried again soon. */
#include "base/log.h"
#include "base/planted.h"
#include "service_internal.h"
#include "store/authority.h"
#include "store/log.h"
#include "store/moves.h"
#include "store/seal.h"

/* What a failed slice means: NV_OK where it is tried again at `*ret_again`. */
static enum nv_status again(struct nv_service *service, enum nv_status status, const struct nv_error *error,
                            int64_t *ret_again)
{
    if (NV_PLANTED(LOSE_WAKE_UP) && (status == NV_BUSY || status == NV_FULL))
        return NV_OK;
    switch (status) {
    case NV_BUSY:
        *ret_again = nv_mono_now().us + NV_RETRY_US;
        return NV_OK;
    case NV_FULL:
        if (!service->said_full)
            nv_log(NV_LOG_ERROR, "%s: nothing is lost, and the work goes on once there is room", error->text);
        service->said_full = true;
        *ret_again = nv_mono_now().us + NV_RETRY_FULL_US;
        return NV_OK;
    case NV_OK:
    case NV_NO_MEMORY:
    case NV_IO:
    case NV_CORRUPT:
    case NV_REFUSED:
    case NV_NOT_FOUND:
    case NV_NOT_SO:
    case NV_NOT_YET:
    case NV_USAGE:
    case NV_UNREACHABLE:
    case NV_BUG:
        break;
    }
    return status;
}

/* Something was written: whatever was said of a full disk is over, and is said again when it happens again. */
static void note_room(struct nv_service *service)
{
    if (service->said_full)
        nv_log(NV_LOG_INFO, "there is room on the disk again: the work goes on");
    service->said_full = false;
}

/* A program that writes much in many transactions is let be for a moment after each slice: sealing more at once costs
 * both sides less, and they meet less often at the write lock. A few rows never wait. */
enum { BURST_OPS = 200, BURST_PAUSE_US = 25000 };

void nv_service_ask_seal(struct nv_service *service)
{
    int64_t at = service->now.us < service->seal_not_before ? service->seal_not_before : service->now.us;
    if (service->seal_at > at)
        service->seal_at = at;
}

/* Whether another process wrote: its rows are to be sealed, its changesets (a schema that was applied) to be told. */
enum nv_status nv_service_look(struct nv_service *service, struct nv_error *error)
{
    bool changed = false;
    enum nv_status status = nv_store_refresh(service->store, &changed, error);
    if (status == NV_BUSY)
        return NV_OK; /* the next look is near */
    if (status != NV_OK || !changed)
        return status;
    nv_service_ask_seal(service);
    return service->net == NULL ? NV_OK : nv_service_tell_growth(service, error);
}

enum nv_status nv_service_seal(struct nv_service *service, struct nv_error *error)
{
    if (service->now.us < service->seal_at)
        return NV_OK;
    struct nv_sealed sealed = {0};
    enum nv_status status = nv_store_seal(service->store, nv_wall_now(), NV_SLICE_MS, &sealed, error);
    service->seal_at = status == NV_OK && sealed.more ? service->now.us : INT64_MAX;
    if (status == NV_NOT_YET)
        return NV_OK;
    if (status != NV_OK)
        return again(service, status, error, &service->seal_at);
    if (sealed.changesets == 0)
        return NV_OK;
    note_room(service);
    nv_log(NV_LOG_DEBUG, "sealed %zu ops in %zu changesets", sealed.ops, sealed.changesets);
    service->now = nv_mono_now();
    if (sealed.ops >= BURST_OPS && !sealed.more)
        service->seal_not_before = service->now.us + BURST_PAUSE_US;
    return nv_service_tell_growth(service, error);
}

static enum nv_judged judged_of(enum nv_verdict verdict)
{
    switch (verdict) {
    case NV_VERDICT_TAKEN:
        return NV_JUDGED_TAKEN;
    case NV_VERDICT_KNOWN:
        return NV_JUDGED_KNOWN;
    case NV_VERDICT_REFUSED:
        return NV_JUDGED_REFUSED;
    case NV_VERDICT_PENDING:
    case NV_VERDICT_WAITS:
        break;
    }
    return NV_JUDGED_WAITS;
}

/* The verdicts up to the first changeset that was not looked at. */
static enum nv_status judge(struct nv_service *service, size_t count, struct nv_error *error)
{
    for (size_t i = 0; i < count && service->incoming[i].verdict != NV_VERDICT_PENDING; i++) {
        const struct nv_incoming *incoming = &service->incoming[i];
        if (incoming->verdict == NV_VERDICT_REFUSED)
            nv_service_note_refusal(service, incoming->reason, &service->offered[i].from, incoming->text);
        if (nv_intake_judge(service->intake, &service->offered[i], judged_of(incoming->verdict), incoming->text) !=
            NV_OK)
            return nv_fail(error, NV_NO_MEMORY, "no memory for what a peer sent");
    }
    return NV_OK;
}

static enum nv_status tell_ingested(struct nv_service *service, struct nv_error *error)
{
    enum nv_status status = nv_service_tell_growth(service, error);
    if (status == NV_OK)
        status = nv_service_tell_owed(service, error);
    struct nv_taken_in taken;
    while (status == NV_OK && nv_intake_finished(service->intake, &taken)) {
        struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = taken.session};
        event.ingested.pull = taken.pull;
        event.ingested.bytes = taken.bytes;
        event.ingested.taken = taken.taken;
        event.ingested.refused = taken.refused;
        event.ingested.text = taken.text;
        status = nv_service_step(service, &event, error);
    }
    return status;
}

enum nv_status nv_service_ingest(struct nv_service *service, struct nv_error *error)
{
    if (service->now.us < service->ingest_at)
        return NV_OK;
    const struct nv_far_head *own;
    size_t own_count;
    nv_store_held(service->store, &own, &own_count);
    size_t count = nv_intake_offer(service->intake, own, own_count, service->offered, NV_INGEST_MOST, NV_INGEST_BYTES);
    for (size_t i = 0; i < count; i++)
        service->incoming[i] = (struct nv_incoming){.bytes = service->offered[i].bytes};
    service->ingest_at = INT64_MAX;
    if (count == 0)
        return NV_OK;
    enum nv_status status =
        nv_store_ingest(service->store, service->incoming, count, nv_wall_now(), NV_SLICE_MS, error);
    if (status != NV_OK)
        return again(service, status, error, &service->ingest_at);
    note_room(service);
    service->now = nv_mono_now();
    /* Taking up the state before it wrote, it may have seen what another program wrote just then: a look would not
     * tell. */
    nv_service_ask_seal(service);
    status = judge(service, count, error);
    if (nv_store_kept(service->store) != service->kept)
        nv_intake_grew(service->intake); /* what waits may build on what is held beyond the logs */
    service->kept = nv_store_kept(service->store);
    if (status == NV_OK)
        status = tell_ingested(service, error);
    service->ingest_at = nv_intake_has_work(service->intake) ? service->now.us : INT64_MAX;
    return status;
}

enum nv_status nv_service_enrol(struct nv_service *service, struct nv_error *error)
{
    if (service->now.us < service->enrol_at)
        return NV_OK;
    service->enrol_at = INT64_MAX;
    nv_buffer_clear(&service->out);
    struct nv_buffer reply = {0};
    enum nv_status status = nv_authority_enrol(service->store, service->settings.authority_key,
                                               nv_buffer_slice(&service->enrolment), nv_wall_now(), &reply, error);
    if (status == NV_OK && !reply.failed && reply.size > 0)
        nv_net_answer(service->net, nv_buffer_slice(&reply));
    nv_buffer_done(&reply);
    /* Whatever came of it, it took up the state: what another program wrote just then a look would not tell any more.
     */
    nv_service_ask_seal(service);
    if (status == NV_REFUSED || status == NV_NOT_FOUND || status == NV_NOT_YET) {
        nv_log(NV_LOG_WARNING, "a request to join was refused: %s", error->text);
        return NV_OK;
    }
    if (status != NV_OK)
        return again(service, status, error, &service->enrol_at);
    return nv_service_tell_growth(service, error);
}

/* ---- moving ---- */

enum { MOVES_AT_ONCE = 64 };

/* Records on their way from one scope to another leave where they were once a peer has them where they go. */
enum nv_status nv_service_end_moves(struct nv_service *service, struct nv_error *error)
{
    struct nv_far_head awaited[MOVES_AT_ONCE];
    size_t count;
    enum nv_status status = nv_store_moves_awaited(service->store, awaited, MOVES_AT_ONCE, &count, error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (!nv_sync_is_held(service->sync, &awaited[i]))
            continue;
        status = nv_store_moves_held(service->store, &awaited[i], error);
        nv_service_ask_seal(service);
    }
    return status == NV_BUSY || status == NV_FULL ? NV_OK : status; /* it is tried again in a second */
}
