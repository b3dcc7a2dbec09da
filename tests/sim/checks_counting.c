#include "checks_counting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "report.h"
#include "store/internal.h"
#include "store/log.h"
#include "tests/unit/counting_model.h"
#include "wire/changeset.h"

/* ---- the headers of a store ---- */

struct held {
    struct nv_hash hash;
    struct nv_header header;
    const struct nv_far_head *context; /* the whole of it */
    size_t context_count;
    bool is_in_log;
};

struct holdings {
    struct sim_world *world;
    size_t place, scope;
    struct nv_arena arena;
    struct held all[NV_COUNTING_HEADERS];
    struct nv_counting_model model;
    struct nv_log_id logs[NV_COUNTING_HEADERS];
    size_t log_count;
    bool is_too_much; /* for the model */
};

static void *alloc(struct holdings *holdings, size_t size)
{
    void *memory = nv_arena_alloc(&holdings->arena, size + 1);
    assert(memory != NULL);
    return memory;
}

static int find_hash(const struct holdings *holdings, const struct nv_hash *hash)
{
    for (size_t i = 0; i < holdings->model.header_count; i++)
        if (memcmp(&holdings->all[i].hash, hash, sizeof *hash) == 0)
            return (int)i;
    return NV_COUNTING_NONE;
}

static unsigned log_number(struct holdings *holdings, const struct nv_log_id *log)
{
    for (size_t i = 0; i < holdings->log_count; i++)
        if (nv_log_id_compare(&holdings->logs[i], log) == 0)
            return (unsigned)i;
    holdings->logs[holdings->log_count] = *log;
    return (unsigned)holdings->log_count++;
}

static void take_context(struct holdings *holdings, struct held *held, int previous)
{
    struct nv_heads whole = {0};
    if (!held->header.absolute && previous != NV_COUNTING_NONE)
        nv_heads_assign(&whole, holdings->all[previous].context, holdings->all[previous].context_count);
    for (size_t i = 0; i < held->header.context_count; i++)
        nv_heads_raise(&whole, &held->header.context[i]);
    struct nv_far_head *kept = alloc(holdings, whole.count * sizeof *kept);
    if (whole.count > 0)
        memcpy(kept, whole.heads, whole.count * sizeof *kept);
    held->context = kept;
    held->context_count = whole.count;
    nv_heads_done(&whole);
}

/* Signed with the key that its site had there, by one that read the scope there. */
static bool is_valid(const struct holdings *holdings, const struct nv_header *header,
                     const struct nv_changeset_parts *parts)
{
    const struct sim_rights *rights = &holdings->world->rights;
    size_t place = sim_rights_place(rights, header->log.site);
    const struct nv_public_key *key =
        place == SIZE_MAX ? NULL : sim_rights_sign_key(rights, place, header->authority_seq);
    return key != NULL && sim_rights_reads(rights, holdings->scope, place, header->authority_seq) &&
           nv_changeset_verify(parts, key, &holdings->world->founding->authority.public_key, NULL) == NV_OK;
}

static struct nv_slice copy_of(struct holdings *holdings, sqlite3_stmt *row, int column)
{
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    uint8_t *copy = alloc(holdings, size);
    if (size > 0)
        memcpy(copy, sqlite3_column_blob(row, column), size);
    return (struct nv_slice){copy, size};
}

static void take_header(struct holdings *holdings, sqlite3_stmt *row)
{
    struct nv_counting_model *model = &holdings->model;
    struct held *held = &holdings->all[model->header_count];
    struct nv_changeset_parts parts = {.header = copy_of(holdings, row, 0), .signature = copy_of(holdings, row, 1)};
    struct nv_error error;
    *held = (struct held){.hash = nv_header_hash(parts.header), .is_in_log = sqlite3_column_int(row, 2) != 0};
    if (nv_header_decode(parts.header, &holdings->arena, &held->header, &error) != NV_OK)
        sim_fail("counts", "%s holds a header that does not decode: %s", sim_place_name(holdings->place), error.text);
    int previous = held->header.seq == 1 ? NV_COUNTING_NONE : find_hash(holdings, &held->header.previous);
    if (held->header.seq > 1 && previous == NV_COUNTING_NONE)
        sim_fail("counts", "%s holds a header without the one before it", sim_place_name(holdings->place));
    take_context(holdings, held, previous);
    model->headers[model->header_count] = (struct nv_counting_model_header){
        .site = (unsigned)sim_rights_place(&holdings->world->rights, held->header.log.site),
        .log = log_number(holdings, &held->header.log),
        .seq = (unsigned)held->header.seq,
        .previous = previous,
        .position = (unsigned)held->header.authority_seq,
        .is_valid = is_valid(holdings, &held->header, &parts)};
    model->header_count++;
}

static void take_headers(struct holdings *holdings, sqlite3 *db)
{
    static const char sql[] =
        "SELECT c.header, c.signature, 1, c.seq FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log "
        "WHERE l.scope = ?1 UNION ALL "
        "SELECT b.header, b.signature, 0, b.seq FROM navette_beyond AS b JOIN navette_log AS l ON l.number = b.log "
        "WHERE l.scope = ?1 ORDER BY 4";
    const struct nv_scope_id scope = sim_rights_scope(&holdings->world->rights, holdings->scope);
    sqlite3_stmt *rows = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK)
        sim_fail("counts", "%s: %s", sim_place_name(holdings->place), sqlite3_errmsg(db));
    sqlite3_bind_blob(rows, 1, scope.bytes, sizeof scope.bytes, SQLITE_STATIC);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        holdings->is_too_much = holdings->model.header_count == NV_COUNTING_HEADERS;
        if (holdings->is_too_much)
            break;
        take_header(holdings, rows);
    }
    sqlite3_finalize(rows);
}

/* ---- what names what ---- */

static void add_named(const struct holdings *holdings, const struct nv_far_head *head, struct nv_model_set *set)
{
    for (size_t i = 0; i < holdings->model.header_count; i++) {
        const struct held *held = &holdings->all[i];
        struct nv_pin pin = nv_pin_of(&held->hash);
        const struct nv_log_id log = {head->site, head->epoch, head->scope};
        if (held->header.seq == head->seq && nv_log_id_compare(&held->header.log, &log) == 0 &&
            memcmp(&pin, &head->pin, sizeof pin) == 0)
            nv_model_add(set, i);
    }
}

static void take_takings(struct holdings *holdings)
{
    const struct sim_rights *rights = &holdings->world->rights;
    struct nv_counting_model *model = &holdings->model;
    for (size_t i = 0; i < rights->taking_count; i++) {
        const struct sim_taking *taking = &rights->takings[i];
        if (taking->scope != SIM_BITS && taking->scope != holdings->scope)
            continue;
        holdings->is_too_much = holdings->is_too_much || model->taking_count == NV_COUNTING_TAKINGS;
        if (holdings->is_too_much)
            return;
        struct nv_counting_model_taking *told = &model->takings[model->taking_count++];
        *told =
            (struct nv_counting_model_taking){.site = (unsigned)taking->place, .position = (unsigned)taking->position};
        for (size_t head = 0; head < taking->named.count; head++)
            add_named(holdings, &taking->named.heads[head], &told->named);
    }
}

/* ---- judging ---- */

static void judge(struct holdings *holdings, uint64_t known)
{
    /* What counts joins the logs a slice at a time. */
    const struct nv_store *store = holdings->world->machines[holdings->place].store;
    bool is_joining = store == NULL || store->owes_join;
    struct nv_counting_model *model = &holdings->model;
    struct nv_model_set all = {{0}};
    for (size_t i = 0; i < model->header_count; i++) {
        nv_model_add(&all, i);
        for (size_t head = 0; head < holdings->all[i].context_count; head++)
            add_named(holdings, &holdings->all[i].context[head], &model->headers[i].context);
    }
    struct nv_model_set counted = nv_counting_model_counts(model, &all, (unsigned)known);
    for (size_t i = 0; i < model->header_count; i++) {
        const struct held *held = &holdings->all[i];
        if (!held->is_in_log && is_joining)
            continue;
        if (nv_model_has(&counted, i) != held->is_in_log)
            sim_fail("counts", "%s: seq %llu of a log of %s, signed at %llu, %s", sim_place_name(holdings->place),
                     (unsigned long long)held->header.seq, sim_site_name(held->header.log.site),
                     (unsigned long long)held->header.authority_seq,
                     held->is_in_log ? "does not count, and is in the log" : "counts, and is beside the log");
    }
    sim_report->counted += model->header_count;
}

static void check_scope(struct sim_world *world, size_t place, size_t scope, uint64_t known)
{
    static struct holdings holdings;
    holdings.world = world;
    holdings.place = place;
    holdings.scope = scope;
    holdings.arena.limit = SIZE_MAX;
    nv_arena_reset(&holdings.arena);
    memset(&holdings.model, 0, sizeof holdings.model);
    holdings.log_count = 0;
    holdings.is_too_much = false;
    take_headers(&holdings, sim_machine_eyes(&world->machines[place]));
    take_takings(&holdings);
    if (!holdings.is_too_much)
        judge(&holdings, known);
}

void sim_check_counting(struct sim_world *world, size_t place)
{
    sqlite3 *db = sim_machine_eyes(&world->machines[place]);
    if (!world->profile.has_scopes || db == NULL)
        return;
    if (sim_check_number(
            db, "SELECT count(*) FROM navette_log AS l WHERE has_seq <> (SELECT count(*) FROM navette_changeset "
                "WHERE log = l.number)") != 0)
        sim_fail("whole", "%s holds a log with a hole", sim_place_name(place));
    uint64_t known = (uint64_t)sim_check_number(db, "SELECT max(has_seq) FROM navette_log WHERE scope = zeroblob(16)");
    for (size_t scope = 0; world->rights.taking_count > 0 && scope < SIM_BIT_OWN + world->places; scope++)
        if (scope < SIM_BIT_GROUP || scope >= SIM_BIT_OWN || world->rights.is_made[scope - SIM_BIT_GROUP])
            check_scope(world, place, scope, known);
}

/* ---- what comes too late ---- */

static uint64_t known_at(const struct sim_machine *machine)
{
    const struct nv_far_head *has;
    size_t count;
    if (machine->store == NULL)
        return 0;
    nv_store_has(machine->store, &has, &count);
    return count > 0 && nv_scope_id_equal(has[0].scope, NV_SCOPE_AUTHORITY) ? has[0].seq : 0;
}

/* Of every right that was taken: while one thief's word is taken somewhere, it may vouch there for all the others. */
static bool do_all_know(const struct sim_world *world)
{
    uint64_t position = 0;
    for (size_t i = 0; i < world->rights.taking_count; i++)
        if (world->rights.takings[i].position > position)
            position = world->rights.takings[i].position;
    for (size_t place = 0; place < world->places; place++)
        if (sim_world_has(world, place) && known_at(&world->machines[place]) < position)
            return false;
    return true;
}

/* Once all know, what the site has signed by then is the last of it that may ever count. */
static void note_all_know(struct sim_world *world, struct sim_taking *taking)
{
    if (taking->is_known_to_all || !do_all_know(world))
        return;
    for (size_t i = 0; i < world->history.log_count; i++) {
        const struct sim_log *log = &world->history.logs[i];
        const struct nv_far_head head = {log->site, log->epoch, log->scope, log->count, {{0}}};
        if (log->count > 0 && nv_site_id_compare(log->site, world->rights.sites[taking->place]) == 0)
            nv_heads_raise(&taking->last, &head);
    }
    taking->is_known_to_all = true;
}

static void check_head(const struct sim_world *world, size_t place, const struct sim_taking *taking,
                       const struct nv_far_head *head)
{
    size_t scope = sim_rights_bit(&world->rights, head->scope);
    size_t log = sim_history_log(&world->history, head->site, head->epoch, head->scope);
    uint64_t last = nv_heads_seq(&taking->last, head);
    if (nv_site_id_compare(head->site, world->rights.sites[taking->place]) != 0 || head->seq <= last ||
        log == SIZE_MAX || (taking->scope != SIM_BITS && taking->scope != scope))
        return;
    for (uint64_t seq = last + 1; seq <= head->seq && seq <= world->history.logs[log].count; seq++)
        if (world->history.logs[log].changesets[seq - 1].authority_seq < taking->position)
            sim_fail("late", "%s has seq %llu of %s in its log, which was made when all knew that it has no right",
                     sim_place_name(place), (unsigned long long)seq, sim_place_name(taking->place));
}

void sim_check_late(struct sim_world *world, size_t place)
{
    const struct nv_far_head *has;
    size_t count;
    for (size_t i = 0; i < world->rights.taking_count; i++) {
        struct sim_taking *taking = &world->rights.takings[i];
        note_all_know(world, taking);
        if (!taking->is_known_to_all || !sim_world_has(world, place))
            continue;
        nv_store_has(world->machines[place].store, &has, &count);
        for (size_t head = 0; head < count; head++)
            check_head(world, place, taking, &has[head]);
    }
}
