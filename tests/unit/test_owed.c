/* Bodies that are owed: a relay handed on digests in their place. What another copy brings is taken, and means what it
 * would have meant at once. The school's logs are signed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "forged.h"
#include "store/care.h"
#include "store/log.h"
#include "store/log/logs.h"

enum { OPS = 3, OP_BYTES = 512 };

/* A changeset as the school signed it, with a put of `size` for each of the records a, b and c. */
struct signed_puts {
    struct forged forged;
    uint8_t bytes[OPS][OP_BYTES];
    struct nv_slice ops[OPS];
};

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    return 0;
}

static void encode(struct signed_puts *puts, size_t place, const struct nv_op *op)
{
    struct nv_buffer bytes = {0};
    nv_op_encode(op, &bytes);
    assert_true(bytes.size <= OP_BYTES);
    memcpy(puts->bytes[place], bytes.data, bytes.size);
    puts->ops[place] = (struct nv_slice){puts->bytes[place], bytes.size};
    nv_buffer_done(&bytes);
}

static void sign_puts(struct signed_puts *puts, struct nv_pair *pair, int64_t size)
{
    static struct nv_op op;
    puts->forged = forged_begin(pair);
    for (uint8_t i = 0; i < OPS; i++) {
        uint8_t key[] = {3, 1, (uint8_t)('a' + i)};
        memset(&op, 0, sizeof op);
        op.kind = NV_OP_PUT;
        op.table = 1;
        op.key = (struct nv_slice){key, sizeof key};
        op.time.ms = nv_pair_now.ms + 1000;
        op.fields = 1;
        op.value_count = 1;
        op.values[0] = (struct nv_value){.type = NV_INTEGER, .integer = size};
        encode(puts, i, &op);
    }
    forged_sign_ops(&puts->forged, puts->ops, OPS);
}

/* Signed anew, by a school that had merged what the hub wrote. */
static void see_hub(struct signed_puts *puts)
{
    const struct nv_far_head *heads;
    size_t count;
    nv_store_has(puts->forged.pair->hub.store, &heads, &count);
    assert_true(nv_scope_id_equal(heads[count - 1].scope, NV_SCOPE_NETWORK));
    puts->forged.context[0] = heads[count - 1];
    puts->forged.header.context_count = 1;
    forged_sign_ops(&puts->forged, puts->ops, OPS);
}

/* Hands the changeset in with those bodies replaced by their digests. */
static enum nv_verdict hand_in(struct signed_puts *puts, bool a, bool b, bool c)
{
    const bool stripped[OPS] = {a, b, c};
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_buffer body = {0}, bytes = {0};
    struct nv_error error;
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&puts->forged.bytes), &parts, NULL), NV_OK);
    assert_int_equal(nv_header_decode(parts.header, &arena, &header, NULL), NV_OK);
    nv_pair_must(nv_body_redact(&parts, &header, stripped, &arena, &body, &parts.compressed, &error), &error);
    parts.body = nv_buffer_slice(&body);
    nv_changeset_join(&parts, &bytes);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&bytes)};
    nv_pair_must(nv_store_ingest(puts->forged.pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    nv_buffer_done(&body);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return incoming.verdict;
}

static void check_rows(struct nv_pair *pair, const char *expected)
{
    nv_pair_check_text(pair->hub.tool, "SELECT id, size FROM item ORDER BY id", expected);
}

static void check_sound(struct nv_pair *pair)
{
    struct nv_error error;
    struct nv_verified verified;
    struct nv_scope_digest digest;
    struct nv_rebuilt rebuilt;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    assert_int_equal(verified.bad, 0);
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &digest, &error), &error);
    assert_true(digest.closed);
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
}

static bool owes(struct nv_pair *pair, struct nv_far_head *ret_before)
{
    struct nv_error error;
    int64_t cursor = 0;
    bool any;
    nv_pair_must(nv_store_owed(pair->hub.store, &cursor, ret_before, &any, &error), &error);
    return any;
}

static void a_full_copy_is_taken_where_bodies_are_missing(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    struct nv_far_head before;
    sign_puts(&puts, pair, 1);
    assert_int_equal(hand_in(&puts, true, false, true), NV_VERDICT_TAKEN);
    check_rows(pair, "b|1\n");
    assert_true(owes(pair, &before));
    assert_int_equal(before.seq, 0);
    assert_int_equal(before.epoch, puts.forged.header.log.epoch);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    assert_false(owes(pair, &before));
    check_sound(pair);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_KNOWN);
    forged_done(&puts.forged);
}

/* Two copies that each lack something make a whole one. */
static void each_copy_gives_what_it_has(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    struct nv_far_head before;
    sign_puts(&puts, pair, 1);
    assert_int_equal(hand_in(&puts, true, false, true), NV_VERDICT_TAKEN);
    assert_int_equal(hand_in(&puts, true, false, true), NV_VERDICT_KNOWN);
    assert_int_equal(hand_in(&puts, false, true, true), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\n");
    assert_true(owes(pair, &before));
    assert_int_equal(hand_in(&puts, true, true, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    check_sound(pair);
    forged_done(&puts.forged);
}

static void another_body_is_refused_also_where_one_is_owed(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts, other;
    struct nv_changeset_parts parts, false_parts;
    struct nv_buffer bytes = {0};
    struct nv_error error;
    sign_puts(&puts, pair, 1);
    sign_puts(&other, pair, 2);
    assert_int_equal(hand_in(&puts, true, false, false), NV_VERDICT_TAKEN);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&puts.forged.bytes), &parts, NULL), NV_OK);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&other.forged.bytes), &false_parts, NULL), NV_OK);
    parts.body = false_parts.body;
    parts.compressed = false_parts.compressed;
    nv_changeset_join(&parts, &bytes);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&bytes)};
    nv_pair_must(nv_store_ingest(pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    assert_int_equal(incoming.verdict, NV_VERDICT_REFUSED);
    assert_int_equal(incoming.reason, NV_REASON_BODY);
    check_rows(pair, "b|1\nc|1\n");
    nv_buffer_done(&bytes);
    forged_done(&puts.forged);
    forged_done(&other.forged);
}

/* Who writes to a record while a body of it is owed has not seen what that says: both values stay. */
static void what_was_owed_is_not_covered_by_who_did_not_see_it(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 10)");
    nv_pair_seal(&pair->hub);
    sign_puts(&puts, pair, 1);
    assert_int_equal(hand_in(&puts, true, false, false), NV_VERDICT_TAKEN);
    nv_pair_sql(&pair->hub, "UPDATE item SET size = 11 WHERE id = 'a'");
    nv_pair_seal(&pair->hub);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    nv_pair_check_text(pair->hub.tool, "SELECT value FROM navette_conflict WHERE key_text = 'a' ORDER BY 1", "1\n11\n");
    check_sound(pair);
    forged_done(&puts.forged);
}

/* What stands in the row and is not sealed yet, even where no trigger told of it, is sealed first. */
static void a_body_that_comes_late_overwrites_nothing_unsealed(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 10)");
    nv_pair_seal(&pair->hub);
    sign_puts(&puts, pair, 1);
    assert_int_equal(hand_in(&puts, true, false, false), NV_VERDICT_TAKEN);
    sqlite3_db_config(pair->hub.tool, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    nv_pair_sql(&pair->hub, "UPDATE item SET size = 12 WHERE id = 'a'");
    sqlite3_db_config(pair->hub.tool, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    nv_pair_check_text(pair->hub.tool, "SELECT value FROM navette_conflict WHERE key_text = 'a' ORDER BY 1", "1\n12\n");
    check_sound(pair);
    forged_done(&puts.forged);
}

/* A form that was open when the body came shows what stood there before it. */
static void a_form_that_was_open_does_not_cover_what_came_late(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 10)");
    nv_pair_seal(&pair->hub);
    sign_puts(&puts, pair, 1);
    see_hub(&puts);
    assert_int_equal(hand_in(&puts, true, false, false), NV_VERDICT_TAKEN);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    nv_pair_sql(&pair->hub, "UPDATE item SET size = 10 WHERE id = 'a'");
    nv_pair_seal(&pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT DISTINCT value FROM navette_conflict WHERE key_text = 'a' ORDER BY 1",
                       "1\n10\n");
    forged_done(&puts.forged);
}

/* A redaction, too, may have been kept back. */
static void a_redaction_that_was_owed_lets_go_of_what_it_names(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    static struct nv_op op;
    sign_puts(&puts, pair, 1);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    struct nv_far_dot name = {puts.forged.header.log.site, puts.forged.header.log.epoch, 1, 1};
    forged_follow(&puts.forged);
    op = (struct nv_op){.kind = NV_OP_REDACT, .name_count = 1, .names = &name};
    encode(&puts, OPS - 1, &op);
    forged_sign_ops(&puts.forged, puts.ops, OPS);
    assert_int_equal(hand_in(&puts, true, true, true), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    assert_int_equal(hand_in(&puts, true, true, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nc|1\n");
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    check_sound(pair);
    forged_done(&puts.forged);
}

/* What waits for its table stays owed, and is asked for again. */
static void a_body_of_a_table_that_is_away_stays_owed(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts puts;
    struct nv_far_head before;
    sign_puts(&puts, pair, 1);
    assert_int_equal(hand_in(&puts, true, true, true), NV_VERDICT_TAKEN);
    nv_pair_sql(&pair->hub, "ALTER TABLE item RENAME TO away");
    nv_pair_seal(&pair->hub);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_KNOWN);
    assert_true(owes(pair, &before));
    nv_pair_sql(&pair->hub, "ALTER TABLE away RENAME TO item");
    nv_pair_seal(&pair->hub);
    assert_int_equal(hand_in(&puts, false, false, false), NV_VERDICT_TAKEN);
    check_rows(pair, "a|1\nb|1\nc|1\n");
    check_sound(pair);
    forged_done(&puts.forged);
}

/* However many there are, each gets its turn. */
static void what_is_owed_is_given_round_and_round(void **state)
{
    struct nv_pair *pair = *state;
    static struct signed_puts first, second;
    struct nv_far_head before;
    struct nv_error error;
    int64_t cursor = 0;
    bool any;
    sign_puts(&first, pair, 1);
    assert_int_equal(hand_in(&first, true, false, false), NV_VERDICT_TAKEN);
    sign_puts(&second, pair, 2);
    assert_int_equal(hand_in(&second, true, true, false), NV_VERDICT_TAKEN);
    const uint64_t expected[] = {first.forged.header.log.epoch, second.forged.header.log.epoch,
                                 first.forged.header.log.epoch};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        nv_pair_must(nv_store_owed(pair->hub.store, &cursor, &before, &any, &error), &error);
        assert_true(any);
        assert_int_equal(before.epoch, expected[i]);
    }
    forged_done(&first.forged);
    forged_done(&second.forged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_copy_is_taken_where_bodies_are_missing),
        TEST(each_copy_gives_what_it_has),
        TEST(another_body_is_refused_also_where_one_is_owed),
        TEST(what_was_owed_is_not_covered_by_who_did_not_see_it),
        TEST(a_body_that_comes_late_overwrites_nothing_unsealed),
        TEST(a_form_that_was_open_does_not_cover_what_came_late),
        TEST(a_redaction_that_was_owed_lets_go_of_what_it_names),
        TEST(a_body_of_a_table_that_is_away_stays_owed),
        TEST(what_is_owed_is_given_round_and_round),
    };
    return cmocka_run_group_tests_name("owed", tests, NULL, NULL);
}
