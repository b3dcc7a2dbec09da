#include "thieves.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "people.h"
#include "report.h"
#include "store/ingest.h"
#include "store/log.h"
#include "trace.h"
#include "wire/changeset.h"

enum { BATCH = 128, HEADS_MOST = 4 };

/* ---- who ---- */

static bool is_thief(const struct sim_world *world, size_t place)
{
    return world->is_out[place] && world->machines[place].disk != NULL;
}

/* Who came back may go on in a log of its own of which the end does not count. */
static bool is_signer(const struct sim_world *world, size_t place)
{
    return world->was_taken[place] && world->machines[place].disk != NULL;
}

/* SIZE_MAX where there is none. */
static size_t some_place(const struct sim_world *world, struct nv_dice *dice,
                         bool (*is_meant)(const struct sim_world *world, size_t place))
{
    size_t found = SIZE_MAX, seen = 0;
    for (size_t place = 0; place < world->places; place++)
        if (is_meant(world, place) && nv_dice_below(dice, ++seen) == 0)
            found = place;
    return found;
}

static void hand_in(struct sim_world *world, size_t to, const struct nv_slice *changesets, size_t count)
{
    struct nv_incoming incoming[BATCH];
    struct nv_error error = {0};
    struct nv_store *store = sim_people_client(world, to);
    if (store == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        incoming[i] = (struct nv_incoming){.bytes = changesets[i]};
    enum nv_status status = nv_store_ingest(store, incoming, count, nv_wall_now(), 60, &error);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        sim_trace("%s is brought a thief's changeset: verdict %d %s", sim_place_name(to), (int)incoming[i].verdict,
                  incoming[i].text);
    nv_store_close(store);
    if (status != NV_OK && status != NV_BUSY && status != NV_FULL)
        sim_fail("daemon", "%s cannot take in what is brought: %s", sim_place_name(to), error.text);
    sim_world_settle(world, to);
}

/* ---- what is in its logs ---- */

/* Hands so many of a hundred of them to a member. */
static void smuggle(struct sim_world *world, struct nv_dice *dice, size_t thief, size_t to, unsigned percent)
{
    static struct nv_far_head heads[BATCH];
    struct nv_slice changesets[BATCH];
    struct nv_buffer bytes = {0};
    struct nv_error error;
    size_t ends[BATCH], count, kept;
    int64_t cursor = 0;
    bool done;
    struct nv_store *store = sim_machine_examiner(&world->machines[thief]);
    if (store == NULL || nv_store_refresh(store, &done, &error) != NV_OK)
        return;
    do {
        nv_buffer_clear(&bytes);
        if (nv_store_read_for(store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH, &count, &done,
                              &error) != NV_OK)
            break;
        kept = 0;
        for (size_t i = 0, start = 0; i < count; start = ends[i++])
            if (!nv_scope_id_equal(heads[i].scope, NV_SCOPE_AUTHORITY) && nv_dice_percent(dice, percent))
                changesets[kept++] = (struct nv_slice){bytes.data + start, ends[i] - start};
        hand_in(world, to, changesets, kept);
    } while (!done);
    nv_buffer_done(&bytes);
}

void sim_thieves_carry(struct sim_world *world, struct nv_dice *dice, size_t from, size_t to)
{
    if (world->machines[from].disk != NULL)
        smuggle(world, dice, from, to, 100);
}

void sim_thieves_smuggle(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t thief = some_place(world, dice, is_thief), to = some_place(world, dice, sim_world_has);
    (void)place;
    if (thief != SIZE_MAX && to != SIZE_MAX)
        smuggle(world, dice, thief, to, nv_dice_percent(dice, 50) ? 100 : 50);
}

/* ---- what it signs by hand ---- */

struct forgery {
    size_t thief, scope;
    const struct sim_log *log; /* NULL: a new one */
    uint64_t after;            /* the seq in it that it stands on */
    struct nv_header header;
    struct nv_far_head context[HEADS_MOST];
};

/* Two histories of a log of which each counts somewhere are for a person: while somebody has not heard that the right
 * is gone, only what stands in a new log. */
static bool is_known_to_all(const struct sim_world *world, size_t thief)
{
    for (size_t i = 0; i < world->rights.taking_count; i++) {
        const struct sim_taking *taking = &world->rights.takings[i];
        if (taking->place == thief && taking->scope == SIM_BITS && !taking->is_known_to_all)
            return false;
    }
    return true;
}

/* Whether who came back may go on in a log of its own: one that it has left, of which the end does not count as far as
 * the hub knows; and once only, so that there are no two histories. */
static bool may_go_on(const struct sim_world *world, size_t place, const struct sim_log *log)
{
    const struct nv_store *own = world->machines[place].store, *hub = world->machines[0].store;
    const struct nv_far_head *has;
    size_t count;
    if (own == NULL || hub == NULL || world->has_gone_on[place] || nv_store_identity(own)->epoch == log->epoch)
        return false;
    nv_store_has(hub, &has, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_site_id_compare(has[i].site, log->site) == 0 && has[i].epoch == log->epoch &&
            nv_scope_id_equal(has[i].scope, log->scope) && has[i].seq >= log->count)
            return false;
    return true;
}

static void choose_log(const struct sim_world *world, struct nv_dice *dice, struct forgery *forgery)
{
    const struct sim_history *history = &world->history;
    size_t seen = 0;
    forgery->log = NULL;
    forgery->after = 0;
    for (size_t i = 0; i < history->log_count && is_known_to_all(world, forgery->thief); i++) {
        const struct sim_log *log = &history->logs[i];
        bool is_written = !is_thief(world, forgery->thief) && !may_go_on(world, forgery->thief, log);
        if (log->count == 0 || nv_site_id_compare(log->site, world->rights.sites[forgery->thief]) != 0 || is_written ||
            nv_dice_below(dice, ++seen) != 0)
            continue;
        forgery->log = log;
        forgery->after = is_thief(world, forgery->thief) ? nv_dice_below(dice, log->count + 1) : log->count;
    }
}

/* Heads of other logs of the scope, as they were signed. */
static size_t choose_context(const struct sim_world *world, struct nv_dice *dice, struct forgery *forgery)
{
    const struct sim_history *history = &world->history;
    struct nv_heads heads = {0};
    size_t count = 0;
    for (size_t i = 0; i < history->log_count; i++) {
        const struct sim_log *log = &history->logs[i];
        if (log->count == 0 || !nv_scope_id_equal(log->scope, forgery->header.log.scope) ||
            nv_site_id_compare(log->site, forgery->header.log.site) == 0 || !nv_dice_percent(dice, 50) ||
            heads.count == HEADS_MOST)
            continue;
        uint64_t seq = nv_dice_percent(dice, 60) ? log->count : 1 + nv_dice_below(dice, log->count);
        const struct nv_far_head head = {log->site, log->epoch, log->scope, seq,
                                         nv_pin_of(&log->changesets[seq - 1].hash)};
        nv_heads_raise(&heads, &head);
    }
    for (; count < heads.count; count++)
        forgery->context[count] = heads.heads[count];
    nv_heads_done(&heads);
    return count;
}

/* The header's pin at a position of the authority log; false where the hub cannot be asked. */
static bool find_pin(struct sim_world *world, uint64_t position, struct nv_pin *ret_pin)
{
    sqlite3_stmt *row = NULL;
    bool found = sqlite3_prepare_v2(sim_machine_eyes(&world->machines[0]),
                                    "SELECT hash FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log "
                                    "WHERE l.scope = zeroblob(16) AND c.seq = ?1",
                                    -1, &row, NULL) == SQLITE_OK &&
                 sqlite3_bind_int64(row, 1, (int64_t)position) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW;
    if (found)
        memcpy(ret_pin->bytes, sqlite3_column_blob(row, 0), sizeof ret_pin->bytes);
    sqlite3_finalize(row);
    return found;
}

/* At a position of which it has heard, or at the one where its right ends. */
static uint64_t choose_position(const struct sim_world *world, struct nv_dice *dice, const struct forgery *forgery)
{
    uint64_t least = world->founding->certified + 1, most = least; /* all were certified by then */
    if (forgery->after > 0 && forgery->log->changesets[forgery->after - 1].authority_seq > least)
        least = forgery->log->changesets[forgery->after - 1].authority_seq;
    for (size_t i = 0; i < world->rights.taking_count; i++)
        if (world->rights.takings[i].place == forgery->thief && world->rights.takings[i].position > most)
            most = world->rights.takings[i].position;
    if (!is_thief(world, forgery->thief))
        return most; /* by its new right */
    return most <= least ? least : least + nv_dice_below(dice, (size_t)(most - least) + 1);
}

static bool make_header(struct sim_world *world, struct nv_dice *dice, struct forgery *forgery)
{
    struct nv_header *header = &forgery->header;
    size_t scope = nv_dice_percent(dice, 60) ? SIM_BIT_NETWORK : SIM_BIT_GROUP + nv_dice_below(dice, SIM_GROUPS);
    if (scope != SIM_BIT_NETWORK && !world->rights.is_made[scope - SIM_BIT_GROUP])
        scope = SIM_BIT_NETWORK;
    choose_log(world, dice, forgery);
    *header = (struct nv_header){
        .format = NV_FORMAT, .absolute = true, .seq = forgery->after + 1, .context = forgery->context};
    header->log = forgery->log != NULL
                      ? (struct nv_log_id){forgery->log->site, forgery->log->epoch, forgery->log->scope}
                      : (struct nv_log_id){world->rights.sites[forgery->thief], 1 + nv_dice_below(dice, 1000),
                                           sim_rights_scope(&world->rights, scope)};
    if (forgery->after > 0)
        header->previous = forgery->log->changesets[forgery->after - 1].hash;
    header->authority_seq = choose_position(world, dice, forgery);
    /* A member that vouches for thieves is believed: that is no business of the rule. */
    if (is_thief(world, forgery->thief))
        header->context_count = choose_context(world, dice, forgery);
    else if (forgery->log == NULL)
        return false;
    else
        world->has_gone_on[forgery->thief] = true;
    return find_pin(world, header->authority_seq, &header->authority_pin);
}

static void forge(struct sim_world *world, struct nv_dice *dice, size_t signer, size_t to)
{
    static struct forgery forgery;
    struct nv_buffer scratch = {0}, bytes = {0};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_error error;
    forgery.thief = signer;
    if (!make_header(world, dice, &forgery))
        return;
    const struct sim_machine *thief = &world->machines[signer];
    if (nv_changeset_seal(&forgery.header, NULL, 0, &thief->sign, &world->founding->authority.public_key, &scratch,
                          &parts, &hash, &error) != NV_OK)
        sim_fail("daemon", "a thief's changeset is not sealed: %s", error.text);
    nv_changeset_join(&parts, &bytes);
    const struct nv_slice changeset = nv_buffer_slice(&bytes);
    sim_trace("%s signs seq %llu of a log of its own at position %llu", thief->name,
              (unsigned long long)forgery.header.seq, (unsigned long long)forgery.header.authority_seq);
    hand_in(world, to, &changeset, 1);
    nv_buffer_done(&scratch);
    nv_buffer_done(&bytes);
}

void sim_thieves_go_on(struct sim_world *world, size_t signer, size_t to)
{
    struct nv_dice dice = nv_dice_of(world->seed ^ world->turns);
    if (sim_world_has(world, to) && is_signer(world, signer))
        forge(world, &dice, signer, to);
}

void sim_thieves_visit(struct sim_world *world, struct nv_dice *dice, size_t to)
{
    for (size_t thief = 0; thief < world->places; thief++)
        if (is_thief(world, thief) && nv_dice_percent(dice, 70))
            smuggle(world, dice, thief, to, 100);
    for (size_t times = 1 + nv_dice_below(dice, 4); times > 0; times--) {
        size_t thief = some_place(world, dice, is_signer);
        if (thief != SIZE_MAX)
            forge(world, dice, thief, to);
    }
}

void sim_thieves_forge(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t to = some_place(world, dice, sim_world_has);
    (void)place;
    if (to != SIZE_MAX)
        sim_thieves_visit(world, dice, to);
}
