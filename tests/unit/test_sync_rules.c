/* The rules of core/sync.h, one by one: events into one machine, and what it wants done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync.h"

enum { MILLI = 1000, SEC = 1000 * MILLI, KIB = 1024 };

static const uint8_t network[32] = {42};

/* One machine, the heads of its log, and what it wanted since the last look. */
struct probe {
    struct nv_sync *sync;
    struct nv_actions actions;
    int64_t now;
    uint64_t own[8]; /* seq by writer */
    int64_t newest;
};

static struct nv_site_id site_of(uint8_t number)
{
    return (struct nv_site_id){{number}};
}

static struct nv_far_head head_of(uint8_t writer, uint64_t seq)
{
    return (struct nv_far_head){.site = site_of(writer), .epoch = 1, .scope = NV_SCOPE_NETWORK, .seq = seq};
}

static size_t heads_of(const uint64_t seqs[8], struct nv_far_head heads[8])
{
    size_t count = 0;
    for (uint8_t i = 0; i < 8; i++)
        if (seqs[i] > 0)
            heads[count++] = head_of(i, seqs[i]);
    return count;
}

static struct nv_digest digest_of(const uint64_t seqs[8])
{
    struct nv_digest digest = {{0}};
    for (size_t i = 0; i < 8; i++)
        digest.bytes[i] = (uint8_t)seqs[i];
    return digest;
}

static void step(struct probe *probe, struct nv_event event)
{
    nv_actions_clear(&probe->actions);
    event.now.us = probe->now;
    assert_int_equal(nv_sync_step(probe->sync, &event, &probe->actions), NV_OK);
}

static void tick(struct probe *probe, int64_t later)
{
    probe->now += later;
    step(probe, (struct nv_event){.kind = NV_EVENT_TICK});
}

/* Our log grew to `seq` of that writer. */
static void grow(struct probe *probe, uint8_t writer, uint64_t seq)
{
    struct nv_far_head heads[8];
    probe->own[writer] = seq;
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = heads;
    event.grew.count = heads_of(probe->own, heads);
    event.grew.digest = digest_of(probe->own);
    event.grew.newest = ++probe->newest;
    step(probe, event);
}

static struct probe probe_of(uint8_t self)
{
    struct probe probe = {.sync = nv_sync_new(site_of(self), network), .now = 1000 * (int64_t)SEC};
    assert_non_null(probe.sync);
    grow(&probe, self, 1);
    return probe;
}

static void done(struct probe *probe)
{
    nv_sync_free(probe->sync);
    nv_actions_done(&probe->actions);
}

static void open(struct probe *probe, uint32_t session, uint8_t site, bool dialled)
{
    struct nv_event event = {.kind = NV_EVENT_OPENED, .session = session};
    event.opened.site = site_of(site);
    event.opened.dialled = dialled;
    step(probe, event);
}

static void hear(struct probe *probe, uint32_t session, struct nv_message message)
{
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    event.message.message = &message;
    step(probe, event);
}

static struct nv_message hello_of(uint8_t site)
{
    struct nv_message message = {.kind = NV_MESSAGE_HELLO};
    message.hello.protocol = NV_PROTOCOL;
    memcpy(message.hello.network, network, sizeof network);
    message.hello.site = site_of(site);
    return message;
}

static void hear_digest(struct probe *probe, uint32_t session, const uint64_t seqs[8])
{
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.digest = digest_of(seqs);
    hear(probe, session, message);
}

static void hear_has(struct probe *probe, uint32_t session, const uint64_t seqs[8], bool whole, bool please)
{
    struct nv_far_head heads[8];
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.digest.bytes[15] = 0xff; /* of something else than ours */
    message.has.heads = heads;
    message.has.head_count = heads_of(seqs, heads);
    message.has.whole = whole;
    message.has.please = please;
    hear(probe, session, message);
}

static void hear_pull(struct probe *probe, uint32_t session, uint64_t number, uint64_t credit)
{
    struct nv_message message = {.kind = NV_MESSAGE_PULL};
    message.pull.pull = number;
    message.pull.credit_bytes = credit;
    hear(probe, session, message);
}

/* A batch of one changeset of that size. */
static void hear_batch(struct probe *probe, uint32_t session, uint64_t pull, uint8_t writer, uint64_t seq, size_t size,
                       bool last)
{
    struct nv_far_head head = head_of(writer, seq);
    struct nv_slice changeset = {(const uint8_t *)"", size}; /* only its size is looked at */
    struct nv_message message = {.kind = NV_MESSAGE_BATCH};
    message.batch.pull = pull;
    message.batch.changesets = &changeset;
    message.batch.changeset_count = size > 0;
    message.batch.last = last;
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    event.message.message = &message;
    event.message.heads = &head;
    step(probe, event);
}

static void ingested(struct probe *probe, uint32_t session, uint64_t pull, size_t bytes, size_t taken, size_t refused)
{
    struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = session};
    event.ingested.pull = pull;
    event.ingested.bytes = bytes;
    event.ingested.taken = taken;
    event.ingested.refused = refused;
    event.ingested.text = "a signature that does not hold";
    step(probe, event);
}

static void served(struct probe *probe, uint32_t session, uint64_t pull, uint8_t writer, uint64_t seq, size_t bytes,
                   bool is_done)
{
    struct nv_far_head head = head_of(writer, seq);
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = session};
    event.served.pull = pull;
    event.served.heads = &head;
    event.served.count = bytes > 0;
    event.served.bytes = bytes;
    event.served.cursor = is_done ? probe->newest : 1;
    event.served.done = is_done;
    step(probe, event);
}

/* The first action of that kind for that session (0: any); NULL where there is none. */
static const struct nv_action *wanted(const struct probe *probe, enum nv_action_kind kind, uint32_t session)
{
    for (size_t i = 0; i < probe->actions.count; i++)
        if (probe->actions.items[i].kind == kind && (session == 0 || probe->actions.items[i].session == session))
            return &probe->actions.items[i];
    return NULL;
}

static const struct nv_message *said(const struct probe *probe, enum nv_message_kind kind, uint32_t session)
{
    for (size_t i = 0; i < probe->actions.count; i++) {
        const struct nv_action *action = &probe->actions.items[i];
        if (action->kind == NV_ACTION_SEND && action->send.kind == kind && (session == 0 || action->session == session))
            return &action->send;
    }
    return NULL;
}

/* A session that is greeted and in step. */
static void meet(struct probe *probe, uint32_t session, uint8_t site)
{
    open(probe, session, site, true);
    hear(probe, session, hello_of(site));
    hear_digest(probe, session, probe->own);
    assert_int_equal(probe->actions.count, 0);
}

/* ---- opening ------------------------------------------------------------------------------------------------------
 */

static void hello_comes_first_and_then_a_digest(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    open(&probe, 9, 2, true);
    assert_int_equal(probe.actions.count, 1);
    const struct nv_message *hello = said(&probe, NV_MESSAGE_HELLO, 9);
    assert_non_null(hello);
    assert_int_equal(hello->hello.protocol, NV_PROTOCOL);
    assert_memory_equal(hello->hello.network, network, sizeof network);
    hear(&probe, 9, hello_of(2));
    const struct nv_message *has = said(&probe, NV_MESSAGE_HAS, 9);
    assert_non_null(has);
    assert_int_equal(has->has.head_count, 0);
    assert_false(has->has.whole || has->has.please);
    assert_int_equal(has->has.digest.bytes[1], 1);
    done(&probe);
}

static void a_wrong_hello_is_refused(void **state)
{
    (void)state;
    struct nv_message wrong[6] = {
        hello_of(2), hello_of(2), hello_of(3), hello_of(1), {.kind = NV_MESSAGE_PING}, {.kind = NV_MESSAGE_PULL}};
    enum nv_refusal reasons[6] = {NV_REFUSAL_PROTOCOL, NV_REFUSAL_NETWORK,  NV_REFUSAL_IDENTITY,
                                  NV_REFUSAL_IDENTITY, NV_REFUSAL_PROTOCOL, NV_REFUSAL_PROTOCOL};
    wrong[0].hello.protocol = NV_PROTOCOL + 1;
    wrong[1].hello.network[31] = 1;
    for (size_t i = 0; i < 6; i++) {
        struct probe probe = probe_of(1);
        open(&probe, 9, 2, false);
        hear(&probe, 9, wrong[i]);
        assert_int_equal(probe.actions.count, 2);
        assert_int_equal(said(&probe, NV_MESSAGE_REFUSAL, 9)->refusal.reason, reasons[i]);
        assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_HELLO);
        hear(&probe, 9, hello_of(2));
        assert_int_equal(probe.actions.count, 0);
        done(&probe);
    }
}

static void of_two_connections_both_sides_keep_the_one_that_the_lesser_site_dialled(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++)
        for (uint8_t self = 1; self <= 2; self++) {
            struct probe probe = probe_of(self);
            uint8_t other = (uint8_t)(3 - self);
            open(&probe, 10, other, order == 0);
            open(&probe, 11, other, order == 1);
            uint32_t by_us = order == 0 ? 10 : 11, by_other = 21 - by_us;
            uint32_t loser = self == 1 ? by_other : by_us;
            assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 0)->session, loser);
            assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 0)->close.why, NV_CLOSE_REPLACED);
            hear(&probe, 21 - loser, hello_of(other));
            assert_non_null(said(&probe, NV_MESSAGE_HAS, 21 - loser));
            done(&probe);
        }
}

static void a_site_that_comes_again_takes_its_old_place(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    open(&probe, 10, 2, false);
    hear(&probe, 10, hello_of(2));
    open(&probe, 11, 2, false);
    assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 10)->close.why, NV_CLOSE_REPLACED);
    assert_non_null(said(&probe, NV_MESSAGE_HELLO, 11));
    done(&probe);
}

/* ---- Has ----------------------------------------------------------------------------------------------------------
 */

static void another_digest_is_answered_with_the_whole_vector(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    open(&probe, 9, 2, true);
    hear(&probe, 9, hello_of(2));
    hear_digest(&probe, 9, (uint64_t[8]){0, 0, 5});
    const struct nv_message *has = said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.whole && has->has.please);
    assert_int_equal(has->has.head_count, 1);
    /* The other side did the same: our whole vector is on its way already, and is not said twice. */
    hear_has(&probe, 9, (uint64_t[8]){0, 0, 5}, true, true);
    assert_null(said(&probe, NV_MESSAGE_HAS, 9));
    assert_non_null(said(&probe, NV_MESSAGE_PULL, 9));
    probe.now += 2 * SEC;
    hear_has(&probe, 9, (uint64_t[8]){0, 0, 5}, true, true);
    has = said(&probe, NV_MESSAGE_HAS, 9);
    assert_true(has->has.whole && !has->has.please);
    done(&probe);
}

static void heads_out_of_order_are_garbage(void **state)
{
    (void)state;
    struct nv_far_head bad[3][2] = {
        {head_of(3, 1), head_of(2, 1)}, {head_of(2, 1), head_of(2, 2)}, {head_of(2, 0), head_of(3, 1)}};
    for (size_t i = 0; i < 3; i++) {
        struct probe probe = probe_of(1);
        meet(&probe, 9, 2);
        struct nv_message message = {.kind = NV_MESSAGE_HAS};
        message.has.heads = bad[i];
        message.has.head_count = 2;
        hear(&probe, 9, message);
        assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
        done(&probe);
    }
}

/* Received is not durable: nothing is said of it before the log grew. */
static void nothing_is_said_before_it_is_durable(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    meet(&probe, 10, 3);
    hear_batch(&probe, 9, 0, 2, 1, 100, false);
    assert_int_equal(probe.actions.count, 1);
    assert_non_null(wanted(&probe, NV_ACTION_INGEST, 9));
    tick(&probe, 50 * MILLI);
    assert_int_equal(probe.actions.count, 0);
    grow(&probe, 2, 1);
    const struct nv_message *has = said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 1);
    assert_false(has->has.whole);
    assert_int_equal(has->has.heads[0].site.bytes[0], 2);
    done(&probe);
}

static void growth_is_told_once_in_ten_milliseconds(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    open(&probe, 9, 2, true);
    hear(&probe, 9, hello_of(2));
    probe.now += 2 * SEC;
    hear_has(&probe, 9, (uint64_t[8]){0}, true, false); /* it lacks ours: out of step */
    grow(&probe, 1, 2);
    assert_non_null(said(&probe, NV_MESSAGE_HAS, 9));
    for (uint64_t seq = 3; seq < 8; seq++) {
        probe.now += MILLI;
        grow(&probe, 1, seq);
        assert_int_equal(probe.actions.count, 0);
    }
    assert_int_equal(nv_sync_wake(probe.sync).us, probe.now + 5 * MILLI);
    tick(&probe, 5 * MILLI);
    const struct nv_message *has = said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 1);
    assert_int_equal(has->has.heads[0].seq, 7);
    done(&probe);
}

/* ---- pushes -------------------------------------------------------------------------------------------------------
 */

static void a_peer_in_step_gets_growth_at_once_and_its_writer_does_not(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    meet(&probe, 10, 3);
    hear_batch(&probe, 9, 0, 2, 1, 100, false);
    grow(&probe, 2, 1);
    assert_null(wanted(&probe, NV_ACTION_SERVE, 9));
    const struct nv_action *serve = wanted(&probe, NV_ACTION_SERVE, 10);
    assert_int_equal(serve->serve.pull, 0);
    assert_int_equal(serve->serve.cursor, probe.newest - 1);
    assert_null(said(&probe, NV_MESSAGE_HAS, 10));
    done(&probe);
}

static void pushes_stop_at_the_window_and_go_on_with_the_acknowledgement(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    for (uint64_t seq = 2; seq <= 5; seq++) {
        grow(&probe, 1, seq);
        assert_non_null(wanted(&probe, NV_ACTION_SERVE, 9));
        served(&probe, 9, 0, 1, seq, 256 * KIB, true);
    }
    grow(&probe, 1, 6);
    assert_int_equal(probe.actions.count, 0);
    tick(&probe, SEC / 2);
    assert_int_equal(probe.actions.count, 0);
    hear_has(&probe, 9, (uint64_t[8]){0, 3}, false, false);
    assert_non_null(wanted(&probe, NV_ACTION_SERVE, 9));
    served(&probe, 9, 0, 1, 6, 100, true);
    hear_has(&probe, 9, (uint64_t[8]){0, 6}, false, false);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_true(view.in_step);
    assert_int_equal(view.behind, 0);
    done(&probe);
}

static void who_does_not_acknowledge_is_told_and_must_pull(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    grow(&probe, 1, 2);
    served(&probe, 9, 0, 1, 2, 100, true);
    for (int i = 0; i < 9; i++) {
        hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        tick(&probe, SEC);
        const struct nv_message *has = said(&probe, NV_MESSAGE_HAS, 9);
        assert_true(has == NULL || has->has.head_count == 0);
    }
    tick(&probe, SEC);
    const struct nv_message *has = said(&probe, NV_MESSAGE_HAS, 9);
    assert_int_equal(has->has.head_count, 1);
    assert_int_equal(has->has.heads[0].seq, 2);
    grow(&probe, 1, 3);
    assert_null(wanted(&probe, NV_ACTION_SERVE, 9));
    done(&probe);
}

/* A push beyond what we hold of one peer at once is dropped, and comes by pull. */
static void a_push_without_room_comes_again_by_pull(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    uint64_t seq = 1;
    for (size_t bytes = 0; bytes <= NV_SYNC_PEER_BYTES; bytes += 1024 * KIB) {
        hear_batch(&probe, 9, 0, 2, seq++, 1024 * KIB, false);
        assert_non_null(wanted(&probe, NV_ACTION_INGEST, 9));
    }
    hear_batch(&probe, 9, 0, 2, seq, 1024 * KIB, false);
    assert_null(wanted(&probe, NV_ACTION_INGEST, 9));
    for (uint64_t one = 1; one < seq; one++) {
        assert_null(said(&probe, NV_MESSAGE_PULL, 9));
        grow(&probe, 2, one);
        ingested(&probe, 9, 0, 1024 * KIB, 1, 0);
    }
    const struct nv_message *pull = said(&probe, NV_MESSAGE_PULL, 9);
    assert_non_null(pull);
    assert_int_equal(pull->pull.has[1].seq, seq - 1);
    done(&probe);
}

static void what_is_pushed_by_all_has_a_bound_too(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    for (uint8_t site = 2; site < 7; site++)
        meet(&probe, 100u + site, site);
    for (uint8_t site = 2; site < 6; site++)
        hear_batch(&probe, 100u + site, 0, site, 1, NV_SYNC_QUEUE_BYTES / 4, false);
    assert_non_null(wanted(&probe, NV_ACTION_INGEST, 105));
    hear_batch(&probe, 106, 0, 6, 1, 1024 * KIB, false);
    assert_null(wanted(&probe, NV_ACTION_INGEST, 106));
    done(&probe);
}

/* ---- pulls --------------------------------------------------------------------------------------------------------
 */

static void learn_that_it_is_ahead(struct probe *probe, uint32_t session, uint8_t site, uint64_t seq)
{
    open(probe, session, site, true);
    hear(probe, session, hello_of(site));
    uint64_t seqs[8];
    memcpy(seqs, probe->own, sizeof seqs);
    seqs[7] = seq;
    hear_has(probe, session, seqs, true, false);
}

static void one_peer_is_pulled_from_at_a_time(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    const struct nv_message *pull = said(&probe, NV_MESSAGE_PULL, 9);
    assert_int_equal(pull->pull.credit_bytes, NV_SYNC_CREDIT_BYTES);
    assert_int_equal(pull->pull.has_count, 1);
    uint64_t number = pull->pull.pull;
    learn_that_it_is_ahead(&probe, 10, 3, 7);
    assert_null(said(&probe, NV_MESSAGE_PULL, 0));
    hear_batch(&probe, 9, number, 7, 5, 100, true);
    assert_null(said(&probe, NV_MESSAGE_PULL, 0)); /* not durable yet: what we have cannot be said */
    grow(&probe, 7, 5);
    ingested(&probe, 9, number, 100, 1, 0);
    assert_non_null(said(&probe, NV_MESSAGE_PULL, 10));
    done(&probe);
}

/* What one peer pushed and is not durable yet is not pulled from another that has it too. */
static void what_is_coming_is_not_pulled(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    meet(&probe, 10, 3);
    hear_batch(&probe, 9, 0, 7, 1, 100, false);
    hear_has(&probe, 10, (uint64_t[8]){[7] = 1}, false, false);
    assert_null(said(&probe, NV_MESSAGE_PULL, 0));
    ingested(&probe, 9, 0, 100, 0, 0); /* it waits for something: now ask whoever has it */
    assert_non_null(said(&probe, NV_MESSAGE_PULL, 0));
    done(&probe);
}

/* What it says of itself may be made up: nobody keeps us from another peer by pretending that it sends the same. */
static void what_is_said_to_be_coming_is_not_waited_for_long(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    meet(&probe, 10, 3);
    hear_batch(&probe, 9, 0, 7, 1000, 100, false);
    hear_has(&probe, 10, (uint64_t[8]){[7] = 1}, false, false);
    for (int i = 0; said(&probe, NV_MESSAGE_PULL, 10) == NULL; i++) {
        assert_true(i < 30);
        hear_batch(&probe, 9, 0, 7, 1000, 100, false);
        ingested(&probe, 9, 0, 100, 0, 0);
        if (said(&probe, NV_MESSAGE_PULL, 10) == NULL)
            tick(&probe, SEC / 10);
    }
    done(&probe);
}

static void credit_is_given_for_what_is_durable(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 50);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    hear_batch(&probe, 9, number, 7, 1, 300 * KIB, false);
    assert_null(said(&probe, NV_MESSAGE_CREDIT, 9));
    grow(&probe, 7, 1);
    ingested(&probe, 9, number, 300 * KIB, 1, 0);
    const struct nv_message *credit = said(&probe, NV_MESSAGE_CREDIT, 9);
    assert_int_equal(credit->credit.bytes, 300 * KIB);
    assert_int_equal(credit->credit.pull, number);
    /* All credit used and more: the other side does not keep to the protocol. */
    hear_batch(&probe, 9, number, 7, 2, NV_SYNC_CREDIT_BYTES, false);
    assert_non_null(wanted(&probe, NV_ACTION_INGEST, 9));
    hear_batch(&probe, 9, number, 7, 3, NV_SYNC_LEAST_BYTES, false);
    assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    done(&probe);
}

static void who_does_not_answer_a_pull_rests_and_another_is_asked(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    learn_that_it_is_ahead(&probe, 10, 3, 5);
    for (int i = 0; i < 10; i++) {
        hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        hear(&probe, 10, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        assert_null(said(&probe, NV_MESSAGE_PULL, 0));
        tick(&probe, SEC);
    }
    const struct nv_message *pull = said(&probe, NV_MESSAGE_PULL, 10);
    assert_non_null(pull);
    assert_null(said(&probe, NV_MESSAGE_PULL, 9));
    hear_batch(&probe, 10, pull->pull.pull, 7, 5, 100, true);
    grow(&probe, 7, 5);
    ingested(&probe, 10, 2, 100, 1, 0);
    assert_null(said(&probe, NV_MESSAGE_PULL, 0));
    done(&probe);
}

/* One batch may fill a slow line for most of a minute. Whoever gives up before would begin anew for ever. */
static void a_batch_on_a_slow_line_is_waited_for(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    hear_digest(&probe, 9, (uint64_t[8]){0}); /* it crossed the pull */
    for (int i = 0; i < 55; i++) {
        tick(&probe, SEC);
        assert_null(said(&probe, NV_MESSAGE_PULL, 0));
        assert_null(wanted(&probe, NV_ACTION_CLOSE, 9));
    }
    hear_batch(&probe, 9, number, 7, 5, 256 * KIB, true);
    assert_non_null(wanted(&probe, NV_ACTION_INGEST, 9));
    done(&probe);
}

static void silence_in_a_pull_gives_way_to_who_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    learn_that_it_is_ahead(&probe, 10, 3, 5);
    for (int i = 0; i < 10; i++) {
        assert_null(said(&probe, NV_MESSAGE_PULL, 0));
        tick(&probe, SEC);
    }
    assert_non_null(said(&probe, NV_MESSAGE_PULL, 10));
    done(&probe);
}

static void who_talks_and_does_not_answer_a_pull_is_asked_again(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    const struct nv_message *pull = NULL;
    for (int i = 0; pull == NULL; i++) {
        assert_true(i < 12);
        hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        tick(&probe, SEC);
        pull = said(&probe, NV_MESSAGE_PULL, 9);
    }
    assert_true(pull->pull.pull > number);
    done(&probe);
}

/* What it brings waits for something that this peer does not have: no circle of pulls. */
static void a_pull_that_brings_nothing_is_repeated_ever_more_slowly(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    int64_t last_pause = 0;
    for (int i = 0; i < 5; i++) {
        hear_batch(&probe, 9, number, 7, 5, 100, true);
        ingested(&probe, 9, number, 100, 0, 0);
        const struct nv_message *pull = said(&probe, NV_MESSAGE_PULL, 9);
        assert_null(pull);
        int64_t start = probe.now;
        while (pull == NULL) {
            hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
            tick(&probe, SEC / 10);
            pull = said(&probe, NV_MESSAGE_PULL, 9);
        }
        assert_true(probe.now - start >= SEC && probe.now - start > last_pause);
        last_pause = probe.now - start;
        number = pull->pull.pull;
    }
    done(&probe);
}

static void a_long_pull_gives_way_to_who_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 500);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    learn_that_it_is_ahead(&probe, 10, 3, 600);
    uint64_t seq = 0;
    for (size_t bytes = 0; said(&probe, NV_MESSAGE_PULL, 10) == NULL; bytes += 256 * KIB) {
        assert_true(bytes < NV_SYNC_TURN_BYTES + 2 * NV_SYNC_CREDIT_BYTES);
        hear_batch(&probe, 9, number, 7, ++seq, 256 * KIB, false);
        grow(&probe, 7, seq);
        ingested(&probe, 9, number, 256 * KIB, 1, 0);
    }
    assert_true(seq * 256 * KIB >= NV_SYNC_TURN_BYTES);
    done(&probe);
}

/* Whoever sends a word now and then, and never what was asked for. */
static void a_pull_that_only_drips_gives_way_to_who_waits(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    int64_t start = probe.now;
    learn_that_it_is_ahead(&probe, 10, 3, 5);
    while (said(&probe, NV_MESSAGE_PULL, 10) == NULL) {
        assert_true(probe.now - start < 40 * (int64_t)SEC);
        hear_batch(&probe, 9, number, 7, 5, 0, false);
        hear(&probe, 10, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
        tick(&probe, SEC);
    }
    assert_true(probe.now - start >= 30 * (int64_t)SEC);
    done(&probe);
}

/* ---- serving ------------------------------------------------------------------------------------------------------
 */

static void a_pull_is_served_while_there_is_credit(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    grow(&probe, 1, 40);
    meet(&probe, 9, 2);
    hear_pull(&probe, 9, 77, 500 * KIB);
    assert_int_equal(nv_sync_wake(probe.sync).us, probe.now);
    tick(&probe, 0);
    const struct nv_action *serve = wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.pull, 77);
    assert_int_equal(serve->serve.cursor, 0);
    assert_int_equal(serve->serve.budget, NV_SYNC_BATCH_BYTES);
    served(&probe, 9, 77, 1, 2, 260 * KIB, false);
    tick(&probe, 0);
    serve = wanted(&probe, NV_ACTION_SERVE, 9);
    assert_int_equal(serve->serve.budget, 240 * KIB);
    assert_int_equal(serve->serve.cursor, 1);
    assert_int_equal(serve->serve.peer_count, 1); /* what was sent is not read again */
    served(&probe, 9, 77, 1, 3, 250 * KIB, false);
    tick(&probe, 0);
    assert_null(wanted(&probe, NV_ACTION_SERVE, 9));
    hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_CREDIT, .credit = {.pull = 77, .bytes = 300 * KIB}});
    tick(&probe, 0);
    assert_non_null(wanted(&probe, NV_ACTION_SERVE, 9));
    served(&probe, 9, 77, 1, 40, 100, true);
    /* The pull is done, so it is in step: the next growth is pushed. */
    grow(&probe, 1, 41);
    assert_int_equal(wanted(&probe, NV_ACTION_SERVE, 9)->serve.pull, 0);
    done(&probe);
}

static void eight_are_served_at_once_and_the_others_wait_in_line(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    for (uint8_t i = 0; i < 12; i++) {
        meet(&probe, 100 + i, (uint8_t)(2 + i));
        hear_pull(&probe, 100 + i, 1, 1024 * KIB);
    }
    size_t batches[12] = {0};
    for (int i = 0; i < 24; i++) {
        tick(&probe, MILLI);
        const struct nv_action *serve = wanted(&probe, NV_ACTION_SERVE, 0);
        assert_non_null(serve);
        uint32_t session = serve->session;
        batches[session - 100]++;
        served(&probe, session, 1, 1, 1, 10 * KIB, false);
    }
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(batches[i], i < 8 ? 3 : 0);
    /* Those that wait hear so before they lose patience. */
    bool heard[12] = {false};
    for (int i = 0; i < 40; i++) {
        tick(&probe, SEC / 10);
        for (uint32_t j = 0; j < 12; j++) {
            const struct nv_message *word = said(&probe, NV_MESSAGE_BATCH, 100 + j);
            heard[j] = heard[j] || (word != NULL && word->batch.changeset_count == 0 && !word->batch.last);
        }
        const struct nv_action *serve = wanted(&probe, NV_ACTION_SERVE, 0);
        uint32_t session = serve->session;
        served(&probe, session, 1, 1, 1, 1, session == 100);
    }
    for (size_t i = 9; i < 12; i++)
        assert_true(heard[i]);
    assert_false(heard[0]);
    /* The first one was done above: the ninth got its place. */
    bool ninth = false;
    for (int i = 0; i < 8; i++) {
        tick(&probe, MILLI);
        const struct nv_action *serve = wanted(&probe, NV_ACTION_SERVE, 0);
        ninth = ninth || serve->session == 108;
        served(&probe, serve->session, 1, 1, 1, 1, false);
    }
    assert_true(ninth);
    done(&probe);
}

/* ---- refusals -----------------------------------------------------------------------------------------------------
 */

static void a_refused_changeset_rests_its_giver_and_nobody_else(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    learn_that_it_is_ahead(&probe, 10, 3, 5);
    hear_batch(&probe, 9, number, 7, 5, 100, true);
    ingested(&probe, 9, number, 100, 0, 1);
    const struct nv_message *refusal = said(&probe, NV_MESSAGE_REFUSAL, 9);
    assert_int_equal(refusal->refusal.reason, NV_REFUSAL_CHANGESET);
    assert_string_equal(refusal->refusal.text, "a signature that does not hold");
    assert_null(wanted(&probe, NV_ACTION_CLOSE, 0));
    assert_non_null(said(&probe, NV_MESSAGE_PULL, 10));
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_string_equal(view.note, "a signature that does not hold");
    done(&probe);
}

/* A log with two histories is refused from whoever relays it: the other sites' news must not wait for long. */
static void news_are_asked_for_soon_after_refusals(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    learn_that_it_is_ahead(&probe, 9, 2, 5);
    uint64_t number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    for (int i = 0; i < 8; i++) { /* each pull brings the same one, and rests twice as long */
        hear_batch(&probe, 9, number, 7, 5, 100, true);
        ingested(&probe, 9, number, 100, 0, 1);
        for (int seconds = 0; i < 7 && said(&probe, NV_MESSAGE_PULL, 9) == NULL; seconds++) {
            assert_true(seconds < 700);
            hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
            tick(&probe, SEC);
        }
        if (i < 7)
            number = said(&probe, NV_MESSAGE_PULL, 9)->pull.pull;
    }
    hear_has(&probe, 9, (uint64_t[8]){[6] = 1}, false, false);
    for (int seconds = 0; said(&probe, NV_MESSAGE_PULL, 9) == NULL; seconds++) {
        assert_true(seconds < 6);
        tick(&probe, SEC);
    }
    done(&probe);
}

static void who_brings_too_much_to_refuse_is_not_welcome(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    for (size_t refused = 0; refused < NV_SYNC_REFUSED_MOST; refused += 250) {
        hear_batch(&probe, 9, 0, 7, 1, 100, false);
        ingested(&probe, 9, 0, 100, 0, 250);
        assert_null(wanted(&probe, NV_ACTION_CLOSE, 9));
    }
    hear_batch(&probe, 9, 0, 7, 1, 100, false);
    ingested(&probe, 9, 0, 100, 0, 1);
    assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    open(&probe, 10, 2, true);
    assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 10)->close.why, NV_CLOSE_UNWELCOME);
    done(&probe);
}

/* A flood of them costs many times its bytes. */
static void changesets_too_short_to_be_any_are_garbage(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    hear_batch(&probe, 9, 0, 7, 1, NV_SYNC_LEAST_BYTES - 1, false);
    assert_null(wanted(&probe, NV_ACTION_INGEST, 9));
    assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_GARBAGE);
    done(&probe);
}

static void garbage_ends_the_session_and_its_sender_is_not_welcome_for_a_while(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    int64_t pauses[3];
    for (uint32_t i = 0; i < 3; i++) {
        meet(&probe, 9 + 100 * i, 2);
        struct nv_event event = {.kind = NV_EVENT_GARBAGE, .session = 9 + 100 * i};
        event.garbage.text = "no message";
        step(&probe, event);
        assert_int_equal(said(&probe, NV_MESSAGE_REFUSAL, 0)->refusal.reason, NV_REFUSAL_MALFORMED);
        assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 0)->close.why, NV_CLOSE_GARBAGE);
        int64_t start = probe.now;
        for (uint32_t session = 10 + 100 * i;; session++) {
            probe.now += SEC / 10;
            open(&probe, session, 2, true);
            if (wanted(&probe, NV_ACTION_CLOSE, session) == NULL)
                break;
            assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, session)->close.why, NV_CLOSE_UNWELCOME);
        }
        pauses[i] = probe.now - start;
    }
    assert_true(pauses[0] >= SEC && pauses[1] >= 2 * pauses[0] - SEC / 5 && pauses[2] >= 2 * pauses[1] - SEC / 5);
    done(&probe);
}

/* ---- alive --------------------------------------------------------------------------------------------------------
 */

static void silence_is_asked_after_and_then_ends_the_session(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    tick(&probe, 5 * SEC - 1);
    assert_null(said(&probe, NV_MESSAGE_PING, 9));
    tick(&probe, 1);
    assert_false(said(&probe, NV_MESSAGE_PING, 9)->ping.reply);
    tick(&probe, 14 * SEC);
    assert_null(wanted(&probe, NV_ACTION_CLOSE, 9));
    tick(&probe, SEC);
    assert_int_equal(wanted(&probe, NV_ACTION_CLOSE, 9)->close.why, NV_CLOSE_SILENT);
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.session, 0);
    done(&probe);
}

static void a_ping_is_answered(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING});
    assert_true(said(&probe, NV_MESSAGE_PING, 9)->ping.reply);
    hear(&probe, 9, (struct nv_message){.kind = NV_MESSAGE_PING, .ping = {.reply = true}});
    assert_int_equal(probe.actions.count, 0);
    done(&probe);
}

static void how_far_behind_a_peer_is_and_since_when_outlives_its_session(void **state)
{
    (void)state;
    struct probe probe = probe_of(1);
    meet(&probe, 9, 2);
    step(&probe, (struct nv_event){.kind = NV_EVENT_CLOSED, .session = 9});
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.behind, 0);
    int64_t cut = probe.now += SEC;
    grow(&probe, 1, 4);
    assert_int_equal(probe.actions.count, 0);
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    probe.now += 100 * (int64_t)SEC;
    assert_true(nv_sync_look(probe.sync, 0, (struct nv_mono_us){probe.now}, &view));
    assert_int_equal(view.behind, 3);
    assert_int_equal(view.behind_since.us, cut);
    assert_int_equal(view.session, 0);
    assert_false(nv_sync_look(probe.sync, 1, (struct nv_mono_us){probe.now}, &view));
    done(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_comes_first_and_then_a_digest),
        cmocka_unit_test(a_wrong_hello_is_refused),
        cmocka_unit_test(of_two_connections_both_sides_keep_the_one_that_the_lesser_site_dialled),
        cmocka_unit_test(a_site_that_comes_again_takes_its_old_place),
        cmocka_unit_test(another_digest_is_answered_with_the_whole_vector),
        cmocka_unit_test(heads_out_of_order_are_garbage),
        cmocka_unit_test(nothing_is_said_before_it_is_durable),
        cmocka_unit_test(growth_is_told_once_in_ten_milliseconds),
        cmocka_unit_test(a_peer_in_step_gets_growth_at_once_and_its_writer_does_not),
        cmocka_unit_test(pushes_stop_at_the_window_and_go_on_with_the_acknowledgement),
        cmocka_unit_test(who_does_not_acknowledge_is_told_and_must_pull),
        cmocka_unit_test(a_push_without_room_comes_again_by_pull),
        cmocka_unit_test(what_is_pushed_by_all_has_a_bound_too),
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
        cmocka_unit_test(a_pull_is_served_while_there_is_credit),
        cmocka_unit_test(eight_are_served_at_once_and_the_others_wait_in_line),
        cmocka_unit_test(a_refused_changeset_rests_its_giver_and_nobody_else),
        cmocka_unit_test(news_are_asked_for_soon_after_refusals),
        cmocka_unit_test(who_brings_too_much_to_refuse_is_not_welcome),
        cmocka_unit_test(changesets_too_short_to_be_any_are_garbage),
        cmocka_unit_test(garbage_ends_the_session_and_its_sender_is_not_welcome_for_a_while),
        cmocka_unit_test(silence_is_asked_after_and_then_ends_the_session),
        cmocka_unit_test(a_ping_is_answered),
        cmocka_unit_test(how_far_behind_a_peer_is_and_since_when_outlives_its_session),
    };
    return cmocka_run_group_tests_name("sync rules", tests, NULL, NULL);
}
