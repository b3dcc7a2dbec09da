/* What two nodes carry both, and speak of. One machine of core/sync.h, a hub: events go in, and what it wants done is
 * looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sync_scoped.h"

/* ---- what is said ---- */

static void hello_says_what_both_carry_and_how_far_that_is_known(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    probe_open(&probe, 9, 2, true);
    const struct nv_scopes_said *said = &probe_said(&probe, NV_MESSAGE_HELLO, 9)->hello.scopes;
    assert_true(said->is_said && said->authority_seq == 5 && said->scopes.count == 1 && !said->scopes.has_all);
    assert_true(nv_scope_id_equal(said->scopes.scopes[0], GROUP_A));
    probe_open(&probe, 10, 4, true); /* another hub */
    assert_true(probe_said(&probe, NV_MESSAGE_HELLO, 10)->hello.scopes.scopes.has_all);
    probe_done(&probe);
}

static void digests_vectors_and_pulls_are_of_what_both_carry(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    struct nv_scope_set shared = scoped_set(&GROUP_A, 1);
    struct nv_far_head heads[8 + PROBE_MORE];
    size_t count = scoped_heads(&probe, &shared, heads);
    assert_int_equal(count, 3);
    struct nv_digest digest = probe_digest(heads, count);
    scoped_greet(&probe, 9, 2, scoped_said(5, &GROUP_A, 1));
    assert_memory_equal(&probe_said(&probe, NV_MESSAGE_HAS, 9)->has.digest, &digest, sizeof digest);
    probe_hear_digest(&probe, 9, (uint64_t[8]){[7] = 3});
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.whole && has->has.head_count == count);
    assert_memory_equal(has->has.heads, heads, count * sizeof *heads);
    probe_hear_has(&probe, 9, (uint64_t[8]){[7] = 3}, true, false);
    const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
    assert_int_equal(pull->pull.has_count, count);
    assert_memory_equal(pull->pull.has, heads, count * sizeof *heads);
    probe_done(&probe);
}

/* A site that says nothing of scopes, or more than it carries, or less. */
static void what_both_carry_is_what_both_say(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    struct nv_scopes_said said[3] = {{.is_said = false}, scoped_said(5, both, 2), scoped_said(5, NULL, 0)};
    size_t expected[3] = {2, 3, 2}; /* with the authority log's head and that of `network` */
    for (size_t i = 0; i < 3; i++) {
        struct probe probe = scoped_hub();
        scoped_greet(&probe, 9, 2, said[i]);
        probe_hear_digest(&probe, 9, (uint64_t[8]){0});
        assert_int_equal(probe_said(&probe, NV_MESSAGE_HAS, 9)->has.head_count, expected[i]);
        probe_done(&probe);
    }
}

static void growth_goes_to_who_carries_it(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    scoped_meet(&probe, 10, 3, NULL, 0);
    probe_grow_in(&probe, GROUP_A, 4, 1);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_true(nv_scope_set_has(&serve->serve.scopes, GROUP_A) && !nv_scope_set_has(&serve->serve.scopes, GROUP_B));
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 10));
    assert_null(probe_said(&probe, NV_MESSAGE_HAS, 10));
    probe_grow_in(&probe, GROUP_C, 4, 1);
    assert_int_equal(probe.actions.count, 0);
    /* And what is for all goes on from there. */
    probe_grow(&probe, 1, 2);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 10));
    probe_done(&probe);
}

static void how_far_behind_a_peer_is_counts_what_both_carry(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    scoped_meet(&probe, 10, 3, NULL, 0);
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 9});
    probe_step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 10});
    probe_grow_in(&probe, GROUP_A, 2, 17);
    probe_grow_in(&probe, GROUP_B, 3, 109);
    assert_int_equal(scoped_look(&probe, 0).behind, 10);
    assert_int_equal(scoped_look(&probe, 1).behind, 0);
    probe_done(&probe);
}

static void who_is_no_member_hears_nothing(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    probe_carries(&probe, 2, NULL);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    struct nv_digest nothing = probe_digest(NULL, 0);
    assert_memory_equal(&has->has.digest, &nothing, sizeof nothing);
    assert_int_equal(has->has.head_count, 0);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_hear_pull(&probe, 9, 1, 1 << 20);
    probe_tick(&probe, 0);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_true(serve->serve.scopes.is_empty);
    assert_int_equal(scoped_look(&probe, 0).behind, 0);
    probe_done(&probe);
}

/* ---- sets that change ---- */

static void a_new_group_is_asked_for_once_both_know_of_it(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    scoped_meet(&probe, 10, 3, NULL, 0);
    scoped_carries(&probe, 2, both, 2);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.scopes.is_said && has->has.scopes.authority_seq == 6 && has->has.scopes.scopes.count == 2);
    assert_int_equal(has->has.head_count, 0);
    assert_null(probe_said(&probe, NV_MESSAGE_HAS, 10)); /* whom it does not concern */
    /* The op itself goes at once to who is in step, and nothing of the group before it. */
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_false(nv_scope_set_has(&serve->serve.scopes, GROUP_B));
    probe_served(&probe, 9, 0, 0, 6, 100, true);
    /* Once it says so too, both compare. */
    struct nv_message said = {.kind = NV_MESSAGE_HAS};
    said.has.scopes = scoped_said(6, both, 2);
    probe_hear(&probe, 9, said);
    has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    struct nv_scope_set shared = scoped_set(both, 2);
    struct nv_far_head heads[8 + PROBE_MORE];
    struct nv_digest digest = probe_digest(heads, scoped_heads(&probe, &shared, heads));
    assert_memory_equal(&has->has.digest, &digest, sizeof digest);
    assert_false(scoped_look(&probe, 0).in_step);
    probe_hear_pull(&probe, 9, 1, 1 << 20);
    probe_tick(&probe, 0);
    assert_true(nv_scope_set_has(&probe_wanted(&probe, NV_ACTION_SERVE, 9)->serve.scopes, GROUP_B));
    probe_done(&probe);
}

/* It cannot know otherwise that we hold the same. */
static void who_hears_that_more_is_shared_says_its_digest_too(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, NULL, 0);
    struct nv_scope_set shared = scoped_set(&GROUP_A, 1);
    struct nv_far_head heads[8 + PROBE_MORE];
    struct nv_message said = {.kind = NV_MESSAGE_HAS};
    said.has.scopes = scoped_said(5, &GROUP_A, 1);
    said.has.digest = probe_digest(heads, scoped_heads(&probe, &shared, heads));
    probe_hear(&probe, 9, said);
    assert_int_equal(probe.actions.count, 1);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 0);
    assert_memory_equal(&has->has.digest, &said.has.digest, sizeof said.has.digest);
    assert_true(scoped_look(&probe, 0).in_step);
    probe_hear(&probe, 9, said);
    assert_int_equal(probe.actions.count, 0); /* and no word more */
    probe_done(&probe);
}

/* A vector that was said a moment ago is not said again, unless it was of less than both carry now. */
static void a_vector_is_said_again_once_more_is_shared(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    struct nv_message asks = {.kind = NV_MESSAGE_HAS};
    scoped_greet(&probe, 9, 2, scoped_said(5, NULL, 0));
    asks.has.whole = asks.has.please = true;
    probe_hear(&probe, 9, asks);
    assert_int_equal(probe_said(&probe, NV_MESSAGE_HAS, 9)->has.head_count, 2);
    probe_hear(&probe, 9, asks);
    assert_null(probe_said(&probe, NV_MESSAGE_HAS, 9));
    asks.has.scopes = scoped_said(5, &GROUP_A, 1);
    probe_hear(&probe, 9, asks);
    size_t most = 0;
    for (size_t i = 0; i < probe.actions.count; i++)
        if (probe.actions.items[i].kind == NV_ACTION_SEND && probe.actions.items[i].send.kind == NV_MESSAGE_HAS &&
            probe.actions.items[i].send.has.head_count > most)
            most = probe.actions.items[i].send.has.head_count;
    assert_int_equal(most, 3);
    probe_done(&probe);
}

static void a_group_that_nobody_wrote_in_takes_nobody_out_of_step(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_C};
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    scoped_carries(&probe, 2, both, 2);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    struct nv_message said = {.kind = NV_MESSAGE_HAS};
    struct nv_far_head authority = scoped_head(NV_SCOPE_AUTHORITY, 0, 6);
    probe_served(&probe, 9, 0, 0, 6, 100, true);
    said.has.heads = &authority;
    said.has.head_count = 1;
    said.has.scopes = scoped_said(6, both, 2);
    probe_hear(&probe, 9, said);
    assert_true(scoped_look(&probe, 0).in_step);
    probe_grow_in(&probe, GROUP_C, 2, 1);
    assert_non_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_done(&probe);
}

/* Its pull goes on from the first changeset of what it carries now. */
static void a_pull_that_is_running_brings_the_new_group_too(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    probe_hear_pull(&probe, 9, 77, 1 << 20);
    probe_tick(&probe, 0);
    probe_served(&probe, 9, 77, 1, 1, 100 * KIB, false);
    probe_tick(&probe, 0);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_SERVE, 9)->serve.cursor, 1);
    probe_served(&probe, 9, 77, 1, 1, 100 * KIB, false);
    scoped_carries(&probe, 2, both, 2);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    struct nv_message said = {.kind = NV_MESSAGE_HAS};
    said.has.scopes = scoped_said(6, both, 2);
    probe_hear(&probe, 9, said);
    probe_tick(&probe, 0);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.cursor, 0);
    assert_int_equal(serve->serve.peer[0].seq, 1); /* what was sent is not sent again */
    assert_true(nv_scope_set_has(&serve->serve.scopes, GROUP_B));
    probe_done(&probe);
}

static void a_group_that_was_left_is_not_spoken_of_from_the_same_turn_on(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    scoped_carries(&probe, 2, NULL, 0);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    struct nv_scope_set shared = {0};
    struct nv_far_head heads[8 + PROBE_MORE];
    struct nv_digest digest = probe_digest(heads, scoped_heads(&probe, &shared, heads));
    assert_true(has->has.scopes.is_said && has->has.scopes.scopes.count == 0);
    assert_memory_equal(&has->has.digest, &digest, sizeof digest);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_false(nv_scope_set_has(&serve->serve.scopes, GROUP_A));
    assert_int_equal(serve->serve.peer_count, 2);
    probe_served(&probe, 9, 0, 0, 6, 100, true);
    probe_grow_in(&probe, GROUP_A, 4, 1);
    assert_int_equal(probe.actions.count, 0);
    assert_true(scoped_look(&probe, 0).in_step);
    probe_done(&probe);
}

/* A push of a group is on its way when its receiver leaves it: nobody acknowledges it, and nothing waits for that. */
static void a_push_of_what_was_left_is_not_waited_for(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    probe_grow_in(&probe, GROUP_A, 2, 8);
    struct nv_event served = {.kind = NV_EVENT_SERVED, .session = 9};
    struct nv_far_head pushed = scoped_head(GROUP_A, 2, 8);
    served.served.heads = &pushed;
    served.served.count = 1;
    served.served.bytes = 100;
    served.served.cursor = probe.newest;
    served.served.done = true;
    probe_step(&probe, served);
    scoped_carries(&probe, 2, NULL, 0);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    probe_served(&probe, 9, 0, 0, 6, 100, true);
    struct nv_message has = {.kind = NV_MESSAGE_HAS};
    struct nv_far_head authority = scoped_head(NV_SCOPE_AUTHORITY, 0, 6);
    has.has.heads = &authority;
    has.has.head_count = 1;
    probe_hear(&probe, 9, has);
    for (int seconds = 0; seconds < 12; seconds++) {
        probe_hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        probe_tick(&probe, SEC);
    }
    assert_true(scoped_look(&probe, 0).in_step);
    probe_done(&probe);
}

/* A group that we left and came back to in one go: what we held of it is gone, and is asked for again. */
static void what_we_no_longer_hold_is_asked_for_again(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    probe.more_count = 0;
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    struct nv_scope_set shared = scoped_set(&GROUP_A, 1);
    struct nv_far_head heads[8 + PROBE_MORE];
    struct nv_digest digest = probe_digest(heads, scoped_heads(&probe, &shared, heads));
    assert_memory_equal(&has->has.digest, &digest, sizeof digest);
    probe_tick(&probe, 3 * SEC);
    const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 9);
    assert_non_null(pull);
    assert_int_equal(pull->pull.has_count, 2);
    probe_done(&probe);
}

/* An arrival number that was given to what went may be given again. */
static void what_comes_after_something_went_is_read_from_the_first_on(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    probe_grow(&probe, 1, 2);
    assert_true(probe_wanted(&probe, NV_ACTION_SERVE, 9)->serve.cursor > 0);
    probe_served(&probe, 9, 0, 1, 2, 100, true);
    probe.more_count--; /* the group B's log, of which the peer knows nothing */
    probe_grow(&probe, 1, 2);
    assert_null(probe_wanted(&probe, NV_ACTION_SERVE, 9));
    probe_grow(&probe, 1, 3);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.cursor, 0);
    assert_int_equal(serve->serve.peer[1].seq, 2);
    probe_done(&probe);
}

/* What stands in the store of a scope that we no longer read is not ours to speak of. */
static void what_is_left_of_a_scope_that_we_left_is_not_spoken_of(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    struct probe probe = probe_of(1);
    scoped_carries(&probe, 1, both, 2);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 5);
    probe_grow_in(&probe, GROUP_A, 1, 1);
    probe_grow_in(&probe, GROUP_B, 1, 1);
    scoped_meet(&probe, 9, 2, both, 2);
    scoped_carries(&probe, 1, &GROUP_A, 1);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 6);
    probe_hear_digest(&probe, 9, (uint64_t[8]){0});
    const struct nv_message *has = probe_said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 3);
    assert_true(nv_scope_id_equal(has->has.heads[2].scope, GROUP_A));
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_says_what_both_carry_and_how_far_that_is_known),
        cmocka_unit_test(digests_vectors_and_pulls_are_of_what_both_carry),
        cmocka_unit_test(what_both_carry_is_what_both_say),
        cmocka_unit_test(growth_goes_to_who_carries_it),
        cmocka_unit_test(how_far_behind_a_peer_is_counts_what_both_carry),
        cmocka_unit_test(who_is_no_member_hears_nothing),
        cmocka_unit_test(a_new_group_is_asked_for_once_both_know_of_it),
        cmocka_unit_test(who_hears_that_more_is_shared_says_its_digest_too),
        cmocka_unit_test(a_vector_is_said_again_once_more_is_shared),
        cmocka_unit_test(a_group_that_nobody_wrote_in_takes_nobody_out_of_step),
        cmocka_unit_test(a_pull_that_is_running_brings_the_new_group_too),
        cmocka_unit_test(a_group_that_was_left_is_not_spoken_of_from_the_same_turn_on),
        cmocka_unit_test(a_push_of_what_was_left_is_not_waited_for),
        cmocka_unit_test(what_we_no_longer_hold_is_asked_for_again),
        cmocka_unit_test(what_comes_after_something_went_is_read_from_the_first_on),
        cmocka_unit_test(what_is_left_of_a_scope_that_we_left_is_not_spoken_of),
    };
    return cmocka_run_group_tests_name("sync: scopes", tests, NULL, NULL);
}
