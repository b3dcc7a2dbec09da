/* Capture: what the triggers note of every way to write a row, whoever writes and however the columns are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "store/internal.h"

static const char schema[] =
    "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a, b TEXT NOT NULL DEFAULT 'x');"
    "CREATE TABLE two(one TEXT NOT NULL, two INTEGER NOT NULL, a, PRIMARY KEY(two, one)) WITHOUT ROWID;"
    "CREATE TABLE child(id TEXT NOT NULL PRIMARY KEY, parent TEXT REFERENCES t(id) ON DELETE CASCADE ON UPDATE SET "
    "NULL);"
    "INSERT INTO navette_table(name, scope) VALUES ('t', 'network'), ('two', 'network'), ('child', 'network');";

/* What was noted of table 1, oldest first: what, key, and the old values of updates. */
static const char noted[] =
    "SELECT what, k0, o0, o1 FROM navette_pending_1 LEFT JOIN navette_old_1 USING (n) ORDER BY n";

struct step {
    const char *sql;
    const char *noted;
};

static const struct step steps[] = {
    {"INSERT INTO t(id, a) VALUES ('1', 1), ('2', 2)", "I|1|NULL|NULL\nI|2|NULL|NULL\n"},
    {"INSERT INTO t SELECT id || '0', a, b FROM t", "I|10|NULL|NULL\nI|20|NULL|NULL\n"},
    {"INSERT OR IGNORE INTO t(id, a) VALUES ('1', 9), ('3', 3)", "I|3|NULL|NULL\n"},
    {"UPDATE t SET a = a + 1 WHERE id < '2'", "U|1|1|x\nU|10|1|x\n"},
    {"UPDATE t SET a = a, b = b WHERE id = '1'", "U|1|2|x\n"},
    {"UPDATE t SET id = id WHERE id = '1'", "U|1|2|x\n"},
    {"UPDATE t SET id = '4', b = 'y' WHERE id = '3'", "D|3|NULL|NULL\nI|4|NULL|NULL\n"},
    {"UPDATE OR IGNORE t SET id = '1' WHERE id = '2'", ""},
    {"INSERT INTO t(id, a) VALUES ('1', 5) ON CONFLICT(id) DO UPDATE SET a = excluded.a", "U|1|2|x\n"},
    {"INSERT INTO t(id, a) VALUES ('1', 5) ON CONFLICT DO NOTHING", ""},
    {"INSERT INTO t(id, a) VALUES ('5', 5) ON CONFLICT(id) DO UPDATE SET a = excluded.a", "I|5|NULL|NULL\n"},
    {"DELETE FROM t WHERE id = '5'", "D|5|NULL|NULL\n"},
    {"BEGIN; DELETE FROM t; ROLLBACK", ""},
    {"BEGIN; UPDATE t SET a = 0; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT",
     "U|1|5|x\nU|2|2|x\nU|10|2|x\nU|20|2|x\nU|4|3|y\n"},
    {"INSERT INTO navette_guard VALUES (1); UPDATE t SET a = 7; DELETE FROM t WHERE id = '20'; DELETE FROM "
     "navette_guard",
     ""},
    {"DELETE FROM t", "D|1|NULL|NULL\nD|2|NULL|NULL\nD|10|NULL|NULL\nD|4|NULL|NULL\n"},
};

static void run_step(struct nv_pair *pair, const struct step *step)
{
    nv_pair_sql(&pair->hub, step->sql);
    nv_pair_check_text(pair->hub.tool, noted, step->noted);
    nv_pair_sql(&pair->hub, "DELETE FROM navette_pending_1; DELETE FROM navette_old_1");
}

static void test_what_is_noted_of_every_statement(void **state)
{
    struct nv_pair *pair = *state;
    for (int recursive = 0; recursive < 2; recursive++) {
        nv_pair_sql(&pair->hub, recursive ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF");
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            run_step(pair, &steps[i]);
    }
}

/* The row that REPLACE displaces goes unseen where triggers are not recursive; its key is noted all the same, where a
 * row stands there afterwards, and the record that went away under another key is noted by the key's own change. */
static void test_what_is_noted_of_replace(void **state)
{
    struct nv_pair *pair = *state;
    static const struct step off[] = {
        {"INSERT INTO t(id, a) VALUES ('1', 1), ('2', 2), ('3', 3)", "I|1|NULL|NULL\nI|2|NULL|NULL\nI|3|NULL|NULL\n"},
        {"REPLACE INTO t(id, a) VALUES ('1', 9), ('4', 4)", "I|1|NULL|NULL\nI|4|NULL|NULL\n"},
        {"UPDATE OR REPLACE t SET id = '2' WHERE id = '1'", "D|1|NULL|NULL\nI|2|NULL|NULL\n"},
    };
    static const struct step on[] = {
        {"REPLACE INTO t(id, a) VALUES ('2', 9), ('5', 5)", "D|2|NULL|NULL\nI|2|NULL|NULL\nI|5|NULL|NULL\n"},
        {"UPDATE OR REPLACE t SET id = '3' WHERE id = '2'", "D|3|NULL|NULL\nD|2|NULL|NULL\nI|3|NULL|NULL\n"},
    };
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        run_step(pair, &off[i]);
    nv_pair_sql(&pair->hub, "PRAGMA recursive_triggers = ON");
    for (size_t i = 0; i < sizeof on / sizeof *on; i++)
        run_step(pair, &on[i]);
}

static void test_keys_of_several_columns(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub,
                "INSERT INTO two VALUES ('a', 1, 'v'); UPDATE two SET a = 'w'; UPDATE two SET two = 2, a = 'x';"
                "UPDATE two SET one = 'b', two = 2; DELETE FROM two");
    nv_pair_check_text(pair->hub.tool,
                       "SELECT what, k0, k1, o0 FROM navette_pending_2 LEFT JOIN navette_old_2 USING (n) ORDER BY n",
                       "I|1|a|NULL\nU|1|a|v\nD|1|a|NULL\nI|2|a|NULL\nD|2|a|NULL\nI|2|b|NULL\nD|2|b|NULL\n");
}

static void test_foreign_keys_of_the_writer(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "PRAGMA foreign_keys = ON; INSERT INTO t(id) VALUES ('1'), ('2');"
                            "INSERT INTO child VALUES ('c', '1'), ('d', '2'); DELETE FROM navette_pending_3;"
                            "UPDATE t SET id = '3' WHERE id = '2'; DELETE FROM t WHERE id = '1'");
    nv_pair_check_text(pair->hub.tool, "SELECT what, k0, o0 FROM navette_pending_3 LEFT JOIN navette_old_3 USING (n)",
                       "U|d|2\nD|c|NULL\n");
}

static void test_values_are_noted_bit_by_bit(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "INSERT INTO t(id, a) VALUES ('1', NULL); UPDATE t SET a = 1; UPDATE t SET a = 1.0;"
                            "UPDATE t SET a = '1'; UPDATE t SET a = x'31'; UPDATE t SET a = CAST(x'6100ff' AS TEXT);"
                            "UPDATE t SET a = ''; UPDATE t SET a = x''; UPDATE t SET a = 9223372036854775807;"
                            "UPDATE t SET a = 1e-320; UPDATE t SET a = 0");
    nv_pair_check_text(
        pair->hub.tool, "SELECT typeof(o0), hex(o0) FROM navette_old_1 ORDER BY n",
        "null|\ninteger|31\nreal|312E30\ntext|31\nblob|31\ntext|6100FF\ntext|\nblob|\n"
        "integer|39323233333732303336383534373735383037\nreal|392E3939393838383637313832363833652D333231\n");
}

static void test_the_time_is_the_writers_clock(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "INSERT INTO t(id) VALUES ('1')");
    nv_pair_check_text(pair->hub.tool,
                       "SELECT typeof(at_ms), abs(at_ms - 1000 * CAST(strftime('%s', 'now') AS INTEGER)) < 60000 "
                       "FROM navette_pending_1",
                       "integer|1\n");
}

/* ---- names ---- */

static void test_names_of_every_kind(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_publish(
        pair,
        "CREATE TABLE \"we\"\"ird [name] 'x'; --\"(\"select\" TEXT NOT NULL, `a b` TEXT NOT NULL, [o0] TEXT, "
        "\"é\" TEXT, 'quo''ted' TEXT, n TEXT, what TEXT, at_ms TEXT, k0 TEXT, \"na\"\"me\" TEXT, \"NEW\", \"OLD\", "
        "\"rowid\", PRIMARY KEY([select], \"a b\"));"
        "INSERT INTO navette_table(name, scope) VALUES ('we\"ird [name] ''x''; --', 'network');");
    nv_pair_deliver(&pair->hub, &pair->school);
    static const char insert[] =
        "INSERT INTO \"we\"\"ird [name] 'x'; --\" VALUES ('s', 'b', '1', '2', '3', '4', '5', '6', "
        "'7', '8', '9', '10', '11')";
    static const char select[] = "SELECT * FROM \"we\"\"ird [name] 'x'; --\"";
    nv_pair_sql(&pair->hub, insert);
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, select, "s|b|1|2|3|4|5|6|7|8|9|10|11\n");
    nv_pair_sql(&pair->school, "UPDATE \"we\"\"ird [name] 'x'; --\" SET \"na\"\"me\" = 'mine', [select] = 't'");
    nv_pair_sql(&pair->school, "UPDATE \"we\"\"ird [name] 'x'; --\" SET o0 = NULL, \"NEW\" = 'o'");
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_check_text(pair->hub.tool, select, "t|b|NULL|2|3|4|5|6|7|mine|o|10|11\n");
}

/* ---- the stock shell ---- */

static void test_the_sqlite3_shell_writes(void **state)
{
    struct nv_pair *pair = *state;
    char command[400];
    snprintf(command, sizeof command,
             "sqlite3 -bail '%s' \"INSERT INTO t(id, a) VALUES ('1', 1); UPDATE t SET a = 2; REPLACE INTO t(id) VALUES "
             "('1');"
             " UPDATE OR REPLACE t SET id = '2'; DELETE FROM t\"",
             pair->hub.path);
    assert_int_equal(system(command), 0);
    nv_pair_check_text(pair->hub.tool, noted,
                       "I|1|NULL|NULL\nU|1|1|x\nI|1|NULL|NULL\nD|1|NULL|NULL\nI|2|NULL|NULL\nD|2|NULL|NULL\n");
}

/* ---- looking after the triggers ---- */

static void check_tracking(struct nv_pair *pair, bool table_there, bool triggers_there)
{
    bool is_there, has_triggers;
    struct nv_error error;
    const struct nv_table *table = nv_store_table(pair->hub.store, "t");
    nv_pair_must(nv_tracking_check(pair->hub.store, table, &is_there, &has_triggers, &error), &error);
    assert_int_equal(is_there, table_there);
    assert_int_equal(has_triggers, triggers_there);
}

static void test_triggers_that_are_gone_or_changed_are_seen(void **state)
{
    struct nv_pair *pair = *state;
    static const char *const harm[] = {
        "DROP TRIGGER navette_insert_1",
        "DROP TRIGGER navette_update_1",
        "DROP TRIGGER navette_rekey_1",
        "DROP TRIGGER navette_delete_1; CREATE TRIGGER navette_delete_1 AFTER DELETE ON t BEGIN SELECT 1; END",
        "DROP TRIGGER navette_insert_1; CREATE TRIGGER navette_insert_1 AFTER INSERT ON two BEGIN SELECT 1; END",
        "DROP TABLE navette_pending_1",
        "DROP TABLE navette_old_1",
        "ALTER TABLE t RENAME TO moved; CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a, b TEXT)",
    };
    struct nv_error error;
    check_tracking(pair, true, true);
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        nv_pair_sql(&pair->hub, harm[i]);
        check_tracking(pair, true, false);
        nv_pair_must(nv_tracking_install(pair->hub.store, nv_store_table(pair->hub.store, "t"), &error), &error);
        check_tracking(pair, true, true);
        /* A look at any table is what makes SQLite read the schema anew, where a trigger's table is the one that moved.
         */
        nv_pair_sql(&pair->hub, "SELECT * FROM navette_meta; DELETE FROM t; DELETE FROM navette_pending_1;"
                                "DELETE FROM navette_old_1");
        run_step(pair, &(struct step){"INSERT INTO t(id) VALUES ('again')", "I|again|NULL|NULL\n"});
    }
    nv_pair_sql(&pair->hub, "ALTER TABLE t RENAME COLUMN a TO c");
    check_tracking(pair, false, false);
    nv_pair_sql(&pair->hub, "ALTER TABLE t RENAME COLUMN c TO a");
    check_tracking(pair, true, true);
    nv_pair_sql(&pair->hub, "DROP TABLE t");
    check_tracking(pair, false, false);
}

static void test_columns_that_come_later_are_noted(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "INSERT INTO t(id) VALUES ('1'); UPDATE t SET a = 1");
    nv_pair_publish(pair, "ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT 'new'");
    nv_pair_sql(&pair->hub, "UPDATE t SET c = 'newer'");
    nv_pair_check_text(pair->hub.tool, "SELECT o0, o1, o2 FROM navette_old_1 ORDER BY n", "NULL|x|NULL\n1|x|new\n");
    nv_pair_seal(&pair->hub);
    nv_pair_check_text(pair->hub.tool,
                       "SELECT count(*) FROM navette_pending_1 UNION ALL SELECT count(*) FROM navette_old_1", "0\n0\n");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT * FROM t", "1|1|x|newer\n");
}

/* Old values that somebody left behind must not be in the way of the next write, nor be taken for its own. */
static void test_notes_deleted_by_hand(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "INSERT INTO t(id, a) VALUES ('1', 1)");
    nv_pair_seal(&pair->hub);
    nv_pair_sql(&pair->hub, "UPDATE t SET a = 2; DELETE FROM navette_pending_1; UPDATE t SET a = 3");
    nv_pair_check_text(pair->hub.tool, noted, "U|1|2|x\n");
}

static int setup(void **state)
{
    nv_pair_setup(state);
    nv_pair_publish(*state, schema);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_noted_of_every_statement, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_noted_of_replace, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_keys_of_several_columns, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_foreign_keys_of_the_writer, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_values_are_noted_bit_by_bit, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_the_time_is_the_writers_clock, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_names_of_every_kind, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_the_sqlite3_shell_writes, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_triggers_that_are_gone_or_changed_are_seen, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_columns_that_come_later_are_noted, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_notes_deleted_by_hand, setup, nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
