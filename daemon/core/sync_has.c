#include "core/sync_internal.h"

#include "base/planted.h"

/* ---- what is said of ours -----------------------------------------------------------------------------------------
 */

static struct nv_action *add_has(struct nv_sync *sync, struct nv_peer *peer, struct nv_actions *actions)
{
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_SEND, peer->session);
    if (action == NULL)
        return NULL;
    action->send.kind = NV_MESSAGE_HAS;
    action->send.has.digest = nv_sync_digest(sync, peer);
    return action;
}

/* Our heads that grew after generation `after`, all of them for 0. */
static bool add_grown(struct nv_sync *sync, const struct nv_peer *peer, uint64_t after, struct nv_actions *actions,
                      struct nv_action *action)
{
    struct nv_far_head *heads;
    size_t count;
    if (nv_sync_copy_own(sync, peer, after, actions, &heads, &count) != NV_OK)
        return false;
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
    if (action == NULL || !add_grown(sync, peer, 0, actions, action) ||
        nv_sync_say_scopes(sync, peer, actions, &action->send.has.scopes) != NV_OK)
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
    if (action == NULL || !add_grown(sync, peer, peer->told, actions, action))
        return NV_NO_MEMORY;
    action->send.has.whole = peer->told == 0;
    if ((action->send.has.whole || action->send.has.head_count == 0) &&
        nv_sync_say_scopes(sync, peer, actions, &action->send.has.scopes) != NV_OK)
        return NV_NO_MEMORY;
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
    struct nv_action *action = add_has(sync, peer, actions);
    return action == NULL ? NV_NO_MEMORY : nv_sync_say_scopes(sync, peer, actions, &action->send.has.scopes);
}

/* ---- what is learnt of theirs -------------------------------------------------------------------------------------
 */

enum nv_status nv_sync_settle(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions)
{
    nv_sync_acknowledge(sync, peer, now);
    if (!peer->has_known)
        return NV_OK;
    if (peer->served_pull == 0 && nv_sync_has_ours(sync, peer)) {
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
    if (peer->in_step && !nv_sync_has_ours(sync, peer)) {
        nv_sync_out_of_step(sync, peer);
        peer->has_due = true;
    }
    return nv_heads_assign(&peer->believed, peer->has.heads, peer->has.count);
}

/* Both sides' digests are over what both carry, so whoever changes that says its own anew. */
static enum nv_status hear_scopes(struct nv_sync *sync, struct nv_peer *peer, const struct nv_scopes_said *said,
                                  int64_t now, struct nv_actions *actions)
{
    bool is_changed = false;
    if (!said->is_said)
        return NV_OK;
    if (nv_sync_hear_scopes(peer, said) != NV_OK || nv_sync_share(sync, peer, &is_changed) != NV_OK)
        return NV_NO_MEMORY;
    return is_changed ? nv_sync_say_digest(sync, peer, now, actions) : NV_OK;
}

/* What it says that it has; *ret_is_same: the same as we. */
static enum nv_status learn(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                            bool *ret_is_same, size_t *ret_foreign, struct nv_actions *actions)
{
    const struct nv_far_head *heads;
    size_t count;
    if (nv_sync_keep_shared(sync, peer, message->has.heads, message->has.head_count, actions, &heads, &count,
                            ret_foreign) != NV_OK)
        return NV_NO_MEMORY;
    struct nv_digest ours = nv_sync_digest(sync, peer);
    *ret_is_same = memcmp(&message->has.digest, &ours, sizeof ours) == 0;
    if (*ret_is_same) {
        peer->position = sync->own.authority;
        return nv_sync_assign_own(sync, peer, &peer->has);
    }
    return message->has.whole ? nv_heads_assign(&peer->has, heads, count) : nv_heads_join(&peer->has, heads, count);
}

/* What follows for us from what it has. */
static enum nv_status conclude(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message,
                               bool is_same, int64_t now, struct nv_actions *actions)
{
    bool compares = !message->has.whole && message->has.head_count == 0;
    if (is_same || message->has.whole)
        peer->has_known = peer->ever_known = true;
    if (is_same && !peer->has_due)
        peer->told = sync->generation; /* it says what we say */
    peer->maybe_ahead = true;
    if (!message->has.whole && !compares && peer->pull_after > now + NV_REFUSED_US)
        peer->pull_after = now + NV_REFUSED_US; /* one bad changeset must not hold up its news */

    if (message->has.whole && believe_its_word(sync, peer) != NV_OK)
        return NV_NO_MEMORY;
    if (nv_sync_settle(sync, peer, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    bool answered = peer->whole_at != 0 && peer->whole_told == sync->generation && now - peer->whole_at < NV_WHOLE_US;
    bool asks = compares && !is_same;
    if ((asks || (message->has.please && !answered)) && say_whole(sync, peer, asks, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    if (nv_sync_say_grown(sync, peer, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_consider_pull(sync, now, actions);
}

enum nv_status nv_sync_on_has(struct nv_sync *sync, struct nv_peer *peer, const struct nv_message *message, int64_t now,
                              struct nv_actions *actions)
{
    const struct nv_scope_set *scopes = &message->has.scopes.scopes;
    if (!nv_heads_ascend(message->has.heads, message->has.head_count) ||
        !nv_scopes_ascend(scopes->scopes, scopes->count))
        return nv_sync_garbage(sync, peer, "a Has whose heads or scopes are not in order", now, actions);
    bool is_same;
    size_t foreign;
    if (hear_scopes(sync, peer, &message->has.scopes, now, actions) != NV_OK ||
        learn(sync, peer, message, &is_same, &foreign, actions) != NV_OK)
        return NV_NO_MEMORY;
    if (nv_sync_names_too_many(peer))
        return nv_sync_garbage(sync, peer, "a Has of more logs than a network may have", now, actions);
    if (foreign > 0 && nv_sync_refuse_foreign(sync, peer, foreign, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    return peer->session == 0 ? NV_OK : conclude(sync, peer, message, is_same, now, actions);
}

/* ---- our own growth -----------------------------------------------------------------------------------------------
 */

/* How many of the heads that just grew both carry, and how many of those the peer has, or was sent. */
static size_t count_fresh(const struct nv_sync *sync, const struct nv_peer *peer, size_t *ret_believed)
{
    size_t count = 0;
    *ret_believed = 0;
    for (size_t i = 0; i < sync->own.fresh_count; i++) {
        const struct nv_far_head *head = &sync->own.heads.heads[sync->own.fresh[i]];
        if (!nv_scope_set_has(&peer->shared, head->scope))
            continue;
        count++;
        *ret_believed += nv_heads_seq(&peer->believed, head) >= head->seq;
    }
    return count;
}

/* A peer in step gets what it lacks of the growth pushed. A Has is owed where the growth came from the peer (it is its
 * acknowledgement) and to who is out of step, save where its pull is running and gives it all anyway. */
static enum nv_status tell_growth(struct nv_sync *sync, struct nv_peer *peer, int64_t now, struct nv_actions *actions)
{
    size_t believed, grown = count_fresh(sync, peer, &believed);
    if (peer->in_step && believed < grown)
        peer->owing = true;
    else if (peer->in_step && !peer->owing)
        peer->cursor = sync->newest;
    if (believed > 0 || (grown > 0 && !peer->in_step && peer->served_pull == 0))
        peer->has_due = true;
    else if (peer->in_step && !peer->has_due && peer->told == sync->generation - 1)
        peer->told = sync->generation; /* the push says it */
    if (nv_sync_push(sync, peer, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_say_grown(sync, peer, now, actions);
}

/* Others carry something else than before, or we: each peer hears of what concerns it before anything else is said. */
static enum nv_status tell_change(struct nv_sync *sync, struct nv_peer *peer, bool is_shrunk, int64_t now,
                                  struct nv_actions *actions)
{
    bool is_other_by_us = false, is_other = false;
    if (nv_sync_look_up_scopes(sync, peer, &is_other_by_us) != NV_OK || nv_sync_share(sync, peer, &is_other) != NV_OK)
        return NV_NO_MEMORY;
    if (is_shrunk) {
        peer->maybe_ahead = true;
        peer->cursor = 0; /* what comes now may stand in the places of what went */
    }
    if (!peer->greeted || (!is_other_by_us && !is_other && !is_shrunk))
        return NV_OK;
    if (nv_sync_say_digest(sync, peer, now, actions) != NV_OK)
        return NV_NO_MEMORY;
    return nv_sync_settle(sync, peer, now, actions);
}

enum nv_status nv_sync_on_grew(struct nv_sync *sync, const struct nv_event *event, struct nv_actions *actions)
{
    bool is_shrunk = false, has_carriers = event->grew.carriers != NULL;
    if ((has_carriers && nv_sync_take_carriers(sync, event) != NV_OK) ||
        nv_sync_take_own(sync, event, &is_shrunk) != NV_OK)
        return NV_NO_MEMORY;
    for (size_t i = 0; i < sync->peer_count; i++) {
        struct nv_peer *peer = sync->peers[i];
        if ((has_carriers || is_shrunk) && tell_change(sync, peer, is_shrunk, event->now.us, actions) != NV_OK)
            return NV_NO_MEMORY;
        if (sync->own.fresh_count > 0 && peer->session != 0 && peer->greeted && peer->has_known &&
            tell_growth(sync, peer, event->now.us, actions) != NV_OK)
            return NV_NO_MEMORY;
    }
    return NV_OK;
}
