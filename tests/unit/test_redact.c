/* Redactions: which bodies a writer may let go of, and what becomes of the records. The school's logs are signed by
 * hand, in epochs of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "store/care.h"
#include "store/log/logs.h"

enum { OPS_MOST = 4, OP_BYTES = 4096 };

/* The ops of the next changeset, encoded. */
struct ops {
    uint8_t bytes[OPS_MOST][OP_BYTES];
    struct nv_slice slices[OPS_MOST];
    size_t count;
};

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

static void add(struct ops *ops, const struct nv_op *op)
{
    struct nv_buffer bytes = {0};
    nv_op_encode(op, &bytes);
    assert_true(ops->count < OPS_MOST && bytes.size <= OP_BYTES);
    memcpy(ops->bytes[ops->count], bytes.data, bytes.size);
    ops->slices[ops->count] = (struct nv_slice){ops->bytes[ops->count], bytes.size};
    ops->count++;
    nv_buffer_done(&bytes);
}

static void add_put(struct ops *ops, char key, int64_t size)
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
    add(ops, &op);
}

static void add_redact(struct ops *ops, struct nv_far_dot *names, size_t count)
{
    static struct nv_op op;
    memset(&op, 0, sizeof op);
    op.kind = NV_OP_REDACT;
    op.names = names;
    op.name_count = count;
    add(ops, &op);
}

static struct nv_far_dot dot_of(const struct forged *forged, uint64_t seq, uint32_t index)
{
    return (struct nv_far_dot){forged->header.log.site, forged->header.log.epoch, seq, index};
}

/* Signs the ops, has the hub take them, and makes it the next changeset of the log. */
static void hand_in(struct forged *forged, struct ops *ops)
{
    struct nv_error error;
    forged_sign_ops(forged, ops->slices, ops->count);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged->bytes)};
    nv_pair_must(nv_store_ingest(forged->pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    if (incoming.verdict != NV_VERDICT_TAKEN)
        fail_msg("%s", incoming.text);
    forged_follow(forged);
    ops->count = 0;
}

static void see(struct forged *forged, const struct forged *other)
{
    forged->header.context_count = 1;
    forged->context[0] = (struct nv_far_head){other->header.log.site, other->header.log.epoch, NV_SCOPE_NETWORK,
                                              other->header.seq - 1, nv_pin_of(&other->header.previous)};
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

static void a_writer_lets_go_of_its_ops_in_any_epoch(void **state)
{
    struct nv_pair *pair = *state;
    struct forged first = forged_begin(pair), second = forged_begin(pair);
    static struct ops ops;
    add_put(&ops, 'a', 1);
    add_put(&ops, 'b', 2);
    hand_in(&first, &ops);
    add_put(&ops, 'a', 3);
    hand_in(&first, &ops);
    add_put(&ops, 'c', 4);
    see(&second, &first);
    hand_in(&second, &ops);
    check_rows(pair, "a|3\nb|2\nc|4\n");
    /* Of both logs, in no order, one of them twice. */
    struct nv_far_dot names[] = {dot_of(&second, 1, 0), dot_of(&first, 2, 0), dot_of(&first, 1, 1),
                                 dot_of(&first, 2, 0)};
    add_redact(&ops, names, 4);
    hand_in(&second, &ops);
    check_rows(pair, "a|1\n"); /* what stood under the op that went is the value again */
    check_sound(pair);
    /* And once more: they are gone already. */
    add_redact(&ops, names, 4);
    hand_in(&second, &ops);
    check_rows(pair, "a|1\n");
    check_sound(pair);
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_redaction", "3\n");
    forged_done(&first);
    forged_done(&second);
}

static void names_that_are_void_let_go_of_nothing(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('h', 'hub', 9)");
    nv_pair_seal(&pair->hub);
    struct forged first = forged_begin(pair), second = forged_begin(pair);
    static struct ops ops;
    add_put(&ops, 'a', 1);
    hand_in(&first, &ops);
    add_put(&ops, 'a', 2);
    hand_in(&first, &ops);
    const struct nv_identity *hub = nv_store_identity(pair->hub.store);
    struct nv_far_dot names[] = {
        {hub->site, first.header.log.epoch, 1, 0}, /* of another site, by an epoch of its own */
        {hub->site, hub->epoch, 1, 0},             /* of another site */
        dot_of(&first, 1, 7),                      /* no op of that changeset */
        dot_of(&first, 2, 0),                      /* not in the context: it saw but the first */
        dot_of(&second, 1, 1),                     /* of this very changeset */
        {first.header.log.site, 0x7777, 1, 0},     /* of a log that nobody has */
    };
    add_redact(&ops, names, sizeof names / sizeof *names);
    add_put(&ops, 'b', 3);
    second.header.context_count = 1;
    int64_t changeset;
    struct nv_hash hash;
    struct nv_error error;
    const struct nv_log *log = nv_log_find(pair->hub.store, &first.header.log);
    nv_pair_must(nv_changeset_at(pair->hub.store, log->number, 1, &changeset, &hash, &error), &error);
    second.context[0] =
        (struct nv_far_head){first.header.log.site, first.header.log.epoch, NV_SCOPE_NETWORK, 1, nv_pin_of(&hash)};
    hand_in(&second, &ops);
    check_rows(pair, "a|2\nb|3\nh|9\n");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_redaction", "0\n");
    check_sound(pair);
    forged_done(&first);
    forged_done(&second);
}

static void a_redact_is_never_let_go_of_and_what_is_no_op_stays(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    static struct ops ops;
    add_put(&ops, 'a', 1);
    ops.slices[ops.count++] = (struct nv_slice){(const uint8_t *)"no op at all", 12};
    hand_in(&forged, &ops);
    struct nv_far_dot first[] = {dot_of(&forged, 1, 0), dot_of(&forged, 1, 1)};
    add_redact(&ops, first, 2);
    hand_in(&forged, &ops);
    struct nv_far_dot second[] = {dot_of(&forged, 2, 0)};
    add_redact(&ops, second, 1);
    hand_in(&forged, &ops);
    struct nv_verified verified;
    struct nv_error error;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    assert_int_equal(verified.redacted, 1);
    assert_int_equal(verified.no_ops, 1);
    check_rows(pair, "");
    check_sound(pair);
    forged_done(&forged);
}

/* A site that joins later gets the log without the body, in the order of arrival: owed until the redact comes. */
static void a_body_that_is_missing_is_owed_until_it_is_named(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    static struct ops ops;
    struct nv_scope_digest digest;
    struct nv_error error;
    add_put(&ops, 'a', 1);
    add_put(&ops, 'b', 2);
    forged_sign_ops(&forged, ops.slices, ops.count);
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_buffer body = {0}, bytes = {0};
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&forged.bytes), &parts, NULL), NV_OK);
    assert_int_equal(nv_header_decode(parts.header, &arena, &header, NULL), NV_OK);
    nv_pair_must(nv_body_redact(&parts, &header, (bool[]){true, false}, &arena, &body, &parts.compressed, &error),
                 &error);
    parts.body = nv_buffer_slice(&body);
    nv_changeset_join(&parts, &bytes);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&bytes)};
    nv_pair_must(nv_store_ingest(pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    assert_int_equal(incoming.verdict, NV_VERDICT_TAKEN);
    check_rows(pair, "b|2\n");
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &digest, &error), &error);
    assert_false(digest.closed);
    forged_follow(&forged);
    ops.count = 0;
    struct nv_far_dot name = dot_of(&forged, 1, 0);
    add_redact(&ops, &name, 1);
    hand_in(&forged, &ops);
    check_rows(pair, "b|2\n");
    check_sound(pair);
    nv_buffer_done(&body);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    forged_done(&forged);
}

/* The row is not there to be mended; the record is, and the row follows once the table is back. */
static void a_record_of_a_table_that_is_away_is_derived_all_the_same(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    static struct ops ops;
    add_put(&ops, 'a', 1);
    hand_in(&forged, &ops);
    add_put(&ops, 'a', 2);
    hand_in(&forged, &ops);
    nv_pair_sql(&pair->hub, "ALTER TABLE item RENAME TO away");
    nv_pair_seal(&pair->hub);
    struct nv_far_dot name = dot_of(&forged, 2, 0);
    add_redact(&ops, &name, 1);
    hand_in(&forged, &ops);
    nv_pair_sql(&pair->hub, "ALTER TABLE away RENAME TO item");
    nv_pair_seal(&pair->hub);
    check_rows(pair, "a|1\n");
    check_sound(pair);
    forged_done(&forged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_writer_lets_go_of_its_ops_in_any_epoch),
        TEST(names_that_are_void_let_go_of_nothing),
        TEST(a_redact_is_never_let_go_of_and_what_is_no_op_stays),
        TEST(a_body_that_is_missing_is_owed_until_it_is_named),
        TEST(a_record_of_a_table_that_is_away_is_derived_all_the_same),
    };
    return cmocka_run_group_tests_name("redactions", tests, NULL, NULL);
}
