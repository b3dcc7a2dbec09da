#include "core/sync_internal.h"

#include <stdlib.h>

#include "base/planted.h"

/* ---- what is said of ours -----------------------------------------------------------------------------------------
 */

static struct nv_action *add_has(struct nv_sync *sync, struct nv_peer *peer, struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
    if (action == NULL)
        return NULL;
    action->send.kind = NV_MESSAGE_HAS;
    action->send.has.digest = sync->digest;
    return action;
}

/* Our heads that grew after generation `after`, in the arena; all of them for 0. */
static bool copy_grown(struct nv_sync *sync, uint64_t after, struct nv_actions *actions, struct nv_action *action)
{
    struct nv_far_head *heads = nv_arena_alloc(&actions->arena, (sync->own.count + 1) * sizeof *heads);
    if (heads == NULL)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < sync->own.count; i++)
        if (sync->grown[i] > after)
            heads[count++] = sync->own.heads[i];
    if (NV_PLANTED(ACKNOWLEDGE_EARLY))
        for (size_t i = 0; i < count; i++)
            if (nv_heads_seq(&sync->coming, &heads[i]) > heads[i].seq)
                heads[i] = *nv_heads_find(&sync->coming, &heads[i]);
    action->send.has.heads = heads;
    action->send.has.head_count = count;
    return true;
}

static enum nv_status say_whole(struct nv_sync *sync, struct nv_peer *peer, bool please, int64_t now,
                                struct nv_actions *actions)
{
    struct nv_action *action = add_has(sync, peer, actions);
    if (action == NULL || !copy_grown(sync, 0, actions, action))
        return NV_NO_MEMORY;
    action->send.has.whole = true;
    action->send.has.please = please;
    peer->told = peer->whole_told = sync->generation;
    peer->said = peer->whole_at = now;
    peer->has_due = false;
    return NV_OK;
}

enum nv_status nv_sync_say_grown(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions)
{
    if (!peer->has_due)
        return NV_OK;
    if (peer->said != 0 && now - peer->said < NV_HAS_US) {
        nv_sync_wake_by(sync, peer->said + NV_HAS_US);
        return NV_OK;
    }
    struct nv_action *action = add_has(sync, peer, actions);
    if (action == NULL || !copy_grown(sync, peer->told, actions, action))
        return NV_NO_MEMORY;
    action->send.has.whole = peer->told == 0;
    peer->told = sync->generation;
    peer->said = now;
    peer->has_due = false;
    return NV_OK;
}

enum nv_status nv_sync_say_digest(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions)
{
    peer->compare_at = now + nv_sync_jittered(peer, NV_COMPARE_US);
    peer->moved = 0;
    nv_sync_wake_by(sync, peer->compare_at);
    return add_has(sync, peer, actions) == NULL ? NV_NO_MEMORY : NV_OK;
}

/* ---- what is learnt of theirs -------------------------------------------------------------------------------------
 */

enum nv_status nv_sync_settle(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions)
{
    nv_sync_acknowledge(sync, peer, now);
    if (!peer->has_known)
        return NV_OK;
    if (peer->served_pull == 0 && nv_heads_cover(&peer->has, sync->own.heads, sync->own.count)) {
        nv_sync_forget_pushed(sync, peer);
        peer->in_step = true;
        peer->owing = false;
        peer->cursor = sync->newest;
        return nv_heads_assign(&peer->believed, peer->has.heads, peer->has.count);
    }
    if (nv_heads_join(&peer->believed, peer->has.heads, peer->has.count) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_push(sync, peer, actions);
}

/* Nothing is on its way to it, and yet it lacks something: what we believed was wrong, or a push was dropped. */
static enum nv_status believe_its_word(struct nv_sync *sync, struct nv_peer *peer)
{
    if (peer->pushed_count > 0 || peer->owing || peer->served_pull != 0)
        return NV_OK;
    if (peer->in_step && !nv_heads_cover(&peer->has, sync->own.heads, sync->own.count)) {
        nv_sync_out_of_step(sync, peer);
        peer->has_due = true;
    }
    return nv_heads_assign(&peer->believed, peer->has.heads, peer->has.count);
}

enum nv_status nv_sync_on_has(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message, int64_t now,
                              struct nv_actions *actions)
{
    const struct nv_far_head *heads = message->has.heads;
    size_t count = message->has.head_count;
    if (!nv_heads_ascend(heads, count))
        return nv_sync_garbage(sync, peer, "a Has whose heads are not in order", now, actions);

    bool same = memcmp(&message->has.digest, &sync->digest, sizeof sync->digest) == 0;
    bool compares = !message->has.whole && count == 0;
    enum nv_status status = NV_OK;
    if (same)
        status = nv_heads_assign(&peer->has, sync->own.heads, sync->own.count);
    else if (message->has.whole)
        status = nv_heads_assign(&peer->has, heads, count);
    else
        status = nv_heads_join(&peer->has, heads, count);
    if (status != NV_OK)
        return status;
    if (nv_sync_names_too_many(peer))
        return nv_sync_garbage(sync, peer, "a Has of more logs than a network may have", now, actions);
    if (same || message->has.whole)
        peer->has_known = peer->ever_known = true;
    if (same && !peer->has_due)
        peer->told = sync->generation; /* it says what we say */
    peer->maybe_ahead = true;
    if (!message->has.whole && count > 0 && peer->pull_after > now + NV_REFUSED_US)
        peer->pull_after = now + NV_REFUSED_US; /* one bad changeset must not hold up its news */

    if (message->has.whole && believe_its_word(sync, peer) != NV_OK)
        return NV_NO_MEMORY;
    if (nv_sync_settle(sync, peer, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    bool answered = peer->whole_at != 0 && peer->whole_told == sync->generation && now - peer->whole_at < NV_WHOLE_US;
    if ((compares && !same) || (message->has.please && !answered))
        if (say_whole(sync, peer, compares && !same, now, actions) != NV_OK)
            return NV_NO_MEMORY;
    if (nv_sync_say_grown(sync, peer, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_consider_pull(sync, now, actions);
}

/* ---- our own growth -----------------------------------------------------------------------------------------------
 */

/* Takes the new vector and marks which heads grew; *ret_grown counts them. */
static enum nv_status take_own(struct nv_sync *sync, const struct nv_event *event, size_t *ret_grown)
{
    const struct nv_far_head *heads = event->grew.heads;
    size_t count = event->grew.count;
    uint64_t *grown = calloc(count + 1, sizeof *grown);
    if (grown == NULL)
        return NV_NO_MEMORY;
    *ret_grown = 0;
    uint64_t generation = sync->generation + 1;
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        while (place < sync->own.count && nv_far_head_order(&sync->own.heads[place], &heads[i]) < 0)
            place++;
        bool same = place < sync->own.count && nv_far_head_order(&sync->own.heads[place], &heads[i]) == 0;
        bool grew = !same || sync->own.heads[place].seq < heads[i].seq;
        grown[i] = grew ? generation : sync->grown[place];
        *ret_grown += grew;
    }
    if (nv_heads_assign(&sync->own, heads, count) != NV_OK) {
        free(grown);
        return NV_NO_MEMORY;
    }
    free(sync->grown);
    sync->grown = grown;
    sync->generation = generation;
    sync->digest = event->grew.digest;
    sync->newest = event->grew.newest;
    return NV_OK;
}

/* How many of the heads that just grew the peer has, or was sent. */
static size_t believed_grown(const struct nv_sync *sync, const struct nv_peer *peer)
{
    size_t count = 0;
    for (size_t i = 0; i < sync->own.count; i++)
        if (sync->grown[i] == sync->generation &&
            nv_heads_seq(&peer->believed, &sync->own.heads[i]) >= sync->own.heads[i].seq)
            count++;
    return count;
}

/* A peer in step gets what it lacks of the growth pushed. A Has is owed where the growth came from the peer (it is its
 * acknowledgement) and to who is out of step, save where its pull is running and gives it all anyway. */
static enum nv_status tell_growth(struct nv_sync *sync, struct nv_peer *peer, size_t grown, int64_t now,
                                  struct nv_actions *actions)
{
    size_t believed = believed_grown(sync, peer);
    if (peer->in_step && believed < grown)
        peer->owing = true;
    else if (peer->in_step && !peer->owing)
        peer->cursor = sync->newest;
    if (believed > 0 || (!peer->in_step && peer->served_pull == 0))
        peer->has_due = true;
    else if (peer->in_step && !peer->has_due && peer->told == sync->generation - 1)
        peer->told = sync->generation; /* the push says it */
    if (nv_sync_push(sync, peer, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_say_grown(sync, peer, now, actions);
}

enum nv_status nv_sync_on_grew(struct nv_sync *sync, const struct nv_event *event, struct nv_actions *actions)
{
    size_t grown = 0;
    if (take_own(sync, event, &grown) != NV_OK)
        return NV_NO_MEMORY;
    for (size_t i = 0; i < sync->peer_count && grown > 0; i++) {
        struct nv_peer *peer = sync->peers[i];
        if (peer->session != 0 && peer->greeted && peer->has_known &&
            tell_growth(sync, peer, grown, event->now.us, actions) != NV_OK)
            return NV_NO_MEMORY;
    }
    return NV_OK;
}
