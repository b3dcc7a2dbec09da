#include "checks.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_counting.h"
#include "checks_scopes.h"
#include "report.h"
#include "service_internal.h"
#include "siblings.h"
#include "store/care.h"
#include "store/db.h"
#include "store/log.h"
#include "store/seal.h"
#include "wire/changeset.h"
#include "wire/message.h"

/* ---- what is said ---- */

static bool head_of(struct nv_slice changeset, struct nv_arena *arena, struct nv_far_head *ret_head)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    if (nv_changeset_split(changeset, &parts, NULL) != NV_OK ||
        nv_header_decode(parts.header, arena, &header, NULL) != NV_OK)
        return false;
    struct nv_hash hash = nv_header_hash(parts.header);
    *ret_head = (struct nv_far_head){.site = header.log.site,
                                     .epoch = header.log.epoch,
                                     .scope = header.log.scope,
                                     .seq = header.seq,
                                     .pin = nv_pin_of(&hash)};
    return true;
}

void sim_check_sent(struct sim_world *world, size_t from, size_t to, struct nv_slice frame)
{
    static struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_message message;
    struct nv_error error;
    nv_arena_reset(&arena);
    sim_check_scopes_frame(world, from, to, frame);
    if (nv_message_decode(frame, &arena, &message, &error) != NV_OK)
        sim_fail("honest", "%s sends what does not decode: %s", sim_place_name(from), error.text);
    struct nv_heads *said = &world->said[from];
    world->has_spoken[from] = true;
    sim_check_scopes_reader(world, from, to, NV_SCOPE_NETWORK);
    if (message.kind == NV_MESSAGE_HAS)
        nv_heads_join(said, message.has.heads, message.has.head_count);
    if (message.kind == NV_MESSAGE_PULL)
        nv_heads_join(said, message.pull.has, message.pull.has_count);
    if (message.kind != NV_MESSAGE_BATCH)
        return;
    for (size_t i = 0; i < message.batch.changeset_count; i++) {
        struct nv_far_head head;
        if (!head_of(message.batch.changesets[i], &arena, &head))
            sim_fail("honest", "%s sends a changeset that does not open", sim_place_name(from));
        sim_check_scopes_reader(world, from, to, head.scope);
        nv_heads_raise(said, &head);
    }
}

/* Whether what it said of that log may be more than it holds: a right was taken, of which it has just heard, or it was
 * let go of the scope itself. */
static bool may_shrink(const struct sim_world *world, size_t place, const struct nv_far_head *head, uint64_t position)
{
    size_t scope = sim_rights_bit(&world->rights, head->scope);
    for (size_t i = 0; i < world->rights.taking_count; i++) {
        const struct sim_taking *taking = &world->rights.takings[i];
        bool is_of_scope = taking->scope == SIM_BITS || taking->scope == scope;
        bool is_news = taking->position > world->known_when_said[place];
        bool is_of_log = nv_site_id_compare(world->rights.sites[taking->place], head->site) == 0;
        if (is_of_scope && taking->position <= position && (taking->place == place || (is_of_log && is_news)))
            return true;
    }
    return false;
}

static void check_said(struct sim_world *world, size_t place, const char *checker, const char *what)
{
    const struct nv_far_head *has;
    size_t count;
    nv_store_has(world->machines[place].store, &has, &count);
    struct nv_heads held = {0};
    nv_heads_join(&held, has, count);
    struct nv_heads *said = &world->said[place];
    uint64_t position = count > 0 && nv_scope_id_equal(has[0].scope, NV_SCOPE_AUTHORITY) ? has[0].seq : 0;
    for (size_t i = 0; i < said->count; i++) {
        uint64_t seq = nv_heads_seq(&held, &said->heads[i]);
        if (seq < said->heads[i].seq && !may_shrink(world, place, &said->heads[i], position))
            sim_fail(checker, "%s %s: it said seq %llu of a log, and holds %llu", sim_place_name(place), what,
                     (unsigned long long)said->heads[i].seq, (unsigned long long)seq);
        if (seq < said->heads[i].seq)
            said->heads[i].seq = seq;
    }
    world->known_when_said[place] = position;
    nv_heads_done(&held);
}

void sim_check_started(struct sim_world *world, size_t place)
{
    check_said(world, place, "durable", "came back with less than it told");
}

/* ---- what is held ---- */

static uint64_t seq_in(const struct sim_cut *cut, size_t log)
{
    return log < cut->count ? cut->seqs[log] : 0;
}

static void check_closed(const struct sim_world *world, size_t place, const struct sim_cut *cut, const char *what)
{
    const struct sim_history *history = &world->history;
    for (size_t log = 0; log < cut->count; log++) {
        uint64_t seq = cut->seqs[log];
        if (seq == 0)
            continue;
        if (seq > history->logs[log].count)
            sim_fail("closed", "%s %s seq %llu of a log, and gives no such changeset", sim_place_name(place), what,
                     (unsigned long long)seq);
        const struct sim_changeset *changeset = &history->logs[log].changesets[seq - 1];
        for (size_t other = 0; other < changeset->context_count; other++)
            if (changeset->context[other] > seq_in(cut, other))
                sim_fail("closed", "%s %s what builds on seq %llu of another log, and of that log only %llu",
                         sim_place_name(place), what, (unsigned long long)changeset->context[other],
                         (unsigned long long)seq_in(cut, other));
    }
}

/* Zeroed seqs for all logs that are known; free them. */
static struct sim_cut empty_cut(const struct sim_world *world)
{
    struct sim_cut cut = {calloc(world->history.log_count + 1, sizeof *cut.seqs), world->history.log_count};
    assert(cut.seqs != NULL);
    return cut;
}

static void check_held(const struct sim_world *world, size_t place)
{
    const struct nv_far_head *has;
    size_t count;
    struct sim_cut cut = empty_cut(world);
    uint64_t authority = 0;
    nv_store_has(world->machines[place].store, &has, &count);
    for (size_t i = 0; i < count; i++) {
        if (nv_scope_id_equal(has[i].scope, NV_SCOPE_AUTHORITY))
            authority = has[i].seq;
        size_t log = sim_history_log(&world->history, has[i].site, has[i].epoch, has[i].scope);
        if (log != SIZE_MAX)
            cut.seqs[log] = has[i].seq;
    }
    check_closed(world, place, &cut, "holds");
    for (size_t log = 0; log < cut.count; log++)
        if (cut.seqs[log] > 0 && world->history.logs[log].changesets[cut.seqs[log] - 1].authority_seq > authority)
            sim_fail("closed", "%s holds what was judged by more of the authority log than it has",
                     sim_place_name(place));
    free(cut.seqs);
}

static void check_bounds(struct sim_world *world, size_t place)
{
    const struct nv_service *service = world->machines[place].service;
    if (nv_sync_queued(service->sync) > NV_SYNC_QUEUE_BYTES + NV_LIMIT_MESSAGE_BYTES)
        sim_fail("bounded", "%s keeps %zu bytes that are not durable", sim_place_name(place),
                 nv_sync_queued(service->sync));
    if (nv_intake_waiting(service->intake) > NV_LIMIT_WAITING_CHANGESETS)
        sim_fail("bounded", "%zu changesets wait at %s", nv_intake_waiting(service->intake), sim_place_name(place));
    if (sim_network_most_on_its_way() > NV_LIMIT_OUTBOX_BYTES)
        sim_fail("bounded", "%zu bytes are on their way to one site", sim_network_most_on_its_way());
}

/* ---- what is shown ---- */

int64_t sim_check_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

const char *sim_check_what_waits(struct sim_world *world, size_t place)
{
    static const struct {
        const char *sql, *what;
    } waits[] = {{"SELECT count(*) FROM navette_owed", "owes bodies"},
                 {"SELECT count(*) FROM navette_move", "has moves under way"},
                 {"SELECT count(*) FROM navette_scope WHERE leaving", "holds what it no longer reads"}};
    sqlite3 *db = sim_machine_eyes(&world->machines[place]);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        if (sim_check_number(db, waits[i].sql) != 0)
            return waits[i].what;
    return sim_check_lacks_keys(world, place) ? "lacks content keys that somebody has" : NULL;
}

static bool read_applied(const struct sim_world *world, sqlite3 *db, struct sim_cut *cut)
{
    sqlite3_stmt *rows = NULL;
    int result = sqlite3_prepare_v2(db, "SELECT site, epoch, applied_seq, scope FROM navette_log", -1, &rows, NULL);
    while (result == SQLITE_OK && (result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct nv_site_id site;
        struct nv_scope_id scope;
        memcpy(site.bytes, sqlite3_column_blob(rows, 0), sizeof site.bytes);
        memcpy(scope.bytes, sqlite3_column_blob(rows, 3), sizeof scope.bytes);
        size_t log = sim_history_log(&world->history, site, (uint64_t)sqlite3_column_int64(rows, 1), scope);
        uint64_t applied = (uint64_t)sqlite3_column_int64(rows, 2);
        if (log != SIZE_MAX)
            cut->seqs[log] = applied;
        result = SQLITE_OK;
    }
    sqlite3_finalize(rows);
    return result == SQLITE_DONE;
}

static size_t listed(sqlite3_stmt *rows, int record, const char *field, const struct sim_siblings *siblings,
                     size_t place)
{
    size_t count = 0;
    sqlite3_bind_text(rows, 1, sim_record_keys[record], -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, field, -1, SQLITE_STATIC);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        struct nv_value value = nv_db_value(rows, 0);
        bool is_shown = sqlite3_column_int(rows, 1) != 0, found = siblings == NULL;
        for (size_t i = 0; siblings != NULL && i < siblings->count; i++)
            if (nv_value_equal(&siblings->candidates[i].value, &value))
                found = is_shown == nv_value_equal(&siblings->candidates[siblings->shown].value, &value);
        if (!found)
            sim_fail("model", "%s lists a value of %s.%s that is none, or shows another", sim_place_name(place),
                     sim_record_keys[record], field);
        count++;
    }
    sqlite3_reset(rows);
    return count;
}

static void check_record(const struct sim_world *world, size_t place, const struct sim_cut *cut, int record,
                         const struct sim_row *row, sqlite3_stmt *conflicts)
{
    static struct nv_model_state state;
    static struct sim_siblings siblings;
    size_t ops[SIM_MODEL_OPS], count;
    bool is_ended = false;
    sim_history_meaning(&world->history, record, cut, &state, ops, &count);
    if (row->is_there != state.is_shown)
        sim_fail("model", "%s %s %s, unlike the model", sim_place_name(place),
                 row->is_there ? "shows" : "does not show", sim_record_keys[record]);
    for (size_t i = 0; i < count; i++)
        is_ended = is_ended || state.live[i];
    if ((listed(conflicts, record, NULL, NULL, place) > 0) != (is_ended && state.is_shown))
        sim_fail("model", "%s: %s: a delete beside the record is listed wrongly", sim_place_name(place),
                 sim_record_keys[record]);
    for (int field = 0; field < SIM_FIELDS && state.is_shown; field++) {
        sim_siblings_gather(&world->history, &state, ops, count, field, sim_field_rules[field], &siblings);
        if (siblings.count == 0)
            continue; /* a late field that nobody wrote: its default */
        if (row->codes[field] != sim_code_of(&siblings.candidates[siblings.shown].value))
            sim_fail("model", "%s shows another value of %s.%s than the model", sim_place_name(place),
                     sim_record_keys[record], sim_field_names[field]);
        bool is_open = siblings.distinct > 1 && field != SIM_FIELD_QUIET;
        size_t values = listed(conflicts, record, sim_field_names[field], &siblings, place);
        if (values != (is_open ? siblings.distinct : 0))
            sim_fail("model", "%s lists %zu values of %s.%s where the model has %zu", sim_place_name(place), values,
                     sim_record_keys[record], sim_field_names[field], siblings.distinct);
    }
}

/* Rows tell of what is merged only where nothing waits to be sealed, no table to be looked through, and no body is
 * owed.
 */
static bool is_settled(sqlite3 *db)
{
    return sim_check_number(
               db, "SELECT (SELECT count(*) FROM navette_pending_1) + (SELECT count(*) FROM navette_pending_2) + "
                   "(SELECT count(*) FROM navette_pending_3) + (SELECT count(*) FROM navette_pending_4) + "
                   "(SELECT count(*) FROM navette_pending_5) + (SELECT count(*) FROM navette_pending_6) + "
                   "(SELECT count(*) FROM navette_intent) + (SELECT count(*) FROM navette_owed)") == 0 &&
           sim_check_number(db, "SELECT value FROM navette_meta WHERE name = 'schema_version'") ==
               sim_check_number(db, "PRAGMA schema_version");
}

static void check_shown(struct sim_world *world, size_t place)
{
    sqlite3 *db = sim_machine_eyes(&world->machines[place]);
    struct sim_row rows[SIM_RECORDS];
    sqlite3_stmt *conflicts = NULL;
    struct sim_cut cut = empty_cut(world);
    if (db != NULL && is_settled(db) && read_applied(world, db, &cut)) {
        check_closed(world, place, &cut, "has merged");
        if (sim_rows_read(db, rows) == SQLITE_OK &&
            sqlite3_prepare_v2(db,
                               "SELECT value, shown FROM navette_conflict WHERE table_name = 'item' AND key_text = ?1 "
                               "AND field IS ?2",
                               -1, &conflicts, NULL) == SQLITE_OK) {
            sim_report->stores_checked++;
            for (int record = 0; record < SIM_RECORDS; record++)
                if (!world->is_left_out[place][record])
                    check_record(world, place, &cut, record, &rows[record], conflicts);
            sim_check_scopes_rows(world, place, &cut);
        }
        sqlite3_finalize(conflicts);
    }
    free(cut.seqs);
}

static void check_digest(struct sim_world *world, size_t place, const struct nv_scope_digest *digest)
{
    sim_report->digests_compared++;
    for (size_t i = 0; i < world->cut_count; i++) {
        if (memcmp(&world->cuts[i].vector, &digest->vector, sizeof digest->vector) != 0 ||
            !nv_scope_id_equal(world->cuts[i].scope, digest->scope))
            continue;
        if (memcmp(&world->cuts[i].state, &digest->state, sizeof digest->state) != 0)
            sim_fail("digest", "%s and %s have one vector and two digests", sim_place_name(world->cuts[i].place),
                     sim_place_name(place));
        return;
    }
    world->cuts = realloc(world->cuts, (world->cut_count + 1) * sizeof *world->cuts);
    assert(world->cuts != NULL);
    world->cuts[world->cut_count++] =
        (struct sim_cut_seen){.scope = digest->scope, .vector = digest->vector, .state = digest->state, .place = place};
}

static void check_digests(struct sim_world *world, size_t place)
{
    struct nv_scope_digest digest;
    struct nv_scope_id scopes[SIM_BITS];
    struct nv_error error;
    /* The daemon's own view must not be moved on by a check. */
    struct nv_store *store = sim_machine_examiner(&world->machines[place]);
    size_t count = store == NULL ? 0 : nv_store_scopes(store, scopes, SIM_BITS);
    for (size_t i = 0; i < count; i++)
        if (nv_store_digest(store, scopes[i], &digest, &error) == NV_OK && digest.closed)
            check_digest(world, place, &digest);
}

void sim_check_turn(struct sim_world *world, size_t place, bool thoroughly)
{
    struct sim_machine *machine = &world->machines[place];
    uint64_t held = nv_service_held(machine->service);
    bool has_grown = held != world->grown[place];
    world->grown[place] = held;
    if (has_grown) {
        if (sim_machine_examiner(machine) == NULL)
            sim_fail("history", "the store of %s cannot be read: %s", machine->name, machine->why_blind);
        sim_history_take(&world->history, machine->store, sim_machine_examiner(machine), machine->name,
                         world->ledger.transactions);
        sim_check_scopes_history(world);
        check_held(world, place);
        sim_check_late(world, place);
    }
    if (has_grown || world->has_spoken[place])
        check_said(world, place, "honest", "says more than it holds");
    world->has_spoken[place] = false;
    check_bounds(world, place);
    if (thoroughly || (has_grown && nv_dice_percent(&world->dice, 12))) {
        check_shown(world, place);
        check_digests(world, place);
        sim_check_scopes_file(world, place);
        sim_check_counting(world, place);
    }
}

/* ---- at rest ---- */

static const char everything[] = "SELECT * FROM item ORDER BY id";
static const char conflicts[] =
    "SELECT key_text, kind, field, choice, value, site, time_ms, shown FROM navette_conflict "
    "WHERE table_name = 'item' ORDER BY key_text, kind, field, choice";
static const char *const nothing_left[] = {"navette_intent",
                                           "navette_missing",
                                           "navette_owed",
                                           "navette_keyless",
                                           "navette_move",
                                           "navette_guard",
                                           "navette_scope WHERE leaving"};

static char *text_of(sqlite3 *db, const char *sql)
{
    sqlite3_str *text = sqlite3_str_new(db);
    sqlite3_stmt *rows = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK)
        sim_fail("rest", "%s", sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int column = 0; column < sqlite3_column_count(rows); column++) {
            const char *value = (const char *)sqlite3_column_text(rows, column);
            sqlite3_str_appendf(text, "%s%s%.40s", column > 0 ? "|" : "", value == NULL ? "NULL" : "",
                                value == NULL ? "" : value);
        }
        sqlite3_str_appendchar(text, 1, '\n');
    }
    sqlite3_finalize(rows);
    char *all = sqlite3_str_finish(text);
    return all == NULL ? sqlite3_mprintf("") : all;
}

static void check_alike(sqlite3 *db, size_t place, const char *sql, char **first)
{
    char *text = text_of(db, sql);
    if (*first == NULL) {
        *first = text;
        return;
    }
    if (strcmp(*first, text) != 0)
        sim_fail("rest", "%s shows\n%s\nwhere %s shows\n%s", sim_place_name(place), text, sim_place_name(0), *first);
    sqlite3_free(text);
}

static bool has_thieves(const struct sim_world *world)
{
    for (size_t place = 0; place < world->places; place++)
        if (world->was_taken[place])
            return true;
    return false;
}

static void check_nothing_left(const struct sim_world *world, sqlite3 *db, size_t place)
{
    int64_t listed = sim_check_number(db, "SELECT count(*) FROM navette_quarantine WHERE tbl = 1");
    if (listed != 0 && !world->was_taken[place])
        sim_fail("rest", "%s has %lld items in quarantine", sim_place_name(place), (long long)listed);
    if (sim_check_number(db, "SELECT count(*) FROM navette_fork") != 0 && !has_thieves(world))
        sim_fail("rest", "%s has seen two histories of a log", sim_place_name(place));
    for (size_t i = 0; i < sizeof nothing_left / sizeof *nothing_left; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", nothing_left[i]);
        int64_t count = sim_check_number(db, sql);
        if (count != 0)
            sim_fail("rest", "%s has %lld rows in %s", sim_place_name(place), (long long)count, nothing_left[i]);
    }
}

/* All stand at one closed cut. */
static void check_cut(struct sim_world *world, size_t place, struct nv_scope_digest *first)
{
    struct nv_scope_digest digest;
    struct nv_error error;
    if (nv_store_digest(world->machines[place].store, NV_SCOPE_NETWORK, &digest, &error) != NV_OK)
        sim_fail("rest", "%s: %s", sim_place_name(place), error.text);
    if (!digest.closed)
        sim_fail("rest", "%s is not at a closed cut", sim_place_name(place));
    if (place == 0)
        *first = digest;
    if (memcmp(&first->vector, &digest.vector, sizeof digest.vector) != 0)
        sim_fail("rest", "%s has merged something else than %s", sim_place_name(place), sim_place_name(0));
}

static void check_store(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_verified verified = {0};
    struct nv_rebuilt rebuilt = {0};
    struct nv_error error;
    if (nv_store_verify(machine->store, &verified, NULL, &error) != NV_OK)
        sim_fail("chain", "%s: %s", machine->name, error.text);
    if (verified.bad > 0 || verified.no_ops > 0)
        sim_fail("chain", "%s: %s", machine->name, verified.first);
    char *before = text_of(sim_machine_eyes(machine), everything);
    sim_machine_turn_to(machine);
    if (nv_store_rebuild(machine->store, nv_wall_now(), &rebuilt, NULL, &error) != NV_OK)
        sim_fail("rebuild", "%s: %s", machine->name, error.text);
    if (rebuilt.versions_mended + rebuilt.rows_mended > 0)
        sim_fail("rebuild", "%s: %llu versions and %llu rows were not what the logs say:\n%s\nand now:\n%s",
                 machine->name, (unsigned long long)rebuilt.versions_mended, (unsigned long long)rebuilt.rows_mended,
                 before, text_of(sim_machine_eyes(machine), everything));
    sqlite3_free(before);
}

void sim_check_end(struct sim_world *world)
{
    char *rows = NULL, *open = NULL;
    struct nv_scope_digest cut = {0};
    for (size_t place = 0; place < world->places; place++) {
        if (!sim_world_has(world, place))
            continue;
        sqlite3 *db = sim_machine_eyes(&world->machines[place]);
        if (sim_check_number(db, "SELECT 0 FROM (SELECT 1)") != 0)
            sim_fail("rest", "the store of %s cannot be read", sim_place_name(place));
        check_nothing_left(world, db, place);
        check_cut(world, place, &cut);
        check_alike(db, place, everything, &rows);
        check_alike(db, place, conflicts, &open);
        sim_check_turn(world, place, true);
        check_store(world, place);
        check_alike(db, place, everything, &rows);
        check_alike(db, place, conflicts, &open);
    }
    sqlite3_free(rows);
    sqlite3_free(open);
    struct sim_cut counted = empty_cut(world);
    if (!read_applied(world, sim_machine_eyes(&world->machines[0]), &counted))
        sim_fail("rest", "the logs of the hub cannot be read");
    sim_ledger_check(&world->ledger, &(struct sim_ledger_judges){.history = &world->history,
                                                                 .cut = &counted,
                                                                 .sites = world->founding->sites,
                                                                 .was_taken = world->was_taken,
                                                                 .site_count = world->places});
    free(counted.seqs);
    sim_check_scopes_end(world);
}
