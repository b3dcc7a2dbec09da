/* Answers to conflicts: what is taken, what is refused and changes nothing, and what every site shows afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "store/care.h"

/* 'a' has two names and two sizes; 'b' was deleted at the hub and edited at the school. */
static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1), ('b', 'two', 2), ('c', 'three', 3)");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, "UPDATE item SET name = 'hub', size = 10 WHERE id = 'a'; DELETE FROM item WHERE id = 'b'");
    nv_pair_sql(&pair->school, "UPDATE item SET name = 'school', size = 20 WHERE id = 'a';"
                               "UPDATE item SET name = 'edited' WHERE id = 'b'");
    nv_pair_seal(&pair->hub);
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->hub.tool, "SELECT key_text, field, value FROM navette_conflict ORDER BY 1, 2, choice",
                       "a|name|hub\na|name|school\na|size|10\na|size|20\nb|NULL|NULL\n");
    return 0;
}

struct answer {
    const char *table, *key, *field;
    int choice;
    const char *value;
};

static enum nv_status answer(struct nv_pair_site *site, const struct answer *answer)
{
    struct nv_buffer key = {0};
    struct nv_error error;
    nv_value_encode(&key,
                    &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)answer->key, strlen(answer->key)}});
    enum nv_status status = nv_conflict_resolve(site->store, answer->table, nv_buffer_slice(&key), answer->field,
                                                answer->choice, answer->value, nv_pair_now, &error);
    nv_buffer_done(&key);
    return status;
}

/* The school answered: both show this, and nothing is open about the record any more. */
static void check_answered(struct nv_pair *pair, const char *sql, const char *expected)
{
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_check_text(pair->school.tool, sql, expected);
    nv_pair_check_text(pair->hub.tool, sql, expected);
}

static void what_names_no_open_conflict_changes_nothing(void **state)
{
    struct nv_pair *pair = *state;
    static const struct {
        struct answer answer;
        enum nv_status expected;
    } wrong[] = {
        {{"nothing", "a", "name", 1, NULL}, NV_NOT_FOUND},
        {{"item", "a", "colour", 1, NULL}, NV_NOT_FOUND},
        {{"item", "nobody", "name", 1, NULL}, NV_NOT_FOUND},
        {{"item", "c", "name", 1, NULL}, NV_NOT_FOUND},
        {{"item", "c", NULL, 1, NULL}, NV_NOT_FOUND},
        {{"item", "a", NULL, 1, NULL}, NV_NOT_FOUND},
        {{"item", "a", "name", 3, NULL}, NV_NOT_FOUND},
        {{"item", "b", "name", 1, NULL}, NV_NOT_FOUND},
        {{"item", "b", NULL, 0, NULL}, NV_USAGE},
        {{"item", "b", NULL, 3, NULL}, NV_USAGE},
    };
    static const char everything[] = "SELECT id, name, size FROM item UNION ALL SELECT count(*), 0, 0 FROM "
                                     "navette_pending_1 UNION ALL SELECT count(*), 1, 1 FROM navette_intent";
    char *before = nv_pair_text(pair->school.tool, everything);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (answer(&pair->school, &wrong[i].answer) != wrong[i].expected)
            fail_msg("the answer number %zu", i);
        nv_pair_check_text(pair->school.tool, everything, before);
    }
    free(before);
}

static void a_choice_by_number_covers_all_values(void **state)
{
    struct nv_pair *pair = *state;
    assert_int_equal(answer(&pair->school, &(struct answer){"ITEM", "a", "Name", 1, NULL}), NV_OK);
    check_answered(pair, "SELECT name FROM item WHERE id = 'a'", "hub\n");
    nv_pair_check_text(pair->hub.tool, "SELECT field FROM navette_conflict WHERE key_text = 'a'", "size\nsize\n");
}

/* What the row shows already is an answer too. */
static void the_value_that_is_shown_may_be_chosen(void **state)
{
    struct nv_pair *pair = *state;
    char *shown = nv_pair_text(pair->school.tool, "SELECT name FROM item WHERE id = 'a'");
    int choice = strcmp(shown, "hub\n") == 0 ? 1 : 2;
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "a", "name", choice, NULL}), NV_OK);
    check_answered(pair, "SELECT name FROM item WHERE id = 'a'", shown);
    free(shown);
    nv_pair_check_text(pair->hub.tool, "SELECT DISTINCT field FROM navette_conflict WHERE key_text = 'a'", "size\n");
}

static void another_value_is_stored_as_the_column_stores_it(void **state)
{
    struct nv_pair *pair = *state;
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "a", "size", 0, "15"}), NV_OK);
    check_answered(pair, "SELECT size, typeof(size) FROM item WHERE id = 'a'", "15|integer\n");
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "a", "name", 0, NULL}), NV_OK);
    check_answered(pair, "SELECT name FROM item WHERE id = 'a'", "NULL\n");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_conflict WHERE key_text = 'a'", "0\n");
}

static void a_record_that_was_deleted_is_kept_or_deleted(void **state)
{
    struct nv_pair *pair = *state;
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "b", NULL, 1, NULL}), NV_OK);
    check_answered(pair, "SELECT id, name FROM item WHERE id = 'b'", "b|edited\n");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_conflict WHERE key_text = 'b'", "0\n");
}

static void a_record_that_was_edited_may_be_deleted_after_all(void **state)
{
    struct nv_pair *pair = *state;
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "b", NULL, 2, NULL}), NV_OK);
    check_answered(pair, "SELECT id, name FROM item WHERE id = 'b'", "");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_conflict WHERE key_text = 'b'", "0\n");
}

/* A person deleted it a moment ago, and that is not sealed yet. */
static void a_row_that_is_gone_cannot_be_answered(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->school, "DELETE FROM item WHERE id IN ('a', 'b')");
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "a", "name", 1, NULL}), NV_NOT_SO);
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "b", NULL, 2, NULL}), NV_NOT_SO);
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM navette_intent", "0\n");
}

static void nothing_of_a_table_that_is_away_is_answered(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->school, "ALTER TABLE item RENAME TO away");
    nv_pair_seal(&pair->school);
    assert_int_equal(answer(&pair->school, &(struct answer){"item", "a", "name", 1, NULL}), NV_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_names_no_open_conflict_changes_nothing),  TEST(a_choice_by_number_covers_all_values),
        TEST(the_value_that_is_shown_may_be_chosen),        TEST(another_value_is_stored_as_the_column_stores_it),
        TEST(a_record_that_was_deleted_is_kept_or_deleted), TEST(a_record_that_was_edited_may_be_deleted_after_all),
        TEST(a_row_that_is_gone_cannot_be_answered),        TEST(nothing_of_a_table_that_is_away_is_answered),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
