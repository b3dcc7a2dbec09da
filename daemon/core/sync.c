#include "core/sync_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/catalogue.h"
#include "base/planted.h"

const char *nv_close_text(enum nv_close why)
{
    switch (why) {
    case NV_CLOSE_GARBAGE:
        return "it sent what cannot be read";
    case NV_CLOSE_HELLO:
        return "it is not of this network and protocol, or not the site that its key says";
    case NV_CLOSE_STALE:
        return "it goes on with one that has ended here";
    case NV_CLOSE_REFUSED:
        return "it refused us";
    case NV_CLOSE_SILENT:
        return "nothing was heard of it";
    case NV_CLOSE_REPLACED:
        return "another connection with the same site took over";
    case NV_CLOSE_UNWELCOME:
        return "it sent what cannot be read a moment ago, or too many are connected";
    }
    return "";
}

/* ---- the list of actions ------------------------------------------------------------------------------------------
 */

struct nv_action *nv_actions_add(struct nv_actions *actions, enum nv_action_kind kind, uint32_t session)
{
    if (actions->count == actions->capacity) {
        size_t capacity = actions->capacity * 2 + 16;
        struct nv_action *items = realloc(actions->items, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        actions->items = items;
        actions->capacity = capacity;
    }
    struct nv_action *action = &actions->items[actions->count++];
    memset(action, 0, sizeof *action);
    action->kind = kind;
    action->session = session;
    return action;
}

void nv_actions_clear(struct nv_actions *actions)
{
    actions->count = 0;
    nv_arena_reset(&actions->arena);
}

void nv_actions_done(struct nv_actions *actions)
{
    free(actions->items);
    nv_arena_done(&actions->arena);
    *actions = (struct nv_actions){0};
}

/* ---- the machine --------------------------------------------------------------------------------------------------
 */

struct nv_sync *nv_sync_new(struct nv_site_id self, const uint8_t network[32], const struct nv_digests *digests)
{
    struct nv_sync *sync = calloc(1, sizeof *sync);
    if (sync == NULL)
        return NULL;
    sync->self = self;
    memcpy(sync->network, network, sizeof sync->network);
    sync->digests = digests;
    sync->wake = NV_NEVER_US;
    return sync;
}

static void free_peer(struct nv_peer *peer)
{
    nv_scope_set_done(&peer->by_us);
    nv_scope_set_done(&peer->by_it);
    nv_scope_set_done(&peer->shared);
    nv_heads_done(&peer->has);
    nv_heads_done(&peer->believed);
    free(peer);
}

void nv_sync_free(struct nv_sync *sync)
{
    if (sync == NULL)
        return;
    for (size_t i = 0; i < sync->peer_count; i++)
        free_peer(sync->peers[i]);
    free(sync->peers);
    nv_sync_own_done(&sync->own);
    free(sync->said);
    nv_sync_carriers_done(sync);
    nv_heads_done(&sync->coming);
    free(sync);
}

void nv_sync_wake_by(struct nv_sync *sync, int64_t when)
{
    if (when < sync->wake)
        sync->wake = when;
}

struct nv_mono_us nv_sync_wake(const struct nv_sync *sync)
{
    return (struct nv_mono_us){sync->wake};
}

size_t nv_sync_queued(const struct nv_sync *sync)
{
    return sync->queued;
}

int64_t nv_sync_jittered(struct nv_peer *peer, int64_t time)
{
    peer->seed = peer->seed * 1664525u + 1013904223u;
    return time * 3 / 4 + time / 2 * (int64_t)(peer->seed >> 16) / 65536;
}

int64_t nv_sync_backoff(int64_t base, unsigned times, int64_t most)
{
    for (unsigned i = 0; i < times && base < most; i++)
        base *= 2;
    return base < most ? base : most;
}

void nv_sync_note(struct nv_peer *peer, const char *text)
{
    snprintf(peer->note, sizeof peer->note, "%s", text);
}

static struct nv_peer *peer_of_session(struct nv_sync *sync, uint32_t session)
{
    for (size_t i = 0; i < sync->peer_count; i++)
        if (sync->peers[i]->session == session)
            return sync->peers[i];
    return NULL;
}

/* The peer of that site, new where there was none; NULL where memory ran out. */
static struct nv_peer *peer_of_site(struct nv_sync *sync, struct nv_site_id site)
{
    size_t place = 0;
    while (place < sync->peer_count && nv_site_id_compare(sync->peers[place]->site, site) < 0)
        place++;
    if (place < sync->peer_count && nv_site_id_compare(sync->peers[place]->site, site) == 0)
        return sync->peers[place];
    if (sync->peer_count == sync->peer_capacity) {
        size_t capacity = sync->peer_capacity * 2 + 8;
        struct nv_peer **peers = realloc(sync->peers, capacity * sizeof *peers);
        if (peers == NULL)
            return NULL;
        sync->peers = peers;
        sync->peer_capacity = capacity;
    }
    struct nv_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    peer->site = site;
    bool ignored;
    if (nv_sync_look_up_scopes(sync, peer, &ignored) != NV_OK) {
        free_peer(peer);
        return NULL;
    }
    memmove(&sync->peers[place + 1], &sync->peers[place], (sync->peer_count - place) * sizeof(struct nv_peer *));
    sync->peers[place] = peer;
    sync->peer_count++;
    return peer;
}

/* ---- sessions -----------------------------------------------------------------------------------------------------
 */

/* What the peer has is kept: `status` shows how far behind it is while it is away. */
static void end_session(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    if (sync->pull.peer == peer)
        nv_sync_leave_pull(sync);
    nv_sync_out_of_step(sync, peer);
    peer->session = 0;
    peer->greeted = false;
    peer->has_known = false;
    peer->serving = false;
    peer->has_due = false;
    peer->served_pull = 0;
    peer->served_running = false;
    peer->queued = 0;
    peer->is_unfinished = false;
    peer->since = now;
    nv_sync_wake_by(sync, now); /* another may be pulled from now */
}

enum nv_status nv_sync_close(struct nv_sync *sync, struct nv_peer *peer, enum nv_close why, int64_t now,
                             struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_CLOSE, peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->close.why = why;
    action->close.site = peer->site;
    end_session(sync, peer, now);
    return NV_OK;
}

static enum nv_status say_refusal(uint32_t session, enum nv_refusal reason, const char *text,
                                  struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->send.kind = NV_MESSAGE_REFUSAL;
    action->send.refusal.reason = reason;
    snprintf(action->send.refusal.text, sizeof action->send.refusal.text, "%s", text);
    return NV_OK;
}

enum nv_status nv_sync_garbage(struct nv_sync *sync, struct nv_peer *peer, const char *text, int64_t now,
                               struct nv_actions *actions)
{
    nv_sync_note(peer, text);
    peer->welcome_after = now + nv_sync_backoff(NV_UNWELCOME_US, peer->offences, NV_FORGIVEN_US);
    peer->offences++;
    if (say_refusal(peer->session, NV_REFUSAL_MALFORMED, text, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_close(sync, peer, NV_CLOSE_GARBAGE, now, actions);
}

bool nv_sync_names_too_many(const struct nv_peer *peer)
{
    return peer->has.count > NV_LIMIT_LOGS || peer->believed.count > 2 * NV_LIMIT_LOGS;
}

static enum nv_status say_hello(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
    if (action == NULL || nv_sync_say_scopes(sync, peer, actions, &action->send.hello.scopes) != NV_OK)
        return NV_NO_MEMORY;
    action->send.kind = NV_MESSAGE_HELLO;
    action->send.hello.protocol = NV_PROTOCOL;
    memcpy(action->send.hello.network, sync->network, sizeof sync->network);
    action->send.hello.site = sync->self;
    return NV_OK;
}

static enum nv_status turn_away(uint32_t session, struct nv_site_id site, enum nv_close why, struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_CLOSE, session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->close.why = why;
    action->close.site = site;
    return NV_OK;
}

/* Whether as many other peers are connected as may be. Those that are away do not count. */
static bool is_full(const struct nv_sync *sync, const struct nv_peer *peer)
{
    size_t others = 0;
    for (size_t i = 0; i < sync->peer_count; i++)
        others += sync->peers[i] != peer && sync->peers[i]->session != 0;
    return others >= NV_LIMIT_SESSIONS;
}

static enum nv_status on_opened(struct nv_sync *sync, const struct nv_event *event, struct nv_actions *actions)
{
    int64_t now = event->now.us;
    struct nv_peer *peer = peer_of_site(sync, event->opened.site);
    if (peer == NULL)
        return NV_NO_MEMORY;
    if (now < peer->welcome_after || is_full(sync, peer)) {
        if (say_refusal(event->session, NV_REFUSAL_MALFORMED, "you are welcome again later", actions) != NV_OK)
            return NV_NO_MEMORY;
        return turn_away(event->session, peer->site, NV_CLOSE_UNWELCOME, actions);
    }
    if (peer->session != 0 && peer->dialled != event->opened.dialled) {
        /* Both sides see the same two connections, and must leave the same one standing. */
        bool we_are_less = nv_site_id_compare(sync->self, peer->site) < 0;
        if (event->opened.dialled != we_are_less)
            return turn_away(event->session, peer->site, NV_CLOSE_REPLACED, actions);
    }
    if (peer->session != 0 && nv_sync_close(sync, peer, NV_CLOSE_REPLACED, now, actions) != NV_OK)
        return NV_NO_MEMORY;

    peer->session = event->session;
    peer->dialled = event->opened.dialled;
    peer->seed = event->opened.seed;
    peer->since = peer->heard = now;
    peer->pinged = 0;
    peer->said = 0;
    peer->whole_at = 0;
    peer->told = 0;
    peer->moved = 0;
    peer->compare_at = NV_NEVER_US;
    if (sync->owes)
        nv_sync_ask_later(peer, now);
    nv_sync_wake_by(sync, now + NV_PING_US);
    return say_hello(sync, peer, actions);
}

static enum nv_status take_hello(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                                 int64_t now, struct nv_actions *actions)
{
    const struct nv_scopes_said *said = &message->hello.scopes;
    bool ignored;
    if (!nv_scopes_ascend(said->scopes.scopes, said->scopes.count))
        return nv_sync_garbage(sync, peer, "a Hello whose scopes are not in order", now, actions);
    /* Who says nothing of scopes carries the two that everybody does. */
    if (nv_sync_hear_scopes(peer, said) != NV_OK || nv_sync_share(sync, peer, &ignored) != NV_OK)
        return NV_NO_MEMORY;
    peer->greeted = true;
    return nv_sync_say_digest(sync, peer, now, actions);
}

static enum nv_status on_hello(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                               int64_t now, struct nv_actions *actions)
{
    enum nv_refusal reason;
    enum nv_close why = NV_CLOSE_HELLO;
    const char *text;
    if (message->kind != NV_MESSAGE_HELLO) {
        reason = NV_REFUSAL_PROTOCOL;
        text = N_("a session begins with Hello");
        why = NV_CLOSE_STALE;
    } else if (message->hello.protocol != NV_PROTOCOL) {
        reason = NV_REFUSAL_PROTOCOL;
        text = N_("another version of the protocol");
    } else if (memcmp(message->hello.network, sync->network, sizeof sync->network) != 0) {
        reason = NV_REFUSAL_NETWORK;
        text = N_("another network");
    } else if (nv_site_id_compare(message->hello.site, peer->site) != 0 ||
               nv_site_id_compare(message->hello.site, sync->self) == 0) {
        reason = NV_REFUSAL_IDENTITY;
        text = N_("not the site that the key was certified for");
    } else {
        return take_hello(sync, peer, message, now, actions);
    }
    nv_sync_note(peer, text);
    if (say_refusal(peer->session, reason, text, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_close(sync, peer, why, now, actions);
}

static enum nv_status on_ping(struct nv_peer *peer, const struct nv_message *message, struct nv_actions *actions)
{
    if (message->ping.reply)
        return NV_OK;
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->send.kind = NV_MESSAGE_PING;
    action->send.ping.reply = true;
    return NV_OK;
}

static enum nv_status on_refusal(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                                 int64_t now, struct nv_actions *actions)
{
    char text[200];
    snprintf(text, sizeof text, "it refused us: %.150s", message->refusal.text);
    nv_sync_note(peer, text);
    if (message->refusal.reason == NV_REFUSAL_CHANGESET) {
        /* It lacks something that we cannot give it in a form that it takes: it asks when it wants. */
        nv_sync_out_of_step(sync, peer);
        return NV_OK;
    }
    return nv_sync_close(sync, peer, NV_CLOSE_REFUSED, now, actions);
}

static enum nv_status on_message(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                 struct nv_actions *actions)
{
    const struct nv_message *message = event->message.message;
    int64_t now = event->now.us;
    peer->heard = now;
    if (message->kind == NV_MESSAGE_REFUSAL)
        return on_refusal(sync, peer, message, now, actions);
    if (!peer->greeted)
        return on_hello(sync, peer, message, now, actions);
    switch (message->kind) {
    case NV_MESSAGE_HELLO:
        return nv_sync_garbage(sync, peer, "a second Hello", now, actions);
    case NV_MESSAGE_HAS:
        return nv_sync_on_has(sync, peer, message, now, actions);
    case NV_MESSAGE_PULL:
        return nv_sync_on_pull(sync, peer, message, now, actions);
    case NV_MESSAGE_BATCH:
        return nv_sync_on_batch(sync, peer, event, actions);
    case NV_MESSAGE_CREDIT:
        nv_sync_on_credit(sync, peer, message, now);
        return NV_OK;
    case NV_MESSAGE_PING:
        return on_ping(peer, message, actions);
    case NV_MESSAGE_REFUSAL:
        break;
    }
    return NV_OK;
}

/* ---- time ---------------------------------------------------------------------------------------------------------
 */

static enum nv_status ping_if_silent(struct nv_sync *sync, struct nv_peer *peer, int64_t now,
                                     struct nv_actions *actions)
{
    int64_t asked = peer->pinged > peer->heard ? peer->pinged : peer->heard;
    if (now - asked >= NV_PING_US) {
        struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
        if (action == NULL)
            return NV_NO_MEMORY;
        action->send.kind = NV_MESSAGE_PING;
        peer->pinged = asked = now;
    }
    nv_sync_wake_by(sync, asked + NV_PING_US);
    return NV_OK;
}

static enum nv_status compare_if_due(struct nv_sync *sync, struct nv_peer *peer, int64_t now,
                                     struct nv_actions *actions)
{
    bool settled = peer->moved != 0 && now - peer->moved >= NV_SETTLED_US;
    if (settled || now >= peer->compare_at)
        if (nv_sync_say_digest(sync, peer, now, actions) != NV_OK)
            return NV_NO_MEMORY;
    nv_sync_wake_by(sync, peer->compare_at);
    if (peer->moved != 0)
        nv_sync_wake_by(sync, peer->moved + NV_SETTLED_US);
    return NV_OK;
}

static enum nv_status expect_acknowledgement(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    if (peer->pushed_count == 0)
        return NV_OK;
    if (now - peer->pushed_moved < NV_PUSH_PATIENCE_US) {
        nv_sync_wake_by(sync, peer->pushed_moved + NV_PUSH_PATIENCE_US);
        return NV_OK;
    }
    nv_sync_out_of_step(sync, peer);
    peer->has_due = true;
    return nv_heads_assign(&peer->believed, peer->has.heads, peer->has.count);
}

static enum nv_status tick_peer(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions)
{
    int64_t silence = sync->pull.peer == peer ? NV_SILENCE_PULLING_US : NV_SILENCE_US;
    if ((now - peer->heard >= silence && !NV_PLANTED(NEVER_SILENT)) ||
        (!peer->greeted && now - peer->since >= NV_GREETING_US)) {
        nv_sync_note(peer, "nothing was heard of it for too long");
        return nv_sync_close(sync, peer, NV_CLOSE_SILENT, now, actions);
    }
    if (now - peer->since >= NV_FORGIVEN_US) {
        peer->offences = 0;
        if (peer->in_step && peer->pull_failures == 0)
            peer->note[0] = '\0';
    }
    if (ping_if_silent(sync, peer, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    if (!peer->greeted)
        return NV_OK;
    if (expect_acknowledgement(sync, peer, now) != NV_OK || compare_if_due(sync, peer, now, actions) != NV_OK ||
        nv_sync_push(sync, peer, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_say_grown(sync, peer, now, actions);
}

static enum nv_status on_tick(struct nv_sync *sync, int64_t now, struct nv_actions *actions)
{
    sync->wake = NV_NEVER_US;
    for (size_t i = 0; i < sync->peer_count; i++)
        if (sync->peers[i]->session != 0 && tick_peer(sync, sync->peers[i], now, actions) != NV_OK)
            return NV_NO_MEMORY;
    if (nv_sync_check_pull(sync, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_serve_next(sync, now, actions);
}

/* ---- the step -----------------------------------------------------------------------------------------------------
 */

static enum nv_status step_session(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                   struct nv_actions *actions)
{
    switch (event->kind) {
    case NV_EVENT_CLOSED:
        end_session(sync, peer, event->now.us);
        return NV_OK;
    case NV_EVENT_MESSAGE:
        return on_message(sync, peer, event, actions);
    case NV_EVENT_GARBAGE:
        return nv_sync_garbage(sync, peer, event->garbage.text, event->now.us, actions);
    case NV_EVENT_SERVED:
        return nv_sync_on_served(sync, peer, event, actions);
    case NV_EVENT_OPENED:
    case NV_EVENT_GREW:
    case NV_EVENT_OWES:
    case NV_EVENT_INGESTED:
    case NV_EVENT_TICK:
        break;
    }
    return NV_OK;
}

enum nv_status nv_sync_step(struct nv_sync *sync, const struct nv_event *event, struct nv_actions *actions)
{
    /* All that is put there is ours: copies of vectors, whose sizes are bounded where they came in. */
    actions->arena.limit = SIZE_MAX / 2;
    if (event->kind == NV_EVENT_TICK)
        return on_tick(sync, event->now.us, actions);
    if (event->kind == NV_EVENT_GREW)
        return nv_sync_on_grew(sync, event, actions);
    if (event->kind == NV_EVENT_OWES) {
        nv_sync_on_owes(sync, event);
        return NV_OK;
    }
    assert(event->session != 0);
    if (event->kind == NV_EVENT_OPENED)
        return on_opened(sync, event, actions);
    struct nv_peer *peer = peer_of_session(sync, event->session);
    if (event->kind == NV_EVENT_INGESTED) /* counts also where the session is gone */
        return nv_sync_on_ingested(sync, peer, event, actions);
    return peer == NULL ? NV_OK : step_session(sync, peer, event, actions);
}

static uint64_t count_behind(const struct nv_sync *sync, const struct nv_peer *peer)
{
    struct nv_runs runs = {.own = &sync->own, .scopes = &peer->shared};
    const struct nv_far_head *heads;
    uint64_t behind = 0;
    size_t count;
    while (nv_sync_next_run(&runs, &heads, &count))
        for (size_t i = 0; i < count; i++) {
            uint64_t seq = nv_heads_seq(&peer->has, &heads[i]);
            uint64_t more = heads[i].seq > seq ? heads[i].seq - seq : 0;
            behind = more < UINT64_MAX - behind ? behind + more : UINT64_MAX;
        }
    return behind;
}

bool nv_sync_is_held(const struct nv_sync *sync, const struct nv_far_head *head)
{
    for (size_t i = 0; i < sync->peer_count; i++)
        if (nv_heads_seq(&sync->peers[i]->has, head) >= head->seq)
            return true;
    return false;
}

bool nv_sync_look(struct nv_sync *sync, size_t place, struct nv_mono_us now, struct nv_sync_view *ret_view)
{
    if (place >= sync->peer_count)
        return false;
    struct nv_peer *peer = sync->peers[place];
    *ret_view = (struct nv_sync_view){
        .site = peer->site,
        .session = peer->greeted ? peer->session : 0,
        .in_step = peer->in_step,
        .since = {peer->since},
        .heard = {peer->heard},
        .known = peer->ever_known,
        .note = peer->note,
    };
    if (!peer->ever_known)
        return true;
    ret_view->behind = count_behind(sync, peer);
    ret_view->ahead = nv_heads_lacking(&sync->own.heads, &peer->has);
    if (ret_view->behind > 0 && !peer->was_behind)
        peer->behind_since = now.us;
    peer->was_behind = ret_view->behind > 0;
    ret_view->behind_since = (struct nv_mono_us){peer->was_behind ? peer->behind_since : 0};
    return true;
}
