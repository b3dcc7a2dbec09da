/* The store's file: how it is made and opened, and what is said of one that is not as it was left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pair.h"
#include "store/seal.h"

static const char *path_in(struct nv_pair *pair, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", pair->folder, name);
    return path;
}

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    return 0;
}

/* ---- making ---- */

static void a_site_is_made_once_and_with_a_good_name(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    char long_name[NV_LIMIT_NAME + 2] = {0};
    memset(long_name, 'x', NV_LIMIT_NAME + 1);
    const char *const names[] = {"", "two\nlines", long_name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(nv_store_create(path_in(pair, "new"), names[i], &error), NV_REFUSED);
        assert_int_equal(access(path_in(pair, "new"), F_OK), -1);
    }
    assert_int_equal(nv_store_create(pair->hub.path, "hub", &error), NV_REFUSED);
    assert_non_null(strstr(error.text, "is there already"));
    assert_int_equal(nv_store_create(path_in(pair, "no/such/folder"), "new", &error), NV_IO);
    nv_pair_must(nv_store_create(path_in(pair, "new"), "new", &error), &error);
    struct stat facts;
    assert_int_equal(stat(path_in(pair, "new"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0660);
}

/* ---- opening ---- */

static enum nv_status open_it(const char *path, struct nv_error *error)
{
    struct nv_store *store = NULL;
    enum nv_status status = nv_store_open(path, &store, error);
    assert_int_equal(store != NULL, status == NV_OK);
    nv_store_close(store);
    return status;
}

static void what_is_no_store_is_not_opened(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    assert_int_equal(open_it(path_in(pair, "none"), &error), NV_NOT_FOUND);
    FILE *file = fopen(path_in(pair, "text"), "w");
    for (int i = 0; i < 500; i++)
        fputs("this is no database at all\n", file);
    fclose(file);
    assert_int_equal(open_it(path_in(pair, "text"), &error), NV_CORRUPT);
    assert_int_equal(open_it(pair->folder, &error), NV_IO);
}

/* Each is done to a copy of the hub's store. */
static const struct {
    const char *what, *sql;
    enum nv_status expected;
    const char *words;
} harms[] = {
    {"nothing", "SELECT 1", NV_OK, ""},
    {"newer software", "PRAGMA user_version = 999", NV_NOT_YET, "newer navette"},
    {"a making that was cut short", "DELETE FROM navette_meta", NV_CORRUPT, "no site id"},
    {"a site id of another size", "UPDATE navette_meta SET value = x'00' WHERE name = 'site'", NV_CORRUPT,
     "no site id"},
    {"a member's id", "UPDATE navette_member SET site = x'00' WHERE name = 'hub'", NV_CORRUPT, "members"},
    {"a member's key", "UPDATE navette_member SET sign_key = x'00' WHERE name = 'hub'", NV_CORRUPT, "members"},
    {"a member's other key", "UPDATE navette_member SET curve_key = x'00' WHERE name = 'hub'", NV_CORRUPT, "members"},
    {"a member's third key", "UPDATE navette_member SET recovery_key = x'00' WHERE name = 'hub'", NV_CORRUPT,
     "members"},
    {"a membership's site", "UPDATE navette_membership SET site = x'00' WHERE begins = 2", NV_CORRUPT, "rights"},
    {"a membership's key", "UPDATE navette_membership SET sign_key = x'00' WHERE begins = 2", NV_CORRUPT, "rights"},
    {"a membership's other key", "UPDATE navette_membership SET curve_key = x'00'", NV_CORRUPT, "rights"},
    {"a group's id", "INSERT INTO navette_group VALUES (x'00', 'nord', 3)", NV_CORRUPT, "rights"},
    {"a reader's group", "INSERT INTO navette_readership VALUES (1, x'00', zeroblob(16), 3, NULL)", NV_CORRUPT,
     "rights"},
    {"a reader's site", "INSERT INTO navette_readership VALUES (1, zeroblob(16), x'00', 3, NULL)", NV_CORRUPT,
     "rights"},
    {"a cut's site", "INSERT INTO navette_cut VALUES (1, 3, x'00', zeroblob(16), 0, 0, x'')", NV_CORRUPT, "rights"},
    {"a cut's scope", "INSERT INTO navette_cut VALUES (1, 3, zeroblob(16), x'00', 0, 0, x'')", NV_CORRUPT, "rights"},
    {"a cut's pin",
     "INSERT INTO navette_cut VALUES (1, 3, zeroblob(16), zeroblob(16), 0, 0, x''), "
     "(1, 3, zeroblob(16), zeroblob(16), 0, 1, x'00')",
     NV_CORRUPT, "rights"},
    {"a cut of no op", "INSERT INTO navette_cut VALUES (1, 3, zeroblob(16), zeroblob(16), 0, 1, zeroblob(16))",
     NV_CORRUPT, "rights"},
    {"a member's long name", "UPDATE navette_member SET name = printf('%0900d', 1)", NV_OK, ""},
    {"a log's context", "UPDATE navette_log SET context = x'ff' WHERE number = 1", NV_CORRUPT, "context"},
    {"a context of a log that no store has", "UPDATE navette_log SET context = x'808080801001' || zeroblob(16)",
     NV_CORRUPT, "context"},
    {"a context without its pin", "UPDATE navette_log SET context = x'0101ff'", NV_CORRUPT, "context"},
    {"a table of another name", "UPDATE navette_table SET name = 'other'", NV_CORRUPT, "navette_table"},
    {"a table without a name", "UPDATE navette_table SET name = ''", NV_CORRUPT, "navette_table"},
    {"a table of no scope", "UPDATE navette_table SET scope = ''", NV_CORRUPT, "navette_table"},
    {"a table of long writers", "UPDATE navette_table SET writers = printf('%0900d', 1)", NV_CORRUPT, "navette_table"},
    {"a column of another name", "UPDATE navette_column SET name = 'other' WHERE name = 'size'", NV_CORRUPT,
     "navette_table"},
    {"a column that is the key", "UPDATE navette_column SET name = 'id' WHERE name = 'size'", NV_CORRUPT,
     "navette_table"},
    {"a column without a name", "UPDATE navette_column SET name = '' WHERE name = 'size'", NV_CORRUPT, "navette_table"},
    {"a column of another rule", "UPDATE navette_column SET rule = 'luck' WHERE name = 'size'", NV_CORRUPT,
     "navette_table"},
    {"a column of another number", "UPDATE navette_column SET field = 7 WHERE name = 'size'", NV_CORRUPT,
     "navette_table"},
    {"what was published", "DELETE FROM navette_statement", NV_CORRUPT, "navette_table"},
    {"what was published, and is no SQL", "UPDATE navette_statement SET sql = 'nonsense'", NV_REFUSED, "nonsense"},
};

static void a_store_that_was_damaged_says_so_when_it_is_opened(void **state)
{
    struct nv_pair *pair = *state;
    nv_store_close(pair->hub.store);
    pair->hub.store = NULL;
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        char sql[200];
        struct nv_error error = {0};
        sqlite3 *tool;
        snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path_in(pair, "copy"));
        nv_pair_sql(&pair->hub, sql);
        assert_int_equal(sqlite3_open(path_in(pair, "copy"), &tool), SQLITE_OK);
        if (sqlite3_exec(tool, harms[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", harms[i].what, sqlite3_errmsg(tool));
        sqlite3_close(tool);
        enum nv_status status = open_it(path_in(pair, "copy"), &error);
        if (status != harms[i].expected || strstr(error.text, harms[i].words) == NULL)
            fail_msg("%s: %s: %s", harms[i].what, nv_status_text(status), error.text);
        unlink(path_in(pair, "copy"));
    }
}

static void a_store_that_another_program_holds_is_busy(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_sealed sealed;
    struct nv_error error;
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1); BEGIN IMMEDIATE");
    assert_int_equal(nv_store_seal(pair->hub.store, nv_pair_now, 1000, &sealed, &error), NV_BUSY);
    assert_non_null(strstr(error.text, "another program holds the store"));
    nv_pair_sql(&pair->hub, "COMMIT");
    nv_pair_must(nv_store_seal(pair->hub.store, nv_pair_now, 1000, &sealed, &error), &error);
    assert_int_equal(sealed.ops, 1);
}

static void a_file_that_was_replaced_or_removed_is_noticed(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    char other[128], sql[200];
    snprintf(other, sizeof other, "%s", path_in(pair, "other"));
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", other);
    nv_pair_sql(&pair->hub, sql);
    nv_pair_must(nv_store_check_file(pair->hub.store, &error), &error);
    assert_int_equal(rename(other, pair->hub.path), 0);
    assert_int_equal(nv_store_check_file(pair->hub.store, &error), NV_CORRUPT);
    assert_non_null(strstr(error.text, "replaced"));
    assert_int_equal(unlink(pair->hub.path), 0);
    assert_int_equal(nv_store_check_file(pair->hub.store, &error), NV_CORRUPT);
    assert_non_null(strstr(error.text, "removed"));
    /* What has no file cannot be replaced. */
    struct nv_store *store;
    nv_pair_must(nv_store_create("file:nowhere?mode=memory&cache=shared", "new", &error), &error);
    assert_int_equal(nv_store_open("file:nowhere?mode=memory&cache=shared", &store, &error), NV_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_site_is_made_once_and_with_a_good_name),           TEST(what_is_no_store_is_not_opened),
        TEST(a_store_that_was_damaged_says_so_when_it_is_opened), TEST(a_store_that_another_program_holds_is_busy),
        TEST(a_file_that_was_replaced_or_removed_is_noticed),
    };
    return cmocka_run_group_tests_name("store file", tests, NULL, NULL);
}
