/* Who the members are, who is dialled, and what `status` shows of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "service_internal.h"
#include "store/authority.h"
#include "store/care.h"
#include "store/log.h"
#include "store/trust/rights.h"

enum { SAVED_AT_ONCE = 16, NEWS_MS = 10000, MINUTE_MS = 60000, CLOCK_FAR_MS = 5 * MINUTE_MS };

/* ---- members ------------------------------------------------------------------------------------------------------
 */

static bool is_valid_now(const struct nv_member *member, struct nv_wall_ms now)
{
    return member->not_before.ms <= now.ms && (member->not_after.ms == 0 || now.ms <= member->not_after.ms);
}

/* Where to dial a member; NULL where it dials us. What the settings name is dialled; a site dials the hubs; of two
 * alike the lesser site id dials, so that they keep one connection, and so does one that cannot be dialled itself. */
static const char *endpoint_to_dial(const struct nv_service *service, const struct nv_member *own,
                                    const struct nv_member *member)
{
    const char *setting = nv_config_endpoint(service->settings.config, member->name);
    if (setting != NULL)
        return setting;
    if (member->endpoint[0] == '\0')
        return NULL;
    if (member->role != own->role)
        return member->role == NV_ROLE_HUB ? member->endpoint : NULL;
    bool we_dial = own->endpoint[0] == '\0' || nv_site_id_compare(own->site, member->site) < 0;
    return we_dial ? member->endpoint : NULL;
}

enum nv_status nv_service_set_members(struct nv_service *service, struct nv_error *error)
{
    const struct nv_member *members;
    size_t count, admitted = 0;
    nv_store_members(service->store, &members, &count);
    struct nv_site_id self = nv_store_identity(service->store)->site;
    const struct nv_member *own = nv_store_member(service->store, self);
    struct nv_net_member *list = calloc(count + 1, sizeof *list);
    if (list == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the list of members");
    struct nv_wall_ms now = nv_wall_now();
    for (size_t i = 0; i < count && own != NULL; i++) {
        if (nv_site_id_compare(members[i].site, self) == 0 || !is_valid_now(&members[i], now))
            continue;
        list[admitted++] = (struct nv_net_member){.site = members[i].site,
                                                  .curve_key = members[i].curve_key,
                                                  .endpoint = endpoint_to_dial(service, own, &members[i])};
    }
    if (own == NULL && !service->said_outside)
        nv_log(NV_LOG_WARNING,
               "this site was taken out of the network: it speaks with nobody, and what is written here is kept until "
               "it is invited anew and joins");
    service->said_outside = own == NULL;
    enum nv_status status = nv_net_set_members(service->net, list, admitted, service->now, error);
    free(list);
    service->members_at = service->now.us + 60 * 1000000; /* dates of validity pass */
    return status;
}

/* ---- status -------------------------------------------------------------------------------------------------------
 */

/* What the store was told of a peer last. */
struct nv_saved_peer {
    struct nv_peer_state state;
    bool saved;
    int64_t clock_off_ms; /* as it was heard last */
};

static struct nv_wall_ms wall_of(const struct nv_service *service, struct nv_mono_us time)
{
    return (struct nv_wall_ms){nv_wall_now().ms - (service->now.us - time.us) / 1000};
}

static struct nv_saved_peer *saved_of(struct nv_service *service, struct nv_site_id site)
{
    for (size_t i = 0; i < service->saved_count; i++)
        if (nv_site_id_compare(service->saved[i].state.site, site) == 0)
            return &service->saved[i];
    struct nv_saved_peer *saved = realloc(service->saved, (service->saved_count + 1) * sizeof *saved);
    if (saved == NULL)
        return NULL;
    service->saved = saved;
    saved[service->saved_count] = (struct nv_saved_peer){.state.site = site};
    return &saved[service->saved_count++];
}

void nv_service_note_clock(struct nv_service *service, struct nv_site_id site, struct nv_wall_ms its)
{
    struct nv_saved_peer *saved = saved_of(service, site);
    const struct nv_member *member = nv_store_member(service->store, site);
    int64_t off = its.ms - nv_wall_now().ms;
    if (saved == NULL || its.ms == 0)
        return;
    off = llabs((long long)off) < CLOCK_FAR_MS ? 0 : off / MINUTE_MS * MINUTE_MS;
    if (off != 0 && saved->clock_off_ms == 0)
        nv_log(NV_LOG_WARNING, "the clock of %s is %lld minutes %s this site's: one of the two is wrong",
               member == NULL ? "a site" : member->name, llabs((long long)off) / MINUTE_MS,
               off > 0 ? "ahead of" : "behind");
    saved->clock_off_ms = off;
}

/* ---- what is saved ---- */

static struct nv_peer_state state_of(const struct nv_service *service, const struct nv_sync_view *view)
{
    struct nv_peer_state state = {
        .site = view->site,
        .connected = view->session != 0,
        .since = wall_of(service, view->since),
        .last_heard = wall_of(service, view->heard),
        .behind_changesets = view->behind < INT64_MAX ? view->behind : INT64_MAX,
        .ahead_changesets = view->ahead < INT64_MAX ? view->ahead : INT64_MAX,
    };
    if (view->behind > 0)
        state.behind_since = wall_of(service, view->behind_since);
    snprintf(state.last_error, sizeof state.last_error, "%s", view->note);
    return state;
}

/* Words that came since, and clocks that tick apart, are not worth a write. */
static bool is_news(const struct nv_saved_peer *saved, const struct nv_peer_state *state)
{
    const struct nv_peer_state *old = &saved->state;
    return !saved->saved || old->connected != state->connected || old->behind_changesets != state->behind_changesets ||
           old->ahead_changesets != state->ahead_changesets || old->clock_off_ms != state->clock_off_ms ||
           strcmp(old->last_error, state->last_error) != 0 ||
           llabs((long long)(old->since.ms - state->since.ms)) > NEWS_MS ||
           llabs((long long)(old->last_heard.ms - state->last_heard.ms)) > NEWS_MS;
}

uint64_t nv_service_held(const struct nv_service *service)
{
    const struct nv_far_head *heads;
    size_t count;
    uint64_t held = 0;
    nv_store_has(service->store, &heads, &count);
    for (size_t i = 0; i < count; i++)
        held += heads[i].seq;
    return held;
}

static bool was_met(const struct nv_service *service, struct nv_site_id site)
{
    for (size_t i = 0; i < service->saved_count; i++)
        if (nv_site_id_compare(service->saved[i].state.site, site) == 0)
            return true;
    return false;
}

/* What came for each of those that were not met, as the arms of a CASE and as a list; both empty where nothing did. */
static void list_unmet(const struct nv_service *service, sqlite3_str *arms, sqlite3_str *sites)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(service->store, &members, &count);
    for (size_t i = 0; i < count; i++) {
        char site[33];
        uint64_t came = was_met(service, members[i].site) ? 0 : nv_service_came_for(service, members[i].site);
        if (came == 0)
            continue;
        nv_hex(members[i].site.bytes, sizeof members[i].site.bytes, site);
        sqlite3_str_appendf(arms, " WHEN x'%s' THEN %llu", site, (unsigned long long)came);
        sqlite3_str_appendf(sites, "%sx'%s'", sqlite3_str_length(sites) > 0 ? ", " : "", site);
    }
}

/* One statement, so that nothing is counted twice; where the store is busy, the next second will do. */
static enum nv_status add_unmet(struct nv_service *service, const char *arms, const char *sites, struct nv_error *error)
{
    char *sql = sqlite3_mprintf("UPDATE navette_peer SET behind_since_ms = CASE behind WHEN 0 THEN %lld ELSE "
                                "behind_since_ms END, behind = behind + CASE site%s END "
                                "WHERE connected = 0 AND site IN (%s)",
                                (long long)nv_wall_now().ms, arms, sites);
    if (sql == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the state of the peers");
    bool is_done = sqlite3_exec(nv_store_db(service->store), sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(sql);
    return is_done ? nv_service_count_held(service, error) : NV_OK;
}

/* Of who was not met since the daemon started no more is known than what was saved: it lacks that, and all that came
 * since and that both carry. */
static enum nv_status count_for_unmet(struct nv_service *service, struct nv_error *error)
{
    const struct nv_far_head *heads;
    size_t count;
    nv_store_has(service->store, &heads, &count);
    if (nv_heads_cover(&service->counted, heads, count))
        return NV_OK;
    sqlite3 *db = nv_store_db(service->store);
    sqlite3_str *arms = sqlite3_str_new(db), *sites = sqlite3_str_new(db);
    list_unmet(service, arms, sites);
    bool has_failed = sqlite3_str_errcode(arms) != SQLITE_OK || sqlite3_str_errcode(sites) != SQLITE_OK;
    enum nv_status status = NV_OK;
    char *arms_text = sqlite3_str_finish(arms), *sites_text = sqlite3_str_finish(sites);
    if (has_failed)
        status = nv_fail(error, NV_NO_MEMORY, "no memory for the state of the peers");
    else if (arms_text == NULL)
        status = nv_service_count_held(service, error);
    else
        status = add_unmet(service, arms_text, sites_text, error);
    sqlite3_free(arms_text);
    sqlite3_free(sites_text);
    return status;
}

/* A few at a time, in turn, once a second. */
enum nv_status nv_service_save_peers(struct nv_service *service, struct nv_error *error)
{
    struct nv_sync_view view;
    size_t written = 0;
    if (count_for_unmet(service, error) != NV_OK)
        return error->status;
    while (written < SAVED_AT_ONCE) {
        if (!nv_sync_look(service->sync, service->saved_next, service->now, &view)) {
            service->saved_next = 0;
            return NV_OK;
        }
        service->saved_next++;
        struct nv_peer_state state = state_of(service, &view);
        struct nv_saved_peer *saved = saved_of(service, state.site);
        if (saved == NULL)
            return nv_fail(error, NV_NO_MEMORY, "no memory for the state of the peers");
        state.clock_off_ms = saved->clock_off_ms;
        if (!is_news(saved, &state))
            continue;
        enum nv_status status = nv_store_save_peer(service->store, &state, error);
        if (status == NV_BUSY || status == NV_FULL)
            return NV_OK; /* the next second will do */
        if (status != NV_OK)
            return status;
        saved->state = state;
        saved->saved = true;
        written++;
    }
    return NV_OK;
}

/* Whoever was connected when the daemon last ran is not now, however it ended. */
void nv_service_peers_away(struct nv_service *service)
{
    char sql[160];
    snprintf(sql, sizeof sql, "UPDATE navette_peer SET connected = 0, since_ms = %lld WHERE connected <> 0",
             (long long)nv_wall_now().ms);
    if (sqlite3_exec(nv_store_db(service->store), sql, NULL, NULL, NULL) != SQLITE_OK)
        nv_log(NV_LOG_DEBUG, "the peers are shown as they were: the store is busy");
}
