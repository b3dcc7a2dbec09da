/* Verify: every log from its first header, in stores that were damaged by hand, and with changesets that were never let
 * in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "forged.h"
#include "store/care.h"
#include "store/db.h"

/* A hub and a school with a log each. */
static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    for (int i = 0; i < 2; i++) {
        nv_pair_sql(&pair->hub, i == 0 ? "INSERT INTO item VALUES ('a', 'one')" : "DELETE FROM item");
        nv_pair_seal(&pair->hub);
    }
    nv_pair_sql(&pair->school, "INSERT INTO item VALUES ('b', 'two')");
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    return 0;
}

static size_t told_times;
static uint64_t told_last, told_total;

static void count_progress(uint64_t done, uint64_t total)
{
    told_times++;
    told_last = done;
    told_total = total;
}

static void verify_counts_what_it_walked(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_verified verified;
    told_times = 0;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, count_progress, &error), &error);
    assert_int_equal(verified.bad, 0);
    assert_int_equal(verified.logs, 3);
    assert_int_equal(verified.redacted + verified.no_ops, 0);
    assert_int_equal(told_times, verified.changesets);
    assert_int_equal(told_last, told_total);
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
}

/* Each is done to a copy of the same store. */
static const struct {
    const char *what, *sql, *words;
} damages[] = {
    {"a stored hash", "UPDATE navette_changeset SET hash = randomblob(32) WHERE seq = 1 AND log = 2",
     "not those that were stored"},
    {"a short hash", "UPDATE navette_changeset SET hash = x'00' WHERE seq = 1 AND log = 2",
     "not those that were stored"},
    {"a header of garbage", "UPDATE navette_changeset SET header = x'00' WHERE seq = 1 AND log = 2",
     "header cannot be read"},
    {"a signature", "UPDATE navette_changeset SET signature = zeroblob(64) WHERE seq = 1 AND log = 2",
     "the signature does not hold"},
    {"a short signature", "UPDATE navette_changeset SET signature = x'00' WHERE seq = 1 AND log = 2",
     "the signature does not hold"},
    {"a body", "UPDATE navette_changeset SET body = zeroblob(40), compressed = 0 WHERE seq = 1 AND log = 2", "body"},
    {"a body that is no frame", "UPDATE navette_changeset SET compressed = 1 - compressed WHERE seq = 1 AND log = 2",
     ""},
    {"the first of a log is gone", "DELETE FROM navette_changeset WHERE seq = 1 AND log = 2",
     "not the next of its log"},
    {"the last of a log is gone", "DELETE FROM navette_changeset WHERE seq = 2 AND log = 2",
     "does not end where the store says"},
    {"a log that ends elsewhere", "UPDATE navette_log SET has_hash = zeroblob(32) WHERE number = 2",
     "does not end where the store says"},
    {"a changeset in another log", "UPDATE navette_changeset SET log = 1, seq = 99 WHERE seq = 2 AND log = 2",
     "not the next of its log"},
    {"a site without a membership", "DELETE FROM navette_membership WHERE begins = 2",
     "log of hub, changeset 1: its site was no member"},
    {"a site without anything",
     "DELETE FROM navette_member WHERE name = 'hub'; DELETE FROM navette_membership WHERE begins = 2",
     "log of an unknown site"},
    {"a site that was certified later", "UPDATE navette_membership SET begins = 99 WHERE begins = 2",
     "its site was no member at its authority position"},
    {"another key of a site", "UPDATE navette_membership SET sign_key = randomblob(32) WHERE begins = 2",
     "log of hub, changeset 1: the signature does not hold"},
    {"the authority's log", "UPDATE navette_changeset SET signature = zeroblob(64) WHERE seq = 1 AND log = 1",
     "log of the authority, changeset 1"},
};

static void verify_finds_what_was_damaged(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    nv_pair_check_text(pair->hub.tool, "SELECT number, has_seq FROM navette_log WHERE number = 2", "2|2\n");
    nv_store_close(pair->hub.store);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct nv_store *store;
        struct nv_verified verified;
        char path[128], sql[200];
        snprintf(path, sizeof path, "%s/copy%zu", pair->folder, i);
        snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path);
        nv_pair_sql(&pair->hub, sql);
        sqlite3 *tool;
        assert_int_equal(sqlite3_open(path, &tool), SQLITE_OK);
        if (sqlite3_exec(tool, damages[i].sql, NULL, NULL, NULL) != SQLITE_OK || sqlite3_changes(tool) != 1)
            fail_msg("%s: %s", damages[i].what, sqlite3_errmsg(tool));
        sqlite3_close(tool);
        nv_pair_must(nv_store_open(path, &store, &error), &error);
        nv_pair_must(nv_store_verify(store, &verified, NULL, &error), &error);
        if (verified.bad == 0 || strstr(verified.first, damages[i].words) == NULL)
            fail_msg("%s: %s", damages[i].what, verified.first);
        nv_store_close(store);
    }
    nv_pair_must(nv_store_open(pair->hub.path, &pair->hub.store, &error), &error);
}

/* Puts a changeset at the end of a log as it is: no rule was asked. */
static void plant(struct nv_pair *pair, const struct forged *forged)
{
    struct nv_changeset_parts parts;
    sqlite3_stmt *statement;
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&forged->bytes), &parts, NULL), NV_OK);
    assert_int_equal(sqlite3_prepare_v2(pair->hub.tool,
                                        "INSERT INTO navette_changeset(log, seq, hash, header, signature, compressed, "
                                        "ops, sealed_ms, records, body) SELECT number, ?2, ?3, ?4, ?5, ?6, 0, 0, x'', "
                                        "?7 FROM navette_log WHERE epoch = ?1",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    sqlite3_bind_int64(statement, 1, (int64_t)forged->header.log.epoch);
    sqlite3_bind_int64(statement, 2, (int64_t)forged->header.seq);
    sqlite3_bind_blob(statement, 3, forged->hash.bytes, sizeof forged->hash.bytes, SQLITE_STATIC);
    nv_db_bind_slice(statement, 4, parts.header);
    nv_db_bind_slice(statement, 5, parts.signature);
    sqlite3_bind_int(statement, 6, parts.compressed);
    sqlite3_bind_blob(statement, 7, parts.body.data == NULL ? (const uint8_t *)"" : parts.body.data,
                      (int)parts.body.size, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    char sql[200];
    snprintf(sql, sizeof sql,
             "UPDATE navette_log SET has_seq = %llu, has_hash = (SELECT hash FROM navette_changeset WHERE number = "
             "last_insert_rowid()) WHERE epoch = %llu",
             (unsigned long long)forged->header.seq, (unsigned long long)forged->header.log.epoch);
    nv_pair_sql(&pair->hub, sql);
}

static void take(struct nv_pair *pair, const struct forged *forged)
{
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged->bytes)};
    struct nv_error error;
    nv_pair_must(nv_store_ingest(pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    assert_int_equal(incoming.verdict, NV_VERDICT_TAKEN);
}

static void as_it_is(struct forged *forged)
{
    (void)forged;
}

static void name_another_before_it(struct forged *forged)
{
    forged->header.previous.bytes[0] ^= 1;
}

static void sink_its_position(struct forged *forged)
{
    forged->header.authority_seq--;
}

static void name_a_log_that_never_came(struct forged *forged)
{
    forged->header.context_count = 1;
    forged->context[0].epoch = 7;
}

static void forget_its_context(struct forged *forged)
{
    forged->header.absolute = true;
}

/* What admission never lets in is found where it stands all the same: by its signature all is well. */
static void verify_holds_the_log_to_the_rules_of_admission(void **state)
{
    struct nv_pair *pair = *state;
    static const struct {
        void (*change)(struct forged *);
        const char *words;
    } rules[] = {{as_it_is, NULL},
                 {name_another_before_it, "the chain is broken"},
                 {sink_its_position, "authority position is behind"},
                 {name_a_log_that_never_came, "builds on a log that has not arrived"},
                 {forget_its_context, "context is behind"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct forged other = forged_begin(pair), forged = forged_begin(pair);
        struct nv_verified verified;
        struct nv_error error;
        forged_sign(&other, "");
        take(pair, &other);
        forged.header.context_count = 1;
        forged.context[0] = (struct nv_far_head){other.header.log.site, other.header.log.epoch, NV_SCOPE_NETWORK, 1,
                                                 nv_pin_of(&other.hash)};
        forged_sign(&forged, "no op at all");
        take(pair, &forged);
        forged_follow(&forged);
        rules[i].change(&forged);
        forged_sign(&forged, "");
        nv_pair_sql(&pair->hub, "BEGIN");
        plant(pair, &forged);
        nv_pair_sql(&pair->hub, "COMMIT");
        nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
        assert_int_equal(verified.no_ops, i + 1);
        assert_int_equal(verified.bad, rules[i].words != NULL);
        if (rules[i].words != NULL && strstr(verified.first, rules[i].words) == NULL)
            fail_msg("%s", verified.first);
        nv_pair_sql(&pair->hub, "DELETE FROM navette_changeset WHERE number = (SELECT max(number) FROM "
                                "navette_changeset); UPDATE navette_log SET has_seq = applied_seq, has_hash = "
                                "applied_hash WHERE has_seq > applied_seq");
        forged_done(&forged);
        forged_done(&other);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verify_counts_what_it_walked),
        TEST(verify_finds_what_was_damaged),
        TEST(verify_holds_the_log_to_the_rules_of_admission),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
