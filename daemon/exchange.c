/* The machine's events out of what the network brings, and its actions carried out. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/planted.h"
#include "service_internal.h"
#include "store/log.h"
#include "store/trust/rights.h"
#include "wire/changeset.h"
#include "wire/message.h"

static const char *name_of(const struct nv_service *service, struct nv_site_id site)
{
    const char *name = nv_store_site_name(service->store, site);
    return name == NULL ? "a site without a certificate" : name;
}

/* A flood of refusals must not become a flood of writes: those beyond the measure of one second are not counted. */
void nv_service_note_refusal(struct nv_service *service, enum nv_reason reason, const struct nv_site_id *site,
                             const char *text)
{
    if (service->notes >= NV_NOTES_MOST)
        return;
    service->notes++;
    nv_log(NV_LOG_WARNING, "refused (%s) from %s: %s", nv_reason_name(reason),
           site == NULL ? "an unknown key" : name_of(service, *site), text);
    struct nv_error error = {0};
    if (nv_store_note_refusal(service->store, reason, site, text, nv_wall_now(), &error) != NV_OK)
        nv_log(NV_LOG_DEBUG, "the refusal is not counted: %s", error.text);
}

/* ---- actions ------------------------------------------------------------------------------------------------------
 */

static bool send_message(struct nv_service *service, uint32_t session, const struct nv_message *message)
{
    nv_buffer_clear(&service->out);
    nv_message_encode(message, &service->out);
    return !service->out.failed && nv_net_send(service->net, session, nv_buffer_slice(&service->out));
}

/* What the machine has to say; it knows no clock. */
static void say(struct nv_service *service, const struct nv_action *action)
{
    struct nv_message message = action->send;
    if (message.kind == NV_MESSAGE_HELLO)
        message.hello.now = nv_wall_now();
    else if (message.kind == NV_MESSAGE_PING)
        message.ping.now = nv_wall_now();
    send_message(service, action->session, &message);
}

/* Warnings are for what somebody should look at. */
static enum nv_log_level level_of(enum nv_close why)
{
    if (why == NV_CLOSE_REPLACED || why == NV_CLOSE_UNWELCOME)
        return NV_LOG_DEBUG;
    return why == NV_CLOSE_STALE ? NV_LOG_INFO : NV_LOG_WARNING;
}

static enum nv_status close_session(struct nv_service *service, const struct nv_action *action)
{
    enum nv_close why = action->close.why;
    nv_log(level_of(why), "the session with %s ends: %s", name_of(service, action->close.site), nv_close_text(why));
    if (why == NV_CLOSE_HELLO)
        nv_service_note_refusal(service, NV_REASON_NETWORK, &action->close.site, "its Hello is not of this network");
    /* A silent one may wake up: then it shall hear that it must begin anew. */
    bool shun = why != NV_CLOSE_SILENT && why != NV_CLOSE_REFUSED;
    nv_net_hang_up(service->net, action->session, shun, service->now);
    return NV_OK;
}

static enum nv_status step_served(struct nv_service *service, const struct nv_action *action, int64_t cursor,
                                  size_t count, bool done, struct nv_error *error)
{
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = action->session};
    event.served.pull = action->serve.pull;
    event.served.heads = service->heads;
    event.served.count = count;
    event.served.bytes = service->read.size;
    event.served.cursor = cursor;
    event.served.done = done;
    return nv_service_step(service, &event, error);
}

/* Reads what the peer lacks and sends it. Where the session went away meanwhile, the machine is told so by the network.
 */
static enum nv_status serve(struct nv_service *service, const struct nv_action *action, struct nv_error *error)
{
    int64_t cursor = action->serve.cursor;
    size_t count = 0;
    bool done = false;
    nv_buffer_clear(&service->read);
    enum nv_status status = nv_store_read_for(service->store, action->serve.peer, action->serve.peer_count,
                                              &action->serve.scopes, &cursor, action->serve.budget, &service->read,
                                              service->ends, service->heads, NV_SERVED_MOST, &count, &done, error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0, start = 0; i < count; start = service->ends[i++])
        service->slices[i] = (struct nv_slice){service->read.data + start, service->ends[i] - start};
    if (count > 0 || action->serve.pull != 0) {
        struct nv_message message = {.kind = NV_MESSAGE_BATCH};
        message.batch.pull = action->serve.pull;
        message.batch.changesets = service->slices;
        message.batch.changeset_count = count;
        message.batch.last = action->serve.pull != 0 && done;
        if (!send_message(service, action->session, &message))
            return NV_OK;
    }
    return step_served(service, action, cursor, count, done, error);
}

static enum nv_status queue_batch(struct nv_service *service, const struct nv_action *action, struct nv_error *error)
{
    assert(service->message != NULL && service->message->kind == NV_MESSAGE_BATCH);
    const struct nv_message *message = service->message;
    for (size_t i = 0; i < action->ingest.count; i++) {
        message->batch.changesets[i] = message->batch.changesets[action->ingest.places[i]];
        service->message_heads[i] = service->message_heads[action->ingest.places[i]];
    }
    if (nv_intake_put(service->intake, action->session, service->message_from, action->ingest.pull,
                      message->batch.changesets, service->message_heads, action->ingest.count) != NV_OK)
        return nv_fail(error, NV_NO_MEMORY, "no memory for what a peer sent");
    if (service->ingest_at == INT64_MAX)
        service->ingest_at = service->now.us;
    return NV_OK;
}

static enum nv_status execute(struct nv_service *service, const struct nv_action *action, struct nv_error *error)
{
    switch (action->kind) {
    case NV_ACTION_SEND:
        say(service, action);
        return NV_OK;
    case NV_ACTION_CLOSE:
        return close_session(service, action);
    case NV_ACTION_SERVE:
        return serve(service, action, error);
    case NV_ACTION_INGEST:
        return queue_batch(service, action, error);
    case NV_ACTION_REFUSED:
        nv_service_note_refusal(service, NV_REASON_MEMBER, &action->refused.site, action->refused.text);
        return NV_OK;
    }
    return NV_OK;
}

enum nv_status nv_service_step(struct nv_service *service, struct nv_event *event, struct nv_error *error)
{
    event->now = service->now;
    if (nv_sync_step(service->sync, event, &service->actions) != NV_OK)
        return nv_fail(error, NV_NO_MEMORY, "no memory to speak with the peers");
    if (service->executing)
        return NV_OK; /* whoever executes comes to what was appended */
    service->executing = true;
    enum nv_status status = NV_OK;
    for (size_t i = 0; i < service->actions.count && status == NV_OK; i++) {
        struct nv_action action = service->actions.items[i];
        status = execute(service, &action, error);
    }
    nv_actions_clear(&service->actions);
    service->executing = false;
    return status;
}

static bool was_told(const struct nv_service *service, const struct nv_far_head *heads, size_t count)
{
    return service->told.count == count &&
           (count == 0 || memcmp(service->told.heads, heads, count * sizeof *heads) == 0);
}

enum nv_status nv_service_tell_growth(struct nv_service *service, struct nv_error *error)
{
    const struct nv_far_head *heads;
    size_t count;
    nv_store_has(service->store, &heads, &count);
    if (service->was_told && was_told(service, heads, count))
        return NV_OK;
    uint64_t authority_seq = 0;
    for (size_t i = 0; i < count && nv_scope_id_equal(heads[i].scope, NV_SCOPE_AUTHORITY); i++)
        authority_seq += heads[i].seq;
    bool has_new_rights = !service->was_told || authority_seq != service->authority_seq;
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = heads;
    event.grew.count = count;
    event.grew.newest = nv_store_newest(service->store);
    bool has_new_members = has_new_rights && !(NV_PLANTED(SESSION_OUTLIVES) && service->was_told);
    enum nv_status status = has_new_members ? nv_service_set_members(service, error) : NV_OK;
    if (status == NV_OK && has_new_rights)
        status = nv_service_list_carriers(service, &event.grew.carriers, &event.grew.carrier_count, error);
    if (status != NV_OK)
        return status;
    if (nv_heads_assign(&service->told, heads, count) != NV_OK)
        return nv_fail(error, NV_NO_MEMORY, "no memory to speak with the peers");
    service->was_told = true;
    service->authority_seq = authority_seq;
    nv_intake_grew(service->intake);
    if (nv_intake_has_work(service->intake) && service->ingest_at == INT64_MAX)
        service->ingest_at = service->now.us;
    return nv_service_step(service, &event, error);
}

enum nv_status nv_service_tell_owed(struct nv_service *service, struct nv_error *error)
{
    struct nv_event event = {.kind = NV_EVENT_OWES};
    enum nv_status status =
        nv_store_owed(service->store, &service->owed_cursor, &event.owes.before, &event.owes.any, error);
    if (status == NV_BUSY)
        return NV_OK; /* it is looked up again soon */
    if (status != NV_OK || (!event.owes.any && !service->owes))
        return status;
    service->owes = event.owes.any;
    return nv_service_step(service, &event, error);
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

/* Which place in which log each changeset of a batch is for. What cannot be told stays zero: ingesting says why. */
static bool peek_heads(struct nv_service *service, const struct nv_message *message)
{
    size_t count = message->batch.changeset_count;
    if (count > service->message_head_capacity) {
        struct nv_far_head *heads = realloc(service->message_heads, count * sizeof *heads);
        if (heads == NULL)
            return false;
        service->message_heads = heads;
        service->message_head_capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        struct nv_far_head *head = &service->message_heads[i];
        struct nv_changeset_parts parts;
        struct nv_header header;
        memset(head, 0, sizeof *head);
        nv_arena_reset(&service->peek_arena);
        if (nv_changeset_split(message->batch.changesets[i], &parts, NULL) != NV_OK ||
            nv_header_decode(parts.header, &service->peek_arena, &header, NULL) != NV_OK)
            continue;
        struct nv_hash hash = nv_header_hash(parts.header);
        *head = (struct nv_far_head){.site = header.log.site,
                                     .epoch = header.log.epoch,
                                     .scope = header.log.scope,
                                     .seq = header.seq,
                                     .pin = nv_pin_of(&hash)};
    }
    return true;
}

static enum nv_status take_garbage(struct nv_service *service, const struct nv_net_event *event, const char *text,
                                   struct nv_error *error)
{
    nv_service_note_refusal(service, NV_REASON_MESSAGE, &event->site, text);
    struct nv_event garbage = {.kind = NV_EVENT_GARBAGE, .session = event->session};
    garbage.garbage.text = text;
    return nv_service_step(service, &garbage, error);
}

/* What a peer says of its clock is only shown. */
static void note_clock(struct nv_service *service, struct nv_site_id site, const struct nv_message *message)
{
    if (message->kind == NV_MESSAGE_HELLO)
        nv_service_note_clock(service, site, message->hello.now);
    else if (message->kind == NV_MESSAGE_PING)
        nv_service_note_clock(service, site, message->ping.now);
}

static enum nv_status take_frame(struct nv_service *service, const struct nv_net_event *event, struct nv_error *error)
{
    struct nv_message message;
    struct nv_error why = {0};
    nv_arena_reset(&service->arena);
    enum nv_status status = nv_message_decode(event->frame, &service->arena, &message, &why);
    if (status == NV_NOT_YET)
        return NV_OK; /* newer software says more than we understand, and knows it */
    if (status == NV_NO_MEMORY)
        return nv_fail(error, status, "%s", why.text); /* which is no fault of the peer's */
    if (status != NV_OK)
        return take_garbage(service, event, why.text, error);
    if (message.kind == NV_MESSAGE_BATCH && !peek_heads(service, &message))
        return nv_fail(error, NV_NO_MEMORY, "no memory for what a peer sent");
    if (message.kind == NV_MESSAGE_REFUSAL && service->notes++ < NV_NOTES_MOST)
        nv_log(NV_LOG_WARNING, "%s refuses: %.200s", name_of(service, event->site), message.refusal.text);
    note_clock(service, event->site, &message);
    struct nv_event step = {.kind = NV_EVENT_MESSAGE, .session = event->session};
    step.message.message = service->message = &message;
    step.message.heads = service->message_heads;
    service->message_from = event->site;
    status = nv_service_step(service, &step, error);
    service->message = NULL;
    return status;
}

static enum nv_status take_session(struct nv_service *service, const struct nv_net_event *event, struct nv_error *error)
{
    struct nv_event step = {.session = event->session};
    if (event->kind == NV_NET_OPENED) {
        step.kind = NV_EVENT_OPENED;
        step.opened.site = event->site;
        step.opened.dialled = event->dialled;
        nv_random(&step.opened.seed, sizeof step.opened.seed);
        nv_log(NV_LOG_INFO, "%s is connected%s", name_of(service, event->site), event->dialled ? " (we dialled)" : "");
    } else {
        step.kind = NV_EVENT_CLOSED;
        nv_log(NV_LOG_INFO, "the line with %s is down", name_of(service, event->site));
    }
    return nv_service_step(service, &step, error);
}

enum nv_status nv_service_take_event(struct nv_service *service, const struct nv_net_event *event,
                                     struct nv_error *error)
{
    switch (event->kind) {
    case NV_NET_OPENED:
    case NV_NET_CLOSED:
        return take_session(service, event, error);
    case NV_NET_FRAME:
        return take_frame(service, event, error);
    case NV_NET_GARBAGE:
        return take_garbage(service, event, "more than one frame in a message", error);
    case NV_NET_STRANGER:
        nv_service_note_refusal(service, NV_REASON_NETWORK, NULL, "an unknown key");
        return NV_OK;
    case NV_NET_DENIED:
        nv_log(NV_LOG_WARNING, "%s does not admit our key: it may not have our certificate yet, or no longer",
               name_of(service, event->site));
        return NV_OK;
    case NV_NET_ENROL:
        if (service->settings.authority_key == NULL)
            return NV_OK;
        nv_buffer_clear(&service->enrolment);
        nv_buffer_append(&service->enrolment, event->frame.data, event->frame.size);
        service->enrol_at = service->now.us;
        return NV_OK;
    }
    return NV_OK;
}
