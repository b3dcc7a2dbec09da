#include "node.h"

#include <assert.h>
#include <stdlib.h>

#include "wire/digest.h"

enum {
    OFFERED = 16,
    OFFERED_BYTES = 1 << 20,
    SERVED_MOST = 64,
    TICKS_AT_ONCE = 20000,
    ACTIONS_OF_A_STEP = 8 * NODE_SESSIONS
};

const uint8_t node_network[32] = {0x4e};

/* ---- names ---- */

struct nv_site_id node_site(size_t writer)
{
    return (struct nv_site_id){{(uint8_t)(writer + 1)}};
}

size_t node_place(struct nv_site_id site)
{
    size_t place = 0;
    while (place < NODE_SITES && nv_site_id_compare(site, node_site(place)) != 0)
        place++;
    return place;
}

struct nv_scope_id node_scope(size_t scope)
{
    if (scope == NODE_AUTHORITY)
        return NV_SCOPE_AUTHORITY;
    return scope == NODE_NETWORK ? NV_SCOPE_NETWORK : (struct nv_scope_id){{(uint8_t)(0x70 + scope)}};
}

struct nv_scope_set node_scopes(unsigned scopes, struct nv_scope_id room[NODE_SCOPES])
{
    struct nv_scope_set set = {.has_all = scopes == NODE_EVERY_SCOPE, .scopes = room};
    for (size_t i = NODE_GROUP; i < NODE_SCOPES && !set.has_all; i++)
        if (scopes >> i & 1)
            room[set.count++] = node_scope(i);
    return set;
}

unsigned node_bits(const struct nv_scope_set *scopes)
{
    unsigned bits = 0;
    for (size_t i = 0; i < NODE_SCOPES; i++)
        bits |= (unsigned)nv_scope_set_has(scopes, node_scope(i)) << i;
    return bits;
}

struct nv_far_head node_head(size_t scope, size_t writer, uint64_t seq)
{
    struct nv_far_head head = {.site = node_site(writer), .epoch = 7, .scope = node_scope(scope), .seq = seq};
    head.pin.bytes[0] = (uint8_t)seq;
    return head;
}

size_t node_heads(size_t scope, const uint64_t seqs[NODE_WRITERS], struct nv_far_head *heads)
{
    size_t count = 0;
    for (size_t i = 0; i < NODE_WRITERS; i++)
        if (seqs[i] > 0)
            heads[count++] = node_head(scope, i, seqs[i]);
    return count;
}

size_t node_own(const struct node *node, unsigned scopes, struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS])
{
    size_t count = 0;
    for (size_t scope = 0; scope < NODE_SCOPES; scope++)
        if (scopes >> scope & 1)
            count += node_heads(scope, node->durable[scope], heads + count);
    return count;
}

struct nv_digest node_digest(const struct nv_far_head *heads, size_t count)
{
    struct nv_part_digest parts[NODE_SCOPES];
    size_t part_count = 0;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && nv_scope_id_equal(heads[first].scope, heads[end].scope);)
            end++;
        parts[part_count].scope = heads[first].scope;
        parts[part_count++].digest = nv_heads_digest(heads + first, end - first);
    }
    return nv_vector_digest(parts, part_count);
}

unsigned node_shared(const struct node *node, const struct session *session)
{
    size_t site = node_place(session->site);
    return site == NODE_SITES ? 0 : node->carries[NODE_SELF] & node->carries[site] & session->heard;
}

static struct session *session_of(struct node *node, uint32_t number)
{
    assert(number >= 1 && number <= node->session_count);
    return &node->sessions[number - 1];
}

/* ---- the steps ---- */

static void execute(struct node *node);

static void step(struct node *node, struct nv_event *event)
{
    size_t before = node->actions.count;
    event->now.us = node->now;
    enum nv_status status = nv_sync_step(node->sync, event, &node->actions);
    assert(status == NV_OK && node->actions.count - before <= ACTIONS_OF_A_STEP);
    if (!node->executing)
        execute(node);
    assert(nv_sync_queued(node->sync) == node->queued);
    assert(node->queued <= (size_t)NV_SYNC_QUEUE_BYTES + NV_SYNC_CREDIT_BYTES + 2 * node->largest_batch);
    assert(nv_intake_waiting(node->intake) <= NV_LIMIT_WAITING_CHANGESETS + OFFERED);
}

static void serve(struct node *node, struct session *session, const struct nv_action *action)
{
    struct nv_far_head heads[SERVED_MOST];
    struct nv_heads peer = {0};
    enum nv_status status = nv_heads_assign(&peer, action->serve.peer, action->serve.peer_count);
    assert(status == NV_OK && session->open && session->greeted && nv_heads_ascend(peer.heads, peer.count));
    assert(action->serve.budget > 0 && action->serve.budget <= NV_SYNC_BATCH_BYTES);
    assert(action->serve.pull == 0 || (action->serve.pull == session->served && session->credit > 0));
    assert(node_bits(&action->serve.scopes) == node_shared(node, session));
    size_t place = (size_t)action->serve.cursor, count = 0, bytes = 0;
    while (place < node->arrival_count && count < SERVED_MOST && (count == 0 || bytes < action->serve.budget)) {
        const struct leaf *leaf = &node->arrivals[place++];
        struct nv_far_head head = node_head(leaf->scope, leaf->writer, leaf->seq);
        if (leaf->is_gone || !nv_scope_set_has(&action->serve.scopes, head.scope) ||
            nv_heads_seq(&peer, &head) >= leaf->seq)
            continue;
        heads[count++] = head;
        bytes += 1000;
    }
    if (action->serve.pull != 0)
        session->credit -= bytes < session->credit ? bytes : session->credit;
    nv_heads_done(&peer);
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = action->session};
    event.served.pull = action->serve.pull;
    event.served.heads = heads;
    event.served.count = count;
    event.served.bytes = bytes;
    event.served.cursor = (int64_t)place;
    event.served.done = place == node->arrival_count;
    step(node, &event);
}

static bool is_shared(const struct node *node, const struct session *session, struct nv_scope_id scope)
{
    unsigned shared = node_shared(node, session);
    for (size_t i = 0; i < NODE_SCOPES; i++)
        if (nv_scope_id_equal(scope, node_scope(i)))
            return (shared >> i & 1) != 0;
    return false;
}

static void take_batch(struct node *node, struct session *session, const struct nv_action *action)
{
    const struct nv_message *message = node->current;
    assert(message != NULL && message->kind == NV_MESSAGE_BATCH && session == node->current_session);
    assert(action->ingest.pull == message->batch.pull);
    struct nv_slice changesets[SERVED_MOST];
    struct nv_far_head heads[SERVED_MOST];
    size_t bytes = 0, count = action->ingest.count;
    assert(count > 0 && count <= message->batch.changeset_count && count <= SERVED_MOST);
    for (size_t i = 0; i < count; i++) {
        size_t place = action->ingest.places[i];
        assert(place < message->batch.changeset_count && (i == 0 || place > action->ingest.places[i - 1]));
        changesets[i] = message->batch.changesets[place];
        heads[i] = node->current_heads[place];
        bytes += changesets[i].size;
        assert(is_shared(node, session, heads[i].scope));
    }
    assert(action->ingest.bytes == bytes);
    node->queued += bytes;
    enum nv_status status =
        nv_intake_put(node->intake, action->session, session->site, message->batch.pull, changesets, heads, count);
    assert(status == NV_OK);
}

static void execute_one(struct node *node, const struct nv_action *action)
{
    struct session *session = session_of(node, action->session);
    switch (action->kind) {
    case NV_ACTION_SEND:
        node_check_said(node, session, &action->send);
        break;
    case NV_ACTION_CLOSE:
        assert(session->open && nv_site_id_compare(action->close.site, session->site) == 0);
        session->open = false;
        break;
    case NV_ACTION_SERVE:
        serve(node, session, action);
        break;
    case NV_ACTION_INGEST:
        take_batch(node, session, action);
        break;
    case NV_ACTION_REFUSED:
        assert(nv_site_id_compare(action->refused.site, session->site) == 0 && session == node->current_session);
        break;
    }
}

static void execute(struct node *node)
{
    node->executing = true;
    for (size_t i = 0; i < node->actions.count; i++) {
        struct nv_action action = node->actions.items[i];
        execute_one(node, &action);
    }
    nv_actions_clear(&node->actions);
    node->executing = false;
}

/* ---- what happens to it ---- */

struct session *node_open(struct node *node, struct nv_site_id site, bool dialled, uint32_t seed)
{
    if (node->session_count == NODE_SESSIONS)
        return NULL;
    struct session *session = &node->sessions[node->session_count++];
    *session = (struct session){.number = (uint32_t)node->session_count, .site = site, .open = true};
    struct nv_event event = {.kind = NV_EVENT_OPENED, .session = session->number};
    event.opened.site = site;
    event.opened.dialled = dialled;
    event.opened.seed = seed;
    step(node, &event);
    return session;
}

void node_close(struct node *node, struct session *session)
{
    struct nv_event event = {.kind = NV_EVENT_CLOSED, .session = session->number};
    session->open = false;
    step(node, &event);
}

void node_garbage(struct node *node, struct session *session)
{
    struct nv_event event = {.kind = NV_EVENT_GARBAGE, .session = session->number};
    event.garbage.text = "bytes that are no message";
    step(node, &event);
    assert(!session->open);
}

static bool is_good_hello(const struct session *session, const struct nv_message *message)
{
    return message->kind == NV_MESSAGE_HELLO && message->hello.protocol == NV_PROTOCOL &&
           memcmp(message->hello.network, node_network, sizeof node_network) == 0 &&
           nv_site_id_compare(message->hello.site, session->site) == 0 &&
           nv_site_id_compare(message->hello.site, node_site(NODE_SELF)) != 0;
}

/* Keeps the books of the credit that the node was given. */
static void note_heard(struct session *session, const struct nv_message *message)
{
    if (!session->greeted) {
        session->greeted = is_good_hello(session, message);
        session->heard = session->greeted ? node_bits(&message->hello.scopes.scopes) : 0;
        return;
    }
    if (message->kind == NV_MESSAGE_HAS && message->has.scopes.is_said)
        session->heard = node_bits(&message->has.scopes.scopes);
    if (message->kind == NV_MESSAGE_PULL) {
        session->served = message->pull.pull;
        session->credit = message->pull.credit_bytes;
    }
    if (message->kind == NV_MESSAGE_CREDIT && message->credit.pull == session->served)
        session->credit = session->credit + message->credit.bytes < session->credit
                              ? UINT64_MAX
                              : session->credit + message->credit.bytes;
}

void node_hear(struct node *node, struct session *session, const struct nv_message *message,
               const struct nv_far_head *heads)
{
    size_t bytes = 0;
    for (size_t i = 0; message->kind == NV_MESSAGE_BATCH && i < message->batch.changeset_count; i++)
        bytes += message->batch.changesets[i].size;
    node->largest_batch = bytes > node->largest_batch ? bytes : node->largest_batch;
    note_heard(session, message);
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session->number};
    event.message.message = node->current = message;
    event.message.heads = node->current_heads = heads;
    node->current_session = session;
    step(node, &event);
    node->current = NULL;
}

static void arrive(struct node *node, const struct leaf *leaf)
{
    if (node->arrival_count == node->arrival_capacity) {
        node->arrival_capacity = node->arrival_capacity * 2 + 64;
        node->arrivals = realloc(node->arrivals, node->arrival_capacity * sizeof *node->arrivals);
        assert(node->arrivals != NULL);
    }
    node->arrivals[node->arrival_count++] = *leaf;
    node->durable[leaf->scope][leaf->writer] = leaf->seq;
}

static void tell_grown(struct node *node, bool has_new_rights)
{
    struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS];
    struct nv_carrier carriers[NODE_SITES];
    struct nv_scope_id room[NODE_SITES][NODE_SCOPES];
    struct nv_event event = {.kind = NV_EVENT_GREW};
    nv_intake_grew(node->intake);
    event.grew.heads = heads;
    event.grew.count = node_own(node, NODE_EVERY_SCOPE, heads);
    event.grew.newest = (int64_t)node->arrival_count;
    for (size_t i = 0; i < NODE_SITES; i++)
        if (node->carries[i] != 0)
            carriers[event.grew.carrier_count++] =
                (struct nv_carrier){node_site(i), node_scopes(node->carries[i], room[i])};
    event.grew.carriers = has_new_rights ? carriers : NULL;
    step(node, &event);
}

void node_write(struct node *node, size_t scope)
{
    struct leaf leaf = {.writer = NODE_SELF, .scope = (uint32_t)scope};
    if ((node->carries[NODE_SELF] >> scope & 1) == 0)
        return;
    leaf.seq = node->durable[scope][NODE_SELF] + 1;
    memcpy(leaf.context, node->durable[scope], sizeof leaf.context);
    arrive(node, &leaf);
    tell_grown(node, false);
}

void node_set_carried(struct node *node, size_t site, unsigned scopes)
{
    struct leaf leaf = {.scope = NODE_AUTHORITY, .seq = node->durable[NODE_AUTHORITY][0] + 1};
    node->carries[site] = scopes;
    arrive(node, &leaf);
    for (size_t i = 0; i < node->arrival_count; i++)
        node->arrivals[i].is_gone |= (node->carries[NODE_SELF] >> node->arrivals[i].scope & 1) == 0;
    for (size_t scope = 0; scope < NODE_SCOPES; scope++)
        if ((node->carries[NODE_SELF] >> scope & 1) == 0)
            memset(node->durable[scope], 0, sizeof node->durable[scope]);
    tell_grown(node, true);
}

static enum nv_judged judge(const struct node *node, const struct leaf *leaf)
{
    if (leaf->is_bad || leaf->writer >= NODE_WRITERS || leaf->scope == NODE_AUTHORITY || leaf->scope >= NODE_SCOPES)
        return NV_JUDGED_REFUSED;
    if ((node->carries[NODE_SELF] >> leaf->scope & 1) == 0)
        return NV_JUDGED_WAITS;
    if (leaf->seq <= node->durable[leaf->scope][leaf->writer])
        return NV_JUDGED_KNOWN;
    for (size_t i = 0; i < NODE_WRITERS; i++)
        if (node->durable[leaf->scope][i] < (i == leaf->writer ? leaf->seq - 1 : leaf->context[i]))
            return NV_JUDGED_WAITS;
    return NV_JUDGED_TAKEN;
}

static void tell_ingested(struct node *node)
{
    struct nv_taken_in taken;
    while (nv_intake_finished(node->intake, &taken)) {
        struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = taken.session};
        event.ingested.pull = taken.pull;
        event.ingested.bytes = taken.bytes;
        event.ingested.taken = taken.taken;
        event.ingested.refused = taken.refused;
        event.ingested.text = taken.text;
        node->queued -= taken.bytes;
        step(node, &event);
    }
}

void node_ingest(struct node *node)
{
    struct nv_offered offered[OFFERED];
    struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS];
    size_t own = node_own(node, NODE_EVERY_SCOPE, heads);
    size_t count = nv_intake_offer(node->intake, heads, own, offered, OFFERED, OFFERED_BYTES);
    bool grew = false;
    assert(count <= OFFERED);
    for (size_t i = 0; i < count; i++) {
        struct leaf leaf;
        memcpy(&leaf, offered[i].bytes.data, sizeof leaf);
        enum nv_judged judged = judge(node, &leaf);
        if (judged == NV_JUDGED_TAKEN)
            arrive(node, &leaf);
        grew = grew || judged == NV_JUDGED_TAKEN;
        enum nv_status status = nv_intake_judge(node->intake, &offered[i], judged, "it is bad");
        assert(status == NV_OK);
    }
    if (grew)
        tell_grown(node, false);
    tell_ingested(node);
}

void node_wait(struct node *node, int64_t microseconds)
{
    struct nv_event event = {.kind = NV_EVENT_TICK};
    node->now += microseconds;
    size_t ticks = 0;
    do {
        step(node, &event);
        assert(++ticks < TICKS_AT_ONCE);
    } while (nv_sync_wake(node->sync).us <= node->now);
}

/* ---- its beginning and its end ---- */

void node_start(struct node *node)
{
    memset(node, 0, sizeof *node);
    node->sync = nv_sync_new(node_site(NODE_SELF), node_network, &nv_digests);
    node->intake = nv_intake_new();
    assert(node->sync != NULL && node->intake != NULL);
    node->now = 1000000000;
    for (size_t i = 0; i < NODE_SITES; i++)
        node->carries[i] = NODE_LEAST_SCOPES;
    tell_grown(node, true);
}

void node_done(struct node *node)
{
    nv_sync_free(node->sync);
    nv_intake_free(node->intake);
    nv_actions_done(&node->actions);
    free(node->arrivals);
}
