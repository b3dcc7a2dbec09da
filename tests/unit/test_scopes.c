/* Records by scope: where a new one goes, what its row shows of several, and who may write what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "store/care.h"

static const char schema[] =
    "CREATE TABLE notice(id TEXT NOT NULL PRIMARY KEY, text TEXT);"
    "CREATE TABLE note(id TEXT NOT NULL PRIMARY KEY, text TEXT);"
    "CREATE TABLE draft(id TEXT NOT NULL PRIMARY KEY, text TEXT);"
    "CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, name TEXT, phone TEXT, visible_to TEXT);"
    "CREATE TABLE mark(id TEXT NOT NULL PRIMARY KEY, note TEXT, stay TEXT REFERENCES stay(id));"
    "CREATE TABLE stay(id TEXT NOT NULL PRIMARY KEY, place TEXT, learner TEXT REFERENCES learner);"
    "CREATE TABLE day(learner TEXT NOT NULL REFERENCES learner(id), day TEXT NOT NULL, hours INTEGER, "
    "PRIMARY KEY (day, learner));"
    "CREATE TABLE offer(id TEXT NOT NULL PRIMARY KEY, title TEXT, places INTEGER);"
    "INSERT INTO navette_table(name, scope) VALUES ('notice', 'network'), ('draft', NULL), ('note', NULL), "
    "('learner', 'column:visible_to'), ('mark', 'parent:stay'), ('stay', 'parent:learner'), ('day', 'parent:learner');"
    "INSERT INTO navette_table(name, scope, writers) VALUES ('offer', 'network', 'home')";

static int setup(void **state)
{
    if (nv_groups_setup(state) != 0)
        return -1;
    nv_groups_publish(*state, schema);
    return 0;
}

#define CHECK(site, sql, expected) nv_pair_check_text((site)->tool, sql, expected)

/* The scopes, by name, of all versions that the site keeps of a table's records. */
static void check_scopes(struct nv_groups *groups, struct nv_pair_site *site, const char *table, const char *expected)
{
    char sql[600];
    snprintf(sql, sizeof sql,
             "SELECT CASE s.id WHEN x'00000000000000000000000000000001' THEN 'network' "
             "WHEN (SELECT value FROM navette_meta WHERE name = 'site') THEN 'own' "
             "ELSE coalesce((SELECT name FROM navette_group WHERE scope = s.id), 'other') END AS of, count(*) "
             "FROM navette_version AS v JOIN navette_scope AS s ON s.number = v.scope "
             "JOIN navette_table AS t ON t.number = v.tbl WHERE t.name = '%s' GROUP BY of ORDER BY of",
             table);
    (void)groups;
    nv_pair_check_text(site->tool, sql, expected);
}

/* ---- where a new record goes ---- */

static void a_table_of_the_site_stays_at_its_site(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north,
                "INSERT INTO draft VALUES ('d', 'of the north'); INSERT INTO notice VALUES ('n', 'all')");
    nv_pair_sql(groups->south, "INSERT INTO draft VALUES ('d', 'of the south')");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT text FROM draft", "of the north\n");
    CHECK(groups->south, "SELECT text FROM draft", "of the south\n");
    CHECK(groups->hub, "SELECT count(*) FROM draft", "0\n");
    CHECK(groups->hub, "SELECT text FROM notice", "all\n");
    CHECK(groups->hub, "SELECT count(*) FROM navette_log WHERE has_seq > 0 AND applied_seq = 0", "2\n");
    check_scopes(groups, groups->north, "draft", "own|1\n");
    nv_groups_check(groups);
}

static void a_column_says_who_reads_a_record(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner VALUES ('own', 'A', '1', NULL), ('all', 'B', '2', 'network'), "
                               "('both', 'C', '3', 'group/both'), ('hub', 'D', '4', 'GROUP/Hub'), "
                               "('site', 'E', '5', 'site/school'), ('alone', 'F', '6', 'group/north')");
    nv_groups_settle(groups);
    check_scopes(groups, groups->north, "learner", "both|1\nhub|1\nnetwork|1\nnorth|1\nown|2\n");
    CHECK(groups->hub, "SELECT id, phone FROM learner ORDER BY id", "all|2\nhub|4\n");
    CHECK(groups->south, "SELECT id, phone FROM learner ORDER BY id", "all|2\nboth|3\n");
    CHECK(groups->north, "SELECT count(*) FROM navette_unplaced", "0\n");
    nv_pair_sql(groups->south, "UPDATE learner SET name = 'CC' WHERE id = 'both'");
    nv_pair_sql(groups->hub, "DELETE FROM learner WHERE id = 'hub'");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT id, name FROM learner WHERE id IN ('both', 'hub')", "both|CC\n");
    nv_groups_check(groups);
}

static void what_cannot_be_read_here_stays_here_and_is_listed(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->south,
                "INSERT INTO learner VALUES ('1', 'A', '1', 'group/none'), ('2', 'B', '2', 'group/hub'), "
                "('3', 'C', '3', 'site/hub'), ('4', 'D', '4', x'00'), ('5', 'E', '5', 'group/both')");
    nv_pair_sql(groups->south, "INSERT INTO stay VALUES ('s', 'X', 'nobody'), ('t', 'Y', NULL), ('u', 'Z', '5')");
    nv_groups_settle(groups);
    check_scopes(groups, groups->south, "learner", "both|1\nown|4\n");
    check_scopes(groups, groups->south, "stay", "both|1\nown|2\n");
    CHECK(groups->south, "SELECT count(*) FROM navette_unplaced", "6\n");
    CHECK(groups->north, "SELECT id FROM learner", "5\n");
    CHECK(groups->hub, "SELECT count(*) FROM learner", "0\n");
    nv_groups_check(groups);
}

static void children_are_where_their_parents_are(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north,
                "BEGIN; INSERT INTO mark VALUES ('m', 'good', 's'); INSERT INTO stay VALUES ('s', 'X', 'l');"
                "INSERT INTO day VALUES ('l', 'monday', 7); INSERT INTO learner VALUES ('l', 'A', '1', 'group/both');"
                "INSERT INTO stay VALUES ('own', 'Y', 'k'); INSERT INTO learner VALUES ('k', 'B', '2', NULL); COMMIT");
    nv_groups_settle(groups);
    check_scopes(groups, groups->north, "mark", "both|1\n");
    check_scopes(groups, groups->north, "stay", "both|1\nown|1\n");
    check_scopes(groups, groups->north, "day", "both|1\n");
    CHECK(groups->north, "SELECT count(*) FROM navette_unplaced", "0\n");
    CHECK(groups->south, "SELECT note, place, hours FROM mark JOIN stay ON stay.id = stay JOIN day USING (learner)",
          "good|X|7\n");
    nv_pair_sql(groups->south, "INSERT INTO mark VALUES ('n', 'better', 's')");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT note FROM mark ORDER BY id", "good\nbetter\n");
    CHECK(groups->hub, "SELECT (SELECT count(*) FROM mark) + (SELECT count(*) FROM stay)", "0\n");
    nv_groups_check(groups);
}

/* However many and however small, and however large: what is written is sealed. */
static void as_many_are_sealed_as_are_written(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north,
                "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1900) "
                "INSERT INTO draft SELECT i, i FROM n; "
                "INSERT INTO learner(id) SELECT id FROM draft; INSERT INTO offer(id) SELECT id FROM draft; "
                "INSERT INTO note(id) SELECT id FROM draft; COMMIT");
    nv_pair_seal(groups->north);
    CHECK(groups->north, "SELECT max(ops) <= 4096, sum(ops) > 7600 FROM navette_changeset WHERE ops > 1", "1|1\n");
}

static void what_no_box_holds_stays_here(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO draft VALUES ('long', hex(zeroblob(7500000))), ('short', 'a')");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT reason, length(value) FROM navette_quarantine", "too long|15000000\n");
    nv_groups_check(groups);
}

/* ---- several records of one key ---- */

/* Each site makes a record of one key for other readers; then the narrower ones go, one after the other. */
static void a_row_shows_the_narrowest_and_values_never_merge(void **state)
{
    struct nv_groups *groups = *state;
    static const char collisions[] =
        "SELECT choice, value = (SELECT lower(hex(scope)) FROM navette_group WHERE name = 'both'), "
        "value = '00000000000000000000000000000001', shown, kind FROM navette_conflict ORDER BY choice";
    nv_pair_sql(groups->north, "INSERT INTO learner VALUES ('l', 'both', '1', 'group/both')");
    nv_pair_sql(groups->hub, "INSERT INTO learner VALUES ('l', 'network', '2', 'network')");
    nv_pair_sql(groups->south, "INSERT INTO learner VALUES ('l', 'own', '3', NULL)");
    nv_groups_settle(groups);
    CHECK(groups->hub, "SELECT name, phone FROM learner", "network|2\n");
    CHECK(groups->north, "SELECT name, phone FROM learner", "both|1\n");
    CHECK(groups->south, "SELECT name, phone FROM learner", "own|3\n");
    CHECK(groups->hub, "SELECT count(*) FROM navette_conflict", "0\n");
    CHECK(groups->north, collisions, "1|1|0|1|scopes\n2|0|1|0|scopes\n");
    CHECK(groups->south, collisions, "1|0|0|1|scopes\n2|1|0|0|scopes\n3|0|1|0|scopes\n");
    nv_groups_check(groups);

    nv_pair_sql(groups->south, "UPDATE learner SET phone = 'private'");
    nv_pair_sql(groups->hub, "UPDATE learner SET phone = '22'");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT name, phone FROM learner", "both|1\n");
    CHECK(groups->hub, "SELECT name, phone FROM learner", "network|22\n");
    CHECK(groups->south, "SELECT name, phone FROM learner", "own|private\n");

    nv_pair_sql(groups->south, "DELETE FROM learner");
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT name, phone FROM learner", "both|1\n");
    CHECK(groups->south, collisions, "1|1|0|1|scopes\n2|0|1|0|scopes\n");
    nv_pair_sql(groups->north, "DELETE FROM learner");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT name, phone FROM learner", "network|22\n");
    CHECK(groups->south, "SELECT name, phone FROM learner", "network|22\n");
    CHECK(groups->south, "SELECT count(*) FROM navette_conflict", "0\n");
    nv_pair_sql(groups->south, "UPDATE learner SET phone = '222'");
    nv_groups_settle(groups);
    CHECK(groups->hub, "SELECT name, phone FROM learner", "network|222\n");
    nv_groups_check(groups);
}

/* A conflict of a record that the row does not show is open all the same, and answered where the row shows it. */
static void conflicts_behind_a_narrower_record_are_listed(void **state)
{
    struct nv_groups *groups = *state;
    struct nv_buffer key = {0};
    struct nv_error error;
    static const char listed[] = "SELECT field, value FROM navette_conflict WHERE kind = 'values' ORDER BY choice";
    nv_pair_sql(groups->hub, "INSERT INTO learner VALUES ('l', 'network', '0', 'network')");
    nv_groups_settle(groups);
    nv_pair_sql(groups->hub, "UPDATE learner SET phone = '1'");
    nv_pair_sql(groups->south, "UPDATE learner SET phone = '2'");
    nv_pair_sql(groups->north, "DELETE FROM learner");
    nv_pair_seal(groups->north);
    nv_pair_sql(groups->north, "INSERT INTO learner VALUES ('l', 'own', '3', NULL)");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT name, phone FROM learner", "own|3\n");
    CHECK(groups->north, listed, "phone|1\nphone|2\n");
    CHECK(groups->south, listed, "phone|1\nphone|2\n");
    nv_groups_check(groups);
    nv_value_encode(&key, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)"l", 1}});
    assert_int_equal(nv_conflict_resolve(groups->north->store, "learner", nv_buffer_slice(&key), "phone", 1, NULL,
                                         nv_pair_now, &error),
                     NV_NOT_FOUND);
    nv_pair_must(nv_conflict_resolve(groups->hub->store, "learner", nv_buffer_slice(&key), "phone", 1, NULL,
                                     nv_pair_now, &error),
                 &error);
    nv_buffer_done(&key);
    nv_groups_settle(groups);
    CHECK(groups->north, listed, "");
    CHECK(groups->north, "SELECT name, phone FROM learner", "own|3\n");
    nv_groups_check(groups);
}

/* ---- who may write ---- */

static void only_the_home_writes_where_writers_are_the_home(void **state)
{
    struct nv_groups *groups = *state;
    static const char listed[] = "SELECT field, reason, value, count FROM navette_quarantine ORDER BY field, value";
    nv_pair_sql(groups->north, "INSERT INTO offer VALUES ('o', 'baker', 2)");
    nv_groups_settle(groups);
    nv_pair_sql(groups->south, "UPDATE offer SET places = 99, title = 'mine'");
    nv_groups_settle(groups);
    nv_pair_sql(groups->south, "UPDATE offer SET places = 99");
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT title, places FROM offer", "baker|2\n");
    CHECK(groups->south, listed, "0|right|mine|1\n1|right|99|2\n");
    nv_pair_sql(groups->south, "DELETE FROM offer");
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT title, places FROM offer", "baker|2\n");
    CHECK(groups->south, listed, "-1|right|NULL|1\n0|right|mine|1\n1|right|99|2\n");
    CHECK(groups->north, "SELECT title, places FROM offer", "baker|2\n");
    CHECK(groups->north, "SELECT count(*) FROM navette_quarantine", "0\n");
    nv_pair_sql(groups->north, "UPDATE offer SET places = 1");
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT title, places FROM offer", "baker|1\n");
    nv_groups_check(groups);
}

/* Two homes make a record of one key: they are two. */
static void each_home_has_its_own_record(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO offer VALUES ('o', 'north', 1)");
    nv_pair_sql(groups->south, "INSERT INTO offer VALUES ('o', 'south', 2)");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT title, places FROM offer", "north|1\n");
    CHECK(groups->south, "SELECT title, places FROM offer", "south|2\n");
    CHECK(groups->hub, "SELECT kind, count(*) FROM navette_conflict GROUP BY kind", "scopes|2\n");
    nv_pair_sql(groups->north, "UPDATE offer SET places = 11");
    nv_pair_sql(groups->south, "UPDATE offer SET places = 22");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT title, places FROM offer", "north|11\n");
    CHECK(groups->south, "SELECT title, places FROM offer", "south|22\n");
    nv_groups_check(groups);
    nv_pair_sql(groups->north, "DELETE FROM offer");
    nv_groups_settle(groups);
    CHECK(groups->hub, "SELECT title, places FROM offer", "south|22\n");
    CHECK(groups->north, "SELECT title, places FROM offer", "south|22\n");
    CHECK(groups->hub, "SELECT count(*) FROM navette_conflict", "0\n");
    nv_groups_check(groups);
}

static void only_the_home_says_who_reads_a_record(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner VALUES ('l', 'A', '1', 'group/both')");
    nv_groups_settle(groups);
    nv_pair_sql(groups->south, "UPDATE learner SET visible_to = 'network', phone = '2'");
    nv_groups_settle(groups);
    nv_pair_sql(groups->south, "UPDATE learner SET visible_to = 'network'");
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT phone, visible_to FROM learner", "2|group/both\n");
    CHECK(groups->north, "SELECT phone, visible_to FROM learner", "2|group/both\n");
    CHECK(groups->south, "SELECT field, reason, value, count FROM navette_quarantine", "2|home|network|2\n");
    CHECK(groups->hub, "SELECT count(*) FROM learner", "0\n");
    nv_groups_check(groups);
}

/* ---- what a site no longer reads ---- */

static const char held[] =
    "SELECT (SELECT count(*) FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log "
    "JOIN navette_group AS g ON g.scope = l.scope), "
    "(SELECT count(*) FROM navette_version AS v JOIN navette_scope AS s ON s.number = v.scope "
    "JOIN navette_group AS g ON g.scope = s.id), "
    "(SELECT count(*) FROM navette_conflict)";

/* The south is taken out of the group while it writes, and comes into it again. */
static void a_site_keeps_nothing_of_a_group_that_it_is_taken_out_of(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->hub, "INSERT INTO learner VALUES ('2', 'for all', '0', 'network')");
    nv_pair_sql(groups->north,
                "INSERT INTO learner VALUES ('1', 'A', '1', 'group/both'), ('2', 'B', '2', 'group/both'), "
                "('3', 'C', '3', 'group/both'), ('4', 'D', '4', 'group/both')");
    nv_groups_settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET phone = 'x' WHERE id = '4'");
    nv_pair_sql(groups->south,
                "UPDATE learner SET phone = 'y' WHERE id = '4';"
                "INSERT INTO stay VALUES ('s', 'X', '1'); INSERT INTO learner VALUES ('5', 'E', '5', NULL)");
    nv_groups_settle(groups);
    uint64_t epoch = nv_store_identity(groups->south->store)->epoch;

    nv_groups_list(groups, "group/both", groups->south, false);
    nv_pair_sql(groups->south,
                "UPDATE learner SET phone = 'late' WHERE id IN ('1', '2'); DELETE FROM learner WHERE id = '3';"
                "INSERT INTO learner VALUES ('6', 'F', '6', 'group/both')");
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT id, phone FROM learner ORDER BY id", "2|0\n5|5\n6|6\n");
    CHECK(groups->south, "SELECT count(*) FROM stay", "0\n");
    CHECK(groups->south, held, "0|0|0\n");
    CHECK(groups->south, "SELECT field, reason, value, count(*) FROM navette_quarantine GROUP BY 1, 2, 3",
          "-1|right|NULL|1\n1|right|late|2\n");
    CHECK(groups->south, "SELECT count(*) FROM navette_unplaced", "1\n");
    assert_true(nv_store_identity(groups->south->store)->epoch != epoch);
    CHECK(groups->north, "SELECT id, phone FROM learner WHERE id <> '4' ORDER BY id", "1|1\n2|2\n3|3\n");
    CHECK(groups->hub, "SELECT applied_seq FROM navette_log JOIN navette_group USING (scope)", "0\n0\n");
    nv_groups_check(groups);

    nv_pair_sql(groups->north, "UPDATE learner SET name = 'AA' WHERE id = '1'");
    nv_groups_list(groups, "group/both", groups->south, true);
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT id, name, phone FROM learner WHERE id <> '4' ORDER BY id",
          "1|AA|1\n2|B|2\n3|C|3\n5|E|5\n6|F|6\n");
    CHECK(groups->south, "SELECT kind, field, value FROM navette_conflict WHERE kind = 'values' ORDER BY choice",
          "values|phone|x\nvalues|phone|y\n");
    nv_pair_sql(groups->south, "UPDATE learner SET phone = 'again' WHERE id = '1'");
    nv_groups_settle(groups);
    CHECK(groups->north, "SELECT phone FROM learner WHERE id = '1'", "again\n");
    nv_groups_check(groups);
}

/* A hub that is in a group keeps its logs for others when it is taken out, and merges them anew once it is in it again.
 */
static void a_hub_keeps_for_others_what_it_no_longer_reads(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner VALUES ('l', 'A', '1', 'group/hub')");
    nv_groups_settle(groups);
    CHECK(groups->hub, held, "1|1|0\n");
    nv_groups_list(groups, "group/hub", groups->hub, false);
    nv_pair_seal(groups->hub);
    CHECK(groups->hub, held, "1|0|0\n");
    CHECK(groups->hub, "SELECT count(*) FROM learner", "0\n");
    nv_groups_list(groups, "group/hub", groups->hub, true);
    nv_pair_seal(groups->hub);
    CHECK(groups->hub, held, "1|1|0\n");
    CHECK(groups->hub, "SELECT name FROM learner", "A\n");
    nv_groups_check(groups);
}

/* A table that a tool has taken away for a moment is waited for, and nothing of the scope is read meanwhile. */
static void what_leaves_waits_for_a_table_that_is_away(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner VALUES ('l', 'A', '1', 'group/both')");
    nv_groups_settle(groups);
    nv_groups_list(groups, "group/both", groups->south, false);
    nv_pair_sql(groups->south, "ALTER TABLE learner RENAME TO elsewhere");
    nv_pair_seal(groups->south);
    nv_groups_list(groups, "group/both", groups->south, true);
    nv_pair_seal(groups->south);
    CHECK(groups->south, held, "1|1|0\n");
    nv_pair_sql(groups->south, "ALTER TABLE elsewhere RENAME TO learner");
    nv_groups_settle(groups);
    nv_groups_settle(groups);
    CHECK(groups->south, "SELECT name FROM learner", "A\n");
    CHECK(groups->south, "SELECT count(*) FROM navette_scope WHERE leaving", "0\n");
    nv_groups_check(groups);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_groups_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_of_the_site_stays_at_its_site),
        TEST(as_many_are_sealed_as_are_written),
        TEST(what_no_box_holds_stays_here),
        TEST(a_column_says_who_reads_a_record),
        TEST(what_cannot_be_read_here_stays_here_and_is_listed),
        TEST(children_are_where_their_parents_are),
        TEST(a_row_shows_the_narrowest_and_values_never_merge),
        TEST(conflicts_behind_a_narrower_record_are_listed),
        TEST(only_the_home_writes_where_writers_are_the_home),
        TEST(each_home_has_its_own_record),
        TEST(only_the_home_says_who_reads_a_record),
        TEST(a_site_keeps_nothing_of_a_group_that_it_is_taken_out_of),
        TEST(a_hub_keeps_for_others_what_it_no_longer_reads),
        TEST(what_leaves_waits_for_a_table_that_is_away),
    };
    return cmocka_run_group_tests_name("scopes", tests, NULL, NULL);
}
