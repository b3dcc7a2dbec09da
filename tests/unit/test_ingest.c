/* Changesets of peers on their way into the tables: what waits unmerged, what a store that is an old copy of itself
 * does, and how much is taken at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forged.h"
#include "store/care.h"
#include "store/log.h"
#include "store/log/logs.h"

static const struct nv_slice newer_op = {(const uint8_t *)"\x08\x63", 2}; /* of a kind that may come */
static const struct nv_slice control_op = {(const uint8_t *)"\x08\x10\x82\x01\x00",
                                           5}; /* a genesis, out of its place */

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    return 0;
}

static struct nv_scope_digest digest_of(struct nv_store *store)
{
    struct nv_scope_digest digest;
    struct nv_error error;
    nv_pair_must(nv_store_digest(store, NV_SCOPE_NETWORK, &digest, &error), &error);
    return digest;
}

static void check_alike(struct nv_pair *pair)
{
    struct nv_scope_digest hub = digest_of(pair->hub.store), school = digest_of(pair->school.store);
    assert_true(hub.closed && school.closed);
    assert_memory_equal(&hub.vector, &school.vector, sizeof hub.vector);
    assert_memory_equal(&hub.state, &school.state, sizeof hub.state);
}

/* ---- refusals ---- */

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = NV_REASON_NONE; i <= NV_REASON_NETWORK; i++) {
        assert_string_not_equal(nv_reason_name((enum nv_reason)i), "unknown");
        for (int j = NV_REASON_NONE; j < i; j++)
            assert_string_not_equal(nv_reason_name((enum nv_reason)i), nv_reason_name((enum nv_reason)j));
    }
}

static void refusals_are_counted_by_reason_and_site(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_site_id site = {{7}};
    for (int i = 0; i < 3; i++) {
        const struct nv_site_id *whose = i == 2 ? NULL : &site;
        nv_pair_must(
            nv_store_note_refusal(pair->hub.store, NV_REASON_FORK, whose, "two histories", nv_pair_now, &error),
            &error);
    }
    nv_pair_must(nv_store_note_refusal(pair->hub.store, NV_REASON_BODY, &site, "another body", nv_pair_now, &error),
                 &error);
    nv_pair_check_text(pair->hub.tool,
                       "SELECT reason, substr(hex(site), 1, 2), count FROM navette_refusal ORDER BY 1, 2",
                       "body|07|1\nfork|00|1\nfork|07|2\n");
}

/* ---- what cannot be merged yet ---- */

static enum nv_verdict hand_in(struct forged *forged, const struct nv_slice *ops, size_t count)
{
    struct nv_error error;
    forged_sign_ops(forged, ops, count);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged->bytes)};
    nv_pair_must(nv_store_ingest(forged->pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    return incoming.verdict;
}

static struct nv_slice put_op(struct nv_buffer *buffer, char key, int64_t size)
{
    static struct nv_op op;
    uint8_t key_bytes[] = {3, 1, (uint8_t)key};
    memset(&op, 0, sizeof op);
    op.kind = NV_OP_PUT;
    op.table = 1;
    op.key = (struct nv_slice){key_bytes, sizeof key_bytes};
    op.time = nv_pair_now;
    op.fields = 2;
    op.value_count = 1;
    op.values[0] = (struct nv_value){.type = NV_INTEGER, .integer = size};
    nv_buffer_clear(buffer);
    nv_op_encode(&op, buffer);
    return nv_buffer_slice(buffer);
}

/* It is held and passed on; it is not merged, and neither is what was written on top of it. */
static void an_op_of_newer_software_holds_up_what_builds_on_it_and_nothing_else(void **state)
{
    struct nv_pair *pair = *state;
    struct forged newer = forged_begin(pair), on_top = forged_begin(pair), beside = forged_begin(pair);
    struct nv_buffer op = {0};
    assert_int_equal(hand_in(&newer, &newer_op, 1), NV_VERDICT_TAKEN);
    struct nv_hash hash = newer.hash;
    forged_follow(&newer);
    struct nv_slice put = put_op(&op, 'a', 1);
    assert_int_equal(hand_in(&newer, &put, 1), NV_VERDICT_TAKEN);
    on_top.header.context_count = 1;
    on_top.context[0] =
        (struct nv_far_head){newer.header.log.site, newer.header.log.epoch, NV_SCOPE_NETWORK, 1, nv_pin_of(&hash)};
    assert_int_equal(hand_in(&on_top, &put, 1), NV_VERDICT_TAKEN);
    put = put_op(&op, 'x', 2);
    assert_int_equal(hand_in(&beside, &put, 1), NV_VERDICT_TAKEN);
    nv_pair_check_text(pair->hub.tool, "SELECT id FROM item", "x\n");
    assert_false(digest_of(pair->hub.store).closed);
    struct nv_verified verified;
    struct nv_error error;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    assert_int_equal(verified.bad + verified.no_ops, 0);
    nv_buffer_done(&op);
    forged_done(&newer);
    forged_done(&on_top);
    forged_done(&beside);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT id FROM item ORDER BY 1", "x\n");
}

static void an_op_of_the_authority_in_another_log_is_a_no_op(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    struct nv_verified verified;
    struct nv_buffer op = {0};
    struct nv_error error;
    const struct nv_slice ops[] = {control_op, put_op(&op, 'a', 1)};
    assert_int_equal(hand_in(&forged, ops, 2), NV_VERDICT_TAKEN);
    nv_pair_check_text(pair->hub.tool, "SELECT id FROM item", "a\n");
    nv_pair_check_text(pair->hub.tool, "SELECT reason, count FROM navette_refusal", "malformed|1\n");
    assert_true(digest_of(pair->hub.store).closed);
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    assert_int_equal(verified.no_ops, 1);
    nv_buffer_done(&op);
    forged_done(&forged);
}

/* The authority log is taken up whole or not at all: what is not known stops it, what is against the rules does not. */
static void an_authority_op_of_newer_software_waits_and_a_wrong_one_is_none(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    const struct nv_log *authority = nv_authority_log(pair->hub.store);
    forged.header.log = nv_authority_log_id(pair->hub.store);
    forged.header.seq = authority->has_seq + 1;
    forged.header.previous = authority->has_hash;
    forged.header.authority_seq = 0;
    forged.header.authority_pin = (struct nv_pin){{0}};
    forged.key = &pair->authority;
    forged.header.absolute = false;
    const struct nv_slice ops[] = {control_op, newer_op, {(const uint8_t *)"no op at all", 12}};
    assert_int_equal(hand_in(&forged, ops, 2), NV_VERDICT_WAITS);
    forged.header.absolute = (forged.header.seq - 1) % NV_LIMIT_ABSOLUTE_CONTEXT_EVERY == 0;
    const struct nv_slice wrong[] = {ops[0], ops[2]};
    assert_int_equal(hand_in(&forged, wrong, 2), NV_VERDICT_TAKEN);
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_member", "2\n");
    forged_done(&forged);
}

static void what_waits_for_a_table_is_merged_in_its_order(void **state)
{
    struct nv_pair *pair = *state;
    struct forged first = forged_begin(pair), second = forged_begin(pair);
    struct nv_buffer op = {0};
    nv_pair_sql(&pair->hub, "ALTER TABLE item RENAME TO away");
    nv_pair_seal(&pair->hub);
    /* The one that builds on the other stands before it by its number. */
    struct nv_slice put = put_op(&op, 'a', 1);
    assert_int_equal(hand_in(&second, &put, 1), NV_VERDICT_TAKEN);
    assert_int_equal(hand_in(&first, &put, 1), NV_VERDICT_TAKEN);
    forged_follow(&second);
    second.header.context_count = 1;
    second.context[0] = (struct nv_far_head){first.header.log.site, first.header.log.epoch, NV_SCOPE_NETWORK, 1,
                                             nv_pin_of(&first.hash)};
    put = put_op(&op, 'a', 2);
    assert_int_equal(hand_in(&second, &put, 1), NV_VERDICT_TAKEN);
    nv_pair_sql(&pair->hub, "ALTER TABLE away RENAME TO item");
    nv_pair_seal(&pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT id, size FROM item", "a|2\n");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_conflict", "0\n");
    nv_pair_deliver(&pair->hub, &pair->school);
    check_alike(pair);
    nv_buffer_done(&op);
    forged_done(&first);
    forged_done(&second);
}

/* Several writes of one person to one record in one changeset: they saw nothing of one another. */
static void ops_of_one_changeset_stand_side_by_side(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    struct nv_buffer bytes[4] = {{0}};
    struct nv_slice ops[4];
    for (size_t i = 0; i < 4; i++)
        ops[i] = put_op(&bytes[i], 'a', (int64_t)(4 - i));
    assert_int_equal(hand_in(&forged, ops, 4), NV_VERDICT_TAKEN);
    nv_pair_check_text(pair->hub.tool, "SELECT size FROM item", "1\n"); /* of equal times the greatest index */
    nv_pair_check_text(pair->hub.tool, "SELECT value FROM navette_conflict ORDER BY choice", "1\n2\n3\n4\n");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT size FROM item", "1\n");
    check_alike(pair);
    struct nv_rebuilt rebuilt;
    struct nv_error error;
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    for (size_t i = 0; i < 4; i++)
        nv_buffer_done(&bytes[i]);
    forged_done(&forged);
}

/* ---- an old copy ---- */

static void replace_by(struct nv_pair_site *site, const char *copy)
{
    struct nv_error error;
    char path[160];
    sqlite3_close(site->tool);
    nv_store_close(site->store);
    snprintf(path, sizeof path, "%s-wal", site->path);
    unlink(path);
    snprintf(path, sizeof path, "%s-shm", site->path);
    unlink(path);
    assert_int_equal(rename(copy, site->path), 0);
    nv_pair_must(nv_store_open(site->path, &site->store, &error), &error);
    nv_store_set_signer(site->store, &site->sign);
    assert_int_equal(sqlite3_open(site->path, &site->tool), SQLITE_OK);
}

static void a_store_that_is_an_old_copy_of_itself_writes_another_log(void **state)
{
    struct nv_pair *pair = *state;
    char copy[128], sql[200];
    nv_pair_sql(&pair->school, "INSERT INTO item VALUES ('a', 'one', 1)");
    nv_pair_seal(&pair->school);
    snprintf(copy, sizeof copy, "%s/copy", pair->folder);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
    nv_pair_sql(&pair->school, sql);
    uint64_t epoch = nv_store_identity(pair->school.store)->epoch;
    nv_pair_sql(&pair->school, "UPDATE item SET name = 'after the copy'");
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    replace_by(&pair->school, copy);
    nv_pair_check_text(pair->school.tool, "SELECT name FROM item", "one\n");
    assert_int_equal(nv_store_identity(pair->school.store)->epoch, epoch);
    nv_pair_deliver(&pair->hub, &pair->school);
    assert_int_not_equal(nv_store_identity(pair->school.store)->epoch, epoch);
    nv_pair_check_text(pair->school.tool, "SELECT name FROM item", "after the copy\n");
    nv_pair_sql(&pair->school, "UPDATE item SET name = 'and on'");
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT name FROM item", "and on\n");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_fork", "0\n");
    check_alike(pair);
    /* It is noticed once: the log that it writes now is its own. */
    epoch = nv_store_identity(pair->school.store)->epoch;
    nv_pair_deliver(&pair->hub, &pair->school);
    assert_int_equal(nv_store_identity(pair->school.store)->epoch, epoch);
}

/* ---- a little at a time ---- */

static void what_there_was_no_time_for_is_handed_in_again(void **state)
{
    struct nv_pair *pair = *state;
    struct forged all[3];
    struct nv_incoming incoming[3] = {0};
    struct nv_error error;
    for (size_t i = 0; i < 3; i++) {
        all[i] = forged_begin(pair);
        forged_sign(&all[i], "");
        incoming[i].bytes = nv_buffer_slice(&all[i].bytes);
    }
    for (size_t round = 0; round < 3; round++) {
        nv_pair_must(nv_store_ingest(pair->hub.store, incoming, 3, nv_pair_now, 0, &error), &error);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(incoming[i].verdict,
                             i == 0 ? (round == 0 ? NV_VERDICT_TAKEN : NV_VERDICT_KNOWN) : NV_VERDICT_PENDING);
    }
    nv_pair_must(nv_store_ingest(pair->hub.store, incoming, 3, nv_pair_now, 60000, &error), &error);
    assert_int_equal(incoming[2].verdict, NV_VERDICT_TAKEN);
    for (size_t i = 0; i < 3; i++)
        forged_done(&all[i]);
}

/* Another program holds the store: nothing was taken, and nothing is said to be. */
static void nothing_is_taken_while_the_store_is_held(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    struct nv_incoming incoming = {0};
    struct nv_error error;
    forged_sign(&forged, "");
    incoming.bytes = nv_buffer_slice(&forged.bytes);
    nv_pair_sql(&pair->hub, "BEGIN IMMEDIATE");
    assert_int_equal(nv_store_ingest(pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), NV_BUSY);
    assert_int_equal(incoming.verdict, NV_VERDICT_PENDING);
    nv_pair_sql(&pair->hub, "ROLLBACK");
    nv_pair_must(nv_store_ingest(pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    assert_int_equal(incoming.verdict, NV_VERDICT_TAKEN);
    forged_done(&forged);
}

/* A row that was written with the triggers silenced is a write all the same. */
static void a_row_written_without_triggers_is_sealed_before_it_is_merged(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1), ('b', 'two', 2)");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->school, "INSERT INTO navette_guard VALUES (1); UPDATE item SET name = 'school' WHERE id = 'a';"
                               "INSERT INTO item VALUES ('c', 'school', 3); DELETE FROM navette_guard");
    nv_pair_sql(&pair->hub, "UPDATE item SET name = 'hub' WHERE id = 'a'; INSERT INTO item VALUES ('c', 'hub', 4)");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    static const char conflicts[] = "SELECT key_text, field, value FROM navette_conflict ORDER BY 1, 2, 3";
    static const char expected[] = "a|name|hub\na|name|school\nc|name|hub\nc|name|school\nc|size|3\nc|size|4\n";
    nv_pair_check_text(pair->school.tool, conflicts, expected);
    nv_pair_check_text(pair->hub.tool, conflicts, expected);
    check_alike(pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
        TEST(refusals_are_counted_by_reason_and_site),
        TEST(an_op_of_newer_software_holds_up_what_builds_on_it_and_nothing_else),
        TEST(an_op_of_the_authority_in_another_log_is_a_no_op),
        TEST(an_authority_op_of_newer_software_waits_and_a_wrong_one_is_none),
        TEST(what_waits_for_a_table_is_merged_in_its_order),
        TEST(ops_of_one_changeset_stand_side_by_side),
        TEST(a_store_that_is_an_old_copy_of_itself_writes_another_log),
        TEST(what_there_was_no_time_for_is_handed_in_again),
        TEST(nothing_is_taken_while_the_store_is_held),
        TEST(a_row_written_without_triggers_is_sealed_before_it_is_merged),
    };
    return cmocka_run_group_tests_name("ingesting", tests, NULL, NULL);
}
