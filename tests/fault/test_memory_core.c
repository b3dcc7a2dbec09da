/* Buffers, vectors, the merge of a record, what counts, the waiting room and the sync machine, where memory runs out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "core/counting.h"
#include "core/heads.h"
#include "core/intake.h"
#include "core/meaning.h"
#include "core/sync.h"
#include "core/vector.h"
#include "tests/fault/probe.h"
#include "wire/digest.h"

/* ---- base ---- */

static enum nv_status grow_buffer(struct nv_buffer *told)
{
    struct nv_buffer buffer = {0};
    for (uint64_t i = 0; i < 300; i++)
        nv_buffer_append_varint(&buffer, i * i * i);
    nv_buffer_append(&buffer, "end", 3);
    return nv_probe_tell(told, &buffer);
}

static enum nv_status fill_arena(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = 1 << 20};
    size_t taken = 0;
    for (size_t size = 1; size < 200000 && nv_arena_alloc(&arena, size) != NULL; size *= 3)
        taken = size;
    nv_arena_done(&arena);
    nv_buffer_append(told, &taken, sizeof taken);
    return taken == 177147 ? NV_OK : NV_NO_MEMORY;
}

/* ---- vectors ---- */

static enum nv_status raise_vectors(struct nv_buffer *told)
{
    struct nv_vector a = {0}, b = {0};
    enum nv_status status = NV_OK;
    for (nv_log_number log = 40; status == NV_OK && log > 0; log--)
        status = nv_vector_set(log % 2 == 0 ? &a : &b, (struct nv_head){.log = log, .seq = log + 1});
    if (status == NV_OK)
        status = nv_vector_join(&a, &b);
    if (status == NV_OK)
        status = nv_vector_copy(&b, &a);
    if (status == NV_OK)
        nv_buffer_append(told, b.heads, b.count * sizeof *b.heads);
    nv_vector_done(&a);
    nv_vector_done(&b);
    return status;
}

static struct nv_far_head head_of(uint8_t site, uint64_t seq)
{
    return (struct nv_far_head){.site = {{site}}, .epoch = 1, .scope = {{1}}, .seq = seq};
}

static enum nv_status raise_heads(struct nv_buffer *told)
{
    struct nv_heads a = {0}, b = {0};
    enum nv_status status = NV_OK;
    for (uint8_t site = 40; status == NV_OK && site > 0; site--) {
        struct nv_far_head head = head_of(site, site);
        status = nv_heads_raise(site % 2 == 0 ? &a : &b, &head);
    }
    if (status == NV_OK)
        status = nv_heads_join(&a, b.heads, b.count);
    if (status == NV_OK)
        status = nv_heads_assign(&b, a.heads, a.count);
    if (status == NV_OK)
        nv_buffer_append(told, b.heads, b.count * sizeof *b.heads);
    nv_heads_done(&a);
    nv_heads_done(&b);
    return status;
}

static enum nv_status meet_scopes(struct nv_buffer *told)
{
    struct nv_scope_id scopes[6] = {{{1}}, {{2}}, {{3}}, {{4}}, {{5}}, {{6}}};
    const struct nv_scope_set first = {.scopes = scopes, .count = 4}, last = {.scopes = scopes + 2, .count = 4};
    struct nv_scope_set set = {0};
    enum nv_status status = nv_scope_set_copy(&set, &first);
    if (status == NV_OK)
        status = nv_scope_set_copy(&set, &(struct nv_scope_set){.scopes = scopes, .count = 6});
    if (status == NV_OK)
        status = nv_scope_set_meet(&set, &first, &last);
    if (status == NV_OK)
        nv_buffer_append(told, set.scopes, set.count * sizeof *set.scopes);
    nv_scope_set_done(&set);
    return status;
}

/* ---- records ---- */

enum { WRITERS = 9 };

/* Puts of sites that know nothing of each other, then deletes that have seen some of them. */
static void make_ops(struct nv_op ops[2 * WRITERS], struct nv_vector seen[2 * WRITERS], struct nv_head heads[WRITERS],
                     struct nv_retained_op retained[2 * WRITERS])
{
    for (nv_log_number i = 0; i < WRITERS; i++)
        heads[i] = (struct nv_head){.log = i + 1, .seq = 1};
    for (nv_log_number i = 0; i < 2 * WRITERS; i++) {
        bool is_put = i < WRITERS;
        ops[i] = (struct nv_op){.kind = is_put ? NV_OP_PUT : NV_OP_DELETE, .table = 1, .time = {1000 + i}};
        if (is_put) {
            ops[i].fields = 3;
            ops[i].value_count = 2;
            ops[i].ages[1] = i;
        }
        seen[i] = is_put ? (struct nv_vector){0} : (struct nv_vector){.heads = heads, .count = i - WRITERS + 1};
        retained[i] = (struct nv_retained_op){
            .op = &ops[i],
            .fields = ops[i].fields,
            .cover = {.dot = {.log = is_put ? i + 1 : i + 100, .seq = 1}, .vector = &seen[i]},
            .writer = {{(uint8_t)i}},
        };
    }
}

static void tell_record(const struct nv_record *record, struct nv_buffer *told)
{
    for (size_t i = 0; i < record->sibling_count; i++)
        nv_buffer_append_varint(told, record->siblings[i].dot.log);
    for (size_t i = 0; i < record->delete_count; i++)
        nv_buffer_append_varint(told, record->deletes[i].dot.log);
    for (size_t i = 0; i < record->mark_count; i++)
        nv_buffer_append_varint(told, record->marks[i].dot.log);
}

static enum nv_status merge_record(struct nv_buffer *told)
{
    static struct nv_op ops[2 * WRITERS];
    struct nv_vector seen[2 * WRITERS];
    struct nv_head heads[WRITERS];
    struct nv_retained_op retained[2 * WRITERS];
    struct nv_record record = {0}, meant = {0};
    enum nv_status status = NV_OK;
    make_ops(ops, seen, heads, retained);
    for (size_t i = 0; status == NV_OK && i < 2 * WRITERS; i++)
        status = i < WRITERS ? nv_record_put(&record, &retained[i].cover, &ops[i], 3, retained[i].writer)
                             : nv_record_delete(&record, &retained[i].cover, &ops[i]);
    if (status == NV_OK)
        status = nv_meaning(retained, 2 * WRITERS, &meant);
    if (status == NV_OK) {
        assert_true(nv_record_equal(&record, &meant));
        tell_record(&record, told);
    }
    nv_record_done(&record);
    nv_record_done(&meant);
    return status;
}

/* ---- the waiting room ---- */

static enum nv_status queue_batches(struct nv_buffer *told)
{
    struct nv_intake *intake = nv_intake_new();
    enum nv_status status = intake == NULL ? NV_NO_MEMORY : NV_OK;
    struct nv_offered offered[32];
    struct nv_slice changesets[4];
    struct nv_far_head heads[4];
    for (size_t i = 0; i < 4; i++)
        changesets[i] = (struct nv_slice){(const uint8_t *)"changeset", 9};
    for (uint8_t site = 1; status == NV_OK && site < 4; site++) {
        for (size_t i = 0; i < 4; i++)
            heads[i] = head_of(site, 2 + i);
        status = nv_intake_put(intake, site, (struct nv_site_id){{site}}, 1, changesets, heads, 4);
    }
    for (int turn = 0; status == NV_OK && turn < 2; turn++) {
        size_t count = nv_intake_offer(intake, heads, 0, offered, 32, 1 << 20);
        for (size_t i = 0; status == NV_OK && i < count; i++) {
            nv_buffer_append(told, offered[i].from.bytes, 1);
            status = nv_intake_judge(intake, &offered[i], turn == 0 ? NV_JUDGED_WAITS : NV_JUDGED_TAKEN, "");
        }
        if (status == NV_OK) {
            struct nv_taken_in taken;
            while (nv_intake_finished(intake, &taken))
                nv_buffer_append_varint(told, taken.session);
            nv_intake_grew(intake);
        }
    }
    nv_intake_free(intake);
    return status;
}

/* ---- two sync machines ---- */

struct node {
    struct nv_site_id self;
    struct nv_sync *sync;
    struct nv_actions actions;
    struct nv_far_head has[2]; /* of site 1's log and of site 2's */
    struct node *other;
    bool is_executing;
    const struct nv_message *message; /* being stepped */
    struct nv_far_head message_heads[8];
    struct nv_buffer *told;
};

static int64_t now_us;

static enum nv_status step(struct node *node, struct nv_event *event);

static enum nv_status grow(struct node *node)
{
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = node->has;
    event.grew.count = 2;
    event.grew.newest = (int64_t)(node->has[0].seq + node->has[1].seq);
    return step(node, &event);
}

/* Site 1 is a hub, and site 2 carries so many scopes: the one that both write in is the first of them. */
static enum nv_status grow_with_scopes(struct node *node, size_t count)
{
    struct nv_scope_id scopes[2] = {{{1}}, {{2}}};
    struct nv_carrier carriers[2] = {{.site = {{1}}, .scopes = {.has_all = true}},
                                     {.site = {{2}}, .scopes = {.scopes = scopes, .count = count}}};
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = node->has;
    event.grew.count = 2;
    event.grew.newest = (int64_t)(node->has[0].seq + node->has[1].seq);
    event.grew.carriers = carriers;
    event.grew.carrier_count = 2;
    return step(node, &event);
}

/* A changeset of 100 bytes that begins with its site and seq. */
static enum nv_status receive(struct node *node, const struct nv_message *message)
{
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = 1};
    for (size_t i = 0; message->kind == NV_MESSAGE_BATCH && i < message->batch.changeset_count; i++)
        node->message_heads[i] = head_of(message->batch.changesets[i].data[0], message->batch.changesets[i].data[1]);
    const struct nv_message *before = node->message;
    event.message.message = node->message = message;
    event.message.heads = node->message_heads;
    enum nv_status status = step(node, &event);
    node->message = before;
    return status;
}

static enum nv_status serve(struct node *node, const struct nv_action *action)
{
    uint8_t bytes[8][100] = {{0}};
    struct nv_slice slices[8];
    struct nv_far_head heads[8];
    struct nv_message message = {.kind = NV_MESSAGE_BATCH, .batch = {.pull = action->serve.pull, .last = true}};
    struct nv_heads peer = {.heads = (struct nv_far_head *)(uintptr_t)action->serve.peer,
                            .count = action->serve.peer_count};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++)
        for (uint64_t seq = nv_heads_seq(&peer, &node->has[i]) + 1; seq <= node->has[i].seq; seq++, count++) {
            assert_true(count < 8);
            bytes[count][0] = node->has[i].site.bytes[0];
            bytes[count][1] = (uint8_t)seq;
            slices[count] = (struct nv_slice){bytes[count], sizeof bytes[count]};
            heads[count] = head_of(bytes[count][0], seq);
        }
    message.batch.changesets = slices;
    message.batch.changeset_count = count;
    enum nv_status status = receive(node->other, &message);
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = 1};
    event.served.pull = action->serve.pull;
    event.served.heads = heads;
    event.served.count = count;
    event.served.bytes = count * sizeof bytes[0];
    event.served.cursor = (int64_t)(node->has[0].seq + node->has[1].seq);
    event.served.done = true;
    return status == NV_OK ? step(node, &event) : status;
}

static enum nv_status ingest(struct node *node, const struct nv_action *action)
{
    struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = 1};
    for (size_t i = 0; i < action->ingest.count; i++) {
        const struct nv_far_head *head = &node->message_heads[action->ingest.places[i]];
        for (size_t j = 0; j < 2; j++)
            if (nv_far_head_order(&node->has[j], head) == 0)
                node->has[j] = *head;
    }
    event.ingested.pull = action->ingest.pull;
    event.ingested.bytes = action->ingest.bytes;
    event.ingested.taken = action->ingest.count;
    event.ingested.text = "";
    enum nv_status status = grow(node);
    return status == NV_OK ? step(node, &event) : status;
}

static enum nv_status execute(struct node *node, const struct nv_action *action)
{
    nv_buffer_append_byte(node->told, (uint8_t)action->kind);
    switch (action->kind) {
    case NV_ACTION_SEND:
        nv_buffer_append_byte(node->told, (uint8_t)action->send.kind);
        return receive(node->other, &action->send);
    case NV_ACTION_SERVE:
        return serve(node, action);
    case NV_ACTION_INGEST:
        return ingest(node, action);
    case NV_ACTION_CLOSE:
    case NV_ACTION_REFUSED:
        break;
    }
    return NV_OK;
}

/* Whoever executes already comes to what is appended. */
static enum nv_status step(struct node *node, struct nv_event *event)
{
    event->now.us = now_us;
    enum nv_status status = nv_sync_step(node->sync, event, &node->actions);
    if (status != NV_OK || node->is_executing)
        return status;
    node->is_executing = true;
    for (size_t i = 0; status == NV_OK && i < node->actions.count; i++) {
        struct nv_action action = node->actions.items[i];
        status = execute(node, &action);
    }
    node->is_executing = false;
    nv_actions_clear(&node->actions);
    return status;
}

static enum nv_status open_line(struct node *node)
{
    struct nv_event event = {.kind = NV_EVENT_OPENED, .session = 1};
    event.opened.site = node->other->self;
    event.opened.dialled = node->self.bytes[0] == 1;
    return step(node, &event);
}

static enum nv_status speak(struct nv_buffer *told)
{
    static const uint8_t network[32] = {7};
    struct node nodes[2];
    enum nv_status status = NV_OK;
    now_us = 1000000;
    for (uint8_t i = 0; i < 2; i++) {
        nodes[i] = (struct node){.self = {{(uint8_t)(i + 1)}},
                                 .sync = nv_sync_new((struct nv_site_id){{(uint8_t)(i + 1)}}, network, &nv_digests),
                                 .has = {head_of(1, i == 0 ? 4 : 1), head_of(2, i == 0 ? 1 : 3)},
                                 .other = &nodes[1 - i],
                                 .told = told};
        if (nodes[i].sync == NULL)
            status = NV_NO_MEMORY;
    }
    for (size_t i = 0; status == NV_OK && i < 2; i++)
        status = grow_with_scopes(&nodes[i], 1);
    /* Both ends are open before anything comes over the line: the first tick carries out what they say. */
    for (size_t i = 0; status == NV_OK && i < 2; i++) {
        nodes[i].is_executing = true;
        status = open_line(&nodes[i]);
        nodes[i].is_executing = false;
    }
    for (int turn = 0; status == NV_OK && turn < 40; turn++) {
        now_us += 1000000;
        if (turn == 20 || turn == 22) { /* they are in step: it is pushed */
            nodes[turn == 20 ? 0 : 1].has[turn == 20 ? 0 : 1].seq++;
            status = grow(&nodes[turn == 20 ? 0 : 1]);
        }
        for (size_t i = 0; status == NV_OK && i < 2 && turn >= 24 && turn < 30; i++)
            status = grow_with_scopes(&nodes[i], (size_t)(turn - 24) / 2); /* 0, 1, 2 */
        for (size_t i = 0; status == NV_OK && i < 2; i++) {
            struct nv_event event = {.kind = NV_EVENT_TICK};
            status = step(&nodes[i], &event);
        }
    }
    if (status == NV_OK)
        for (size_t i = 0; i < 2; i++)
            assert_true(nodes[i].has[0].seq == 5 && nodes[i].has[1].seq == 4);
    for (size_t i = 0; i < 2; i++) {
        nv_sync_free(nodes[i].sync);
        nv_actions_done(&nodes[i].actions);
    }
    return status;
}

/* ---- what counts ---- */

static struct nv_head head_at(nv_log_number log, uint64_t seq)
{
    return (struct nv_head){.log = log, .seq = seq, .pin = {{(uint8_t)log, (uint8_t)seq}}};
}

/* Logs 1 to 5 of as many sites, of which four lost their rights; each names the next one. */
static enum nv_status tell_counting(struct nv_counting *counting)
{
    enum nv_status status = NV_OK;
    for (nv_log_number log = 1; status == NV_OK && log <= 5; log++) {
        struct nv_head end = head_at(log, 1);
        struct nv_site_id site = {{(uint8_t)log}};
        status = nv_counting_log(counting, log, site, &end);
        if (status == NV_OK && log < 5)
            status = nv_counting_taking(counting, site, 9, &end, 1);
    }
    for (uint64_t seq = 2; seq < 12; seq++)
        for (nv_log_number log = 1; status == NV_OK && log <= 5; log++) {
            struct nv_head context = head_at(log - 1, seq);
            struct nv_counting_header header = {.log = log,
                                                .seq = seq,
                                                .pin = head_at(log, seq).pin,
                                                .previous = head_at(log, seq - 1).pin,
                                                .authority_seq = 5,
                                                .context = &context,
                                                .context_count = log > 1 && seq < 8};
            status = nv_counting_header(counting, &header);
        }
    struct nv_head named = head_at(1, 9);
    return status == NV_OK ? nv_counting_named(counting, &named) : status;
}

static enum nv_status count(struct nv_buffer *told)
{
    struct nv_counting *counting = nv_counting_new();
    struct nv_head head;
    enum nv_status status = counting == NULL ? NV_NO_MEMORY : tell_counting(counting);
    if (status == NV_OK)
        status = nv_counting_settle(counting);
    for (size_t i = 0; status == NV_OK && nv_counting_at(counting, i, &head); i++)
        nv_buffer_append(told, &head, sizeof head);
    if (status == NV_OK)
        assert_int_equal(told->size, (10 + 6 * 3 + 8) * sizeof head);
    nv_counting_free(counting);
    return status;
}

int main(void)
{
    static const struct nv_probe probes[] = {
        {"a buffer", grow_buffer},       {"an arena", fill_arena},   {"vectors", raise_vectors},
        {"heads", raise_heads},          {"a record", merge_record}, {"the waiting room", queue_batches},
        {"sets of scopes", meet_scopes}, {"what counts", count},     {"sync machines", speak},
    };
    return nv_probe_run("memory, core", probes, sizeof probes / sizeof *probes);
}
