/* Pushes: who is in step gets growth at once, within bounds. One machine of core/sync.h: events go in, and what it
 * wants done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync_probe.h"

static void a_peer_in_step_gets_growth_at_once_and_its_writer_does_not(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_meet(&probe, 10, 3);
    probe_hear_batch(&probe, 9, 0, 2, 1, 100, false);
    probe_grow(&probe, 2, 1);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 10);
    assert_int_equal(serve->serve.pull, 0);
    assert_int_equal(serve->serve.cursor, probe.newest - 1);
    assert_null(probe_said(&probe, NV_MESSAGE_HAS, 10));
    probe_done(&probe);
}

static void pushes_stop_at_the_window_and_go_on_with_the_acknowledgement(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    for (uint64_t seq = 2; seq <= 5; seq++) {
        probe_grow(&probe, 1, seq);
        assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
        probe_served(&probe, 9, 0, 1, seq, 256 * KIB, true);
    }
    probe_grow(&probe, 1, 6);
    assert_int_equal(probe.actions.count, 0);
    probe_tick(&probe, SEC / 2);
    assert_int_equal(probe.actions.count, 0);
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 3}, false, false);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_served(&probe, 9, 0, 1, 6, 100, true);
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 6}, false, false);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_true(view.in_step);
    assert_int_equal(view.behind, 0);
    probe_done(&probe);
}

static void who_does_not_acknowledge_is_told_and_must_pull(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_grow(&probe, 1, 2);
    probe_served(&probe, 9, 0, 1, 2, 100, true);
    for (int i = 0; i < 9; i++) {
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_tick(&probe, SEC);
        const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
        assert_true(has == NULL || has->has.head_count == 0);
    }
    probe_tick(&probe, SEC);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 1);
    assert_int_equal(has->has.heads[0].seq, 2);
    probe_grow(&probe, 1, 3);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_done(&probe);
}

/* A push beyond what we hold of one peer at once is dropped, and comes by pull. */
static void a_push_without_room_comes_again_by_pull(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    uint64_t seq = 1;
    for (size_t bytes = 0; bytes <= NV_SYNC_PEER_BYTES; bytes += 1024 * KIB) {
        probe_hear_batch(&probe, 9, 0, 2, seq++, 1024 * KIB, false);
        assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    }
    probe_hear_batch(&probe, 9, 0, 2, seq, 1024 * KIB, false);
    assert_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    for (uint64_t one = 1; one < seq; one++) {
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 9));
        probe_grow(&probe, 2, one);
        probe_ingested(&probe, 9, 0, 1024 * KIB, 1, 0);
    }
    const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
    assert_non_null(pull);
    assert_int_equal(pull->pull.has[1].seq, seq - 1);
    probe_done(&probe);
}

static void what_is_pushed_by_all_has_a_bound_too(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    for (uint8_t site = 2; site < 7; site++)
        probe_meet(&probe, 100u + site, site);
    for (uint8_t site = 2; site < 6; site++)
        probe_hear_batch(&probe, 100u + site, 0, site, 1, NV_SYNC_QUEUE_BYTES / 4, false);
    assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 105));
    probe_hear_batch(&probe, 106, 0, 6, 1, 1024 * KIB, false);
    assert_null(probe_wanted(&probe, NV_ACTION_INGEST, 106));
    probe_done(&probe);
}

/* The line goes away while a push is read: nothing more is read for it until the network says so. */
static void nothing_is_read_twice_for_one_peer(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_grow(&probe, 1, 2);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_grow(&probe, 1, 3);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_tick(&probe, SEC);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_done(&probe);
}

static void pushes_stop_at_so_many_small_batches(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    uint64_t seq = 1;
    for (size_t i = 0; i < NV_SYNC_PUSH_BATCHES; i++) {
        probe_grow(&probe, 1, ++seq);
        assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
        probe_served(&probe, 9, 0, 1, seq, 100, true);
    }
    probe_grow(&probe, 1, ++seq);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_hear_has(&probe, 9, (uint64_t[8]){0, 2}, false, false);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_done(&probe);
}

/* All that was left to send it has got from elsewhere meanwhile. */
static void a_push_of_nothing_needs_no_acknowledgement(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_grow(&probe, 1, 2);
    probe_served(&probe, 9, 0, 1, 2, 0, true);
    for (int seconds = 0; seconds < 15; seconds++) {
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_tick(&probe, SEC);
    }
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_true(view.in_step);
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_in_step_gets_growth_at_once_and_its_writer_does_not),
        cmocka_unit_test(pushes_stop_at_the_window_and_go_on_with_the_acknowledgement),
        cmocka_unit_test(who_does_not_acknowledge_is_told_and_must_pull),
        cmocka_unit_test(a_push_without_room_comes_again_by_pull),
        cmocka_unit_test(what_is_pushed_by_all_has_a_bound_too),
        cmocka_unit_test(nothing_is_read_twice_for_one_peer),
        cmocka_unit_test(pushes_stop_at_so_many_small_batches),
        cmocka_unit_test(a_push_of_nothing_needs_no_acknowledgement),
    };
    return cmocka_run_group_tests_name("sync: push", tests, NULL, NULL);
}
