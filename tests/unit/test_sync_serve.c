/* Serving the pulls of others: credit, and whose turn it is. One machine of core/sync.h: events go in, and what it
 * wants done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync_probe.h"

static void a_pull_is_served_while_there_is_credit(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 1, 40);
    probe_meet(&probe, 9, 2);
    probe_hear_pull(&probe, 9, 77, 500 * KIB);
    assert_int_equal(nv_sync_wake(probe.sync).us, probe.now);
    probe_tick(&probe, 0);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.pull, 77);
    assert_int_equal(serve->serve.cursor, 0);
    assert_int_equal(serve->serve.budget, NV_SYNC_BATCH_BYTES);
    probe_served(&probe, 9, 77, 1, 2, 260 * KIB, false);
    probe_tick(&probe, 0);
    serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.budget, 240 * KIB);
    assert_int_equal(serve->serve.cursor, 1);
    assert_int_equal(serve->serve.peer_count, 1); /* what was sent is not read again */
    probe_served(&probe, 9, 77, 1, 3, 250 * KIB, false);
    probe_tick(&probe, 0);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_CREDIT, .credit = {.pull = 77, .bytes = 300 * KIB}});
    probe_tick(&probe, 0);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_served(&probe, 9, 77, 1, 40, 100, true);
    /* The pull is done, so it is in step: the next growth is pushed. */
    probe_grow(&probe, 1, 41);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_SERVE, 9)->serve.pull, 0);
    probe_done(&probe);
}

static void eight_are_served_at_once_and_the_others_wait_in_line(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    for (uint8_t i = 0; i < 12; i++) {
        probe_meet(&probe, 100 + i, (uint8_t)(2 + i));
        probe_hear_pull(&probe, 100 + i, 1, 1024 * KIB);
    }
    size_t batches[12] = {0};
    for (int i = 0; i < 24; i++) {
        probe_tick(&probe, MILLI);
        const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 0);
        assert_non_null(serve);
        uint32_t session = serve->session;
        batches[session - 100]++;
        probe_served(&probe, session, 1, 1, 1, 10 * KIB, false);
    }
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(batches[i], i < 8 ? 3 : 0);
    /* Those that wait hear so before they lose patience. */
    bool heard[12] = {false};
    for (int i = 0; i < 40; i++) {
        probe_tick(&probe, SEC / 10);
        for (uint32_t j = 0; j < 12; j++) {
            const struct nv_message *word = probe_said(&probe, NV_MESSAGE_BATCH, 100 + j);
            heard[j] = heard[j] || (word != NULL && word->batch.changeset_count == 0 && !word->batch.last);
        }
        const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 0);
        uint32_t session = serve->session;
        probe_served(&probe, session, 1, 1, 1, 1, session == 100);
    }
    for (size_t i = 9; i < 12; i++)
        assert_true(heard[i]);
    assert_false(heard[0]);
    /* The first one was done above: the ninth got its place. */
    bool ninth = false;
    for (int i = 0; i < 8; i++) {
        probe_tick(&probe, MILLI);
        const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 0);
        ninth = ninth || serve->session == 108;
        probe_served(&probe, serve->session, 1, 1, 1, 1, false);
    }
    assert_true(ninth);
    probe_done(&probe);
}

static void a_pull_that_makes_no_sense_is_garbage(void **state)
{
    (void)state;
    static struct nv_far_head many[NV_LIMIT_LOGS + 1];
    for (size_t i = 0; i <= NV_LIMIT_LOGS; i++) {
        many[i] = probe_head(7, 1);
        many[i].epoch = i + 1;
    }
    struct nv_far_head disordered[] = {probe_head(3, 1), probe_head(2, 1)};
    const struct {
        uint64_t number;
        struct nv_far_head *has;
        size_t count;
        bool is_garbage;
    } pulls[] = {{0, NULL, 0, true},
                 {1, disordered, 2, true},
                 {1, many, NV_LIMIT_LOGS + 1, true},
                 {1, many, NV_LIMIT_LOGS, false}};
    for (size_t i = 0; i < sizeof pulls / sizeof *pulls; i++) {
        struct probe probe = probe_of(1);
        probe_meet(&probe, 9, 2);
        struct nv_message message = {.kind = NV_MESSAGE_PULL};
        message.pull.pull = pulls[i].number;
        message.pull.has = pulls[i].has;
        message.pull.has_count = pulls[i].count;
        message.pull.credit_bytes = 1;
        probe_hear(&probe, 9, message);
        const struct nv_action *close = probe_wanted(&probe, NV_ACTION_CLOSE, 9);
        assert_true((close != NULL) == pulls[i].is_garbage);
        if (close != NULL)
            assert_int_equal(close->close.why, NV_CLOSE_GARBAGE);
        probe_done(&probe);
    }
}

/* Sums of what a peer says never wrap around, and never promise more than so much. */
static void credit_has_a_bound(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 1, 4000);
    probe_meet(&probe, 9, 2);
    probe_hear_pull(&probe, 9, 77, UINT64_MAX);
    for (int i = 0; i < 3; i++)
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_CREDIT, .credit = {77, UINT64_MAX}});
    size_t sent = 0;
    for (uint64_t seq = 2;; seq++) {
        probe_tick(&probe, 0);
        if (probe_wanted(&probe, NV_ACTION_SERVE, 9) == NULL)
            break;
        probe_served(&probe, 9, 77, 1, seq, 256 * KIB, false);
        sent += 256 * KIB;
    }
    assert_int_equal(sent, 64 << 20);
    probe_done(&probe);
}

static void credit_for_a_pull_that_does_not_run_is_worth_nothing(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 1, 40);
    probe_meet(&probe, 9, 2);
    struct nv_message credit = {.kind = NV_MESSAGE_CREDIT, .credit = {77, 100 * KIB}};
    probe_hear(&probe, 9, credit); /* before any pull */
    probe_hear_pull(&probe, 9, 78, 100);
    probe_hear(&probe, 9, credit); /* of another one */
    probe_tick(&probe, 0);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_SERVE, 9)->serve.budget, 100);
    probe_served(&probe, 9, 78, 1, 2, 100, false);
    probe_tick(&probe, 0);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_done(&probe);
}

/* Its line goes away while a batch is read: nothing more is read for it until the network says so. */
static void a_pull_whose_batch_is_being_read_is_not_served_again(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 1, 40);
    probe_meet(&probe, 9, 2);
    probe_hear_pull(&probe, 9, 77, 500 * KIB);
    probe_tick(&probe, 0);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_tick(&probe, SEC);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_done(&probe);
}

/* What grew while it was served comes as a push. */
static void a_pull_that_ends_behind_our_growth_is_followed_by_a_push(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    probe_grow(&probe, 1, 40);
    probe_meet(&probe, 9, 2);
    probe_hear_pull(&probe, 9, 77, 500 * KIB);
    probe_tick(&probe, 0);
    struct nv_far_head head = probe_head(1, 40);
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = 9};
    event.served.pull = 77;
    event.served.heads = &head;
    event.served.count = 1;
    event.served.bytes = 100;
    event.served.cursor = probe.newest;
    event.served.done = true;
    probe_grow(&probe, 1, 41);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_step(&probe, event);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.pull, 0);
    assert_int_equal(serve->serve.cursor, probe.newest - 1);
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pull_is_served_while_there_is_credit),
        cmocka_unit_test(eight_are_served_at_once_and_the_others_wait_in_line),
        cmocka_unit_test(a_pull_that_makes_no_sense_is_garbage),
        cmocka_unit_test(credit_has_a_bound),
        cmocka_unit_test(credit_for_a_pull_that_does_not_run_is_worth_nothing),
        cmocka_unit_test(a_pull_whose_batch_is_being_read_is_not_served_again),
        cmocka_unit_test(a_pull_that_ends_behind_our_growth_is_followed_by_a_push),
    };
    return cmocka_run_group_tests_name("sync: serve", tests, NULL, NULL);
}
