/* What becomes of what a peer says or sends of scopes that it does not carry. One machine of core/sync.h, a hub: events
 * go in, and what it wants done is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sync_scoped.h"

static void hear_heads(struct probe *probe, uint32_t session, struct nv_far_head *heads, size_t count, bool is_whole)
{
    struct nv_message has = {.kind = NV_MESSAGE_HAS};
    has.has.whole = is_whole;
    has.has.heads = heads;
    has.has.head_count = count;
    has.has.digest.bytes[0] = 0xff;
    probe_hear(probe, session, has);
}

static void assert_refused(const struct probe *probe, uint32_t session, uint8_t site)
{
    const struct nv_action *refused = probe_wanted(probe, NV_ACTION_REFUSED, session);
    assert_non_null(refused);
    assert_memory_equal(&refused->refused.site, &(struct nv_site_id){{site}}, sizeof refused->refused.site);
    assert_int_equal(probe_said(probe, NV_MESSAGE_REFUSAL, session)->refusal.reason, NV_REFUSAL_CHANGESET);
    assert_null(probe_wanted(probe, NV_ACTION_CLOSE, session));
}

static void heads_of_what_the_peer_does_not_carry_are_refused(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    /* It said itself that it does not carry the group; or it says that it does, and must know better. */
    struct nv_scopes_said said[2] = {scoped_said(5, &GROUP_A, 1), scoped_said(5, both, 2)};
    for (size_t i = 0; i < 2; i++) {
        struct probe probe = scoped_hub();
        struct nv_far_head heads[2] = {scoped_head(NV_SCOPE_NETWORK, 7, 3), scoped_head(GROUP_B, 3, 20)};
        scoped_greet(&probe, 9, 2, said[i]);
        probe_hear_digest(&probe, 9, (uint64_t[8]){0});
        hear_heads(&probe, 9, heads, 2, true);
        assert_refused(&probe, 9, 2);
        assert_int_equal(scoped_look(&probe, 0).ahead, 3); /* of what both carry */
        probe_done(&probe);
    }
}

/* Who has read another part of the authority log than we may be right, or cannot know better. */
static void heads_of_what_the_peer_may_carry_elsewhere_are_passed_over(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    for (uint64_t position = 4; position <= 6; position += 2) {
        struct probe probe = scoped_hub();
        struct nv_far_head heads[2] = {scoped_head(NV_SCOPE_AUTHORITY, 0, position), scoped_head(GROUP_B, 3, 20)};
        scoped_greet(&probe, 9, 2, scoped_said(position, both, 2));
        hear_heads(&probe, 9, heads, 2, true);
        assert_null(probe_wanted(&probe, NV_ACTION_REFUSED, 0));
        assert_null(probe_said(&probe, NV_MESSAGE_REFUSAL, 0));
        /* Once it is where we are, it should know. */
        heads[0].seq = 5;
        hear_heads(&probe, 9, heads, 2, true);
        assert_refused(&probe, 9, 2);
        probe_done(&probe);
    }
}

static void a_pull_with_such_heads_is_refused_and_gets_what_both_carry(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    struct nv_far_head head = scoped_head(GROUP_B, 3, 2);
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    struct nv_message pull = {.kind = NV_MESSAGE_PULL};
    pull.pull.pull = 4;
    pull.pull.credit_bytes = 1 << 20;
    pull.pull.has = &head;
    pull.pull.has_count = 1;
    probe_hear(&probe, 9, pull);
    assert_refused(&probe, 9, 2);
    probe_tick(&probe, 0);
    const struct nv_action *serve = probe_wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.peer_count, 0);
    assert_false(nv_scope_set_has(&serve->serve.scopes, GROUP_B));
    probe_done(&probe);
}

/* A batch of three changesets; the first is of `network`, the others of the groups A and B. */
static void hear_mixed(struct probe *probe, uint32_t session, uint64_t pull, bool is_last)
{
    struct nv_far_head heads[3] = {probe_head(7, 1), scoped_head(GROUP_A, 7, 1), scoped_head(GROUP_B, 7, 1)};
    struct nv_slice changesets[3] = {
        {(const uint8_t *)"", 100}, {(const uint8_t *)"", 200}, {(const uint8_t *)"", 400}};
    struct nv_message message = {.kind = NV_MESSAGE_BATCH};
    message.batch.pull = pull;
    message.batch.changesets = changesets;
    message.batch.changeset_count = 3;
    message.batch.last = is_last;
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    event.message.message = &message;
    event.message.heads = heads;
    probe_step(probe, event);
}

static void changesets_of_what_the_peer_does_not_carry_are_refused_and_the_others_taken(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    hear_mixed(&probe, 9, 0, false);
    const struct nv_action *ingest = probe_wanted(&probe, NV_ACTION_INGEST, 9);
    assert_int_equal(ingest->ingest.count, 2);
    assert_true(ingest->ingest.places[0] == 0 && ingest->ingest.places[1] == 1);
    assert_int_equal(ingest->ingest.bytes, 300);
    assert_int_equal(nv_sync_queued(probe.sync), 300);
    assert_refused(&probe, 9, 2);
    assert_int_equal(scoped_look(&probe, 0).ahead, 2);
    probe_done(&probe);
}

/* In a pull of ours from a site that has not read as far in the authority log: what is passed over is given back as
 * credit, so that the pull goes on. */
static void what_is_passed_over_in_a_pull_costs_no_credit(void **state)
{
    (void)state;
    const struct nv_scope_id both[2] = {GROUP_A, GROUP_B};
    struct probe probe = scoped_hub();
    struct nv_far_head head = probe_head(7, 1);
    scoped_greet(&probe, 9, 2, scoped_said(4, both, 2));
    struct nv_message has = {.kind = NV_MESSAGE_HAS};
    has.has.whole = true;
    has.has.heads = &head;
    has.has.head_count = 1;
    probe_hear(&probe, 9, has);
    uint64_t number = probe_said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    hear_mixed(&probe, 9, number, false);
    assert_null(probe_wanted(&probe, NV_ACTION_REFUSED, 0));
    assert_int_equal(probe_said(&probe, NV_MESSAGE_CREDIT, 9)->credit.bytes, 400);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_INGEST, 9)->ingest.bytes, 300);
    probe_ingested(&probe, 9, number, 300, 2, 0);
    assert_int_equal(probe_said(&probe, NV_MESSAGE_CREDIT, 9)->credit.bytes, 300);
    /* Of a batch of which nothing is taken nothing waits to be judged. */
    struct nv_far_head other = scoped_head(GROUP_B, 7, 2);
    struct nv_slice changeset = {(const uint8_t *)"", 500};
    struct nv_message batch = {.kind = NV_MESSAGE_BATCH};
    batch.batch.pull = number;
    batch.batch.changesets = &changeset;
    batch.batch.changeset_count = 1;
    batch.batch.last = true;
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = 9};
    event.message.message = &batch;
    event.message.heads = &other;
    probe_step(&probe, event);
    assert_null(probe_wanted(&probe, NV_ACTION_INGEST, 0));
    assert_int_equal(nv_sync_queued(probe.sync), 0);
    probe_done(&probe);
}

static void who_goes_on_with_what_it_does_not_carry_is_not_welcome(void **state)
{
    (void)state;
    static struct nv_far_head heads[100];
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 2, &GROUP_A, 1);
    for (uint64_t i = 0; i < 100; i++) {
        heads[i] = scoped_head(GROUP_B, 3, 1);
        heads[i].epoch = i + 1;
    }
    for (int times = 0; times < 10; times++) {
        hear_heads(&probe, 9, heads, 100, false);
        assert_refused(&probe, 9, 2);
    }
    hear_heads(&probe, 9, heads, 100, false);
    assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    probe_done(&probe);
}

static void scopes_out_of_order_are_garbage(void **state)
{
    (void)state;
    const struct nv_scope_id bad[2][2] = {{GROUP_B, GROUP_A}, {GROUP_A, GROUP_A}};
    for (size_t i = 0; i < 4; i++) {
        struct probe probe = scoped_hub();
        struct nv_message has = {.kind = NV_MESSAGE_HAS};
        has.has.scopes = scoped_said(5, bad[i % 2], 2);
        if (i < 2) {
            scoped_meet(&probe, 9, 2, &GROUP_A, 1);
            probe_hear(&probe, 9, has);
        } else {
            scoped_greet(&probe, 9, 2, has.has.scopes);
        }
        assert_int_equal(probe_wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
        probe_done(&probe);
    }
}

static void bodies_are_asked_of_who_carries_their_scope(void **state)
{
    (void)state;
    struct probe probe = scoped_hub();
    scoped_meet(&probe, 9, 3, NULL, 0);
    scoped_meet(&probe, 10, 2, &GROUP_A, 1);
    struct nv_event owes = {.kind = NV_EVENT_OWES};
    owes.owes.any = true;
    owes.owes.before = scoped_head(GROUP_A, 2, 6);
    probe_step(&probe, owes);
    for (int tenths = 0; probe_said(&probe, NV_MESSAGE_PULL, 10) == NULL; tenths++) {
        assert_true(tenths < 30);
        assert_null(probe_said(&probe, NV_MESSAGE_PULL, 9));
        probe_tick(&probe, SEC / 10);
    }
    const struct nv_message *pull = probe_said(&probe, NV_MESSAGE_PULL, 10);
    assert_int_equal(pull->pull.has_count, 3);
    assert_int_equal(pull->pull.has[2].seq, 6);
    probe_done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_of_what_the_peer_does_not_carry_are_refused),
        cmocka_unit_test(heads_of_what_the_peer_may_carry_elsewhere_are_passed_over),
        cmocka_unit_test(a_pull_with_such_heads_is_refused_and_gets_what_both_carry),
        cmocka_unit_test(changesets_of_what_the_peer_does_not_carry_are_refused_and_the_others_taken),
        cmocka_unit_test(what_is_passed_over_in_a_pull_costs_no_credit),
        cmocka_unit_test(who_goes_on_with_what_it_does_not_carry_is_not_welcome),
        cmocka_unit_test(scopes_out_of_order_are_garbage),
        cmocka_unit_test(bodies_are_asked_of_who_carries_their_scope),
    };
    return cmocka_run_group_tests_name("sync: foreign scopes", tests, NULL, NULL);
}
