/* Sealed scopes in real stores: a hub that reads what it is given keys of, and bodies that are kept back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "group.h"
#include "store/care.h"
#include "store/log.h"

static void must(enum nv_status status, const struct nv_error *error)
{
    nv_pair_must(status, error);
}

static bool owes(struct nv_pair_site *site)
{
    struct nv_far_head before;
    struct nv_error error;
    int64_t cursor = 0;
    bool any;
    must(nv_store_owed(site->store, &cursor, &before, &any, &error), &error);
    return any;
}

/* ---- a hub that reads what it is given ---- */

static const char *const hub_name[] = {"hub"};

/* A lets the hub read, B does not: the hub shows what A wrote, and the rest once it has B's key. */
static void a_hub_merges_around_what_it_cannot_read(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *hub = group->hub;
    struct nv_scope_digest digest, whole;
    struct nv_error error;
    nv_group_let_hub_read(group);
    nv_store_set_hub_readers(a->store, hub_name, 1);
    nv_group_write(group, a, "xy", 1);
    nv_pair_deliver(a, b);
    nv_group_write(group, b, "yz", 2);
    nv_pair_deliver(b, a);
    nv_group_write(group, a, "xw", 3);
    nv_pair_deliver(a, hub);
    nv_group_check(hub, "w|3\nx|3\ny|1\n");
    assert_int_equal(nv_group_merged(group, hub, b), 1);
    nv_pair_check_text(hub->tool, "SELECT count(*) FROM navette_keyless", "1\n");
    must(nv_store_digest(hub->store, group->scope, &digest, &error), &error);
    assert_false(digest.closed);
    nv_group_check_sound(hub);
    nv_group_give_key(group, b, b, 1, hub, true);
    nv_pair_deliver(b, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "w|3\nx|3\ny|2\nz|2\n");
    nv_pair_check_text(hub->tool, "SELECT count(*) FROM navette_keyless", "0\n");
    nv_pair_deliver(b, a);
    must(nv_store_digest(hub->store, group->scope, &digest, &error), &error);
    must(nv_store_digest(a->store, group->scope, &whole, &error), &error);
    assert_true(digest.closed);
    assert_memory_equal(&digest.state, &whole.state, sizeof digest.state);
    nv_group_check_sound(hub);
}

/* However many they are, they are derived a slice at a time; a restart goes on where it was. */
static void what_was_passed_is_taken_in_slices(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *hub = group->hub;
    enum { OPS = 600 };
    struct nv_buffer bytes[OPS] = {0};
    struct nv_slice ops[OPS];
    struct nv_error error;
    struct nv_log_id log = nv_group_log(group, a);
    nv_log_number number;
    uint64_t seq;
    nv_group_let_hub_read(group);
    for (size_t i = 0; i < OPS; i++) {
        char id[8];
        snprintf(id, sizeof id, "n%zu", i);
        nv_group_put(id, (int)i, &bytes[i]);
        ops[i] = nv_buffer_slice(&bytes[i]);
    }
    must(nv_begin(a->store, &error), &error);
    must(nv_log_append_sealed(a->store, &log, ops, OPS, NULL, &a->sign, nv_pair_now, &number, &seq, &error), &error);
    must(nv_commit(a->store, &error), &error);
    nv_group_settle(a);
    nv_pair_deliver(a, hub);
    nv_group_check(hub, "");
    nv_group_give_key(group, a, a, 1, hub, true);
    nv_pair_deliver(a, hub);
    nv_pair_check_text(hub->tool, "SELECT count(*) > 0, count(*) < 600 FROM item", "1|1\n");
    nv_group_reopen(hub);
    assert_true(hub->store->owes_merge);
    nv_group_settle(hub);
    nv_pair_check_text(hub->tool, "SELECT count(*), sum(size) FROM item", "600|179700\n");
    nv_group_check_sound(hub);
    for (size_t i = 0; i < OPS; i++)
        nv_buffer_done(&bytes[i]);
}

/* Its writer can let go of a body that the hub never read. */
static void what_was_passed_can_be_let_go(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *hub = group->hub;
    struct nv_error error;
    struct nv_log_id id = nv_group_log(group, a);
    struct nv_far_dot name = {id.site, id.epoch, 1, 0};
    struct nv_op redact = {.kind = NV_OP_REDACT, .time = nv_pair_now, .name_count = 1, .names = &name};
    struct nv_buffer bytes = {0};
    nv_log_number number;
    uint64_t seq;
    nv_group_let_hub_read(group);
    nv_group_write(group, a, "xy", 1);
    nv_op_encode(&redact, &bytes);
    struct nv_slice op = nv_buffer_slice(&bytes);
    must(nv_begin(a->store, &error), &error);
    must(nv_log_append_sealed(a->store, &id, &op, 1, NULL, &a->sign, nv_pair_now, &number, &seq, &error), &error);
    must(nv_commit(a->store, &error), &error);
    nv_pair_deliver(a, hub);
    nv_group_settle(a);
    nv_group_check(a, "y|1\n");
    nv_group_give_key(group, a, a, 1, hub, true);
    nv_pair_deliver(a, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "y|1\n");
    assert_false(owes(hub));
    nv_group_check_sound(hub);
    nv_buffer_done(&bytes);
}

/* ---- a body that is kept back ---- */

/* Hands over the log of `of` with the ops in `kept_back` (bits by place) of its first changeset replaced by digests. */
static enum nv_verdict hand_over(struct nv_group *group, struct nv_pair_site *from, struct nv_pair_site *to,
                                 unsigned kept_back)
{
    struct nv_error error;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_log_id id = nv_group_log(group, from);
    struct nv_far_head has = {.site = id.site, .epoch = id.epoch, .scope = id.scope};
    struct nv_buffer raw = {0}, body = {0}, bytes = {0};
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_far_head heads[16];
    size_t ends[16], count;
    bool done, stripped[16];
    int64_t cursor = 0;
    must(nv_store_read_for(from->store, &has, 0, NULL, &cursor, SIZE_MAX, &raw, ends, heads, 16, &count, &done, &error),
         &error);
    struct nv_slice changeset = {raw.data + ends[count - 2], ends[count - 1] - ends[count - 2]};
    must(nv_changeset_split(changeset, &parts, &error), &error);
    must(nv_header_decode(parts.header, &arena, &header, &error), &error);
    for (size_t i = 0; i < 16; i++)
        stripped[i] = kept_back >> i & 1;
    must(nv_body_redact(&parts, &header, stripped, &arena, &body, &parts.compressed, &error), &error);
    parts.body = nv_buffer_slice(&body);
    nv_changeset_join(&parts, &bytes);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&bytes)};
    must(nv_store_ingest(to->store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    nv_buffer_done(&raw);
    nv_buffer_done(&body);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return incoming.verdict;
}

/* A relay that keeps back the grant: it is owed, and with it all that it opens. */
static void a_grant_that_is_kept_back_is_owed(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "xy", 1);
    assert_int_equal(hand_over(group, a, b, 1u << 2), NV_VERDICT_TAKEN);
    nv_group_check(b, "");
    assert_true(owes(b));
    assert_int_equal(hand_over(group, a, b, 1u << 0), NV_VERDICT_TAKEN);
    nv_group_settle(b);
    nv_group_check(b, "x|1\ny|1\n");
    assert_false(owes(b));
    assert_int_equal(nv_group_malformed(b), 0);
    nv_group_check_sound(b);
}

/* And a change of a record, as anywhere. */
static void a_box_that_is_kept_back_is_owed(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "xy", 1);
    assert_int_equal(hand_over(group, a, b, 1u << 0), NV_VERDICT_TAKEN);
    nv_group_check(b, "y|1\n");
    assert_true(owes(b));
    assert_int_equal(hand_over(group, a, b, 0), NV_VERDICT_TAKEN);
    nv_group_check(b, "x|1\ny|1\n");
    assert_false(owes(b));
    nv_group_check_sound(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_group_setup, nv_group_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hub_merges_around_what_it_cannot_read), TEST(what_was_passed_is_taken_in_slices),
        TEST(what_was_passed_can_be_let_go),           TEST(a_grant_that_is_kept_back_is_owed),
        TEST(a_box_that_is_kept_back_is_owed),
    };
    return cmocka_run_group_tests_name("sealed: hubs, and what is owed", tests, NULL, NULL);
}
