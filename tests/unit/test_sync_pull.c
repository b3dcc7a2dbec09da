/* Pulls: from one peer at a time, with credit and patience. One machine of core/sync.h: events go in, and what it wants
 * done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync_probe.h"

static void one_peer_is_pulled_from_at_a_time(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
    assert_int_equal(pull->pull.credit_bytes, NV_SYNC_CREDIT_BYTES);
    assert_int_equal(pull->pull.has_count, 1);
    uint64_t number = pull->pull.pull;
    probe_meet_ahead(&probe, 10, 3, 7);
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
    probe_hear_batch(&probe, 9, number, 7, 5, 100, true);
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0)); /* not durable yet: what we have cannot be said */
    probe_grow(&probe, 7, 5);
    probe_ingested(&probe, 9, number, 100, 1, 0);
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 10));
    probe_done(&probe);
}

/* What one peer pushed and is not durable yet is not pulled from another that has it too. */
static void what_is_coming_is_not_pulled(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_meet(&probe, 10, 3);
    probe_hear_batch(&probe, 9, 0, 7, 1, 100, false);
    probe_hear_has(&probe, 10, (uint64_t[8]){[7] = 1}, false, false);
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
    probe_ingested(&probe, 9, 0, 100, 0, 0); /* it waits for something: now ask whoever has it */
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
    probe_done(&probe);
}

/* What it says of itself may be made up: nobody keeps us from another peer by pretending that it sends the same. */
static void what_is_said_to_be_coming_is_not_waited_for_long(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_meet(&probe, 10, 3);
    probe_hear_batch(&probe, 9, 0, 7, 1000, 100, false);
    probe_hear_has(&probe, 10, (uint64_t[8]){[7] = 1}, false, false);
    for (int i = 0; probe_said(&probe, NV_MESSAGE_PULL, 10) == NULL; i++) {
        assert_true(i < 30);
        probe_hear_batch(&probe, 9, 0, 7, 1000, 100, false);
        probe_ingested(&probe, 9, 0, 100, 0, 0);
        if (probe_said(&probe, NV_MESSAGE_PULL, 10) == NULL)
            probe_tick(&probe, SEC / 10);
    }
    probe_done(&probe);
}

static void credit_is_given_for_what_is_durable(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 50);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    probe_hear_batch(&probe, 9, number, 7, 1, 300 * KIB, false);
    assert_null(probe_said(&probe, NV_MESSAGE_CREDIT, 9));
    probe_grow(&probe, 7, 1);
    probe_ingested(&probe, 9, number, 300 * KIB, 1, 0);
    const struct nv_message *credit = probe_said(&probe, NV_MESSAGE_CREDIT, 9);
    assert_int_equal(credit->credit.bytes, 300 * KIB);
    assert_int_equal(credit->credit.pull, number);
    /* All credit used and more: the other side does not keep to the protocol. */
    probe_hear_batch(&probe, 9, number, 7, 2, NV_SYNC_CREDIT_BYTES, false);
    assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    probe_hear_batch(&probe, 9, number, 7, 3, NV_SYNC_LEAST_BYTES, false);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

static void who_does_not_answer_a_pull_rests_and_another_is_asked(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    probe_meet_ahead(&probe, 10, 3, 5);
    for (int i = 0; i < 10; i++) {
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_hear(&probe, 10, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
        probe_tick(&probe, SEC);
    }
    const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 10);
    assert_non_null(pull);
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 9));
    probe_hear_batch(&probe, 10, pull->pull.pull, 7, 5, 100, true);
    probe_grow(&probe, 7, 5);
    probe_ingested(&probe, 10, 2, 100, 1, 0);
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
    probe_done(&probe);
}

/* One batch may fill a slow line for most of a minute. Whoever gives up before would begin anew for ever. */
static void a_batch_on_a_slow_line_is_waited_for(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    probe_hear_digest(&probe, 9, (uint64_t[8]){0}); /* it crossed the pull */
    for (int i = 0; i < 55; i++) {
        probe_tick(&probe, SEC);
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
        assert_null(probe_wanted(&probe, NV_ACTION_CLOSE, 9));
    }
    probe_hear_batch(&probe, 9, number, 7, 5, 256 * KIB, true);
    assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    probe_done(&probe);
}

static void silence_in_a_pull_gives_way_to_who_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    probe_meet_ahead(&probe, 10, 3, 5);
    for (int i = 0; i < 10; i++) {
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 0));
        probe_tick(&probe, SEC);
    }
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 10));
    probe_done(&probe);
}

static void who_talks_and_does_not_answer_a_pull_is_asked_again(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    const struct nv_message *pull = NULL;
    for (int i = 0; pull == NULL; i++) {
        assert_true(i < 12);
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_tick(&probe, SEC);
        pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
    }
    assert_true(pull->pull.pull > number);
    probe_done(&probe);
}

/* What it brings waits for something that this peer does not have: no circle of pulls. */
static void a_pull_that_brings_nothing_is_repeated_ever_more_slowly(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    int64_t last_pause = 0;
    for (int i = 0; i < 5; i++) {
        probe_hear_batch(&probe, 9, number, 7, 5, 100, true);
        probe_ingested(&probe, 9, number, 100, 0, 0);
        const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
        assert_null(pull);
        int64_t start = probe.now;
        while (pull == NULL) {
            probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
            probe_tick(&probe, SEC / 10);
            pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
        }
        assert_true(probe.now - start >= SEC && probe.now - start > last_pause);
        last_pause = probe.now - start;
        number = pull->pull.pull;
    }
    probe_done(&probe);
}

static void a_long_pull_gives_way_to_who_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 500);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    probe_meet_ahead(&probe, 10, 3, 600);
    uint64_t seq = 0;
    for (size_t bytes = 0; probe_said(&probe, NV_MESSAGE_PULL, 10) == NULL; bytes += 256 * KIB) {
        assert_true(bytes < NV_SYNC_TURN_BYTES + 2 * NV_SYNC_CREDIT_BYTES);
        probe_hear_batch(&probe, 9, number, 7, ++seq, 256 * KIB, false);
        probe_grow(&probe, 7, seq);
        probe_ingested(&probe, 9, number, 256 * KIB, 1, 0);
    }
    assert_true(seq * 256 * KIB >= NV_SYNC_TURN_BYTES);
    probe_done(&probe);
}

/* Whoever sends a word now and then, and never what was asked for. */
static void a_pull_that_only_drips_gives_way_to_who_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    int64_t start = probe.now;
    probe_meet_ahead(&probe, 10, 3, 5);
    while (probe_said(&probe, NV_MESSAGE_PULL, 10) == NULL) {
        assert_true(probe.now - start < 40 * (int64_t)SEC);
        probe_hear_batch(&probe, 9, number, 7, 5, 0, false);
        probe_hear(&probe, 10, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_tick(&probe, SEC);
    }
    assert_true(probe.now - start >= 30 * (int64_t)SEC);
    probe_done(&probe);
}

/* It has something that we can never take: the pauses grow up to a minute, and no further. */
static void a_pull_that_never_brings_anything_is_still_asked_for_every_minute(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    int64_t pause = 0;
    for (int i = 0; i < 40; i++) {
        probe_hear_batch(&probe, 9, number, 7, 5, 100, true);
        probe_ingested(&probe, 9, number, 100, 0, 0);
        int64_t start = probe.now;
        const struct nv_message *pull = NULL;
        while (pull == NULL) {
            assert_true(probe.now - start <= 61 * (int64_t)SEC);
            probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
            probe_tick(&probe, SEC);
            pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
        }
        number = pull->pull.pull;
        pause = probe.now - start;
    }
    assert_true(pause >= 60 * (int64_t)SEC);
    probe_done(&probe);
}

static void an_empty_last_batch_ends_a_pull(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 5);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    probe_meet_ahead(&probe, 10, 3, 5);
    probe_hear_batch(&probe, 9, number, 0, 0, 0, true);
    assert_null(probe_wanted(&probe, NV_ACTION_INGEST, 0));
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 10));
    probe_done(&probe);
}

/* They cannot be in what either side has, and who brought them is judged once they are read. */
static void changesets_whose_header_cannot_be_read_are_nobodys_head(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear_batch(&probe, 9, 0, 7, 0, 100, false);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_INGEST, 9)->ingest.bytes, 100);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.ahead, 0);
    probe_done(&probe);
}

static void an_empty_push_asks_for_nothing(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    probe_hear_batch(&probe, 9, 0, 0, 0, 0, false);
    assert_int_equal(probe.actions.count, 0);
    assert_int_equal(nv_sync_queued(probe.sync), 0);
    probe_done(&probe);
}

/* What still comes of a pull that was left is taken, and does not count as the new one's. */
static void a_batch_of_a_pull_that_was_left_spends_no_credit_of_the_next(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 9, 2, 500);
    uint64_t left = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull, number = 0;
    for (int tenths = 0; number == 0; tenths++) {
        assert_true(tenths < 200);
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_tick(&probe, SEC / 10);
        const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
        number = pull != NULL ? pull->pull.pull : 0;
    }
    assert_true(number > left);
    probe_hear_batch(&probe, 9, left, 7, 1, 100, true);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_INGEST, 9)->ingest.pull, left);
    probe_ingested(&probe, 9, left, 100, 1, 0);
    assert_null(probe_said(&probe, NV_MESSAGE_CREDIT, 9));
    assert_null(probe_said(&probe, NV_MESSAGE_PULL, 9)); /* the new one goes on */
    probe_hear_batch(&probe, 9, number, 7, 2, 100, false);
    probe_grow(&probe, 7, 2);
    probe_ingested(&probe, 9, number, 100, 1, 0);
    assert_int_equal(probe_said(&probe, NV_MESSAGE_CREDIT, 9)->credit.pull, number);
    probe_done(&probe);
}

/* A batch of so many changesets, each of another log of the writer 7. */
static void hear_of_logs(struct probe *probe, uint32_t session, uint64_t first_epoch, size_t count)
{
    static struct nv_far_head heads[NV_LIMIT_LOGS];
    static struct nv_slice changesets[NV_LIMIT_LOGS];
    struct nv_message message = {.kind = NV_MESSAGE_BATCH};
    for (size_t i = 0; i < count; i++) {
        heads[i] = probe_head(7, 1);
        heads[i].epoch = first_epoch + i;
        changesets[i] = (struct nv_slice){(const uint8_t *)"", NV_SYNC_LEAST_BYTES};
    }
    message.batch.changesets = changesets;
    message.batch.changeset_count = count;
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    event.message.message = &message;
    event.message.heads = heads;
    probe_step(probe, event);
}

static void batches_cannot_name_more_logs_than_a_network_has(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 9, 2);
    hear_of_logs(&probe, 9, 1, NV_LIMIT_LOGS);
    assert_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

/* What is coming is remembered for as many logs as a network has. Of a further one nothing is remembered: it is pulled
 * from whoever has it. */
static void what_is_coming_is_bounded(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet(&probe, 10, 3);
    probe_meet(&probe, 9, 2);
    hear_of_logs(&probe, 9, 1000, NV_LIMIT_LOGS - 1);
    assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 9));
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 9});
    probe_open(&probe, 11, 2, false);
    probe_hear(&probe, 11, probe_hello(2));
    probe_hear_has(&probe, 11, (uint64_t[8]){0}, true, false);
    struct nv_far_head further = probe_head(7, 1);
    hear_of_logs(&probe, 11, further.epoch - 1, 2);
    assert_non_null(probe_wanted(&probe, NV_ACTION_INGEST, 11));
    probe_hear_has(&probe, 10, (uint64_t[8]){[7] = 1}, false, false);
    assert_non_null(probe_said(&probe, NV_MESSAGE_PULL, 10));
    probe_done(&probe);
}

/* Each session could bring a pull's worth, whatever is left of those before it. */
static void who_comes_again_and_again_does_not_fill_the_memory(void **state)
{
    (void)state;
    enum { BATCH = 3 << 20, ROUNDS = 20 };
    struct probe probe = probe_of(1);
    uint32_t session = 9;
    size_t pulls = 0;
    for (; session < 9 + ROUNDS; session++) {
        probe_meet_ahead(&probe, session, 2, 50);
        const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, session);
        pulls += pull != NULL;
        if (pull != NULL)
            probe_hear_batch(&probe, session, pull->pull.pull, 7, 1, BATCH, false);
        probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = session});
        assert_true(nv_sync_queued(probe.sync) <= (size_t)NV_SYNC_QUEUE_BYTES + BATCH);
    }
    assert_true(pulls < ROUNDS);
    /* As soon as there is room, it is asked again. */
    probe_meet_ahead(&probe, session, 2, 50);
    for (uint32_t before = 9; probe_said(&probe, NV_MESSAGE_PULL, session) == NULL; before++) {
        assert_true(before < 9 + pulls);
        probe_ingested(&probe, before, before - 8, BATCH, 0, 0);
    }
    probe_done(&probe);
}

/* Of those who could be next, one has not said what it has, one has nothing that we lack, one went away, and one rests
 * for what it brought. */
static void a_long_pull_goes_on_where_nobody_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_meet_ahead(&probe, 13, 6, 700);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 13)->pull.pull;
    probe_meet_ahead(&probe, 9, 2, 500);
    probe_hear_batch(&probe, 13, number, 7, 700, 100, true);
    probe_ingested(&probe, 13, number, 100, 0, 1); /* refused: it rests for a while */
    number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    probe_open(&probe, 10, 3, true);
    probe_meet(&probe, 11, 4);
    probe_meet_ahead(&probe, 12, 5, 600);
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 12});
    uint64_t seq = 0;
    for (size_t bytes = 0; bytes < 2 * NV_SYNC_TURN_BYTES; bytes += 256 * KIB) {
        probe_hear_batch(&probe, 9, number, 7, ++seq, 256 * KIB, false);
        probe_grow(&probe, 7, seq);
        probe_ingested(&probe, 9, number, 256 * KIB, 1, 0);
        assert_int_equal(probe_said(&probe, NV_MESSAGE_CREDIT, 9)->credit.bytes, 256 * KIB);
    }
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_peer_is_pulled_from_at_a_time),
        cmocka_unit_test(what_is_coming_is_not_pulled),
        cmocka_unit_test(what_is_said_to_be_coming_is_not_waited_for_long),
        cmocka_unit_test(credit_is_given_for_what_is_durable),
        cmocka_unit_test(who_does_not_answer_a_pull_rests_and_another_is_asked),
        cmocka_unit_test(a_batch_on_a_slow_line_is_waited_for),
        cmocka_unit_test(silence_in_a_pull_gives_way_to_who_waits),
        cmocka_unit_test(who_talks_and_does_not_answer_a_pull_is_asked_again),
        cmocka_unit_test(a_pull_that_brings_nothing_is_repeated_ever_more_slowly),
        cmocka_unit_test(a_long_pull_gives_way_to_who_waits),
        cmocka_unit_test(a_pull_that_only_drips_gives_way_to_who_waits),
        cmocka_unit_test(a_pull_that_never_brings_anything_is_still_asked_for_every_minute),
        cmocka_unit_test(an_empty_last_batch_ends_a_pull),
        cmocka_unit_test(changesets_whose_header_cannot_be_read_are_nobodys_head),
        cmocka_unit_test(an_empty_push_asks_for_nothing),
        cmocka_unit_test(a_batch_of_a_pull_that_was_left_spends_no_credit_of_the_next),
        cmocka_unit_test(what_is_coming_is_bounded),
        cmocka_unit_test(who_comes_again_and_again_does_not_fill_the_memory),
        cmocka_unit_test(batches_cannot_name_more_logs_than_a_network_has),
        cmocka_unit_test(a_long_pull_goes_on_where_nobody_waits),
    };
    return cmocka_run_group_tests_name("sync: pull", tests, NULL, NULL);
}
