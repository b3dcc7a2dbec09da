/* Opening and closing a session: Hello, two connections at once, silence. One machine of core/sync.h: events go in, and
 * what it wants done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sync_probe.h"

static void hello_comes_first_and_then_a_digest(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 9, 2, true);
    assert_int_equal(probe.actions.count, 1);
    const struct nv_message *hello = probe_said(&probe, NV_MESSAGE_HELLO, 9);
    assert_non_null(hello);
    assert_int_equal(hello->hello.protocol, NV_PROTOCOL);
    assert_memory_equal(hello->hello.network, probe_network, sizeof probe_network);
    probe_hear(&probe, 9, probe_hello(2));
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_non_null(has);
    assert_int_equal(has->has.head_count, 0);
    assert_false(has->has.whole || has->has.please);
    struct nv_far_head own = probe_head(1, 1);
    struct nv_digest digest = probe_digest(&own, 1);
    assert_memory_equal(&has->has.digest, &digest, sizeof digest);
    probe_done(&probe);
}

static void a_wrong_hello_is_refused(void **state)
{
    (void)state;
    struct nv_message wrong[6] = {
        probe_hello(2),           probe_hello(2), probe_hello(3), probe_hello(1), {.kind = NV_MESSAGE_PING},
        {.kind = NV_MESSAGE_PULL}};
    enum nv_refusal reasons[6] = {NV_REFUSAL_PROTOCOL, NV_REFUSAL_NETWORK,  NV_REFUSAL_IDENTITY,
                                  NV_REFUSAL_IDENTITY, NV_REFUSAL_PROTOCOL, NV_REFUSAL_PROTOCOL};
    wrong[0].hello.protocol = NV_PROTOCOL + 1;
    wrong[1].hello.network[31] = 1;
    for (size_t i = 0; i < 6; i++) {
        struct probe probe = probe_of(1);
        probe_open(&probe, 9, 2, false);
        probe_hear(&probe, 9, wrong[i]);
        assert_int_equal(probe.actions.count, 2);
        assert_int_equal(probe_said(&probe, NV_MESSAGE_REFUSAL, 9)->refusal.reason, reasons[i]);
        /* What goes on with an old session is no sign of another network. */
        assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why,
                         wrong[i].kind == NV_MESSAGE_HELLO ? NV_CLOSE_HELLO : NV_CLOSE_STALE);
        probe_hear(&probe, 9, probe_hello(2));
        assert_int_equal(probe.actions.count, 0);
        probe_done(&probe);
    }
}

static void of_two_connections_both_sides_keep_the_one_that_the_lesser_site_dialled(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++)
        for (uint8_t self = 1; self <= 2; self++) {
            struct probe probe = probe_of(self);
            uint8_t other = (uint8_t)(3 - self);
            probe_open(&probe, 10, other, order == 0);
            probe_open(&probe, 11, other, order == 1);
            uint32_t by_us = order == 0 ? 10 : 11, by_other = 21 - by_us;
            uint32_t loser = self == 1 ? by_other : by_us;
            assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 0)->session, loser);
            assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 0)->close.why, NV_CLOSE_REPLACED);
            probe_hear(&probe, 21 - loser, probe_hello(other));
            assert_non_null(probe_said(&probe, NV_MESSAGE_HAS, 21 - loser));
            probe_done(&probe);
        }
}

static void a_site_that_comes_again_takes_its_old_place(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 10, 2, false);
    probe_hear(&probe, 10, probe_hello(2));
    probe_open(&probe, 11, 2, false);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 10)->close.why, NV_CLOSE_REPLACED);
    assert_non_null(probe_said(&probe, NV_MESSAGE_HELLO, 11));
    probe_done(&probe);
}

static void silence_is_asked_after_and_then_ends_the_session(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_tick(&probe, 5 * SEC - 1);
    assert_null(probe_said(&probe, NV_MESSAGE_PING, 9));
    probe_tick(&probe, 1);
    assert_false(probe_said(&probe, NV_MESSAGE_PING, 9)->ping.reply);
    probe_tick(&probe, 14 * SEC);
    assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
    probe_tick(&probe, SEC);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_SILENT);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.session, 0);
    probe_done(&probe);
}

static void a_ping_is_answered(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING});
    assert_true(probe_said(&probe, NV_MESSAGE_PING, 9)->ping.reply);
    probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
    assert_int_equal(probe.actions.count, 0);
    probe_done(&probe);
}

static void a_site_that_has_our_own_id_is_refused(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 9, 1, true);
    probe_hear(&probe, 9, probe_hello(1));
    assert_int_equal(probe_said(&probe, NV_MESSAGE_REFUSAL, 9)->refusal.reason, NV_REFUSAL_IDENTITY);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_HELLO);
    probe_done(&probe);
}

static void a_second_hello_is_garbage(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear(&probe, 9, probe_hello(2));
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

/* It answers pings, and so is not silent. */
static void who_never_says_hello_is_not_waited_for(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_open(&probe, 9, 2, false);
    probe_tick(&probe, 10 * SEC - 1);
    assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
    probe_tick(&probe, 1);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_SILENT);
    probe_done(&probe);
}

static void only_so_many_sessions_stand_at_once(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    for (uint32_t i = 0; i <= NV_LIMIT_SESSIONS; i++) {
        struct nv_event event = {.kind = NV_EVENT_OPENED, .session = 100 + i};
        event.opened.site.bytes[0] = 2;
        event.opened.site.bytes[1] = (uint8_t)(i >> 8);
        event.opened.site.bytes[2] = (uint8_t)i;
        probe_step(&probe, event);
        const struct nv_action *close = probe_wanted(&probe, NV_ACTION_CLOSE, 100 + i);
        assert_true((close != NULL) == (i == NV_LIMIT_SESSIONS));
        if (close != NULL)
            assert_int_equal(close->close.why, NV_CLOSE_UNWELCOME);
    }
    /* One goes, and there is room for another one. */
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 100});
    probe_open(&probe, 9, 3, true);
    assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
    assert_non_null(probe_said(&probe, NV_MESSAGE_HELLO, 9));
    probe_done(&probe);
}

/* Events of a session that is over may still be on their way. */
static void what_comes_of_a_session_that_is_over_changes_nothing(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear_batch(&probe, 9, 0, 2, 1, 100, false);
    assert_int_equal(nv_sync_queued(probe.sync), 100);
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 9});
    probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING});
    assert_int_equal(probe.actions.count, 0);
    probe_ingested(&probe, 9, 0, 100, 1, 0);
    assert_int_equal(probe.actions.count, 0);
    assert_int_equal(nv_sync_queued(probe.sync), 0);
    probe_done(&probe);
}

static void a_trouble_is_forgotten_after_a_good_minute(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    struct nv_message refusal = {.kind = NV_MESSAGE_REFUSAL};
    refusal.refusal.reason = NV_REFUSAL_CHANGESET;
    strcpy(refusal.refusal.text, "no");
    probe_hear(&probe, 9, refusal);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_string_equal(view.note, "it refused us: no");
    assert_false(view.in_step);
    for (int seconds = 1; seconds <= 60; seconds++) {
        probe_hear_digest(&probe, 9, probe.own);
        assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
        assert_string_equal(view.note, "it refused us: no");
        probe_tick(&probe, SEC);
    }
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_string_equal(view.note, "");
    probe_done(&probe);
}

static void every_end_of_a_session_has_its_own_words(void **state)
{
    (void)state;
    const enum nv_close all[] = {NV_CLOSE_GARBAGE, NV_CLOSE_HELLO,    NV_CLOSE_STALE,    NV_CLOSE_REFUSED,
                                 NV_CLOSE_SILENT,  NV_CLOSE_REPLACED, NV_CLOSE_UNWELCOME};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_true(strlen(nv_close_text(all[i])) > 10);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(nv_close_text(all[i]), nv_close_text(all[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_comes_first_and_then_a_digest),
        cmocka_unit_test(a_wrong_hello_is_refused),
        cmocka_unit_test(of_two_connections_both_sides_keep_the_one_that_the_lesser_site_dialled),
        cmocka_unit_test(a_site_that_comes_again_takes_its_old_place),
        cmocka_unit_test(silence_is_asked_after_and_then_ends_the_session),
        cmocka_unit_test(a_ping_is_answered),
        cmocka_unit_test(a_site_that_has_our_own_id_is_refused),
        cmocka_unit_test(a_second_hello_is_garbage),
        cmocka_unit_test(who_never_says_hello_is_not_waited_for),
        cmocka_unit_test(only_so_many_sessions_stand_at_once),
        cmocka_unit_test(what_comes_of_a_session_that_is_over_changes_nothing),
        cmocka_unit_test(a_trouble_is_forgotten_after_a_good_minute),
        cmocka_unit_test(every_end_of_a_session_has_its_own_words),
    };
    return cmocka_run_group_tests_name("sync: opening", tests, NULL, NULL);
}
