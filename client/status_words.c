#include "client/status_words.h"

#include <stdlib.h>

#include "client/language.h"
#include "client/output.h"
#include "client/vouched.h"
#include "client/words.h"
#include "store/care.h"
#include "store/db.h"

enum { MISSING_SHOWN = 10 };

static int64_t elapsed(const struct nv_standing *standing, struct nv_wall_ms since)
{
    return since.ms > standing->now.ms ? 0 : standing->now.ms - since.ms;
}

static void say_catching_up(const struct nv_standing *standing)
{
    uint64_t to_come = 0;
    for (size_t i = 0; i < standing->peer_count; i++)
        if (standing->peers[i].connected && standing->peers[i].ahead > to_come)
            to_come = standing->peers[i].ahead;
    nv_say(NV_PLURAL("Catching up: %llu changeset to come", "Catching up: %llu changesets to come", to_come),
           (unsigned long long)to_come);
}

static void say_state(const struct nv_standing *standing)
{
    char span[NV_SPAN_TEXT] = "";
    switch (standing->state) {
    case NV_STANDING_NO_NETWORK:
        nv_say(_("In no network yet: ask the hub for an invitation, then run `navette join`"));
        break;
    case NV_STANDING_REVOKED:
        nv_say(_("Taken out of the network: what you write is kept here; a new invitation lets this site back"));
        break;
    case NV_STANDING_ALONE:
        nv_say(_("Alone in the network: no other site has joined yet"));
        break;
    case NV_STANDING_STOPPED:
        nv_say(_("navetted is not running: you can go on working, what you write is sent once it runs"));
        break;
    case NV_STANDING_CONNECTING:
        nv_say(_("Not connected to another site yet: you can go on working"));
        break;
    case NV_STANDING_OFFLINE:
        nv_span(elapsed(standing, standing->since), span);
        nv_say(_("Offline for %s: you can go on working"), span);
        break;
    case NV_STANDING_CATCHING_UP:
        say_catching_up(standing);
        break;
    case NV_STANDING_UP_TO_DATE:
        nv_span_ago(elapsed(standing, standing->since), span);
        nv_say(_("Up to date (%s)"), span);
        break;
    }
}

enum nv_status nv_missing_rows(struct nv_store *store, int limit,
                               void (*each)(const char *table, const char *key, int64_t seen_ms, void *context),
                               void *context, struct nv_error *error)
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

static void say_missing_row(const char *table, const char *key, int64_t seen_ms, void *context)
{
    (void)seen_ms;
    (void)context;
    nv_say("  %s %s", table, key);
}

static enum nv_status say_missing(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error)
{
    const struct nv_table *const *tables;
    size_t count;
    nv_store_tables(store, &tables, &count);
    for (size_t i = 0; i < count; i++)
        if (tables[i]->missing)
            nv_say(_("The table %s is not in the store: nothing of it is sent until it is back"), tables[i]->name);
    if (standing->missing_rows == 0)
        return NV_OK;
    nv_say(
        NV_PLURAL("%llu record is gone from its table without having been deleted; `navette rm` confirms that it may "
                  "go:",
                  "%llu records are gone from their tables without having been deleted; `navette rm` confirms that "
                  "one may go:",
                  standing->missing_rows),
        (unsigned long long)standing->missing_rows);
    enum nv_status status = nv_missing_rows(store, MISSING_SHOWN, say_missing_row, NULL, error);
    if (standing->missing_rows > MISSING_SHOWN)
        nv_say("  …");
    return status;
}

/* What is to be done, and what a person may have to do something about. */
static void say_waiting(const struct nv_standing *standing)
{
    if (standing->forks > 0)
        nv_say(NV_PLURAL("%llu log has two histories: a site was copied, or restored from a backup",
                         "%llu logs have two histories: a site was copied, or restored from a backup", standing->forks),
               (unsigned long long)standing->forks);
    if (standing->owed > 0)
        nv_say(NV_PLURAL("%llu change lacks its content; other sites are asked for it",
                         "%llu changes lack their content; other sites are asked for it", standing->owed),
               (unsigned long long)standing->owed);
    if (standing->waiting > 0)
        nv_say(NV_PLURAL("%llu changeset is here and waits: for a key that other sites are asked for, for a table that "
                         "is away, or for newer software",
                         "%llu changesets are here and wait: for keys that other sites are asked for, for a table that "
                         "is away, or for newer software",
                         standing->waiting),
               (unsigned long long)standing->waiting);
    if (standing->quarantine > 0)
        nv_say(NV_PLURAL("%llu value is set aside: no row can hold it, or its writer had no right to it",
                         "%llu values are set aside: no row can hold them, or their writers had no right to them",
                         standing->quarantine),
               (unsigned long long)standing->quarantine);
    if (standing->unplaced > 0)
        nv_say(NV_PLURAL("%llu record stays here until the group, site or parent that it names is known",
                         "%llu records stay here until the groups, sites or parents that they name are known",
                         standing->unplaced),
               (unsigned long long)standing->unplaced);
    if (standing->moving > 0)
        nv_say(NV_PLURAL("%llu record is on its way to other readers: it leaves where it was once another site has it",
                         "%llu records are on their way to other readers: they leave where they were once another site "
                         "has them",
                         standing->moving),
               (unsigned long long)standing->moving);
}

static enum nv_status say_what_waits(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error)
{
    if (standing->pending > 0)
        nv_say(NV_PLURAL("%llu change waits to be sent", "%llu changes wait to be sent", standing->pending),
               (unsigned long long)standing->pending);
    if (standing->conflicts > 0)
        nv_say(NV_PLURAL("%llu conflict to settle: see `navette conflicts`",
                         "%llu conflicts to settle: see `navette conflicts`", standing->conflicts),
               (unsigned long long)standing->conflicts);
    enum nv_status status = say_missing(store, standing, error);
    say_waiting(standing);
    return status;
}

/* The daemon noted the words, in English. Those that hold nothing of the case itself are in the catalogue. */
static void say_refusal(const struct nv_standing *standing, const struct nv_standing_refusal *refusal)
{
    char ago[NV_SPAN_TEXT], from[sizeof refusal->reason + sizeof refusal->site + 8];
    const char *text = refusal->text[0] == '\0' ? "" : _(refusal->text);
    nv_span_ago(elapsed(standing, refusal->last), ago);
    snprintf(from, sizeof from, "%s%s%s", refusal->reason, refusal->site[0] == '\0' ? "" : ", ", refusal->site);
    if (refusal->count <= 1)
        nv_say(_("Refused once: %s: %s (%s)"), from, text, ago);
    else
        nv_say(_("Refused %llu times: %s: %s (last %s)"), (unsigned long long)refusal->count, from, text, ago);
}

static void say_peer(const struct nv_standing *standing, const struct nv_standing_peer *peer)
{
    char span[NV_SPAN_TEXT];
    unsigned long long behind = peer->behind;
    nv_span(elapsed(standing, peer->connected ? peer->behind_since : peer->since), span);
    if (peer->connected && behind > 0)
        nv_say(NV_PLURAL("  %s: connected, %llu changeset behind for %s",
                         "  %s: connected, %llu changesets behind for %s", behind),
               peer->name, behind, span);
    else if (peer->connected)
        nv_say(_("  %s: connected, has all that is here"), peer->name);
    else if (behind > 0)
        nv_say(NV_PLURAL("  %s: not connected for %s, %llu changeset behind",
                         "  %s: not connected for %s, %llu changesets behind", behind),
               peer->name, span, behind);
    else
        nv_say(_("  %s: not connected for %s, has all that is here"), peer->name, span);
    nv_span(llabs((long long)peer->clock_off_ms), span);
    if (peer->clock_off_ms > 0)
        nv_say(_("  %s: its clock is %s ahead of this one: one of the two is wrong"), peer->name, span);
    else if (peer->clock_off_ms < 0)
        nv_say(_("  %s: its clock is %s behind this one: one of the two is wrong"), peer->name, span);
}

static void say_member(const struct nv_standing *standing, const struct nv_standing_member *member)
{
    char ago[NV_SPAN_TEXT];
    nv_span_ago(elapsed(standing, member->newest), ago);
    if (member->newest.ms == 0)
        nv_say(_("  %s: nothing of it has come yet"), member->name);
    else
        nv_say(_("  %s: newest change known here: %s"), member->name, ago);
}

enum nv_status nv_status_say(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error)
{
    char size[NV_SPAN_TEXT];
    say_state(standing);
    nv_size_text(standing->free_bytes, size);
    if (standing->is_full)
        nv_say(_("The disk is full (%s left): nothing is lost, and the work goes on once there is room"), size);
    enum nv_status status = say_what_waits(store, standing, error);
    for (size_t i = 0; i < standing->refusal_count; i++)
        say_refusal(standing, &standing->refusals[i]);
    for (size_t i = 0; i < standing->peer_count; i++)
        say_peer(standing, &standing->peers[i]);
    for (size_t i = 0; i < standing->member_count; i++)
        say_member(standing, &standing->members[i]);
    if (standing->carried > 0)
        nv_say(NV_PLURAL("%llu changeset is only passed on here: this site does not read it",
                         "%llu changesets are only passed on here: this site does not read them", standing->carried),
               (unsigned long long)standing->carried);
    if (status == NV_OK)
        status = nv_say_vouched(store, error);
    nv_size_text(standing->store_bytes, size);
    nv_say(_("Store: %s"), size);
    return status;
}
