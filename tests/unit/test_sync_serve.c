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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pull_is_served_while_there_is_credit),
        cmocka_unit_test(eight_are_served_at_once_and_the_others_wait_in_line),
    };
    return cmocka_run_group_tests_name("sync: serve", tests, NULL, NULL);
}
