/* What a machine says of its log, and what it learns of others'. One machine of core/sync.h: events go in, and what it
 * wants done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync_probe.h"

static void another_digest_is_answered_with_the_whole_vector(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 9, 2, true);
    probe_hear(&probe, 9, probe_hello(2));
    probe_hear_digest(&probe, 9, (uint64_t[8]){0, 0, 5});
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.whole && has->has.please);
    assert_int_equal(has->has.head_count, 1);
    /* The other side did the same: our whole vector is on its way already, and is not said twice. */
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 0, 5}, true, true);
    assert_null(probe_said(&probe, NV_MESSAGE_HAS, 9));
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 9));
    probe.now += 2 * SEC;
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 0, 5}, true, true);
    has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.whole && !has->has.please);
    probe_done(&probe);
}

static void heads_out_of_order_are_garbage(void **state)
{
    (void)state;
    struct nv_far_head bad[3][2] = {{probe_head(3, 1), probe_head(2, 1)},
                                    {probe_head(2, 1), probe_head(2, 2)},
                                    {probe_head(2, 0), probe_head(3, 1)}};
    for (size_t i = 0; i < 3; i++) {
        struct probe probe = probe_of(1);
        probe_meet(&probe, 9, 2);
        struct nv_message message = {.kind = NV_MESSAGE_HAS};
        message.has.heads = bad[i];
        message.has.head_count = 2;
        probe_hear(&probe, 9, message);
        assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
        probe_done(&probe);
    }
}

/* Received is not durable: nothing is said of it before the log grew. */
static void nothing_is_said_before_it_is_durable(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_meet(&probe, 10, 3);
    probe_hear_batch(&probe, 9, 0, 2, 1, 100, false);
    assert_int_equal(probe.actions.count, 1);
    assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    probe_tick(&probe, 50 * MILLI);
    assert_int_equal(probe.actions.count, 0);
    probe_grow(&probe, 2, 1);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 1);
    assert_false(has->has.whole);
    assert_int_equal(has->has.heads[0].site.bytes[0], 2);
    probe_done(&probe);
}

/* Where heads went back, because they count no more, a peer hears at once that the vectors differ, and asks for all. */
static void what_went_back_is_told_at_once(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 2, 5);
    probe_meet(&probe, 9, 2);
    probe.now += 2 * SEC;
    probe_grow(&probe, 2, 3);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 0);
    probe.now += 2 * SEC;
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 1, 5}, true, true);
    has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.whole);
    assert_int_equal(has->has.head_count, 2);
    assert_int_equal(has->has.heads[1].seq, 3);
    probe_done(&probe);
}

static void growth_is_told_once_in_ten_milliseconds(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 9, 2, true);
    probe_hear(&probe, 9, probe_hello(2));
    probe.now += 2 * SEC;
    probe_hear_has(&probe, 9, (uint64_t[8]){0}, true, false); /* it lacks ours: out of step */
    probe_grow(&probe, 1, 2);
    assert_non_null(probe_said(&probe, NV_MESSAGE_HAS, 9));
    for (uint64_t seq = 3; seq < 8; seq++) {
        probe.now += MILLI;
        probe_grow(&probe, 1, seq);
        assert_int_equal(probe.actions.count, 0);
    }
    assert_int_equal(nv_sync_wake(probe.sync).us, probe.now + 5 * MILLI);
    probe_tick(&probe, 5 * MILLI);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 1);
    assert_int_equal(has->has.heads[0].seq, 7);
    probe_done(&probe);
}

static void how_far_behind_a_peer_is_and_since_when_outlives_its_session(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 9});
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.behind, 0);
    int64_t cut = probe.now += SEC;
    probe_grow(&probe, 1, 4);
    assert_int_equal(probe.actions.count, 0);
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    probe.now += 100 * (int64_t)SEC;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.behind, 3);
    assert_int_equal(view.behind_since.us, cut);
    assert_int_equal(view.session, 0);
    assert_false(nv_sync_look(probe.sync, 1, (struct nv_mono_us){probe.now}, &view));
    probe_done(&probe);
}

static void growth_that_is_none_is_not_told(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_grow(&probe, 1, 1);
    assert_int_equal(probe.actions.count, 0);
    probe_done(&probe);
}

static void nothing_is_told_to_who_did_not_say_what_it_has(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 9, 2, true);
    probe_grow(&probe, 1, 2);
    assert_int_equal(probe.actions.count, 0);
    probe_hear(&probe, 9, probe_hello(2));
    probe_grow(&probe, 1, 3);
    assert_int_equal(probe.actions.count, 0);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_false(view.known);
    assert_int_equal(view.behind, 0);
    probe_done(&probe);
}

/* Each Has names a few more logs, each of them within the bound. */
static void a_peer_cannot_name_more_logs_than_a_network_has(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    struct nv_far_head heads[256];
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.heads = heads;
    message.has.head_count = 256;
    for (uint64_t told = 0; told < NV_LIMIT_LOGS; told += 256) {
        for (uint64_t i = 0; i < 256; i++) {
            heads[i] = probe_head(7, 1);
            heads[i].epoch = told + i + 1;
        }
        assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
        probe_hear(&probe, 9, message);
    }
    /* With our own log, which it had said that it has, they are one too many. */
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

/* A whole vector that lacks what is still on its way to that peer does not take it out of step. */
static void a_vector_said_before_a_push_arrived_is_no_loss(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_grow(&probe, 1, 2);
    probe_served(&probe, 9, 0, 1, 2, 100, true);
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 1}, true, false);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_true(view.in_step);
    /* Once it was acknowledged, a vector without it is: the peer lost it, and is told of it to pull. */
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 2}, false, false);
    probe.now += SEC;
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 1}, true, false);
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_false(view.in_step);
    assert_int_equal(probe_said(&probe, NV_MESSAGE_HAS, 9)->has.heads[0].seq, 2);
    probe_done(&probe);
}

/* What it has and what is on its way to it are two things: a vector said meanwhile is no reason to send all again. */
static void a_vector_said_during_a_pull_or_before_a_push_changes_nothing(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 1, 40);
    probe_meet(&probe, 9, 2);
    probe_hear_pull(&probe, 9, 77, 500 * KIB);
    probe_tick(&probe, 0);
    probe_served(&probe, 9, 77, 1, 30, 260 * KIB, false);
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 1}, true, false);
    probe_tick(&probe, 0);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.peer_count, 1);
    assert_int_equal(serve->serve.peer[0].seq, 30);
    probe_served(&probe, 9, 77, 1, 40, 100, true);
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 40}, false, false);
    /* A push is owed, and waits for the window. */
    for (uint64_t seq = 41; seq <= 44; seq++) {
        probe_grow(&probe, 1, seq);
        probe_served(&probe, 9, 0, 1, seq, 256 * KIB, true);
    }
    probe_grow(&probe, 1, 45);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 44}, true, false);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_SERVE, 9)->serve.peer[0].seq, 44);
    probe_done(&probe);
}

/* Each Has stands in the place of the one before; what was said before must not stay for ever. While a pull of its is
 * open, nothing that it said is forgotten. */
static void a_peer_cannot_take_back_logs_without_end(void **state)
{
    (void)state;
    static struct nv_far_head heads[NV_LIMIT_LOGS];
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear_pull(&probe, 9, 1, 0);
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.heads = heads;
    message.has.head_count = NV_LIMIT_LOGS;
    message.has.whole = true;
    for (uint64_t told = 0; probe_wanted(&probe, NV_ACTION_CLOSE, 9) == NULL; told += NV_LIMIT_LOGS) {
        assert_true(told <= 4 * NV_LIMIT_LOGS);
        for (uint64_t i = 0; i < NV_LIMIT_LOGS; i++) {
            heads[i] = probe_head(7, 1);
            heads[i].epoch = told + i + 1;
        }
        probe_hear(&probe, 9, message);
    }
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_digest_is_answered_with_the_whole_vector),
        cmocka_unit_test(heads_out_of_order_are_garbage),
        cmocka_unit_test(nothing_is_said_before_it_is_durable),
        cmocka_unit_test(what_went_back_is_told_at_once),
        cmocka_unit_test(growth_is_told_once_in_ten_milliseconds),
        cmocka_unit_test(how_far_behind_a_peer_is_and_since_when_outlives_its_session),
        cmocka_unit_test(growth_that_is_none_is_not_told),
        cmocka_unit_test(nothing_is_told_to_who_did_not_say_what_it_has),
        cmocka_unit_test(a_peer_cannot_name_more_logs_than_a_network_has),
        cmocka_unit_test(a_peer_cannot_take_back_logs_without_end),
        cmocka_unit_test(a_vector_said_before_a_push_arrived_is_no_loss),
        cmocka_unit_test(a_vector_said_during_a_pull_or_before_a_push_changes_nothing),
    };
    return cmocka_run_group_tests_name("sync: has", tests, NULL, NULL);
}
