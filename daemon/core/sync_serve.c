#include "core/sync_internal.h"

#include "base/planted.h"

enum { MOST_CREDIT_BYTES = 64 << 20 };

static enum nv_status copy_shared(const struct nv_peer *peer, struct nv_actions *actions, struct nv_scope_set *ret_copy)
{
    size_t count = peer->shared.count;
    *ret_copy = peer->shared;
    ret_copy->capacity = 0; /* they are the arena's */
    ret_copy->scopes = nv_arena_alloc(&actions->arena, (count + 1) * sizeof *ret_copy->scopes);
    if (ret_copy->scopes == NULL)
        return NV_NO_MEMORY;
    if (count > 0)
        memcpy(ret_copy->scopes, peer->shared.scopes, count * sizeof *ret_copy->scopes);
    return NV_OK;
}

/* Asks the caller to read what the peer lacks and to send it. One at a time for a peer. */
static enum nv_status ask_to_serve(struct nv_peer *peer, uint64_t pull, size_t budget, struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SERVE, peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    size_t count = peer->believed.count;
    struct nv_far_head *heads = nv_arena_alloc(&actions->arena, (count + 1) * sizeof *heads);
    if (heads == NULL)
        return NV_NO_MEMORY;
    if (count > 0)
        memcpy(heads, peer->believed.heads, count * sizeof *heads);
    if (copy_shared(peer, actions, &action->serve.scopes) != NV_OK)
        return NV_NO_MEMORY;
    action->serve.pull = pull;
    action->serve.peer = heads;
    action->serve.peer_count = count;
    action->serve.cursor = peer->cursor;
    action->serve.budget = budget;
    peer->serving = true;
    return NV_OK;
}

/* ---- pushes -------------------------------------------------------------------------------------------------------
 */

enum nv_status nv_sync_push(struct nv_sync *sync, struct nv_peer *peer, struct nv_actions *actions)
{
    if (!peer->in_step || !peer->owing || peer->serving)
        return NV_OK;
    if (peer->pushed_count == NV_SYNC_PUSH_BATCHES || peer->pushed_bytes >= NV_SYNC_PUSH_BYTES ||
        sync->pushed_bytes >= NV_SYNC_PUSH_BYTES_ALL)
        return NV_OK;
    return ask_to_serve(peer, 0, NV_SYNC_BATCH_BYTES, actions);
}

void nv_sync_forget_pushed(struct nv_sync *sync, struct nv_peer *peer)
{
    sync->pushed_bytes -= peer->pushed_bytes;
    peer->pushed_first = peer->pushed_count = peer->pushed_bytes = 0;
}

/* The ring is in the order of sending, and so is what the peer made durable: with one batch all before it are through.
 */
void nv_sync_acknowledge(struct nv_sync *sync, struct nv_peer *peer, int64_t now)
{
    size_t through = 0;
    for (size_t i = 0; i < peer->pushed_count; i++) {
        const struct nv_pushed *pushed = &peer->pushed[(peer->pushed_first + i) % NV_SYNC_PUSH_BATCHES];
        if (nv_heads_seq(&peer->has, &pushed->last) >= pushed->last.seq)
            through = i + 1;
    }
    for (size_t i = 0; i < through; i++) {
        size_t bytes = peer->pushed[(peer->pushed_first + i) % NV_SYNC_PUSH_BATCHES].bytes;
        peer->pushed_bytes -= bytes;
        sync->pushed_bytes -= bytes;
    }
    peer->pushed_first = (peer->pushed_first + through) % NV_SYNC_PUSH_BATCHES;
    peer->pushed_count -= through;
    if (through > 0)
        peer->pushed_moved = now;
}

void nv_sync_out_of_step(struct nv_sync *sync, struct nv_peer *peer)
{
    nv_sync_forget_pushed(sync, peer);
    nv_heads_clear(&peer->believed);
    peer->in_step = false;
    peer->owing = false;
    peer->told = 0;
}

static void keep_pushed(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event)
{
    if (peer->pushed_count == 0)
        peer->pushed_moved = event->now.us;
    size_t place = (peer->pushed_first + peer->pushed_count++) % NV_SYNC_PUSH_BATCHES;
    peer->pushed[place].last = event->served.heads[event->served.count - 1];
    peer->pushed[place].bytes = event->served.bytes;
    peer->pushed_bytes += event->served.bytes;
    sync->pushed_bytes += event->served.bytes;
    nv_sync_wake_by(sync, peer->pushed_moved + NV_PUSH_PATIENCE_US);
}

/* ---- pulls of others ----------------------------------------------------------------------------------------------
 */

enum nv_status nv_sync_on_pull(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                               int64_t now, struct nv_actions *actions)
{
    if (message->pull.pull == 0 || !nv_heads_ascend(message->pull.has, message->pull.has_count) ||
        message->pull.has_count > NV_LIMIT_LOGS)
        return nv_sync_garbage(sync, peer, "a Pull without a number, or whose heads are not in order", now, actions);
    const struct nv_far_head *heads;
    size_t count, foreign;
    nv_sync_out_of_step(sync, peer);
    if (nv_sync_keep_shared(sync, peer, message->pull.has, message->pull.has_count, actions, &heads, &count,
                            &foreign) != NV_OK ||
        nv_heads_assign(&peer->has, heads, count) != NV_OK || nv_heads_assign(&peer->believed, heads, count) != NV_OK)
        return NV_NO_MEMORY;
    if (foreign > 0 && nv_sync_refuse_foreign(sync, peer, foreign, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    if (peer->session == 0)
        return NV_OK;
    peer->has_known = peer->ever_known = true;
    peer->maybe_ahead = true;
    peer->told = sync->generation; /* what it may lack, the pull gives */
    peer->has_due = false;
    if (!NV_PLANTED(WRONG_CURSOR))
        peer->cursor = 0;
    peer->served_pull = message->pull.pull;
    peer->served_credit =
        message->pull.credit_bytes < MOST_CREDIT_BYTES ? (int64_t)message->pull.credit_bytes : MOST_CREDIT_BYTES;
    peer->served_running = false;
    peer->served_ticket = ++sync->tickets;
    peer->served_moved = now;
    nv_sync_wake_by(sync, now);
    return nv_sync_consider_pull(sync, now, actions);
}

void nv_sync_on_credit(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message, int64_t now)
{
    if (peer->served_pull == 0 || message->credit.pull != peer->served_pull)
        return; /* of a pull that is done: it crossed the last batch */
    uint64_t bytes = message->credit.bytes < MOST_CREDIT_BYTES ? message->credit.bytes : MOST_CREDIT_BYTES;
    peer->served_credit += (int64_t)bytes;
    if (peer->served_credit > MOST_CREDIT_BYTES)
        peer->served_credit = MOST_CREDIT_BYTES;
    peer->served_moved = now;
    nv_sync_wake_by(sync, now);
}

static void end_served(struct nv_peer *peer)
{
    peer->served_pull = 0;
    peer->served_running = peer->served_running && NV_PLANTED(PLACE_KEPT);
}

enum nv_status nv_sync_on_served(struct nv_sync *sync, struct nv_peer *peer, const struct nv_event *event,
                                 struct nv_actions *actions)
{
    peer->serving = false;
    for (size_t i = 0; i < event->served.count; i++)
        if (nv_heads_raise(&peer->believed, &event->served.heads[i]) != NV_OK)
            return NV_NO_MEMORY;
    peer->cursor = event->served.cursor;
    if (event->served.count > 0) {
        peer->moved = event->now.us;
        nv_sync_wake_by(sync, peer->moved + NV_SETTLED_US);
    }
    if (event->served.pull == 0) {
        peer->owing = !event->served.done;
        if (event->served.count > 0)
            keep_pushed(sync, peer, event);
        return nv_sync_push(sync, peer, actions);
    }
    if (event->served.pull != peer->served_pull)
        return NV_OK;
    peer->served_credit -= (int64_t)event->served.bytes;
    peer->served_moved = event->now.us;
    if (event->served.done) {
        end_served(peer);
        peer->in_step = true; /* and what was sent is on its way to it, before any push */
        peer->owing = peer->cursor < sync->newest;
        return nv_sync_push(sync, peer, actions);
    }
    nv_sync_wake_by(sync, event->now.us);
    return NV_OK;
}

static bool wants_batch(const struct nv_peer *peer)
{
    return peer->session != 0 && peer->served_pull != 0 && peer->served_credit > 0 && !peer->serving;
}

/* Takes the place of those who gave no credit for a while; they get in line again. */
static size_t count_running(struct nv_sync *sync, int64_t now)
{
    size_t running = 0;
    for (size_t i = 0; i < sync->peer_count; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (!peer->served_running)
            continue;
        if (peer->served_credit <= 0 && now - peer->served_moved >= NV_SERVE_IDLE_US) {
            peer->served_running = false;
            peer->served_ticket = ++sync->tickets;
            continue;
        }
        running++;
    }
    return running;
}

static struct nv_peer *first_in_line(struct nv_sync *sync)
{
    struct nv_peer *first = NULL;
    for (size_t i = 0; i < sync->peer_count; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (wants_batch(peer) && !peer->served_running && (first == NULL || peer->served_ticket < first->served_ticket))
            first = peer;
    }
    return first;
}

static enum nv_status console(struct nv_sync *sync, int64_t now, struct nv_actions *actions)
{
    for (size_t i = 0; i < sync->peer_count; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (!wants_batch(peer) || peer->served_running)
            continue;
        nv_sync_wake_by(sync, now + NV_SERVE_IDLE_US); /* a place may be free by then */
        if (now - peer->served_moved < NV_SERVE_WORD_US)
            continue;
        struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
        if (action == NULL)
            return NV_NO_MEMORY;
        action->send.kind = NV_MESSAGE_BATCH;
        action->send.batch.pull = peer->served_pull;
        peer->served_moved = now;
    }
    return NV_OK;
}

/* The next in turn after the one that got a batch last. */
static struct nv_peer *next_in_turn(struct nv_sync *sync, size_t *ret_ready)
{
    struct nv_peer *first = NULL, *next = NULL;
    *ret_ready = 0;
    for (size_t i = 0; i < sync->peer_count; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (!peer->served_running || !wants_batch(peer))
            continue;
        ++*ret_ready;
        if (first == NULL)
            first = peer;
        if (next == NULL && nv_site_id_compare(peer->site, sync->served) > 0)
            next = peer;
    }
    return next != NULL ? next : first;
}

enum nv_status nv_sync_serve_next(struct nv_sync *sync, int64_t now, struct nv_actions *actions)
{
    size_t running = count_running(sync, now);
    struct nv_peer *peer;
    while (running < NV_SYNC_SERVED_AT_ONCE && (peer = first_in_line(sync)) != NULL) {
        peer->served_running = true;
        running++;
    }
    if (console(sync, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    size_t ready = 0;
    peer = next_in_turn(sync, &ready);
    if (peer == NULL)
        return NV_OK;
    sync->served = peer->site;
    if (ready > 1)
        nv_sync_wake_by(sync, now);
    int64_t budget = peer->served_credit < NV_SYNC_BATCH_BYTES ? peer->served_credit : NV_SYNC_BATCH_BYTES;
    return ask_to_serve(peer, peer->served_pull, (size_t)budget, actions);
}
