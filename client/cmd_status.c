/* navette status, peers: how this site stands, in words. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "client/command.h"
#include "client/language.h"
#include "client/standing.h"
#include "client/status_words.h"
#include "client/vouched.h"

enum { WATCH_SECONDS = 2 };

static bool waits_for_a_person(const struct nv_store *store, const struct nv_standing *standing)
{
    const struct nv_table *const *tables;
    size_t count;
    nv_store_tables(store, &tables, &count);
    for (size_t i = 0; i < count; i++)
        if (tables[i]->missing)
            return true;
    return standing->conflicts > 0 || standing->missing_rows > 0 || standing->forks > 0 || standing->is_full;
}

/* ---- JSON ---- */

static const char *state_name(enum nv_standing_state state)
{
    switch (state) {
    case NV_STANDING_NO_NETWORK:
        return "no_network";
    case NV_STANDING_REVOKED:
        return "revoked";
    case NV_STANDING_ALONE:
        return "alone";
    case NV_STANDING_STOPPED:
        return "stopped";
    case NV_STANDING_CONNECTING:
        return "connecting";
    case NV_STANDING_OFFLINE:
        return "offline";
    case NV_STANDING_CATCHING_UP:
        return "catching_up";
    case NV_STANDING_UP_TO_DATE:
        return "up_to_date";
    }
    return "?";
}

static json_t *time_json(struct nv_wall_ms time)
{
    return time.ms == 0 ? json_null() : json_integer(time.ms);
}

static json_t *peers_json(const struct nv_standing *standing)
{
    json_t *list = json_array();
    for (size_t i = 0; i < standing->peer_count; i++) {
        const struct nv_standing_peer *peer = &standing->peers[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:b, s:o, s:o, s:I, s:o, s:I, s:I, s:o}", "name", nv_json_text(peer->name), "id",
                      nv_json_hex(peer->site.bytes, sizeof peer->site.bytes), "connected", (int)peer->connected,
                      "since_ms", time_json(peer->since), "last_heard_ms", time_json(peer->last_heard), "behind",
                      (json_int_t)peer->behind, "behind_since_ms", time_json(peer->behind_since), "ahead",
                      (json_int_t)peer->ahead, "clock_off_ms", (json_int_t)peer->clock_off_ms, "last_error",
                      peer->last_error[0] == '\0' ? json_null() : nv_json_text(peer->last_error)));
    }
    return list;
}

static json_t *members_json(const struct nv_standing *standing)
{
    json_t *list = json_array();
    for (size_t i = 0; i < standing->member_count; i++) {
        const struct nv_standing_member *member = &standing->members[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "name", nv_json_text(member->name), "id",
                                              nv_json_hex(member->site.bytes, sizeof member->site.bytes), "newest_ms",
                                              time_json(member->newest)));
    }
    return list;
}

static json_t *refused_json(const struct nv_standing *standing)
{
    json_t *list = json_array();
    for (size_t i = 0; i < standing->refusal_count; i++) {
        const struct nv_standing_refusal *refusal = &standing->refusals[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:I, s:I, s:o}", "reason", refusal->reason, "site",
                                              refusal->site[0] == '\0' ? json_null() : nv_json_text(refusal->site),
                                              "count", (json_int_t)refusal->count, "last_ms",
                                              (json_int_t)refusal->last.ms, "text", nv_json_text(refusal->text)));
    }
    return list;
}

static void add_missing_json(const char *table, const char *key, int64_t seen_ms, void *context)
{
    json_array_append_new(context,
                          json_pack("{s:s, s:s, s:I}", "table", table, "key", key, "seen_ms", (json_int_t)seen_ms));
}

static json_t *missing_tables_json(const struct nv_store *store)
{
    const struct nv_table *const *tables;
    size_t count;
    json_t *list = json_array();
    nv_store_tables(store, &tables, &count);
    for (size_t i = 0; i < count; i++)
        if (tables[i]->missing)
            json_array_append_new(list, nv_json_text(tables[i]->name));
    return list;
}

static enum nv_status print_json(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error)
{
    const struct nv_identity *identity = nv_store_identity(store);
    json_t *missing = json_array(), *vouched = NULL;
    enum nv_status status = nv_missing_rows(store, INT32_MAX, add_missing_json, missing, error);
    if (status == NV_OK)
        status = nv_vouched_json(store, &vouched, error);
    if (status != NV_OK) {
        json_decref(missing);
        return status;
    }
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:s, s:b, s:o, s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:I, s:I, "
        "s:b, s:o, s:o}",
        "name", nv_json_text(identity->name), "id", nv_json_hex(identity->site.bytes, sizeof identity->site.bytes),
        "network",
        identity->has_network ? nv_json_hex(identity->network.bytes, sizeof identity->network.bytes) : json_null(),
        "state", state_name(standing->state), "running", (int)standing->is_running, "since_ms",
        time_json(standing->since), "pending", (json_int_t)standing->pending, "conflicts",
        (json_int_t)standing->conflicts, "missing", missing, "missing_tables", missing_tables_json(store), "quarantine",
        (json_int_t)standing->quarantine, "forks", (json_int_t)standing->forks, "owed", (json_int_t)standing->owed,
        "carried", (json_int_t)standing->carried, "waiting", (json_int_t)standing->waiting, "vouched", vouched,
        "unplaced", (json_int_t)standing->unplaced, "moving", (json_int_t)standing->moving, "refused",
        refused_json(standing), "store_bytes", (json_int_t)standing->store_bytes, "free_bytes",
        (json_int_t)standing->free_bytes, "full", (int)standing->is_full, "peers", peers_json(standing), "members",
        members_json(standing));
    return nv_print_json(json, error);
}

/* ---- the commands ---- */

static enum nv_status show_once(const struct nv_call *call, struct nv_store *store, bool *ret_waits,
                                struct nv_error *error)
{
    struct nv_standing standing;
    enum nv_status status = nv_standing_gather(&call->home, store, &standing, error);
    if (status != NV_OK)
        return status;
    *ret_waits = waits_for_a_person(store, &standing);
    status = call->json ? print_json(store, &standing, error) : nv_status_say(store, &standing, error);
    nv_standing_done(&standing);
    return status;
}

/* Shows the status again and again, until interrupted or until nobody reads it any more. */
static enum nv_status watch(const struct nv_call *call, struct nv_store *store, bool *ret_waits, struct nv_error *error)
{
    bool is_terminal = isatty(STDOUT_FILENO) != 0 && !call->json, changed;
    for (;;) {
        if (is_terminal)
            fputs("\033[H\033[J", stdout);
        enum nv_status status = show_once(call, store, ret_waits, error);
        if (status != NV_OK)
            return status;
        if (!is_terminal && !call->json)
            putchar('\n');
        if (fflush(stdout) != 0)
            return nv_fail(error, NV_IO, "the status could not be written to standard output");
        sleep(WATCH_SECONDS);
        status = nv_store_refresh(store, &changed, error);
        if (status != NV_OK)
            return status;
    }
}

enum nv_status nv_command_status(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    bool waits = false;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_option(call, "--watch") != NULL ? watch(call, store, &waits, error)
                                                    : show_once(call, store, &waits, error);
    nv_store_close(store);
    return status == NV_OK && waits ? NV_NOT_SO : status;
}

static enum nv_status print_peers(const struct nv_standing *standing, struct nv_error *error)
{
    struct nv_grid grid = {.columns = 6};
    static const char *const titles[] = {N_("site"),   N_("state"), N_("since"),
                                         N_("behind"), N_("ahead"), N_("last error")};
    for (size_t i = 0; i < grid.columns && standing->peer_count > 0; i++)
        nv_grid_cell(&grid, _(titles[i]));
    for (size_t i = 0; i < standing->peer_count; i++) {
        const struct nv_standing_peer *peer = &standing->peers[i];
        nv_grid_cell(&grid, peer->name);
        nv_grid_cell(&grid, peer->connected ? _("connected") : _("not connected"));
        nv_grid_time(&grid, peer->since);
        nv_grid_number(&grid, peer->behind);
        nv_grid_number(&grid, peer->ahead);
        nv_grid_cell(&grid, peer->last_error[0] == '\0' ? "" : _(peer->last_error));
    }
    enum nv_status status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    if (standing->peer_count == 0)
        puts(_("This site has talked with no other yet."));
    else if (!standing->is_running)
        puts(_("navetted is not running: this is what it knew last."));
    return status;
}

enum nv_status nv_command_peers(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_standing standing = {0};
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_standing_gather(&call->home, store, &standing, error);
    if (status == NV_OK)
        status = call->json ? nv_print_json(peers_json(&standing), error) : print_peers(&standing, error);
    nv_standing_done(&standing);
    nv_store_close(store);
    return status;
}
