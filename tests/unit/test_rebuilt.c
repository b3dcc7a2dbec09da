/* Tables that a tool takes apart and makes anew, while changes come from elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"

static const char rows[] = "SELECT id, a FROM t ORDER BY id";
static const char missing[] = "SELECT count(*) FROM navette_missing";

/* The triggers go with the old table, so nothing of this is noted. */
static const char rebuild[] = "BEGIN; CREATE TABLE new_t(id TEXT NOT NULL PRIMARY KEY, a TEXT);"
                              "INSERT INTO new_t SELECT id, a FROM t WHERE id <> '2';"
                              "UPDATE new_t SET a = 'changed' WHERE id = '1';"
                              "INSERT INTO new_t VALUES ('4', 'new');"
                              "DROP TABLE t; ALTER TABLE new_t RENAME TO t; COMMIT";

static void test_changed_and_new_rows_are_sealed_and_missing_ones_are_not(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, rebuild);
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->hub.tool, rows, "1|changed\n3|c\n4|new\n");
    nv_pair_check_text(pair->hub.tool, missing, "1\n");
    nv_pair_check_text(pair->school.tool, rows, "1|changed\n2|b\n3|c\n4|new\n");
}

static void test_a_missing_row_that_is_deleted_is_a_delete(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, rebuild);
    nv_pair_seal(&pair->hub);
    nv_pair_sql(&pair->hub, "INSERT INTO t VALUES ('2', 'b'); DELETE FROM t WHERE id = '2'");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->hub.tool, missing, "0\n");
    nv_pair_check_text(pair->school.tool, rows, "1|changed\n3|c\n4|new\n");
}

static void test_what_comes_while_the_table_is_gone_is_merged_once_it_is_back(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->school, "ALTER TABLE t RENAME TO kept");
    nv_pair_sql(&pair->hub, "UPDATE t SET a = 'of the hub' WHERE id = '1'; DELETE FROM t WHERE id = '3'");
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 1);
    nv_pair_sql(&pair->school, "ALTER TABLE kept RENAME TO t");
    nv_pair_seal(&pair->school);
    nv_pair_check_text(pair->school.tool, rows, "1|of the hub\n2|b\n");
}

/* Three records that both have. */
static int setup(void **state)
{
    nv_pair_setup(state);
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('t', 'network');");
    nv_pair_sql(&pair->hub, "INSERT INTO t VALUES ('1', 'a'), ('2', 'b'), ('3', 'c')");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, rows, "1|a\n2|b\n3|c\n");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changed_and_new_rows_are_sealed_and_missing_ones_are_not, setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_missing_row_that_is_deleted_is_a_delete, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_what_comes_while_the_table_is_gone_is_merged_once_it_is_back, setup,
                                        nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
