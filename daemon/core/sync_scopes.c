/* What two nodes carry both, and so speak of (PROTOCOL.md, "Between two nodes", Scopes).
 *
 * Each side says what that is by its authority log, and what both said is shared. So neither speaks of what the other
 * does not carry, also while one of them has read further in that log, and both make digests over the same scopes. */
#include <stdlib.h>

#include "base/catalogue.h"
#include "base/planted.h"
#include "core/sync_internal.h"

/* ---- who carries what, by our authority log -----------------------------------------------------------------------
 */

static void free_carriers(struct nv_carrier *carriers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        nv_scope_set_done(&carriers[i].scopes);
    free(carriers);
}

void nv_sync_carriers_done(struct nv_sync *sync)
{
    free_carriers(sync->carriers, sync->carrier_count);
}

enum nv_status nv_sync_take_carriers(struct nv_sync *sync, const struct nv_event *event)
{
    size_t count = event->grew.carrier_count;
    struct nv_carrier *carriers = calloc(count + 1, sizeof *carriers);
    if (carriers == NULL)
        return NV_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        carriers[i].site = event->grew.carriers[i].site;
        if (nv_scope_set_copy(&carriers[i].scopes, &event->grew.carriers[i].scopes) != NV_OK) {
            free_carriers(carriers, count);
            return NV_NO_MEMORY;
        }
    }
    free_carriers(sync->carriers, sync->carrier_count);
    sync->carriers = carriers;
    sync->carrier_count = count;
    return NV_OK;
}

/* What a site carries: nothing where it is not listed. */
static const struct nv_scope_set *carried_by(const struct nv_sync *sync, struct nv_site_id site)
{
    static const struct nv_scope_set nothing = {.is_empty = true};
    size_t low = 0, high = sync->carrier_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = nv_site_id_compare(sync->carriers[middle].site, site);
        if (order == 0)
            return &sync->carriers[middle].scopes;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return &nothing;
}

enum nv_status nv_sync_look_up_scopes(struct nv_sync *sync, struct nv_peer *peer, bool *ret_changed)
{
    struct nv_scope_set both = {0};
    const struct nv_scope_set *by_it = carried_by(sync, NV_PLANTED(LEAK_SCOPE) ? sync->self : peer->site);
    if (nv_scope_set_meet(&both, carried_by(sync, sync->self), by_it) != NV_OK)
        return NV_NO_MEMORY;
    *ret_changed = !nv_scope_set_equal(&both, &peer->by_us);
    nv_scope_set_done(&peer->by_us);
    peer->by_us = both;
    return NV_OK;
}

/* ---- what each side says of it ------------------------------------------------------------------------------------
 */

enum nv_status nv_sync_say_scopes(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_actions *actions,
                                  struct nv_scopes_said *ret_said)
{
    const struct nv_scope_set *both = &peer->by_us;
    size_t count = both->count;
    struct nv_scope_id *scopes = nv_arena_alloc(&actions->arena, (count + 1) * sizeof *scopes);
    if (scopes == NULL)
        return NV_NO_MEMORY;
    if (count > 0)
        memcpy(scopes, both->scopes, count * sizeof *scopes);
    *ret_said = (struct nv_scopes_said){.is_said = true,
                                        .authority_seq = sync->own.authority,
                                        .scopes = {.has_all = both->has_all, .scopes = scopes, .count = count}};
    return NV_OK;
}

enum nv_status nv_sync_hear_scopes(struct nv_peer *peer, const struct nv_scopes_said *said)
{
    peer->by_it_at = peer->position = said->authority_seq;
    return nv_scope_set_copy(&peer->by_it, &said->scopes);
}

/* ---- what both carry ----------------------------------------------------------------------------------------------
 */

static void drop_others(struct nv_heads *heads, const struct nv_scope_set *scopes)
{
    size_t kept = 0;
    for (size_t i = 0; i < heads->count; i++)
        if (nv_scope_set_has(scopes, heads->heads[i].scope))
            heads->heads[kept++] = heads->heads[i];
    heads->count = kept;
}

/* What it has of the further scopes is not known. What we hold of them came here before what it was sent, so a pull of
 * its that is running begins anew, where it goes on after that. */
static enum nv_status expect_more(struct nv_sync *sync, struct nv_peer *peer)
{
    if (peer->served_pull != 0) {
        peer->cursor = 0;
        return NV_OK;
    }
    if (nv_sync_has_ours(sync, peer))
        return NV_OK;
    nv_sync_out_of_step(sync, peer);
    return nv_heads_assign(&peer->believed, peer->has.heads, peer->has.count);
}

enum nv_status nv_sync_share(struct nv_sync *sync, struct nv_peer *peer, bool *ret_changed)
{
    struct nv_scope_set shared = {0};
    if (nv_scope_set_meet(&shared, &peer->by_us, &peer->by_it) != NV_OK)
        return NV_NO_MEMORY;
    bool is_less = !nv_scope_set_within(&peer->shared, &shared), is_more = !nv_scope_set_within(&shared, &peer->shared);
    nv_scope_set_done(&peer->shared);
    peer->shared = shared;
    if (is_less) {
        drop_others(&peer->has, &shared);
        drop_others(&peer->believed, &shared);
    }
    *ret_changed = is_less || is_more;
    if (*ret_changed)
        peer->whole_at = 0; /* it was of something else */
    return is_more ? expect_more(sync, peer) : NV_OK;
}

/* ---- what a peer should not have said -----------------------------------------------------------------------------
 */

bool nv_sync_is_foreign(const struct nv_sync *sync, const struct nv_peer *peer, struct nv_scope_id scope)
{
    if (nv_scope_set_has(&peer->shared, scope))
        return false;
    if (!nv_scope_set_has(&peer->by_it, scope))
        return true; /* by its own word */
    /* By ours it does not carry it. An honest peer that has read as far as we in the authority log says the same. */
    return sync->own.authority == peer->by_it_at || sync->own.authority == peer->position;
}

enum nv_status nv_sync_keep_shared(const struct nv_sync *sync, struct nv_peer *peer, const struct nv_far_head *heads,
                                   size_t count, struct nv_actions *actions, const struct nv_far_head **ret_heads,
                                   size_t *ret_count, size_t *ret_foreign)
{
    for (size_t i = 0; i < count && nv_scope_id_equal(heads[i].scope, NV_SCOPE_AUTHORITY); i++)
        peer->position = heads[i].seq;
    struct nv_far_head *kept = nv_arena_alloc(&actions->arena, (count + 1) * sizeof *kept);
    if (kept == NULL)
        return NV_NO_MEMORY;
    *ret_heads = kept;
    *ret_count = *ret_foreign = 0;
    for (size_t i = 0; i < count; i++) {
        if (nv_scope_set_has(&peer->shared, heads[i].scope))
            kept[(*ret_count)++] = heads[i];
        else
            *ret_foreign += nv_sync_is_foreign(sync, peer, heads[i].scope);
    }
    return NV_OK;
}

enum nv_status nv_sync_refuse_foreign(struct nv_sync *sync, struct nv_peer *peer, size_t count, int64_t now,
                                      struct nv_actions *actions)
{
    static const char text[] = N_("it names or sends what is of a scope that it does not carry");
    struct nv_action *action = nv_actions_add(actions, NV_ACTION_REFUSED, peer->session);
    if (action == NULL)
        return NV_NO_MEMORY;
    action->refused.site = peer->site;
    action->refused.text = text;
    return nv_sync_refuse(sync, peer, count, text, now, actions);
}
