/* Sealing: what becomes of a person's writes when there are many of them, when clocks are wrong, and when remote
 * changes come in between. */
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

enum { HOUR_MS = 3600 * 1000 };

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    return 0;
}

static void write_at(struct nv_pair_site *site, const char *sql)
{
    nv_pair_sql(site, sql);
    nv_pair_seal(site);
}

static void exchange(struct nv_pair *pair)
{
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
}

static void check_both(struct nv_pair *pair, const char *sql, const char *expected)
{
    nv_pair_check_text(pair->school.tool, sql, expected);
    nv_pair_check_text(pair->hub.tool, sql, expected);
}

static void check_alike(struct nv_pair *pair)
{
    struct nv_scope_digest hub, school;
    struct nv_error error;
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &hub, &error), &error);
    nv_pair_must(nv_store_digest(pair->school.store, NV_SCOPE_NETWORK, &school, &error), &error);
    assert_memory_equal(&hub.vector, &school.vector, sizeof hub.vector);
    assert_memory_equal(&hub.state, &school.state, sizeof hub.state);
    for (size_t i = 0; i < 2; i++) {
        struct nv_rebuilt rebuilt;
        nv_pair_must(
            nv_store_rebuild(i == 0 ? pair->hub.store : pair->school.store, nv_pair_now, &rebuilt, NULL, &error),
            &error);
        assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    }
}

static const char many_rows[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) "
                                "INSERT INTO item(id, size) SELECT 'n' || i, i FROM n";

static void answer_deletes(struct nv_pair_site *site, const char *key, int choice)
{
    struct nv_buffer bytes = {0};
    struct nv_error error;
    nv_value_encode(&bytes, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)key, strlen(key)}});
    nv_pair_must(
        nv_conflict_resolve(site->store, "item", nv_buffer_slice(&bytes), NULL, choice, NULL, nv_pair_now, &error),
        &error);
    nv_buffer_done(&bytes);
}

/* The answer is a write with an intent beside it: both are sealed together, however much was written before. */
static void an_answer_behind_many_writes_is_whole(void **state)
{
    struct nv_pair *pair = *state;
    write_at(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1)");
    exchange(pair);
    write_at(&pair->hub, "UPDATE item SET name = 'hub'");
    write_at(&pair->hub, "DELETE FROM item");
    write_at(&pair->school, "UPDATE item SET name = 'school'");
    exchange(pair);
    check_both(pair, "SELECT kind, value FROM navette_conflict ORDER BY 1, 2",
               "deleted|NULL\nvalues|hub\nvalues|school\n");
    nv_pair_sql(&pair->school, many_rows);
    answer_deletes(&pair->school, "a", 2);
    nv_pair_seal(&pair->school);
    exchange(pair);
    check_both(pair, "SELECT count(*), sum(id = 'a') FROM item", "6000|0\n");
    check_both(pair, "SELECT count(*) FROM navette_conflict", "0\n");
    check_both(pair, "SELECT count(*) FROM navette_missing", "0\n");
    check_alike(pair);
}

/* Much is waiting to be sealed: what a remote change is about to touch goes first, and the rest when its turn comes. */
static void a_remote_change_meets_a_backlog(void **state)
{
    struct nv_pair *pair = *state;
    write_at(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1), ('b', 'two', 2)");
    exchange(pair);
    write_at(&pair->hub, "UPDATE item SET name = 'hub', size = 10; INSERT INTO item VALUES ('c', 'hub', 3)");
    nv_pair_sql(&pair->school, many_rows);
    nv_pair_sql(&pair->school, "UPDATE item SET name = 'school' WHERE id = 'a'; DELETE FROM item WHERE id = 'b';"
                               "UPDATE item SET name = 'again' WHERE id = 'a'");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM navette_pending_1", "6000\n");
    nv_pair_check_text(pair->school.tool, "SELECT id, size FROM item WHERE id IN ('a', 'b', 'c')", "a|10\nb|10\nc|3\n");
    nv_pair_check_text(pair->school.tool, "SELECT key_text, field, value FROM navette_conflict ORDER BY 1, 2, 3",
                       "a|name|again\na|name|hub\nb|NULL|NULL\n");
    nv_pair_seal(&pair->school);
    exchange(pair);
    check_both(pair, "SELECT count(*) FROM item", "6003\n");
    check_both(pair, "SELECT key_text, field, value FROM navette_conflict ORDER BY 1, 2, 3",
               "a|name|again\na|name|hub\nb|NULL|NULL\n");
    check_alike(pair);
}

/* What was noted is in a table that any tool can write to: no time may lie outside of what the protocol can say. */
static void a_clock_that_is_out_of_its_mind_loses_no_write(void **state)
{
    struct nv_pair *pair = *state;
    static const char *const times[] = {"9223372036854775807", "-9223372036854775808", "253402300800000", "NULL",
                                        "'soon'"};
    write_at(&pair->school, "INSERT INTO item VALUES ('a', 'one', 0), ('gone', 'two', 0)");
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "UPDATE item SET size = size + 1 WHERE id = 'a'; INSERT INTO item VALUES "
                 "('%zu', 'new', 0); UPDATE navette_pending_1 SET at_ms = %s",
                 i, times[i]);
        write_at(&pair->school, sql);
    }
    nv_pair_sql(&pair->school, "DELETE FROM item WHERE id = 'gone'; UPDATE navette_pending_1 SET at_ms = 9e18");
    nv_pair_seal(&pair->school);
    exchange(pair);
    check_both(pair, "SELECT id, size FROM item ORDER BY id", "0|0\n1|0\n2|0\n3|0\n4|0\na|5\n");
    struct nv_verified verified;
    struct nv_error error;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    assert_int_equal(verified.no_ops, 0);
    check_alike(pair);
}

static enum nv_status seal_later(struct nv_pair_site *site, int64_t later_ms)
{
    struct nv_sealed sealed;
    struct nv_error error;
    return nv_store_seal(site->store, (struct nv_wall_ms){nv_pair_now.ms + later_ms}, HOUR_MS, &sealed, &error);
}

/* A form that was opened before a remote change writes the old value back: within an hour nobody can have meant it. */
static void a_stale_form_opens_a_conflict_within_the_hour(void **state)
{
    struct nv_pair *pair = *state;
    static const struct {
        int64_t later_ms;
        const char *key, *conflicts;
    } forms[] = {{HOUR_MS - 1000, "a", "one\ntwo\n"}, {HOUR_MS + 1000, "b", ""}};
    for (size_t i = 0; i < 2; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "INSERT INTO item VALUES ('%s', 'one', 1)", forms[i].key);
        write_at(&pair->hub, sql);
        exchange(pair);
        snprintf(sql, sizeof sql, "UPDATE item SET name = 'two' WHERE id = '%s'", forms[i].key);
        write_at(&pair->hub, sql);
        exchange(pair);
        snprintf(sql, sizeof sql, "UPDATE item SET name = 'one', size = 5 WHERE id = '%s'", forms[i].key);
        nv_pair_sql(&pair->school, sql);
        assert_int_equal(seal_later(&pair->school, forms[i].later_ms), NV_OK);
        exchange(pair);
        snprintf(sql, sizeof sql, "SELECT value FROM navette_conflict WHERE key_text = '%s' ORDER BY 1", forms[i].key);
        check_both(pair, sql, forms[i].conflicts);
        snprintf(sql, sizeof sql, "SELECT size FROM item WHERE id = '%s'", forms[i].key);
        check_both(pair, sql, "5\n");
    }
    check_alike(pair);
}

/* No op could carry it: the row stays here, is listed, and holds up nothing. */
static void a_key_too_long_to_send_stays_here_and_is_listed(void **state)
{
    struct nv_pair *pair = *state;
    write_at(&pair->school, "INSERT INTO item(id, size) VALUES (printf('%05000d', 1), 1), ('a', 2)");
    exchange(pair);
    nv_pair_check_text(pair->school.tool, "SELECT tbl, field, reason, length(key) FROM navette_quarantine",
                       "1|-1|too long|5003\n");
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM item", "2\n");
    nv_pair_check_text(pair->hub.tool, "SELECT id FROM item", "a\n");
    write_at(&pair->school, "DELETE FROM item WHERE length(id) > 4096; UPDATE item SET size = 3");
    exchange(pair);
    check_both(pair, "SELECT id, size FROM item", "a|3\n");
    check_alike(pair);
}

/* Of several values that are too long for one op the longest is left out first, and the rest goes. */
static void of_values_too_long_for_one_op_the_longest_stays_here(void **state)
{
    struct nv_pair *pair = *state;
    write_at(&pair->school, "INSERT INTO item VALUES ('a', zeroblob(9 << 20), 1)");
    exchange(pair);
    nv_pair_check_text(pair->hub.tool, "SELECT length(name), size FROM item", "9437184|1\n");
    write_at(&pair->school, "INSERT INTO item VALUES ('b', zeroblob(9 << 20), zeroblob(10 << 20))");
    exchange(pair);
    nv_pair_check_text(pair->hub.tool, "SELECT length(name), size FROM item WHERE id = 'b'", "9437184|NULL\n");
    nv_pair_check_text(pair->school.tool, "SELECT field, reason, length(value) FROM navette_quarantine",
                       "1|too long|10485760\n");
    check_alike(pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_behind_many_writes_is_whole),
        TEST(a_remote_change_meets_a_backlog),
        TEST(a_clock_that_is_out_of_its_mind_loses_no_write),
        TEST(a_stale_form_opens_a_conflict_within_the_hour),
        TEST(a_key_too_long_to_send_stays_here_and_is_listed),
        TEST(of_values_too_long_for_one_op_the_longest_stays_here),
    };
    return cmocka_run_group_tests_name("sealing", tests, NULL, NULL);
}
