#include "core/sync_internal.h"

/* ---- choosing whom to pull from -----------------------------------------------------------------------------------
 */

/* Whether the peer has anything that we neither hold nor are about to: what was received and is not durable yet is
 * coming. Not for long: only once it is durable is it known to be what its header says. */
static bool is_ahead(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    if (!peer->maybe_ahead)
        return false;
    if (nv_heads_cover(&sync->own.heads, peer->has.heads, peer->has.count)) {
        peer->maybe_ahead = false;
        peer->pull_failures = 0;
        peer->ahead_since = 0;
        return false;
    }
    if (peer->ahead_since == 0)
        peer->ahead_since = now;
    if (now - peer->ahead_since >= NV_COMING_US)
        return true;
    for (size_t i = 0; i < peer->has.count; i++) {
        const struct nv_far_head *head = &peer->has.heads[i];
        if (nv_heads_seq(&sync->own.heads, head) < head->seq && nv_heads_seq(&sync->coming, head) < head->seq)
            return true;
    }
    nv_sync_wake_by(sync, peer->ahead_since + NV_COMING_US);
    return false;
}

/* Whether the peer has the changeset of which we owe bodies, and may have those. */
static bool may_give_owed(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    if (!sync->owes || nv_heads_seq(&peer->has, &sync->owed) <= sync->owed.seq)
        return false;
    if (now < peer->owed_after)
        nv_sync_wake_by(sync, peer->owed_after);
    return now >= peer->owed_after;
}

static bool is_unfinished(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    (void)sync;
    (void)now;
    return peer->is_unfinished;
}

/* The next peer of which it holds after the one that was pulled from last; one that rests is waited for. */
static struct nv_peer *choose(struct nv_sync *sync, bool (*is_worth)(struct nv_sync *, struct nv_peer *, int64_t),
                              int64_t now)
{
    struct nv_peer *first = NULL, *next = NULL;
    for (size_t i = 0; i < sync->peer_count && next == NULL; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (peer->session == 0 || !peer->greeted || !peer->has_known || peer->queued > 0 || !is_worth(sync, peer, now))
            continue;
        if (now < peer->pull_after) {
            nv_sync_wake_by(sync, peer->pull_after);
            continue;
        }
        if (first == NULL)
            first = peer;
        if (nv_site_id_compare(peer->site, sync->pulled) > 0)
            next = peer;
    }
    return next != NULL ? next : first;
}

/* Our own vector; where it asks for bodies, that log's ends before them. */
static enum nv_status copy_vector(const struct nv_sync *sync, const struct nv_peer *peer, enum nv_purpose purpose,
                                  struct nv_action *action, struct nv_actions *actions)
{
    struct nv_far_head *heads;
    size_t count, kept = 0;
    if (nv_sync_copy_own(sync, peer, 0, actions, &heads, &count) != NV_OK)
        return NV_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        bool is_owed = purpose == NV_PURPOSE_OWED && nv_far_head_order(&heads[i], &sync->owed) == 0;
        if (!is_owed || sync->owed.seq > 0)
            heads[kept++] = is_owed ? sync->owed : heads[i];
    }
    action->send.pull.has = heads;
    action->send.pull.has_count = kept;
    return NV_OK;
}

static enum nv_status begin_pull(struct nv_sync *sync, struct nv_peer *peer, enum nv_purpose purpose, int64_t now,
                                 struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
    if (action == NULL || copy_vector(sync, peer, purpose, action, actions) != NV_OK)
        return NV_NO_MEMORY;
    action->send.kind = NV_MESSAGE_PULL;
    action->send.pull.pull = ++sync->pull_number;
    action->send.pull.credit_bytes = purpose == NV_PURPOSE_OWED ? NV_SYNC_BATCH_BYTES : NV_SYNC_CREDIT_BYTES;

    memset(&sync->pull, 0, sizeof sync->pull);
    sync->pull.peer = peer;
    sync->pull.number = sync->pull_number;
    sync->pull.credit = (int64_t)action->send.pull.credit_bytes;
    sync->pull.purpose = purpose;
    sync->pull.turn_over = purpose == NV_PURPOSE_OWED; /* one batch, and then another may have its turn */
    sync->pull.begun = sync->pull.moved = now;
    sync->pulled = peer->site;
    peer->is_unfinished = purpose == NV_PURPOSE_OWED;
    nv_sync_wake_by(sync, now + NV_PULL_PATIENCE_US);
    return NV_OK;
}

enum nv_status nv_sync_consider_pull(struct nv_sync *sync, int64_t now, struct nv_actions *actions)
{
    /* What a peer sent and hung up stays in the queue: who comes again and again must not fill the memory. */
    if (sync->pull.peer != NULL || sync->queued > NV_SYNC_QUEUE_BYTES)
        return NV_OK;
    struct nv_peer *peer = choose(sync, is_ahead, now);
    if (peer != NULL)
        return begin_pull(sync, peer, NV_PURPOSE_AHEAD, now, actions);
    peer = choose(sync, may_give_owed, now);
    if (peer != NULL)
        return begin_pull(sync, peer, NV_PURPOSE_OWED, now, actions);
    peer = choose(sync, is_unfinished, now);
    return peer == NULL ? NV_OK : begin_pull(sync, peer, NV_PURPOSE_CLOSING, now, actions);
}

/* ---- bodies that are owed -----------------------------------------------------------------------------------------
 */

void nv_sync_ask_later(struct nv_peer *peer, int64_t now)
{
    int64_t after = now + nv_sync_jittered(peer, NV_OWED_US);
    if (peer->owed_after < after)
        peer->owed_after = after;
}

void nv_sync_on_owes(struct nv_sync *sync, const struct nv_event *event)
{
    for (size_t i = 0; event->owes.any && !sync->owes && i < sync->peer_count; i++)
        nv_sync_ask_later(sync->peers[i], event->now.us);
    sync->owes = event->owes.any;
    sync->owed = event->owes.before;
    if (sync->owes)
        nv_sync_wake_by(sync, event->now.us);
}

/* A pull for bodies is done, or was left: who gave none is not asked again soon. */
static void end_owed(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    if (sync->pull.purpose != NV_PURPOSE_OWED)
        return;
    if (sync->pull.taken > 0) {
        peer->owed_failures = 0;
        return;
    }
    peer->owed_after = now + nv_sync_jittered(peer, nv_sync_backoff(NV_OWED_US, peer->owed_failures, NV_OWED_MOST_US));
    if (peer->owed_failures < 32)
        peer->owed_failures++;
    nv_sync_wake_by(sync, peer->owed_after);
}

/* ---- the end of a pull --------------------------------------------------------------------------------------------
 */

void nv_sync_leave_pull(struct nv_sync *sync)
{
    sync->pull.peer = NULL;
}

/* A pull that brought nothing must not be asked for again at once: what it brings may be waiting for something that
 * this peer does not have either. */
static void rest(struct nv_sync *sync, struct nv_peer *peer, int64_t base, int64_t most, int64_t now)
{
    peer->pull_after = now + nv_sync_backoff(base, peer->pull_failures, most);
    if (peer->pull_failures < 32)
        peer->pull_failures++;
    nv_sync_wake_by(sync, peer->pull_after);
}

static enum nv_status end_pull(struct nv_sync *sync, int64_t now, struct nv_actions *actions)
{
    struct nv_peer *peer = sync->pull.peer;
    end_owed(sync, peer, now);
    if (sync->pull.last)
        peer->is_unfinished = false;
    if (sync->pull.taken > 0)
        peer->pull_failures = 0;
    else if (sync->pull.purpose == NV_PURPOSE_AHEAD)
        rest(sync, peer, NV_REST_US, 60 * (int64_t)NV_SECOND, now);
    nv_sync_leave_pull(sync);
    return nv_sync_consider_pull(sync, now, actions);
}

static bool another_waits(struct nv_sync *sync, int64_t now)
{
    for (size_t i = 0; i < sync->peer_count; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (peer != sync->pull.peer && peer->session != 0 && peer->has_known && now >= peer->pull_after &&
            is_ahead(sync, peer, now))
            return true;
    }
    return false;
}

/* Whether the turn has passed: a peer that says a word now and then, or gives little, holds up nobody for long. */
static bool is_turn_over(struct nv_sync *sync, int64_t now)
{
    if (now - sync->pull.begun >= NV_TURN_US)
        return another_waits(sync, now);
    nv_sync_wake_by(sync, sync->pull.begun + NV_TURN_US);
    return false;
}

/* Whether it talks, and not of the pull. Silence says less: one batch may fill a slow line for most of a minute, and
 * all words stand behind it. */
static bool talks_of_something_else(const struct nv_sync *sync)
{
    return sync->pull.peer->heard - sync->pull.moved >= NV_CROSSING_US;
}

enum nv_status nv_sync_check_pull(struct nv_sync *sync, int64_t now, struct nv_actions *actions)
{
    struct nv_peer *peer = sync->pull.peer;
    if (peer == NULL)
        return nv_sync_consider_pull(sync, now, actions);
    if (sync->pull.queued > 0)
        return NV_OK; /* it waits for us */
    if (is_turn_over(sync, now))
        return end_pull(sync, now, actions);
    if (now - sync->pull.moved < NV_PULL_PATIENCE_US) {
        nv_sync_wake_by(sync, sync->pull.moved + NV_PULL_PATIENCE_US);
        return NV_OK;
    }
    if (!talks_of_something_else(sync) && !another_waits(sync, now))
        return NV_OK; /* nothing would be won: if the line is dead, the session ends soon */
    nv_sync_note(peer, "it stopped answering in the middle of a pull");
    end_owed(sync, peer, now);
    rest(sync, peer, NV_REST_US, 60 * (int64_t)NV_SECOND, now);
    nv_sync_leave_pull(sync);
    return nv_sync_consider_pull(sync, now, actions);
}

static bool is_over(const struct nv_sync *sync)
{
    return sync->pull.queued == 0 && (sync->pull.last || (sync->pull.turn_over && sync->pull.credit <= 0));
}

/* ---- what arrives -------------------------------------------------------------------------------------------------
 */

/* What of a batch is taken: what is of scopes that both carry. */
struct parcel {
    size_t *places, count;
    size_t bytes;   /* of these */
    size_t total;   /* bytes of the batch */
    size_t foreign; /* changesets that the peer should not have sent */
};

static enum nv_status look_through(const struct nv_sync *sync, const struct nv_peer *peer, const struct nv_event *event,
                                   struct nv_actions *actions, struct parcel *parcel)
{
    const struct nv_message *message = event->message.message;
    size_t count = message->batch.changeset_count;
    parcel->places = nv_arena_alloc(&actions->arena, (count + 1) * sizeof *parcel->places);
    if (parcel->places == NULL)
        return NV_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct nv_scope_id scope = event->message.heads[i].scope;
        size_t bytes = message->batch.changesets[i].size;
        parcel->total += bytes;
        if (nv_scope_set_has(&peer->shared, scope)) {
            parcel->places[parcel->count++] = i;
            parcel->bytes += bytes;
        } else {
            parcel->foreign += nv_sync_is_foreign(sync, peer, scope);
        }
    }
    return NV_OK;
}

/* Who sends a changeset has it, durably. */
static enum nv_status learn_from_batch(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                       const struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->count; i++) {
        const struct nv_far_head *head = &event->message.heads[parcel->places[i]];
        if (head->seq > 0 &&
            (nv_heads_raise(&peer->has, head) != NV_OK || nv_heads_raise(&peer->believed, head) != NV_OK))
            return NV_NO_MEMORY;
    }
    peer->maybe_ahead = true;
    if (parcel->count > 0) {
        peer->moved = event->now.us;
        nv_sync_wake_by(sync, peer->moved + NV_SETTLED_US);
    }
    return NV_OK;
}

/* Not more than a network has: else its names are made up, and the list would cost more with each of them. */
static enum nv_status expect(struct nv_sync *sync, const struct nv_far_head *head)
{
    bool has_room = sync->coming.count < NV_LIMIT_LOGS || nv_heads_find(&sync->coming, head) != NULL;
    return head->seq > 0 && has_room ? nv_heads_raise(&sync->coming, head) : NV_OK;
}

static enum nv_status take_batch(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                 const struct parcel *parcel, struct nv_actions *actions)
{
    if (parcel->count == 0)
        return NV_OK;
    for (size_t i = 0; i < parcel->count; i++)
        if (expect(sync, &event->message.heads[parcel->places[i]]) != NV_OK)
            return NV_NO_MEMORY;
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_INGEST, peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->ingest.pull = event->message.message->batch.pull;
    action->ingest.places = parcel->places;
    action->ingest.count = parcel->count;
    action->ingest.bytes = parcel->bytes;
    peer->queued += parcel->bytes;
    sync->queued += parcel->bytes;
    return NV_OK;
}

static enum nv_status give_credit(struct nv_sync *sync, size_t bytes, int64_t now, struct nv_actions *actions)
{
    if (!sync->pull.turn_over && sync->pull.consumed >= NV_SYNC_TURN_BYTES)
        sync->pull.turn_over = another_waits(sync, now);
    if (sync->pull.turn_over || sync->pull.last)
        return NV_OK;
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, sync->pull.peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->send.kind = NV_MESSAGE_CREDIT;
    action->send.credit.pull = sync->pull.number;
    action->send.credit.bytes = bytes;
    sync->pull.credit += (int64_t)bytes;
    return NV_OK;
}

/* A batch of the pull that is running. */
static enum nv_status take_pulled(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                  const struct parcel *parcel, struct nv_actions *actions)
{
    if (parcel->total > 0 && sync->pull.credit <= 0)
        return nv_sync_garbage(sync, peer, "more than the credit that it was given", event->now.us, actions);
    sync->pull.credit -= (int64_t)parcel->total;
    sync->pull.consumed += parcel->total;
    sync->pull.queued += parcel->bytes;
    sync->pull.last = sync->pull.last || event->message.message->batch.last;
    if (take_batch(sync, peer, event, parcel, actions) != NV_OK)
        return NV_NO_MEMORY;
    size_t passed_over = parcel->total - parcel->bytes;
    if (passed_over > 0 && give_credit(sync, passed_over, event->now.us, actions) != NV_OK)
        return NV_NO_MEMORY;
    return is_over(sync) ? end_pull(sync, event->now.us, actions) : NV_OK;
}

/* A push, or what still comes of a pull that we left. */
static enum nv_status take_pushed(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                  const struct parcel *parcel, struct nv_actions *actions)
{
    bool has_room = sync->queued == 0 || sync->queued + parcel->bytes <= NV_SYNC_QUEUE_BYTES;
    has_room = has_room && peer->queued <= NV_SYNC_PEER_BYTES;
    if (has_room && take_batch(sync, peer, event, parcel, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_settle(sync, peer, event->now.us, actions);
}

enum nv_status nv_sync_on_batch(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                struct nv_actions *actions)
{
    const struct nv_message *message = event->message.message;
    struct parcel parcel = {0};
    if (look_through(sync, peer, event, actions, &parcel) != NV_OK)
        return NV_NO_MEMORY;
    if (parcel.total / NV_SYNC_LEAST_BYTES < message->batch.changeset_count)
        return nv_sync_garbage(sync, peer, "changesets that are too short to be any", event->now.us, actions);
    if (learn_from_batch(sync, peer, event, &parcel) != NV_OK)
        return NV_NO_MEMORY;
    if (nv_sync_names_too_many(peer))
        return nv_sync_garbage(sync, peer, "changesets of more logs than a network may have", event->now.us, actions);

    bool is_pulled = sync->pull.peer == peer && message->batch.pull != 0;
    if (is_pulled)
        sync->pull.moved = event->now.us; /* also what still comes of a pull that we left: the line lives */
    is_pulled = is_pulled && message->batch.pull == sync->pull.number;
    if ((is_pulled ? take_pulled : take_pushed)(sync, peer, event, &parcel, actions) != NV_OK)
        return NV_NO_MEMORY;
    if (parcel.foreign == 0 || peer->session == 0)
        return NV_OK;
    return nv_sync_refuse_foreign(sync, peer, parcel.foreign, event->now.us, actions);
}

enum nv_status nv_sync_refuse(struct nv_sync *sync, struct nv_peer *peer, size_t count, const char *text, int64_t now,
                              struct nv_actions *actions)
{
    nv_sync_note(peer, text);
    if (now - peer->refused_since >= NV_FORGIVEN_US) {
        peer->refused_since = now;
        peer->refused = 0;
    }
    peer->refused += count;
    if (peer->refused > NV_SYNC_REFUSED_MOST)
        return nv_sync_garbage(sync, peer, "more to refuse than an honest site has", now, actions);
    rest(sync, peer, NV_REFUSED_US, 600 * (int64_t)NV_SECOND, now);
    if (sync->pull.peer == peer) {
        end_owed(sync, peer, now);
        nv_sync_leave_pull(sync);
    }
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->send.kind = NV_MESSAGE_REFUSAL;
    action->send.refusal.reason = NV_REFUSAL_CHANGESET;
    size_t size = strnlen(text, sizeof action->send.refusal.text - 1);
    memcpy(action->send.refusal.text, text, size);
    return NV_OK;
}

enum nv_status nv_sync_on_ingested(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                   struct nv_actions *actions)
{
    int64_t now = event->now.us;
    size_t bytes = event->ingested.bytes;
    sync->queued -= bytes;
    if (sync->queued == 0)
        nv_heads_clear(&sync->coming);
    if (peer == NULL)
        return nv_sync_consider_pull(sync, now, actions);
    peer->queued -= bytes;
    bool pulled = sync->pull.peer == peer && event->ingested.pull == sync->pull.number;
    if (pulled) {
        sync->pull.queued -= bytes;
        sync->pull.taken += event->ingested.taken;
        sync->pull.moved = now;
        nv_sync_wake_by(sync, now + NV_PULL_PATIENCE_US);
    }
    if (event->ingested.refused > 0 &&
        nv_sync_refuse(sync, peer, event->ingested.refused, event->ingested.text, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    if (pulled && sync->pull.peer == peer) {
        if (give_credit(sync, bytes, now, actions) != NV_OK)
            return NV_NO_MEMORY;
        if (is_over(sync))
            return end_pull(sync, now, actions);
    }
    return nv_sync_consider_pull(sync, now, actions);
}
