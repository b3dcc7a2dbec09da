/* Bodies that are owed: whom one machine of core/sync.h asks for them, when, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync_probe.h"

enum { PATIENCE = 1000 }; /* ticks */

/* The changeset of the writer 7 after `seq` lacks bodies. */
static void owe(struct probe *probe, bool any, uint64_t seq)
{
    struct nv_event event = {.kind = NV_EVENT_OWES};
    event.owes.any = any;
    event.owes.before = probe_head(7, seq);
    probe_step(probe, event);
}

/* We hold 5 changesets of the writer 7, as the peers do that we meet. */
static struct probe probe_that_owes(uint64_t seq)
{
    struct probe probe = probe_of(1);
    probe_grow(&probe, 7, 5);
    probe_meet(&probe, 9, 2);
    owe(&probe, true, seq);
    return probe;
}

static void stay_awake(struct probe *probe, uint32_t session)
{
    probe_hear(probe, session, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
}

/* Waits until the machine pulls; returns how long, in tenths of a second. */
static int await_pull(struct probe *probe, uint32_t session, struct nv_message *ret_pull)
{
    for (int i = 0; i < PATIENCE * 10; i++) {
        const struct nv_message *pull = probe_said(probe, NV_MESSAGE_PULL, session);
        if (pull != NULL) {
            *ret_pull = *pull;
            return i;
        }
        stay_awake(probe, session);
        probe_tick(probe, SEC / 10);
    }
    fail_msg("nothing is asked");
    return 0;
}

static uint64_t seq_of_writer(const struct nv_message *pull, uint8_t writer)
{
    struct nv_far_head wanted = probe_head(writer, 0);
    for (size_t i = 0; i < pull->pull.has_count; i++)
        if (nv_far_head_order(&pull->pull.has[i], &wanted) == 0)
            return pull->pull.has[i].seq;
    return 0;
}

static void a_pull_names_the_log_as_if_it_ended_before(void **state)
{
    (void)state;
    struct probe probe = probe_that_owes(2);
    struct nv_message pull;
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0)); /* not all at once */
    assert_in_range(await_pull(&probe, 9, &pull), 5, 14);
    assert_int_equal(seq_of_writer(&pull, 7), 2);
    assert_int_equal(seq_of_writer(&pull, 1), 1);
    assert_int_equal(pull.pull.credit_bytes, NV_SYNC_BATCH_BYTES);
    probe_done(&probe);
}

static void of_a_first_changeset_the_log_is_not_named(void **state)
{
    (void)state;
    struct probe probe = probe_that_owes(0);
    struct nv_message pull;
    await_pull(&probe, 9, &pull);
    assert_int_equal(pull.pull.has_count, 1);
    assert_int_equal(seq_of_writer(&pull, 1), 1);
    probe_done(&probe);
}

/* The peer that gave something is asked for the next at once. */
static void who_gives_is_asked_again_at_once(void **state)
{
    (void)state;
    struct probe probe = probe_that_owes(2);
    struct nv_message pull;
    await_pull(&probe, 9, &pull);
    probe_hear_batch(&probe, 9, pull.pull.pull, 7, 3, NV_SYNC_BATCH_BYTES, false);
    assert_null(probe_said(&probe, NV_MESSAGE_CREDIT, 9));
    owe(&probe, true, 3);
    probe_ingested(&probe, 9, pull.pull.pull, NV_SYNC_BATCH_BYTES, 1, 0);
    assert_null(probe_said(&probe, NV_MESSAGE_CREDIT, 9));
    assert_int_equal(await_pull(&probe, 9, &pull), 0);
    assert_int_equal(seq_of_writer(&pull, 7), 3);
    probe_done(&probe);
}

/* A pull that was left before its end is followed by a usual one: the peer knows then that we lack nothing. */
static void a_pull_that_was_left_is_closed(void **state)
{
    (void)state;
    struct probe probe = probe_that_owes(2);
    struct nv_message pull;
    await_pull(&probe, 9, &pull);
    probe_hear_batch(&probe, 9, pull.pull.pull, 7, 3, NV_SYNC_BATCH_BYTES, false);
    owe(&probe, false, 0);
    probe_ingested(&probe, 9, pull.pull.pull, NV_SYNC_BATCH_BYTES, 1, 0);
    assert_int_equal(await_pull(&probe, 9, &pull), 0);
    assert_int_equal(seq_of_writer(&pull, 7), 5);
    probe_hear_batch(&probe, 9, pull.pull.pull, 7, 0, 0, true);
    for (int i = 0; i < 100; i++) {
        stay_awake(&probe, 9);
        probe_tick(&probe, SEC);
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
    }
    probe_done(&probe);
}

/* It may have none for ever. */
static void who_gives_nothing_is_asked_ever_more_slowly(void **state)
{
    (void)state;
    struct probe probe = probe_that_owes(2);
    struct nv_message pull;
    int pauses[14];
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        pauses[i] = await_pull(&probe, 9, &pull);
        probe_hear_batch(&probe, 9, pull.pull.pull, 7, 5, 100, true);
        probe_ingested(&probe, 9, pull.pull.pull, 100, 0, 0);
    }
    assert_in_range(pauses[0], 5, 14);
    assert_in_range(pauses[3], 25, 55);
    assert_in_range(pauses[13], 4400, 7600);
    probe_done(&probe);
}

static void one_after_the_other_is_asked(void **state)
{
    (void)state;
    struct probe probe = probe_that_owes(2);
    struct nv_message pull, other;
    probe_meet(&probe, 10, 3);
    for (int i = 0; probe_said(&probe, NV_MESSAGE_PULL, 0) == NULL; i++) {
        assert_true(i < 100);
        probe_tick(&probe, SEC / 10);
    }
    uint32_t first = probe_said(&probe, NV_MESSAGE_PULL, 9) != NULL ? 9 : 10, second = 19 - first;
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, second)); /* one at a time */
    await_pull(&probe, first, &pull);
    probe_hear_batch(&probe, first, pull.pull.pull, 7, 5, 100, true);
    probe_ingested(&probe, first, pull.pull.pull, 100, 0, 0);
    assert_in_range(await_pull(&probe, second, &other), 0, 9); /* before the first one's rest is over */
    probe_done(&probe);
}

/* What we do not hold at all comes first; and who does not have the changeset cannot give its bodies. */
static void who_lacks_the_changeset_is_not_asked(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_grow(&probe, 7, 5);
    owe(&probe, true, 2);
    for (int i = 0; i < 30; i++) {
        stay_awake(&probe, 9);
        probe_tick(&probe, SEC);
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
    }
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pull_names_the_log_as_if_it_ended_before),
        cmocka_unit_test(of_a_first_changeset_the_log_is_not_named),
        cmocka_unit_test(who_gives_is_asked_again_at_once),
        cmocka_unit_test(a_pull_that_was_left_is_closed),
        cmocka_unit_test(who_gives_nothing_is_asked_ever_more_slowly),
        cmocka_unit_test(one_after_the_other_is_asked),
        cmocka_unit_test(who_lacks_the_changeset_is_not_asked),
    };
    return cmocka_run_group_tests_name("sync: owed", tests, NULL, NULL);
}
