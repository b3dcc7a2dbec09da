/* What is refused, who rests for it, and who is not welcome. One machine of core/sync.h: events go in, and what it
 * wants done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sync_probe.h"

static void a_refused_changeset_rests_its_giver_and_nobody_else(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    probe_meet_ahead(&probe, 10, 3, 5);
    probe_hear_batch(&probe, 9, number, 7, 5, 100, true);
    probe_ingested(&probe, 9, number, 100, 0, 1);
    const struct nv_message *refusal = probe_said(&probe, NV_MESSAGE_REFUSAL, 9);
    assert_int_equal(refusal->refusal.reason, NV_REFUSAL_CHANGESET);
    assert_string_equal(refusal->refusal.text, "a signature that does not hold");
    assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 0));
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 10));
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_string_equal(view.note, "a signature that does not hold");
    probe_done(&probe);
}

/* A log with two histories is refused from whoever relays it: the other sites' news must not wait for long. */
static void news_are_asked_for_soon_after_refusals(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    for (int i = 0; i < 8; i++) { /* each pull brings the same one, and rests twice as long */
        probe_hear_batch(&probe, 9, number, 7, 5, 100, true);
        probe_ingested(&probe, 9, number, 100, 0, 1);
        for (int seconds = 0; i < 7 && probe_said(&probe, NV_MESSAGE_PULL, 9) == NULL; seconds++) {
            assert_true(seconds < 700);
            probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
            probe_tick(&probe, SEC);
        }
        if (i < 7)
            number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    }
    probe_hear_has(&probe, 9, (uint64_t[8]){[6] = 1}, false, false);
    for (int seconds = 0; probe_said(&probe, NV_MESSAGE_PULL, 9) == NULL; seconds++) {
        assert_true(seconds < 6);
        probe_tick(&probe, SEC);
    }
    probe_done(&probe);
}

static void who_brings_too_much_to_refuse_is_not_welcome(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    for (size_t refused = 0; refused < NV_SYNC_REFUSED_MOST; refused += 250) {
        probe_hear_batch(&probe, 9, 0, 7, 1, 100, false);
        probe_ingested(&probe, 9, 0, 100, 0, 250);
        assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
    }
    probe_hear_batch(&probe, 9, 0, 7, 1, 100, false);
    probe_ingested(&probe, 9, 0, 100, 0, 1);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_open(&probe, 10, 2, true);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 10)->close.why, NV_CLOSE_UNWELCOME);
    probe_done(&probe);
}

/* A flood of them costs many times its bytes. */
static void changesets_too_short_to_be_any_are_garbage(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear_batch(&probe, 9, 0, 7, 1, NV_SYNC_LEAST_BYTES - 1, false);
    assert_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

static void garbage_ends_the_session_and_its_sender_is_not_welcome_for_a_while(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    int64_t pauses[3];
    for (uint32_t i = 0; i < 3; i++) {
        probe_meet(&probe, 9 + 100 * i, 2);
        struct nv_event event = {.kind = NV_EVENT_GARBAGE, .session = 9 + 100 * i};
        event.garbage.text = "no message";
        probe_step(&probe, event);
        assert_int_equal(probe_said(&probe, NV_MESSAGE_REFUSAL, 0)->refusal.reason, NV_REFUSAL_MALFORMED);
        assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 0)->close.why, NV_CLOSE_GARBAGE);
        int64_t start = probe.now;
        for (uint32_t session = 10 + 100 * i;; session++) {
            probe.now += SEC / 10;
            probe_open(&probe, session, 2, true);
            if (probe_wanted(&probe, NV_ACTION_CLOSE, session) == NULL)
                break;
            assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, session)->close.why, NV_CLOSE_UNWELCOME);
        }
        pauses[i] = probe.now - start;
    }
    assert_true(pauses[0] >= SEC && pauses[1] >= 2 * pauses[0] - SEC / 5 && pauses[2] >= 2 * pauses[1] - SEC / 5);
    probe_done(&probe);
}

static void who_refuses_us_is_left_alone(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    struct nv_message refusal = {.kind = NV_MESSAGE_REFUSAL};
    refusal.refusal.reason = NV_REFUSAL_NETWORK;
    strcpy(refusal.refusal.text, "another network");
    probe_hear(&probe, 9, refusal);
    assert_int_equal(probe.actions.count, 1);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_REFUSED);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_string_equal(view.note, "it refused us: another network");
    probe_done(&probe);
}

/* What we hold and it does not take: it is not pushed again, and the session goes on. */
static void who_refuses_a_changeset_gets_no_more_pushes(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    struct nv_message refusal = {.kind = NV_MESSAGE_REFUSAL};
    refusal.refusal.reason = NV_REFUSAL_CHANGESET;
    probe_hear(&probe, 9, refusal);
    assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
    probe_grow(&probe, 1, 2);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    assert_non_null(probe_said(&probe, NV_MESSAGE_HAS, 9));
    probe_done(&probe);
}

static void who_sends_garbage_all_day_is_welcome_again_after_a_minute(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    for (uint32_t i = 0; i < 12; i++) {
        probe_open(&probe, 9 + i, 2, true);
        assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 0));
        struct nv_event event = {.kind = NV_EVENT_GARBAGE, .session = 9 + i};
        event.garbage.text = "no message";
        probe_step(&probe, event);
        probe.now += 60 * (int64_t)SEC;
    }
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_changeset_rests_its_giver_and_nobody_else),
        cmocka_unit_test(news_are_asked_for_soon_after_refusals),
        cmocka_unit_test(who_brings_too_much_to_refuse_is_not_welcome),
        cmocka_unit_test(changesets_too_short_to_be_any_are_garbage),
        cmocka_unit_test(garbage_ends_the_session_and_its_sender_is_not_welcome_for_a_while),
        cmocka_unit_test(who_refuses_us_is_left_alone),
        cmocka_unit_test(who_refuses_a_changeset_gets_no_more_pushes),
        cmocka_unit_test(who_sends_garbage_all_day_is_welcome_again_after_a_minute),
    };
    return cmocka_run_group_tests_name("sync: refuse", tests, NULL, NULL);
}
