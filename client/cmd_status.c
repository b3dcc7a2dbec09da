/* navette status, peers: how this site stands, in words. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "client/command.h"
#include "client/standing.h"
#include "client/vouched.h"
#include "client/words.h"
#include "store/care.h"
#include "store/db.h"

enum { WATCH_SECONDS = 2, MISSING_SHOWN = 10 };

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

static int64_t elapsed(const struct nv_standing *standing, struct nv_wall_ms since)
{
    return since.ms > standing->now.ms ? 0 : standing->now.ms - since.ms;
}

/* ---- in words ---- */

static void say_state(const struct nv_standing *standing)
{
    char span[NV_SPAN_TEXT] = "";
    uint64_t to_come = 0;
    for (size_t i = 0; i < standing->peer_count; i++)
        if (standing->peers[i].connected && standing->peers[i].ahead > to_come)
            to_come = standing->peers[i].ahead;
    switch (standing->state) {
    case NV_STANDING_NO_NETWORK:
        nv_say(NV_SAY_NO_NETWORK, 0, NULL, NULL);
        break;
    case NV_STANDING_REVOKED:
        nv_say(NV_SAY_REVOKED, 0, NULL, NULL);
        break;
    case NV_STANDING_ALONE:
        nv_say(NV_SAY_ALONE, 0, NULL, NULL);
        break;
    case NV_STANDING_STOPPED:
        nv_say(NV_SAY_STOPPED, 0, NULL, NULL);
        break;
    case NV_STANDING_CONNECTING:
        nv_say(NV_SAY_CONNECTING, 0, NULL, NULL);
        break;
    case NV_STANDING_OFFLINE:
        nv_span(elapsed(standing, standing->since), span);
        nv_say(NV_SAY_OFFLINE, 0, NULL, span);
        break;
    case NV_STANDING_CATCHING_UP:
        nv_say(NV_SAY_CATCHING_UP, to_come, NULL, NULL);
        break;
    case NV_STANDING_UP_TO_DATE:
        nv_span_ago(elapsed(standing, standing->since), span);
        nv_say(NV_SAY_UP_TO_DATE, 0, NULL, span);
        break;
    }
}

/* The rows that were found gone, by table and key; calls `each` with a readable key for at most `limit` of them. */
static enum nv_status each_missing(struct nv_store *store, int limit,
                                   void (*each)(const char *, const char *, int64_t, void *), void *context,
                                   struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_preparef(nv_store_db(store), error,
                                             "SELECT t.name, m.key, m.seen_ms FROM navette_missing m "
                                             "JOIN navette_table t ON t.number = m.tbl ORDER BY m.tbl, m.key LIMIT %d",
                                             limit);
    enum nv_status status = statement == NULL ? error->status : NV_OK;
    struct nv_buffer text = {0};
    bool row = false;
    while (status == NV_OK && (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        nv_buffer_clear(&text);
        const struct nv_table *table = nv_store_table(store, (const char *)sqlite3_column_text(statement, 0));
        if (table == NULL)
            continue; /* published a moment ago, since the store was read */
        nv_key_to_text(table, nv_db_blob(statement, 1), &text);
        if (text.failed)
            status = nv_fail(error, NV_NO_MEMORY, "out of memory");
        else
            each(table->name, (const char *)text.data, sqlite3_column_int64(statement, 2), context);
    }
    nv_buffer_done(&text);
    sqlite3_finalize(statement);
    return status;
}

static void print_missing(const char *table, const char *key, int64_t seen_ms, void *context)
{
    (void)seen_ms;
    (void)context;
    printf("  %s ", table);
    nv_print_string(key);
    putchar('\n');
}

static enum nv_status say_what_waits(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error)
{
    const struct nv_table *const *tables;
    size_t count;
    enum nv_status status = NV_OK;
    if (standing->pending > 0)
        nv_say(NV_SAY_PENDING, standing->pending, NULL, NULL);
    if (standing->conflicts > 0)
        nv_say(NV_SAY_CONFLICTS, standing->conflicts, NULL, NULL);
    nv_store_tables(store, &tables, &count);
    for (size_t i = 0; i < count; i++)
        if (tables[i]->missing)
            nv_say(NV_SAY_MISSING_TABLE, 0, tables[i]->name, NULL);
    if (standing->missing_rows > 0) {
        nv_say(NV_SAY_MISSING_ROWS, standing->missing_rows, NULL, NULL);
        status = each_missing(store, MISSING_SHOWN, print_missing, NULL, error);
        if (standing->missing_rows > MISSING_SHOWN)
            puts("  …");
    }
    if (standing->forks > 0)
        nv_say(NV_SAY_FORKS, standing->forks, NULL, NULL);
    if (standing->owed > 0)
        nv_say(NV_SAY_OWED, standing->owed, NULL, NULL);
    if (standing->waiting > 0)
        nv_say(NV_SAY_WAITING, standing->waiting, NULL, NULL);
    if (standing->quarantine > 0)
        nv_say(NV_SAY_QUARANTINE, standing->quarantine, NULL, NULL);
    if (standing->unplaced > 0)
        nv_say(NV_SAY_UNPLACED, standing->unplaced, NULL, NULL);
    if (standing->moving > 0)
        nv_say(NV_SAY_MOVING, standing->moving, NULL, NULL);
    return status;
}

static void say_refusals(const struct nv_standing *standing)
{
    char ago[NV_SPAN_TEXT], what[sizeof standing->refusals->text + sizeof standing->refusals->site + 80];
    for (size_t i = 0; i < standing->refusal_count; i++) {
        const struct nv_standing_refusal *refusal = &standing->refusals[i];
        nv_span_ago(elapsed(standing, refusal->last), ago);
        snprintf(what, sizeof what, "%s%s%s: %s", refusal->reason, refusal->site[0] == '\0' ? "" : ", ", refusal->site,
                 refusal->text);
        nv_say(NV_SAY_REFUSED, refusal->count, what, ago);
    }
}

static void say_peers(const struct nv_standing *standing)
{
    char span[NV_SPAN_TEXT];
    for (size_t i = 0; i < standing->peer_count; i++) {
        const struct nv_standing_peer *peer = &standing->peers[i];
        nv_span(elapsed(standing, peer->connected ? peer->behind_since : peer->since), span);
        if (peer->connected)
            nv_say(peer->behind > 0 ? NV_SAY_PEER_BEHIND : NV_SAY_PEER_IN_STEP, peer->behind, peer->name, span);
        else
            nv_say(peer->behind > 0 ? NV_SAY_PEER_AWAY_BEHIND : NV_SAY_PEER_AWAY, peer->behind, peer->name, span);
        nv_span(llabs((long long)peer->clock_off_ms), span);
        if (peer->clock_off_ms != 0)
            nv_say(peer->clock_off_ms > 0 ? NV_SAY_CLOCK_AHEAD : NV_SAY_CLOCK_BEHIND, 0, peer->name, span);
    }
    for (size_t i = 0; i < standing->member_count; i++) {
        const struct nv_standing_member *member = &standing->members[i];
        nv_span_ago(elapsed(standing, member->newest), span);
        nv_say(member->newest.ms == 0 ? NV_SAY_MEMBER_SILENT : NV_SAY_MEMBER, 0, member->name, span);
    }
}

static enum nv_status say_all(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error)
{
    char size[NV_SPAN_TEXT];
    say_state(standing);
    if (standing->is_full) {
        nv_size_text(standing->free_bytes, size);
        nv_say(NV_SAY_FULL, 0, NULL, size);
    }
    enum nv_status status = say_what_waits(store, standing, error);
    say_refusals(standing);
    say_peers(standing);
    if (standing->carried > 0)
        nv_say(NV_SAY_CARRIED, standing->carried, NULL, NULL);
    if (status == NV_OK)
        status = nv_say_vouched(store, error);
    nv_size_text(standing->store_bytes, size);
    nv_say(NV_SAY_SIZE, 0, NULL, size);
    return status;
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
    enum nv_status status = each_missing(store, INT32_MAX, add_missing_json, missing, error);
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
    status = call->json ? print_json(store, &standing, error) : say_all(store, &standing, error);
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
    static const char *const titles[] = {"site", "", "since", "behind", "ahead", "last error"};
    for (size_t i = 0; i < grid.columns && standing->peer_count > 0; i++)
        nv_grid_cell(&grid, titles[i]);
    for (size_t i = 0; i < standing->peer_count; i++) {
        const struct nv_standing_peer *peer = &standing->peers[i];
        nv_grid_cell(&grid, peer->name);
        nv_grid_cell(&grid, peer->connected ? "connected" : "not connected");
        nv_grid_time(&grid, peer->since);
        nv_grid_number(&grid, peer->behind);
        nv_grid_number(&grid, peer->ahead);
        nv_grid_cell(&grid, peer->last_error);
    }
    enum nv_status status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    if (standing->peer_count == 0)
        puts("This site has talked with no other yet.");
    else if (!standing->is_running)
        puts("navetted is not running: this is what it knew last.");
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
