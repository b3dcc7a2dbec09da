/* What a writer claims to have seen, and when it wrote: the parts of an op that no receiver can check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"

static const char conflicts[] = "SELECT value, time_ms, shown FROM navette_conflict ORDER BY choice";
static const char values[] = "SELECT value FROM navette_conflict ORDER BY choice";

/* Writes the field at a site as a program whose clock shows `at` does, and seals it. */
static void write_at(struct nv_pair_site *site, const char *value, const char *at)
{
    char *sql =
        sqlite3_mprintf("UPDATE t SET a = '%q'; UPDATE navette_pending_1 SET at_ms = %s WHERE what = 'U'", value, at);
    nv_pair_sql(site, sql);
    sqlite3_free(sql);
    nv_pair_seal(site);
}

static void exchange(struct nv_pair *pair)
{
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
}

/* Both wrote without knowing of each other; the school's is the later one, and is shown. */
static void collide(struct nv_pair *pair)
{
    write_at(&pair->hub, "of the hub", "2000");
    write_at(&pair->school, "of the school", "3000");
    exchange(pair);
}

static void test_the_time_is_that_of_the_write(void **state)
{
    struct nv_pair *pair = *state;
    collide(pair);
    nv_pair_check_text(pair->hub.tool, conflicts, "of the hub|2000|0\nof the school|3000|1\n");
    nv_pair_check_text(pair->school.tool, conflicts, "of the hub|2000|0\nof the school|3000|1\n");
}

static void test_a_plain_write_covers_what_the_row_showed(void **state)
{
    struct nv_pair *pair = *state;
    collide(pair);
    write_at(&pair->hub, "of the hub, again", "4000");
    exchange(pair);
    nv_pair_check_text(pair->hub.tool, values, "of the hub\nof the hub, again\n");
    nv_pair_check_text(pair->school.tool, values, "of the hub\nof the hub, again\n");
}

static void test_a_form_saved_late_covers_nothing_that_it_did_not_show(void **state)
{
    struct nv_pair *pair = *state;
    write_at(&pair->school, "of the school", "3000");
    exchange(pair);
    nv_pair_check_text(pair->hub.tool, "SELECT a FROM t", "of the school\n");
    write_at(&pair->hub, "first", "4000");
    exchange(pair);
    nv_pair_check_text(pair->hub.tool, values, "first\nof the school\n");
    nv_pair_check_text(pair->school.tool, values, "first\nof the school\n");
}

static void test_a_write_of_something_else_covers_what_was_there(void **state)
{
    struct nv_pair *pair = *state;
    write_at(&pair->school, "of the school", "3000");
    exchange(pair);
    write_at(&pair->hub, "second", "4000");
    exchange(pair);
    nv_pair_check_text(pair->hub.tool, values, "");
    nv_pair_check_text(pair->school.tool, "SELECT a FROM t", "second\n");
}

/* One record that both have, with the value "first". */
static int setup(void **state)
{
    nv_pair_setup(state);
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('t', 'network');");
    nv_pair_sql(&pair->hub, "INSERT INTO t(id, a) VALUES ('1', 'first')");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_time_is_that_of_the_write, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_plain_write_covers_what_the_row_showed, setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_form_saved_late_covers_nothing_that_it_did_not_show, setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_write_of_something_else_covers_what_was_there, setup, nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
