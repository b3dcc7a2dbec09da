/* Content keys and logs once somebody's right to read is gone: no key that was his is used, nothing of what counts no
 * more is looked for, and who reads again begins with what it has. */
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
#include "store/internal.h"
#include "store/log/logs.h"
#include "store/seal.h"
#include "store/trust/recovered.h"

static const char schema[] = "CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, name TEXT, visible_to TEXT);"
                             "INSERT INTO navette_table(name, scope) VALUES ('learner', 'column:visible_to');";

static int setup(void **state)
{
    if (nv_groups_setup(state) != 0)
        return -1;
    nv_groups_publish(*state, schema);
    return 0;
}

static void write_one(struct nv_pair_site *site, const char *id)
{
    char sql[120];
    snprintf(sql, sizeof sql, "INSERT INTO learner VALUES ('%s', 'N', 'group/both')", id);
    nv_pair_sql(site, sql);
    nv_pair_seal(site);
}

/* The keys that the site introduced in its own logs of the group. */
static int64_t count_keys(struct nv_groups *groups, struct nv_pair_site *site)
{
    struct nv_scope_id scope = nv_groups_scope(groups, "group/both");
    struct nv_site_id id = nv_store_identity(site->store)->site;
    struct nv_error error;
    int64_t count;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(site->store),
                                       "SELECT count(*) FROM navette_grant AS g JOIN navette_log AS l ON l.number = "
                                       "g.log WHERE g.introduces AND l.site = ?1 AND l.scope = ?2",
                                       &error);
    bool row;
    assert_non_null(rows);
    sqlite3_bind_blob(rows, 1, id.bytes, sizeof id.bytes, SQLITE_STATIC);
    sqlite3_bind_blob(rows, 2, scope.bytes, sizeof scope.bytes, SQLITE_STATIC);
    nv_pair_must(nv_db_step(rows, &row, &error), &error);
    count = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    return count;
}

/* It came and went between two writes: the readers are the same as before, and one more site has the key. */
static void a_key_that_was_given_meanwhile_is_used_no_more(void **state)
{
    struct nv_groups *groups = *state;
    nv_groups_list(groups, "group/both", groups->south, false);
    write_one(groups->north, "a");
    assert_int_equal(count_keys(groups, groups->north), 1);
    nv_groups_list(groups, "group/both", groups->south, true);
    nv_groups_settle(groups);
    nv_pair_check_text(groups->south->tool, "SELECT id FROM learner", "a\n");
    nv_groups_list(groups, "group/both", groups->south, false);
    nv_groups_settle(groups);
    write_one(groups->north, "b");
    assert_int_equal(count_keys(groups, groups->north), 2);
    write_one(groups->north, "c");
    assert_int_equal(count_keys(groups, groups->north), 2);
}

/* What it merged nothing of counts no more: nor do the grants in it. */
static void grants_go_with_what_counts_no_more(void **state)
{
    struct nv_groups *groups = *state;
    struct nv_buffer bytes = {0};
    struct nv_error error;
    nv_pair_sql(groups->north, "ALTER TABLE learner RENAME TO away");
    write_one(groups->south, "a");
    nv_pair_deliver(groups->south, groups->north);
    nv_pair_check_text(groups->north->tool, "SELECT count(*) FROM navette_grant", "1\n");
    nv_groups_list(groups, "group/both", groups->south, false);
    nv_pair_check_text(groups->north->tool, "SELECT count(*) FROM navette_beyond", "1\n");
    nv_pair_check_text(groups->north->tool, "SELECT count(*) FROM navette_grant", "0\n");
    nv_pair_must(nv_recovered_list(groups->north->store, nv_store_identity(groups->north->store)->site, &bytes, &error),
                 &error);
    nv_buffer_done(&bytes);
}

/* It reads again before what it held is gone, and would vouch for others meanwhile: what it writes once the rows are
 * gone covers none of what stood in them. */
static void who_reads_again_at_once_vouches_for_nothing_that_is_leaving(void **state)
{
    struct nv_groups *groups = *state;
    static const char names[] = "SELECT value FROM navette_conflict WHERE field = 'name' ORDER BY 1";
    struct nv_sealed sealed;
    struct nv_error error;
    write_one(groups->north, "a");
    nv_groups_settle(groups);
    nv_groups_list(groups, "group/both", groups->south, false);
    nv_groups_list(groups, "group/both", groups->south, true);
    nv_groups_list(groups, "group/both", groups->north, false);
    nv_groups_list(groups, "group/both", groups->north, true);
    nv_pair_must(nv_store_seal(groups->south->store, nv_pair_now, 0, &sealed, &error), &error);
    assert_true(sealed.more); /* the rows are gone, and not all that is to go is */
    nv_pair_sql(groups->south, "INSERT INTO learner VALUES ('a', 'M', 'group/both')");
    nv_groups_settle(groups);
    nv_pair_check_text(groups->north->tool, names, "M\nN\n");
    nv_pair_check_text(groups->south->tool, names, "M\nN\n");
    nv_groups_check(groups);
}

/* Whether the bytes stand anywhere in a file of the site's store. */
static bool is_on_disk(const struct nv_pair_site *site, const char *ending, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", site->path, ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    rewind(file);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    bool is = memmem(bytes, size, text, strlen(text)) != NULL;
    free(bytes);
    return is;
}

/* Neither in free pages, where long values leave whole ones behind, nor in what was written before it. */
static void nothing_of_what_left_stays_on_the_disk(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) "
                               "INSERT INTO learner SELECT 'secret-key-' || i, replace(hex(zeroblob(5000)), '00', "
                               "'secret-name '), 'group/both' FROM n");
    nv_groups_settle(groups);
    assert_true(is_on_disk(groups->south, "", "secret-name") || is_on_disk(groups->south, "-wal", "secret-name"));
    nv_groups_list(groups, "group/both", groups->south, false);
    nv_pair_seal(groups->south);
    nv_pair_check_text(groups->south->tool, "SELECT count(*) FROM learner", "0\n");
    struct nv_error error;
    nv_pair_must(nv_store_trim(groups->south->store, &error), &error);
    assert_false(is_on_disk(groups->south, "", "secret-name"));
    assert_false(is_on_disk(groups->south, "", "secret-key"));
    assert_false(is_on_disk(groups->south, "-wal", "secret-name"));
    assert_false(is_on_disk(groups->south, "-wal", "secret-key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_groups_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_that_was_given_meanwhile_is_used_no_more),
        TEST(nothing_of_what_left_stays_on_the_disk),
        TEST(grants_go_with_what_counts_no_more),
        TEST(who_reads_again_at_once_vouches_for_nothing_that_is_leaving),
    };
    return cmocka_run_group_tests_name("rights gone", tests, NULL, NULL);
}
