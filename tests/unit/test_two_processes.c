/* One store, two processes: the daemon has it open, and a command works on the same file beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"
#include "store/care.h"
#include "store/log.h"
#include "store/seal.h"

static void seal_all(struct nv_store *store)
{
    struct nv_sealed sealed;
    struct nv_error error;
    do
        nv_pair_must(nv_store_seal(store, nv_pair_now, 60000, &sealed, &error), &error);
    while (sealed.more);
}

static void merge_all(struct nv_store *store)
{
    struct nv_error error;
    nv_pair_must(nv_store_ingest(store, NULL, 0, nv_pair_now, 60000, &error), &error);
}

/* What waited for a table is merged by whichever of the two sees first that the table is back, and by nobody else. */
static void what_a_command_merged_is_not_merged_again(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_store *command;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->school, "ALTER TABLE item RENAME TO away");
    seal_all(pair->school.store);
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one')");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM navette_version", "0\n");

    nv_pair_must(nv_store_open(pair->school.path, &command, &error), &error);
    nv_store_set_signer(command, &pair->school.sign);
    nv_pair_sql(&pair->school, "ALTER TABLE away RENAME TO item");
    seal_all(command);
    nv_pair_check_text(pair->school.tool, "SELECT id, name FROM item", "a|one\n");
    nv_store_close(command);

    seal_all(pair->school.store);
    merge_all(pair->school.store);
    struct nv_rebuilt rebuilt;
    nv_pair_must(nv_store_rebuild(pair->school.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.records, 1);
    assert_int_equal(rebuilt.versions_mended, 0);
}

/* The daemon has not looked since a command sealed: what it does not know of it gives to nobody. */
static void what_a_command_sealed_is_given_once_it_was_looked_at(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_store *command;
    struct nv_buffer bytes = {0};
    struct nv_far_head heads[64];
    size_t ends[64], before, count;
    int64_t cursor = 0;
    bool done, changed;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_must(nv_store_read_for(pair->hub.store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, 64, &before,
                                   &done, &error),
                 &error);
    assert_true(done);
    nv_pair_must(nv_store_open(pair->hub.path, &command, &error), &error);
    nv_store_set_signer(command, &pair->hub.sign);
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one')");
    seal_all(command);
    nv_store_close(command);
    nv_pair_must(nv_store_read_for(pair->hub.store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, 64, &count,
                                   &done, &error),
                 &error);
    assert_int_equal(count, 0);
    nv_pair_must(nv_store_refresh(pair->hub.store, &changed, &error), &error);
    assert_true(changed);
    nv_pair_must(nv_store_read_for(pair->hub.store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, 64, &count,
                                   &done, &error),
                 &error);
    assert_int_equal(count, 1);
    assert_true(done);
    nv_pair_must(nv_store_refresh(pair->hub.store, &changed, &error), &error);
    assert_false(changed);
    nv_buffer_done(&bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_pair_setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_command_merged_is_not_merged_again),
        TEST(what_a_command_sealed_is_given_once_it_was_looked_at),
    };
    return cmocka_run_group_tests_name("two processes", tests, NULL, NULL);
}
