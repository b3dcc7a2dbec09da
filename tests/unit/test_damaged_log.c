/* What is derived from the log, when the log or what stands beside it is damaged: it is said, never guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"
#include "store/care.h"
#include "store/log.h"

/* 'a' has a conflict, so that its values are in the log alone; 'b' and 'c' are as they were written. */
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
    nv_pair_sql(&pair->hub, "UPDATE item SET name = 'hub' WHERE id = 'a'");
    nv_pair_sql(&pair->school, "UPDATE item SET name = 'school' WHERE id = 'a'");
    nv_pair_seal(&pair->hub);
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    return 0;
}

static bool pass(const struct nv_history_entry *entry, void *context)
{
    (void)entry;
    (void)context;
    return true;
}

static const uint8_t key_bytes[] = {3, 1, 'a'};

static enum nv_status tell_history(struct nv_store *store, struct nv_error *error)
{
    return nv_store_history(store, "item", (struct nv_slice){key_bytes, sizeof key_bytes}, pass, NULL, error);
}

static enum nv_status take_digest(struct nv_store *store, struct nv_error *error)
{
    struct nv_scope_digest digest;
    return nv_store_digest(store, NV_SCOPE_NETWORK, &digest, error);
}

static enum nv_status rebuild(struct nv_store *store, struct nv_error *error)
{
    struct nv_rebuilt rebuilt;
    return nv_store_rebuild(store, nv_pair_now, &rebuilt, NULL, error);
}

/* All that a peer is given of the log. */
static enum nv_status read_all(struct nv_store *store, struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    struct nv_far_head heads[64];
    size_t ends[64], count;
    int64_t cursor = 0;
    bool done;
    enum nv_status status =
        nv_store_read_for(store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, 64, &count, &done, error);
    nv_buffer_done(&bytes);
    return status;
}

#define VERSION_OF_A(version) "UPDATE navette_version SET version = x'" version "' WHERE key = x'030161'"
#define LAST "WHERE number = (SELECT max(number) FROM navette_changeset)"

static const struct {
    const char *what, *sql;
    enum nv_status (*call)(struct nv_store *store, struct nv_error *error);
    enum nv_status expected;
    const char *words;
} harms[] = {
    {"nothing", "SELECT 1", tell_history, NV_OK, ""},
    {"nothing", "SELECT 1", take_digest, NV_OK, ""},
    {"nothing", "SELECT 1", rebuild, NV_OK, ""},
    {"nothing", "SELECT 1", read_all, NV_OK, ""},
    {"a body", "UPDATE navette_changeset SET body = x'00' " LAST, tell_history, NV_CORRUPT, "navette verify"},
    {"a body", "UPDATE navette_changeset SET body = x'00' " LAST, take_digest, NV_CORRUPT, "navette verify"},
    {"a body", "UPDATE navette_changeset SET body = x'00' " LAST, rebuild, NV_CORRUPT, "navette verify"},
    {"a header", "UPDATE navette_changeset SET header = x'0801' " LAST, rebuild, NV_CORRUPT, "navette verify"},
    {"a hash", "UPDATE navette_changeset SET hash = x'00' " LAST, tell_history, NV_CORRUPT, "navette verify"},
    {"a hash", "UPDATE navette_changeset SET hash = x'00' " LAST, read_all, NV_OK, ""},
    {"a changeset that is gone", "DELETE FROM navette_changeset " LAST, take_digest, NV_NOT_FOUND, ""},
    {"a changeset that is gone", "DELETE FROM navette_changeset " LAST, read_all, NV_NOT_FOUND, ""},
    {"the first of a log that is gone", "DELETE FROM navette_changeset WHERE log = 2 AND seq = 1", rebuild, NV_CORRUPT,
     "gone from the log"},
    {"a version of an op beyond the changeset", VERSION_OF_A("00010201090001"), take_digest, NV_CORRUPT,
     "navette rebuild"},
    {"a version of a log that never was", VERSION_OF_A("00016301000001"), take_digest, NV_CORRUPT, "unknown log"},
    {"a version of an op without that field", VERSION_OF_A("00010202000002"), take_digest, NV_CORRUPT,
     "navette rebuild"},
    {"a version that is none", VERSION_OF_A("ff"), take_digest, NV_CORRUPT, "navette rebuild"},
    {"a version of a log that never was", VERSION_OF_A("00016301000001"), rebuild, NV_OK, ""},
    {"hashes of records that are cut", "UPDATE navette_changeset SET records = x'0000'", tell_history, NV_OK, ""},
    {"a table that is away", "ALTER TABLE item RENAME TO away", take_digest, NV_OK, ""},
    {"a table that is away", "ALTER TABLE item RENAME TO away", rebuild, NV_OK, ""},
};

static void damage_is_told_by_whoever_meets_it(void **state)
{
    struct nv_pair *pair = *state;
    char path[128], sql[200];
    snprintf(path, sizeof path, "%s/copy", pair->folder);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path);
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        struct nv_error error = {0};
        struct nv_store *store;
        sqlite3 *tool;
        nv_pair_sql(&pair->hub, sql);
        assert_int_equal(sqlite3_open(path, &tool), SQLITE_OK);
        if (sqlite3_exec(tool, harms[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", harms[i].what, sqlite3_errmsg(tool));
        sqlite3_close(tool);
        nv_pair_must(nv_store_open(path, &store, &error), &error);
        nv_store_set_signer(store, &pair->hub.sign);
        enum nv_status status = harms[i].call(store, &error);
        if (status != harms[i].expected || (status != NV_OK && strstr(error.text, harms[i].words) == NULL))
            fail_msg("number %zu, %s: %s: %s", i, harms[i].what, nv_status_text(status), error.text);
        nv_store_close(store);
        unlink(path);
    }
}

/* Without its rows nothing can be said of its records. */
static void a_table_that_is_away_leaves_the_digest_open(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_scope_digest before, away, after;
    struct nv_error error;
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &before, &error), &error);
    assert_true(before.closed);
    nv_pair_sql(&pair->hub, "ALTER TABLE item RENAME TO away");
    nv_pair_seal(&pair->hub);
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &away, &error), &error);
    assert_false(away.closed);
    nv_pair_sql(&pair->hub, "ALTER TABLE away RENAME TO item");
    nv_pair_seal(&pair->hub);
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &after, &error), &error);
    assert_true(after.closed);
    assert_memory_equal(&before.state, &after.state, sizeof before.state);
    assert_int_equal(before.records, after.records);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damage_is_told_by_whoever_meets_it),
        TEST(a_table_that_is_away_leaves_the_digest_open),
    };
    return cmocka_run_group_tests_name("damaged logs", tests, NULL, NULL);
}
