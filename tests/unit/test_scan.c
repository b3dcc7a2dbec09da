/* Tables that tools rebuilt: what is sealed of them, what is listed and never deleted, and what waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pair.h"
#include "store/care.h"
#include "store/seal.h"

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1), ('b', 'two', 2), ('c', 'three', 3)");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    return 0;
}

/* As most tools do it: a new table, the rows, and the old name. */
#define REBUILD(select)                                                                                                \
    "BEGIN; CREATE TABLE fresh(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER); INSERT INTO fresh " select "; " \
    "DROP TABLE item; ALTER TABLE fresh RENAME TO item; COMMIT"

static void check_shared(struct nv_pair *pair, const char *expected)
{
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->hub.tool, "SELECT id, name, size FROM item ORDER BY id", expected);
    nv_pair_check_text(pair->school.tool, "SELECT id, name, size FROM item ORDER BY id", expected);
    struct nv_scope_digest hub, school;
    struct nv_error error;
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &hub, &error), &error);
    nv_pair_must(nv_store_digest(pair->school.store, NV_SCOPE_NETWORK, &school, &error), &error);
    assert_memory_equal(&hub.state, &school.state, sizeof hub.state);
}

static void check_missing(struct nv_pair *pair, const char *expected)
{
    nv_pair_check_text(pair->hub.tool, "SELECT hex(key) FROM navette_missing ORDER BY 1", expected);
}

static void a_table_that_was_rebuilt_as_it_was_is_no_change(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, REBUILD("SELECT * FROM item"));
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 0);
    nv_pair_sql(&pair->hub, "UPDATE item SET size = 10 WHERE id = 'a'"); /* it is captured again */
    check_shared(pair, "a|one|10\nb|two|2\nc|three|3\n");
}

static void rows_that_changed_on_the_way_are_edits_and_new_ones_creates(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, REBUILD("SELECT id, upper(name), size FROM item UNION ALL SELECT 'd', 'four', 4"));
    check_shared(pair, "a|ONE|1\nb|TWO|2\nc|THREE|3\nd|four|4\n");
    check_missing(pair, "");
}

/* The tool may be in the middle of its work, or may have lost them. */
static void rows_that_are_gone_are_listed_and_never_deleted(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, REBUILD("SELECT * FROM item WHERE id = 'c'"));
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 0);
    check_missing(pair, "030161\n030162\n");
    /* One comes back by the tool, one by a person; and a third is really deleted. */
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1)");
    nv_pair_seal(&pair->hub);
    check_missing(pair, "030162\n");
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('b', 'again', 2); DELETE FROM item WHERE id = 'b';"
                            "DELETE FROM item WHERE id = 'c'");
    check_shared(pair, "a|one|1\n");
    check_missing(pair, "");
}

/* What was captured before the tool came is what the person did. */
static void what_was_pending_before_a_rebuild_is_sealed_as_it_was_meant(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "DELETE FROM item WHERE id = 'a'; UPDATE item SET size = 20 WHERE id = 'b'");
    nv_pair_sql(&pair->hub, REBUILD("SELECT * FROM item"));
    check_shared(pair, "b|two|20\nc|three|3\n");
    check_missing(pair, "");
}

static void nothing_of_a_table_that_is_away_is_sealed_until_it_is_back(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "UPDATE item SET size = 20 WHERE id = 'b'; ALTER TABLE item RENAME TO away");
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 0);
    nv_pair_check_text(pair->hub.tool, "SELECT name FROM navette_meta WHERE name GLOB 'scan_*'", "scan_1\n");
    nv_pair_sql(&pair->hub, "UPDATE away SET name = 'meanwhile' WHERE id = 'c'");
    nv_pair_seal(&pair->hub);
    nv_pair_sql(&pair->hub, "ALTER TABLE away RENAME TO item");
    check_shared(pair, "a|one|1\nb|two|20\nc|meanwhile|3\n");
    nv_pair_check_text(pair->hub.tool, "SELECT name FROM navette_meta WHERE name GLOB 'scan_*'", "");
}

/* The daemon was not running when the tool came. */
static void a_rebuild_is_seen_at_the_next_start(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    nv_store_close(pair->hub.store);
    nv_pair_sql(&pair->hub, REBUILD("SELECT id, name, size + 1 FROM item"));
    nv_pair_must(nv_store_open(pair->hub.path, &pair->hub.store, &error), &error);
    nv_store_set_signer(pair->hub.store, &pair->hub.sign);
    check_shared(pair, "a|one|2\nb|two|3\nc|three|4\n");
}

/* Without its key a site seals nothing, and forgets nothing. */
static void a_site_without_its_key_leaves_all_as_it_is(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_sealed sealed;
    struct nv_error error;
    nv_store_set_signer(pair->hub.store, NULL);
    nv_pair_sql(&pair->hub, REBUILD("SELECT id, name, size + 1 FROM item"));
    nv_pair_sql(&pair->school, "INSERT INTO item VALUES ('d', 'school', 4)");
    nv_pair_seal(&pair->school);
    assert_int_equal(nv_store_seal(pair->hub.store, nv_pair_now, 1000, &sealed, &error), NV_NOT_YET);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT id, size FROM item ORDER BY id", "a|2\nb|3\nc|4\nd|4\n");
    nv_store_set_signer(pair->hub.store, &pair->hub.sign);
    check_shared(pair, "a|one|2\nb|two|3\nc|three|4\nd|school|4\n");
}

/* As many fields as a table may have: all bits of a set are in use. */
static void the_widest_table_is_kept_in_step(void **state)
{
    struct nv_pair *pair = *state;
    char sql[4096] = "CREATE TABLE wide(id TEXT NOT NULL PRIMARY KEY";
    for (int i = 0; i < NV_LIMIT_FIELDS; i++)
        sprintf(sql + strlen(sql), ", c%d", i);
    strcat(sql, "); INSERT INTO navette_table(name, scope) VALUES ('wide', 'network')");
    nv_pair_publish(pair, sql);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, "INSERT INTO wide(id, c0, c63) VALUES ('a', 1, 2)");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->school, "UPDATE wide SET c63 = 3");
    nv_pair_seal(&pair->school);
    nv_pair_sql(&pair->hub, "UPDATE wide SET c62 = 4");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT c0, c1, c62, c63 FROM wide", "1|NULL|4|3\n");
    nv_pair_sql(&pair->hub, "DELETE FROM wide");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM wide", "0\n");
}

/* More of them than one changeset holds. */
static void a_rebuild_that_changed_thousands_of_rows_is_sealed_in_several(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, REBUILD("SELECT * FROM item UNION ALL SELECT 'n' || value, 'x', value FROM "
                                    "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE "
                                    "value < 9000) SELECT value FROM n)"));
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 3); /* of 4,096 ops at most */
    nv_pair_check_text(pair->school.tool, "SELECT count(*), sum(size) FROM item", "9003|40504506\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_that_was_rebuilt_as_it_was_is_no_change),
        TEST(rows_that_changed_on_the_way_are_edits_and_new_ones_creates),
        TEST(rows_that_are_gone_are_listed_and_never_deleted),
        TEST(what_was_pending_before_a_rebuild_is_sealed_as_it_was_meant),
        TEST(nothing_of_a_table_that_is_away_is_sealed_until_it_is_back),
        TEST(a_rebuild_is_seen_at_the_next_start),
        TEST(a_site_without_its_key_leaves_all_as_it_is),
        TEST(the_widest_table_is_kept_in_step),
        TEST(a_rebuild_that_changed_thousands_of_rows_is_sealed_in_several),
    };
    return cmocka_run_group_tests_name("rebuilt tables", tests, NULL, NULL);
}
