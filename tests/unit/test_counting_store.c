/* What counts, over real stores against the model: honest sites among thieves who collude, rights that are taken and
 * given again, changesets that come in any order, programs that end in between. At every step each store has in its
 * logs what the model counts of all that it holds, and no more; at the end all are alike, and nobody has lost what it
 * merged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signed.h"
#include "store/care.h"

enum { SCHEDULES = 150, SPANS = 8, CHANGES_MOST = 8, HEADERS_MOST = 90, LOGS_MOST = 16, LONG_MS = 3600 * 1000 };
enum { NEWCOMER = NV_STORES_ALL - 1 }; /* until the end nobody has met it */

struct span {
    uint64_t begins, ends; /* ends: not included; 0 while it goes on */
    struct nv_sign_key key;
};

struct site {
    bool is_thief;
    bool is_stolen; /* thieves have the key of its first membership */
    struct span spans[SPANS];
    size_t span_count;
    uint64_t anew_at;           /* it seals with its newest key once it knows of that position; 0: it does */
    struct nv_model_set relied; /* all that it merged since it has its right */
};

struct world {
    struct nv_dice dice;
    struct nv_stores stores;
    struct nv_signed all;
    uint64_t first; /* the authority position at the beginning */
    size_t changes;
    bool is_welcome; /* the newcomer takes part */
    struct site sites[NV_STORES_ALL];
};

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- rights ---- */

static const struct span *span_at(const struct site *site, uint64_t position)
{
    for (size_t i = 0; i < site->span_count; i++)
        if (site->spans[i].begins <= position && (site->spans[i].ends == 0 || position < site->spans[i].ends))
            return &site->spans[i];
    return NULL;
}

static uint64_t now_of(struct world *world)
{
    return nv_signed_known(&world->stores, 0);
}

static bool is_honest(struct world *world, size_t site)
{
    bool takes_part = site < world->stores.count || (site == NEWCOMER && world->is_welcome);
    return takes_part && !world->sites[site].is_thief && span_at(&world->sites[site], now_of(world)) != NULL;
}

/* The key by which thieves sign for a site at a position; NULL: they have none. */
static const struct nv_sign_key *thief_key(const struct site *site, uint64_t position)
{
    const struct span *span = span_at(site, position);
    if (site->is_thief)
        return span == NULL ? &site->spans[0].key : &span->key;
    return site->is_stolen ? &site->spans[0].key : NULL;
}

static bool have_a_right(struct world *world, size_t site)
{
    const struct nv_sign_key *key = thief_key(&world->sites[site], now_of(world));
    const struct span *span = span_at(&world->sites[site], now_of(world));
    return key != NULL && span != NULL && memcmp(&span->key, key, sizeof *key) == 0;
}

/* They have the word of one more site. */
static void forget_lateness(struct world *world)
{
    for (size_t i = 0; i < world->all.model.header_count; i++)
        world->all.all[i].is_late = false;
}

static bool all_know_that_thieves_are_out(struct world *world)
{
    for (size_t i = 0; i < NV_STORES_ALL; i++)
        if (have_a_right(world, i) || (is_honest(world, i) && nv_signed_known(&world->stores, i) < now_of(world)))
            return false;
    return true;
}

/* ---- looking at a store ---- */

/* It has what counts of all that it holds; what it merged counts, unless it lost its own right just now. */
static void check_site(struct world *world, size_t site)
{
    struct nv_model_set has, merged, beyond, held;
    for (size_t i = 0; i < NV_STORES_ALL; i++)
        if (is_honest(world, i) || i == site)
            nv_signed_notice(&world->all, &world->stores, i);
    nv_signed_held(&world->all, &world->stores, site, &has, &merged, &beyond);
    for (size_t i = 0; i < sizeof held.words / sizeof *held.words; i++)
        held.words[i] = has.words[i] | beyond.words[i];
    struct nv_model_set counted =
        nv_counting_model_counts(&world->all.model, &held, (unsigned)nv_signed_known(&world->stores, site));
    for (size_t i = 0; i < world->all.model.header_count; i++)
        if (nv_model_has(&counted, i) != nv_model_has(&has, i))
            fail_msg("site %zu %s changeset %zu", site,
                     nv_model_has(&has, i) ? "has in its log, and does not count," : "counts, and has not in its log,",
                     i);
    assert_true(nv_model_holds_all(&has, &merged));
    for (size_t i = 0; i < sizeof held.words / sizeof *held.words; i++)
        world->sites[site].relied.words[i] |= merged.words[i];
}

/* What it must do once it has taken up an op about itself. */
static void notice_loss(struct world *world, size_t site)
{
    struct site *at = &world->sites[site];
    if (at->anew_at == 0 || nv_signed_known(&world->stores, site) < at->anew_at)
        return;
    at->anew_at = 0;
    at->relied = (struct nv_model_set){0};
    nv_store_set_signer(world->stores.sites[site].store, &at->spans[at->span_count - 1].key);
}

/* ---- what happens ---- */

static void ingest(struct world *world, size_t site, const struct nv_slice *changesets, size_t count)
{
    static struct nv_incoming incoming[512];
    struct nv_wall_ms now = nv_stores_turn(&world->stores, site);
    struct nv_error error;
    for (size_t i = 0; i < count; i++)
        incoming[i] = (struct nv_incoming){.bytes = changesets[i]};
    must(nv_store_ingest(world->stores.sites[site].store, incoming, count, now, LONG_MS, &error), &error);
    for (size_t i = 0; i < count; i++)
        if (incoming[i].verdict == NV_VERDICT_REFUSED || incoming[i].verdict == NV_VERDICT_WAITS)
            nv_dice_trace("site %zu takes one not (%s): %s", site, nv_reason_name(incoming[i].reason),
                          incoming[i].text);
    notice_loss(world, site);
    check_site(world, site);
}

/* What one honest site reads for another: all of it, or a part, in order or not. */
static void exchange(struct world *world, size_t from, size_t to, bool whole)
{
    static struct nv_stores_parcel parcel;
    struct nv_dice *dice = &world->dice;
    struct nv_stores_line line = {.budget_bytes = whole ? SIZE_MAX : 1 + nv_dice_below(dice, 3000),
                                  .reads = whole ? 1000 : 1,
                                  .shuffles = !whole && nv_dice_percent(dice, 40),
                                  .lost_percent = !whole && nv_dice_percent(dice, 30) ? 30 : 0};
    nv_dice_trace("site %zu gives to site %zu%s", from, to, whole ? " all" : "");
    nv_stores_fetch(&world->stores, dice, from, to, &line, &parcel);
    for (size_t first = 0, count; first < parcel.count; first += count) {
        count = nv_dice_percent(dice, 50) ? parcel.count - first : 1 + nv_dice_below(dice, parcel.count - first);
        ingest(world, to, parcel.changesets + first, count);
    }
    nv_buffer_done(&parcel.bytes);
}

static void hand_over(struct world *world, size_t place, size_t to)
{
    struct nv_slice bytes = nv_buffer_slice(&world->all.all[place].bytes);
    nv_dice_trace("site %zu is given %zu", to, place);
    ingest(world, to, &bytes, 1);
}

static void write_honestly(struct world *world, size_t site)
{
    char sql[120];
    if (world->all.model.header_count >= HEADERS_MOST ||
        span_at(&world->sites[site], nv_signed_known(&world->stores, site)) == NULL)
        return;
    snprintf(sql, sizeof sql,
             "INSERT INTO item(id, a) VALUES ('r%zu', %zu) ON CONFLICT(id) DO UPDATE SET a = excluded.a",
             nv_dice_below(&world->dice, 4), world->all.model.header_count);
    nv_stores_sql(&world->stores, site, nv_dice_percent(&world->dice, 50), sql);
    nv_stores_seal(&world->stores, site);
    check_site(world, site);
}

static void open_again(struct world *world, size_t site)
{
    struct nv_stores_site *at = &world->stores.sites[site];
    struct nv_wall_ms now = nv_stores_turn(&world->stores, site);
    struct nv_error error;
    char path[96];
    snprintf(path, sizeof path, "%s", sqlite3_db_filename(nv_store_db(at->store), "main"));
    nv_dice_trace("site %zu begins again", site);
    nv_store_close(at->store);
    must(nv_store_open(path, &at->store, &error), &error);
    const struct site *owner = &world->sites[site];
    nv_store_set_signer(at->store, &owner->spans[owner->span_count - (owner->anew_at == 0 ? 1 : 2)].key);
    must(nv_store_ingest(at->store, NULL, 0, now, LONG_MS, &error), &error);
    check_site(world, site);
}

/* ---- what the authority does ---- */

static void note_taking(struct world *world, size_t loser)
{
    struct nv_model_set has, merged, beyond;
    struct nv_counting_model *model = &world->all.model;
    struct nv_counting_model_taking *taking = &model->takings[model->taking_count++];
    *taking = (struct nv_counting_model_taking){.site = (unsigned)loser, .position = (unsigned)now_of(world)};
    nv_signed_notice(&world->all, &world->stores, 0);
    nv_signed_held(&world->all, &world->stores, 0, &has, &merged, &beyond);
    for (size_t i = 0; i < model->header_count; i++) {
        bool is_head = nv_model_has(&has, i) && model->headers[i].site == loser;
        for (size_t j = 0; is_head && j < model->header_count; j++)
            is_head = !nv_model_has(&has, j) || model->headers[j].previous != (int)i;
        if (is_head)
            nv_model_add(&taking->named, i);
    }
    for (size_t i = 0; i < world->sites[loser].span_count; i++)
        if (world->sites[loser].spans[i].ends == 0)
            world->sites[loser].spans[i].ends = now_of(world);
}

static void begin_anew(struct world *world, size_t place)
{
    struct site *site = &world->sites[place];
    nv_stores_certify_anew(&world->stores, place, false);
    note_taking(world, place);
    site->anew_at = now_of(world);
    site->spans[site->span_count++] = (struct span){.begins = site->anew_at, .key = *nv_stores_sign_key(place)};
}

static void change_rights(struct world *world, size_t place)
{
    struct site *site = &world->sites[place];
    if (place == 0 || world->changes++ >= CHANGES_MOST || site->span_count == SPANS || site->anew_at != 0)
        return;
    if (span_at(site, now_of(world)) == NULL || (!site->is_thief && nv_dice_percent(&world->dice, 60))) {
        begin_anew(world, place);
        if (site->is_thief)
            forget_lateness(world);
    } else if (span_at(site, now_of(world)) != NULL) {
        nv_stores_revoke(&world->stores, place);
        note_taking(world, place);
    }
    check_site(world, 0);
}

/* ---- what thieves do ---- */

/* Whether it would stand where another one does, or the site's owner writes. */
static bool is_fork(struct world *world, size_t place, const struct nv_log_id *log, uint64_t seq)
{
    if (!world->sites[place].is_thief && nv_store_identity(world->stores.sites[place].store)->epoch == log->epoch)
        return true;
    for (size_t i = 0; i < world->all.model.header_count; i++)
        if (nv_log_id_compare(&world->all.all[i].header.log, log) == 0 && world->all.all[i].header.seq == seq)
            return true;
    return false;
}

static void forge(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    struct nv_signed *all = &world->all;
    size_t place = nv_dice_below(dice, world->stores.count);
    struct site *site = &world->sites[place];
    if (thief_key(site, 0) == NULL || all->model.header_count >= HEADERS_MOST)
        return;
    bool is_late = all_know_that_thieves_are_out(world);
    struct nv_log_id log = {world->stores.sites[place].id, nv_dice_bits(dice), NV_SCOPE_NETWORK};
    int previous = NV_COUNTING_NONE;
    for (size_t i = 0; i < all->model.header_count; i++)
        if (all->model.headers[i].site == place && nv_dice_percent(dice, 40))
            previous = (int)i;
    if (previous != NV_COUNTING_NONE)
        log = all->all[previous].header.log;
    uint64_t seq = previous == NV_COUNTING_NONE ? 1 : all->all[previous].header.seq + 1;
    if ((is_fork(world, place, &log, seq) && !is_late) || (previous == NV_COUNTING_NONE && all->log_count >= LOGS_MOST))
        return; /* two histories of which each counts somewhere are for a person */
    uint64_t least = previous == NV_COUNTING_NONE ? world->first : all->all[previous].header.authority_seq;
    uint64_t position = least + nv_dice_below(dice, (size_t)(now_of(world) - least) + 1);
    const struct nv_sign_key *key = thief_key(site, position);
    struct nv_model_set named = {0};
    for (size_t i = 0; i < all->model.header_count; i++)
        if (nv_dice_percent(dice, 20))
            nv_model_add(&named, i);
    size_t made = nv_signed_forge(all, &world->stores, key, place, &log, previous, position, &named);
    const struct span *span = span_at(site, position);
    all->model.headers[made].is_valid = span != NULL && memcmp(&span->key, key, sizeof *key) == 0;
    all->all[made].is_late = is_late;
    nv_dice_trace("thieves make %zu of site %zu, log %u, seq %u, after %d, at %u%s", made, place,
                  all->model.headers[made].log, all->model.headers[made].seq, previous,
                  all->model.headers[made].position, is_late ? ", late" : "");
}

static void steal_key(struct world *world, size_t place)
{
    struct site *site = &world->sites[place];
    if (place == 0 || site->is_thief || site->is_stolen || site->span_count > 1)
        return;
    site->is_stolen = true;
    forget_lateness(world);
}

/* ---- a schedule ---- */

static void step(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t place = nv_dice_below(dice, world->stores.count), other = nv_dice_below(dice, world->stores.count);
    unsigned choice = (unsigned)nv_dice_below(dice, 100);
    if (choice < 22)
        forge(world);
    else if (choice < 28)
        change_rights(world, place);
    else if (choice < 31)
        steal_key(world, place);
    else if (world->sites[place].is_thief)
        return;
    else if (choice < 50)
        write_honestly(world, place);
    else if (choice < 70 && other != place && !world->sites[other].is_thief)
        exchange(world, other, place, nv_dice_percent(dice, 40));
    else if (choice < 96 && world->all.model.header_count > 0)
        hand_over(world, nv_dice_below(dice, world->all.model.header_count), place);
    else if (choice >= 96)
        open_again(world, place);
}

static bool is_alike(struct world *world, size_t one, size_t other)
{
    struct nv_model_set has[2], merged, beyond;
    nv_signed_held(&world->all, &world->stores, one, &has[0], &merged, &beyond);
    nv_signed_held(&world->all, &world->stores, other, &has[1], &merged, &beyond);
    for (size_t i = 0; i < world->all.model.header_count; i++)
        if (nv_model_has(&has[0], i) != nv_model_has(&has[1], i))
            nv_dice_trace("site %zu alone has %zu", nv_model_has(&has[0], i) ? one : other, i);
    return memcmp(&has[0], &has[1], sizeof has[0]) == 0 &&
           nv_signed_known(&world->stores, one) == nv_signed_known(&world->stores, other);
}

/* The newcomer hears of all that the authority did, and then from thieves, before it hears from anybody else. */
static void welcome(struct world *world)
{
    static struct nv_stores_parcel parcel;
    static const struct nv_stores_line line = {.budget_bytes = SIZE_MAX, .reads = 1000};
    world->is_welcome = true;
    nv_stores_fetch(&world->stores, &world->dice, 0, NEWCOMER, &line, &parcel);
    for (size_t i = 0; i < parcel.count; i++) {
        struct nv_changeset_parts parts;
        struct nv_arena arena = {.limit = 1 << 20};
        struct nv_header header;
        struct nv_error error;
        must(nv_changeset_split(parcel.changesets[i], &parts, &error), &error);
        must(nv_header_decode(parts.header, &arena, &header, &error), &error);
        if (nv_scope_id_equal(header.log.scope, NV_SCOPE_AUTHORITY))
            ingest(world, NEWCOMER, &parcel.changesets[i], 1);
        nv_arena_done(&arena);
    }
    nv_buffer_done(&parcel.bytes);
    for (int i = 0; i < 4; i++)
        forge(world);
    for (size_t i = 0; i < world->all.model.header_count; i++)
        if (thief_key(&world->sites[world->all.model.headers[i].site], 0) != NULL && nv_dice_percent(&world->dice, 70))
            hand_over(world, i, NEWCOMER);
}

/* Everybody gives everybody what it has; thieves join in for a while. */
static void exchange_all(struct world *world, bool with_thieves)
{
    for (size_t i = 0; i < NV_STORES_ALL; i++) {
        for (size_t j = 0; j < NV_STORES_ALL; j++)
            if (i != j && is_honest(world, i) && is_honest(world, j))
                exchange(world, i, j, true);
        for (size_t j = 0; j < world->all.model.header_count && is_honest(world, i) && with_thieves; j++)
            if (nv_dice_percent(&world->dice, 30))
                hand_over(world, j, i);
        if (with_thieves)
            forge(world);
    }
}

/* Until nobody has more than another one. */
static void settle(struct world *world)
{
    bool alike = false;
    welcome(world);
    for (size_t round = 0; round < 12 && !alike; round++) {
        exchange_all(world, round < 2);
        alike = round >= 2;
        for (size_t i = 1; i < NV_STORES_ALL; i++)
            alike = alike && (!is_honest(world, i) || is_alike(world, 0, i));
    }
    if (!alike)
        fail_msg("the sites do not become alike");
}

static void check_end(struct world *world)
{
    struct nv_model_set has, merged, beyond;
    struct nv_error error;
    char *rows = nv_stores_text(&world->stores, 0, "SELECT * FROM item ORDER BY id");
    nv_signed_held(&world->all, &world->stores, 0, &has, &merged, &beyond);
    for (size_t i = 0; i < world->all.model.header_count; i++)
        if (world->all.all[i].is_late && nv_model_has(&has, i))
            fail_msg("changeset %zu counts, and was made after all knew", i);
    for (size_t i = 0; i < NV_STORES_ALL; i++) {
        struct nv_rebuilt rebuilt;
        if (!is_honest(world, i))
            continue;
        assert_true(nv_model_holds_all(&has, &world->sites[i].relied));
        char *others = nv_stores_text(&world->stores, i, "SELECT * FROM item ORDER BY id");
        assert_string_equal(others, rows);
        free(others);
        must(nv_store_rebuild(world->stores.sites[i].store, nv_stores_turn(&world->stores, i), &rebuilt, NULL, &error),
             &error);
        assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    }
    free(rows);
}

static void world_start(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->dice = nv_dice_of(seed);
    nv_stores_open(&world->stores, &world->dice, 3 + nv_dice_below(&world->dice, NV_STORES_WRITERS - 2));
    world->first = now_of(world);
    for (size_t i = 0; i < NV_STORES_ALL; i++) {
        struct site *site = &world->sites[i];
        if (world->stores.sites[i].store == NULL)
            continue;
        site->is_thief = i > 0 && i != NEWCOMER && nv_dice_percent(&world->dice, 40);
        site->spans[site->span_count++] = (struct span){.begins = 1, .key = *nv_stores_sign_key(i)};
        nv_signed_notice(&world->all, &world->stores, i);
    }
}

static void run_schedule(uint64_t seed)
{
    static struct world world;
    world_start(&world, seed);
    size_t steps = 30 + nv_dice_below(&world.dice, 60);
    for (size_t i = 0; i < steps; i++)
        step(&world);
    for (size_t i = 1; i < world.stores.count && nv_dice_percent(&world.dice, 85); i++) {
        if (!have_a_right(&world, i))
            continue;
        nv_stores_revoke(&world.stores, i);
        note_taking(&world, i);
    }
    settle(&world);
    check_end(&world);
    nv_signed_done(&world.all);
    nv_stores_close(&world.stores);
}

static void stores_hold_what_counts_and_nothing_else(void **state)
{
    (void)state;
    nv_dice_run("what counts, in stores", SCHEDULES, run_schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stores_hold_what_counts_and_nothing_else)};
    return cmocka_run_group_tests_name("counting stores", tests, NULL, NULL);
}
