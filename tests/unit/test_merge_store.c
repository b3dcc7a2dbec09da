/* The merge in real stores: random SQL at up to five sites, sealed, delivered in any order, twice, in part, cut and
 * resumed, conflicts answered. At the end all sites are alike and what the model says, and no write is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logged.h"
#include "store/care.h"
#include "store/seal.h"

enum { SCHEDULES = 2000, CUTS_MAX = 128 };

struct world {
    struct nv_dice dice;
    struct nv_stores stores;
    struct nv_writes writes;
    struct nv_logged logged;
    struct nv_scope_digest cuts[CUTS_MAX]; /* what was digested at closed cuts */
    size_t cut_count;
};

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- writing ---- */

static const char *some_literal(struct nv_dice *dice)
{
    static const char *const literals[] = {"1", "2", "3", "1.0", "'x'", "'y'", "''", "NULL", "x'00'", "'2'"};
    return literals[nv_dice_below(dice, sizeof literals / sizeof *literals)];
}

static const char *some_number(struct nv_dice *dice)
{
    static const char *const numbers[] = {"0", "1", "2", "7", "'3'", "-1"};
    return numbers[nv_dice_below(dice, sizeof numbers / sizeof *numbers)];
}

static const char *some_key(struct nv_dice *dice)
{
    return nv_stores_keys[nv_dice_percent(dice, 60) ? 0 : nv_dice_below(dice, NV_STORES_RECORDS)];
}

/* A value for any field: b is an INTEGER that is never NULL. */
static void some_assignment(struct nv_dice *dice, char text[64])
{
    const char *field = nv_stores_fields[nv_dice_below(dice, NV_STORES_FIELDS)];
    snprintf(text, 64, "%s = %s", field, strcmp(field, "b") == 0 ? some_number(dice) : some_literal(dice));
}

static void some_row(struct nv_dice *dice, char text[128])
{
    const char *key = some_key(dice), *a = some_literal(dice), *b = some_number(dice), *c = some_literal(dice);
    snprintf(text, 128, "('%s', %s, %s, %s, %s)", key, a, b, c, some_literal(dice));
}

static void some_statement(struct nv_dice *dice, char sql[512])
{
    char one[64], two[64], row[128];
    some_assignment(dice, one);
    some_assignment(dice, two);
    some_row(dice, row);
    const char *key = some_key(dice);
    size_t choice = nv_dice_below(dice, 100);
    if (choice < 40)
        snprintf(sql, 512, "UPDATE item SET %s WHERE id = '%s';", one, key);
    else if (choice < 50)
        snprintf(sql, 512, "UPDATE item SET %s WHERE id = '%s'; UPDATE item SET %s WHERE id = '%s';", one, key, two,
                 key);
    else if (choice < 55)
        snprintf(sql, 512, "UPDATE item SET %s;", one);
    else if (choice < 65)
        snprintf(sql, 512, "INSERT OR IGNORE INTO item VALUES %s;", row);
    else if (choice < 70)
        snprintf(sql, 512, "INSERT OR IGNORE INTO item(id, a) VALUES ('%s', %s);", key, some_literal(dice));
    else if (choice < 76)
        snprintf(sql, 512, "REPLACE INTO item VALUES %s;", row);
    else if (choice < 82)
        snprintf(sql, 512, "INSERT INTO item VALUES %s ON CONFLICT(id) DO UPDATE SET %s;", row, one);
    else if (choice < 93)
        snprintf(sql, 512, "DELETE FROM item WHERE id = '%s';", key);
    else if (choice < 95)
        snprintf(sql, 512, "DELETE FROM item;");
    else
        snprintf(sql, 512, "UPDATE OR REPLACE item SET id = '%s' WHERE id = '%s';", key, some_key(dice));
}

static void write_some(struct world *world, size_t site)
{
    struct nv_dice *dice = &world->dice;
    char sql[512];
    bool as_tool = nv_dice_percent(dice, 50), in_transaction = nv_dice_percent(dice, 25);
    if (as_tool)
        nv_stores_sql(&world->stores, site, true,
                      nv_dice_percent(dice, 50) ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF");
    if (in_transaction)
        nv_stores_sql(&world->stores, site, as_tool, "BEGIN IMMEDIATE");
    for (size_t count = 1 + nv_dice_below(dice, in_transaction ? 3 : 1); count > 0; count--) {
        some_statement(dice, sql);
        nv_stores_sql(&world->stores, site, as_tool, sql);
    }
    if (in_transaction)
        nv_stores_sql(&world->stores, site, as_tool, nv_dice_percent(dice, 80) ? "COMMIT" : "ROLLBACK");
}

/* ---- sealing, delivering, answering ---- */

static void seal(struct world *world, size_t site)
{
    nv_writes_notice(&world->writes, &world->stores, site);
    nv_stores_seal(&world->stores, site);
    nv_writes_settle(&world->writes, &world->stores, site);
}

static size_t deliver(struct world *world, size_t from, size_t to, const struct nv_stores_line *line)
{
    static struct nv_stores_parcel parcel;
    nv_stores_fetch(&world->stores, &world->dice, from, to, line, &parcel);
    if (parcel.count == 0) {
        nv_buffer_done(&parcel.bytes);
        return 0;
    }
    nv_writes_notice(&world->writes, &world->stores, to);
    size_t taken = nv_stores_hand_over(&world->stores, &world->dice, to, &parcel);
    nv_writes_settle(&world->writes, &world->stores, to);
    return taken;
}

static void deliver_some(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t from = nv_dice_below(dice, world->stores.count);
    size_t to = (from + 1 + nv_dice_below(dice, world->stores.count - 1)) % world->stores.count;
    struct nv_stores_line line = {.forgets = nv_dice_percent(dice, 15),
                                  .shuffles = nv_dice_percent(dice, 20),
                                  .lost_percent = nv_dice_percent(dice, 30) ? 30 : 0,
                                  .twice_percent = nv_dice_percent(dice, 30) ? 30 : 0,
                                  .budget_bytes = nv_dice_percent(dice, 50) ? 1 : 1 << 20,
                                  .reads = 1 + nv_dice_below(dice, 6)};
    deliver(world, from, to, &line);
}

static void answer_some(struct world *world, size_t site)
{
    seal(world, site);
    nv_writes_answer(&world->writes, &world->stores, &world->dice, site);
    if (nv_dice_percent(&world->dice, 50))
        seal(world, site);
}

/* Equal vectors at closed cuts give equal digests, whoever digests and whenever. */
static void digest(struct world *world, size_t site)
{
    struct nv_scope_digest found;
    struct nv_error error;
    must(nv_store_digest(world->stores.sites[site].store, NV_SCOPE_NETWORK, &found, &error), &error);
    if (!found.closed)
        return;
    for (size_t i = 0; i < world->cut_count; i++)
        if (memcmp(&world->cuts[i].vector, &found.vector, sizeof found.vector) == 0)
            assert_memory_equal(&world->cuts[i].state, &found.state, sizeof found.state);
    if (world->cut_count < CUTS_MAX)
        world->cuts[world->cut_count++] = found;
}

static void step(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t site = nv_dice_below(dice, world->stores.count), choice = nv_dice_below(dice, 100);
    world->stores.clock_ms += nv_dice_percent(dice, 3) ? 5400000 : (int64_t)nv_dice_below(dice, 3);
    if (choice < 40)
        write_some(world, site);
    else if (choice < 50)
        seal(world, site);
    else if (choice < 85)
        deliver_some(world);
    else if (choice < 95)
        answer_some(world, site);
    else
        digest(world, site);
}

/* ---- the end ---- */

/* Whatever is left gets everywhere, the joiner included. */
static void drain(struct world *world)
{
    const struct nv_stores_line good = {.budget_bytes = 1 << 20, .reads = 1000};
    size_t count = world->stores.count, joiner = NV_STORES_ALL - 1;
    for (size_t site = 0; site < count; site++)
        seal(world, site);
    for (size_t taken = 1; taken > 0;) {
        taken = 0;
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; to < count; to++)
                taken += from == to ? 0 : deliver(world, from, to, &good);
    }
    const struct nv_stores_line any_order = {
        .shuffles = true, .twice_percent = 20, .budget_bytes = 1 << 20, .reads = 9};
    deliver(world, nv_dice_below(&world->dice, count), joiner, &any_order);
    while (deliver(world, 0, joiner, &good) > 0)
        ;
}

static const char all_rows[] = "SELECT quote(id), quote(a), quote(b), quote(c), quote(d) FROM item ORDER BY id";
static const char all_conflicts[] =
    "SELECT table_name, key_text, kind, field, choice, quote(value), site, time_ms, shown "
    "FROM navette_conflict ORDER BY key_text, kind, field, choice";
static const char what_is_wrong[] = "SELECT 'pending', count(*) FROM navette_pending_1 UNION ALL "
                                    "SELECT 'intent', count(*) FROM navette_intent UNION ALL "
                                    "SELECT 'missing', count(*) FROM navette_missing UNION ALL "
                                    "SELECT 'quarantine', count(*) FROM navette_quarantine UNION ALL "
                                    "SELECT 'fork', count(*) FROM navette_fork UNION ALL "
                                    "SELECT 'owed', count(*) FROM navette_owed";
static const char nothing_is_wrong[] = "pending|0\nintent|0\nmissing|0\nquarantine|0\nfork|0\nowed|0\n";

static void check_text(struct world *world, size_t site, const char *sql, const char *expected)
{
    char *text = nv_stores_text(&world->stores, site, sql);
    if (strcmp(text, expected) != 0)
        fail_msg("site %zu has\n%swhere this was expected:\n%s", site, text, expected);
    free(text);
}

static void check_log(struct world *world, size_t site)
{
    struct nv_verified verified;
    struct nv_error error;
    must(nv_store_verify(world->stores.sites[site].store, &verified, NULL, &error), &error);
    if (verified.bad > 0)
        fail_msg("verify at site %zu: %s", site, verified.first);
}

static void check_rebuilt(struct world *world, size_t site)
{
    struct nv_wall_ms now = nv_stores_turn(&world->stores, site);
    struct nv_rebuilt rebuilt = {0};
    struct nv_error error;
    must(nv_store_rebuild(world->stores.sites[site].store, now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended, 0);
    assert_int_equal(rebuilt.rows_mended, 0);
}

static void check_end(struct world *world)
{
    char *rows = nv_stores_text(&world->stores, 0, all_rows);
    char *conflicts = nv_stores_text(&world->stores, 0, all_conflicts);
    nv_logged_read(&world->logged, &world->stores, 0);
    world->cut_count = 0;
    for (size_t site = 0; site < NV_STORES_ALL; site++) {
        if (world->stores.sites[site].store == NULL)
            continue;
        check_text(world, site, what_is_wrong, nothing_is_wrong);
        check_text(world, site, all_rows, rows);
        check_text(world, site, all_conflicts, conflicts);
        nv_logged_check_site(&world->logged, &world->stores, site);
        digest(world, site);
        assert_int_equal(world->cut_count, site + 1 < NV_STORES_ALL ? site + 1 : world->stores.count + 1);
        assert_memory_equal(&world->cuts[world->cut_count - 1].vector, &world->cuts[0].vector, sizeof(struct nv_hash));
        check_rebuilt(world, site);
        check_text(world, site, all_rows, rows);
        check_text(world, site, all_conflicts, conflicts);
    }
    check_log(world, nv_dice_below(&world->dice, world->stores.count));
    check_log(world, NV_STORES_ALL - 1);
    nv_logged_check_writes(&world->logged, &world->writes);
    free(rows);
    free(conflicts);
}

static void run_schedule(uint64_t seed)
{
    static struct world world;
    world.dice = nv_dice_of(seed);
    world.writes.count = world.cut_count = 0;
    memset(world.writes.base, 0, sizeof world.writes.base);
    nv_stores_open(&world.stores, &world.dice, 2 + nv_dice_below(&world.dice, NV_STORES_WRITERS - 1));
    for (size_t steps = 10 + nv_dice_below(&world.dice, 40); steps > 0; steps--)
        step(&world);
    drain(&world);
    check_end(&world);
    nv_stores_close(&world.stores);
}

static void stores_converge_and_lose_nothing(void **state)
{
    (void)state;
    nv_dice_run("merge in stores", SCHEDULES, run_schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stores_converge_and_lose_nothing)};
    return cmocka_run_group_tests_name("merge store", tests, NULL, NULL);
}
