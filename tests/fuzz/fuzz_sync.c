/* The sync machine and the waiting room among peers that say anything, in any order, at any time. Afterwards an honest
 * one comes, whose changeset must be taken. */
#include <assert.h>

#include "node.h"
#include "target.h"

enum { STEPS_MAX = 200, BATCH_MAX = 4, LEAF_BYTES_MAX = 400000, HONEST = NODE_WRITERS - 1, SECOND = 1000000 };
enum { FLOOD = 16, INGESTS = 8, SITES = 12 /* that may dial */, HONEST_PATIENCE_S = 600 };
enum { OF_SCOPES = 224 /* of 256: steps from here on are about scopes */ };

_Static_assert(sizeof(struct leaf) >= NV_SYNC_LEAST_BYTES, "a leaf is as long as a changeset is at the least");

/* ---- what peers say ---- */

static struct session *some_session(struct nv_dice *dice, struct node *node)
{
    if (node->session_count == 0)
        return NULL;
    /* Mostly one of the last. */
    size_t back = nv_dice_below(dice, node->session_count < 8 ? node->session_count : 8);
    struct session *session = &node->sessions[node->session_count - 1 - back];
    return session->open ? session : NULL;
}

static void some_seqs(struct nv_dice *dice, const struct node *node, uint64_t seqs[NODE_WRITERS])
{
    for (size_t i = 0; i < NODE_WRITERS; i++) {
        seqs[i] = node->durable[NODE_NETWORK][i];
        if (i != HONEST && nv_dice_percent(dice, 40))
            seqs[i] = nv_dice_percent(dice, 10) ? nv_fuzz_number(dice) : seqs[i] + nv_dice_below(dice, 4);
    }
}

static struct nv_message good_hello(const struct session *session)
{
    struct nv_message message = {.kind = NV_MESSAGE_HELLO};
    message.hello.protocol = NV_PROTOCOL;
    memcpy(message.hello.network, node_network, sizeof node_network);
    message.hello.site = session->site;
    return message;
}

/* Now and then one of another protocol, network or site. */
static void say_hello(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message = good_hello(session);
    size_t wrong = nv_dice_below(dice, 16);
    message.hello.protocol += wrong == 1;
    message.hello.network[7] = wrong == 2;
    message.hello.site.bytes[9] = wrong == 3;
    node_hear(node, session, &message, NULL);
}

static void say_has(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    struct nv_far_head heads[NODE_WRITERS];
    uint64_t seqs[NODE_WRITERS];
    some_seqs(dice, node, seqs);
    message.has.heads = heads;
    message.has.head_count = node_heads(NODE_NETWORK, seqs, heads);
    message.has.digest = node_digest(heads, message.has.head_count);
    message.has.whole = nv_dice_percent(dice, 50);
    message.has.please = nv_dice_percent(dice, 50);
    if (nv_dice_percent(dice, 30))
        message.has.head_count = 0;
    node_hear(node, session, &message, NULL);
}

static void say_pull(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message = {.kind = NV_MESSAGE_PULL};
    struct nv_far_head heads[NODE_WRITERS];
    uint64_t seqs[NODE_WRITERS];
    some_seqs(dice, node, seqs);
    message.pull.pull = 1 + nv_dice_below(dice, 4);
    message.pull.has = heads;
    message.pull.has_count = nv_dice_percent(dice, 50) ? node_heads(NODE_NETWORK, seqs, heads) : 0;
    message.pull.credit_bytes = nv_fuzz_number(dice);
    node_hear(node, session, &message, NULL);
}

static void say_credit(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message = {.kind = NV_MESSAGE_CREDIT};
    message.credit.pull = nv_dice_percent(dice, 80) ? session->served : nv_fuzz_number(dice);
    message.credit.bytes = nv_fuzz_number(dice);
    node_hear(node, session, &message, NULL);
}

/* A changeset: the next one of a log, a later one, one that is there already, or a bad one. */
static struct leaf some_leaf(struct nv_dice *dice, const struct node *node, size_t scope, size_t ahead)
{
    struct leaf leaf = {.writer = (uint32_t)nv_dice_below(dice, HONEST), .is_bad = nv_dice_percent(dice, 15)};
    const uint64_t *durable = node->durable[scope];
    leaf.scope = (uint32_t)scope;
    leaf.seq = durable[leaf.writer] + nv_dice_below(dice, 3) + (nv_dice_percent(dice, 30) ? ahead : 0);
    leaf.seq += leaf.seq == 0;
    for (size_t i = 0; i < HONEST && nv_dice_percent(dice, 30); i++)
        leaf.context[i] = nv_dice_below(dice, (size_t)durable[i] + 2);
    return leaf;
}

/* The head that its header names: now and then none that can be read, or one of a log that nobody has. */
static struct nv_far_head some_head(struct nv_dice *dice, const struct leaf *leaf)
{
    struct nv_far_head head = node_head(leaf->scope, leaf->writer, leaf->seq);
    if (nv_dice_percent(dice, 5))
        head.seq = 0;
    if (nv_dice_percent(dice, 10))
        head.epoch = nv_dice_below(dice, 256);
    if (leaf->is_bad && nv_dice_percent(dice, 50))
        head.seq = nv_fuzz_number(dice);
    return head;
}

/* Once, or many times in a row: then all of it is called differently, as far as a header can say. */
static void say_batch(struct nv_dice *dice, struct node *node, struct session *session, bool is_mixed)
{
    static const size_t sizes[] = {sizeof(struct leaf), 100, 1000, 30000, LEAF_BYTES_MAX};
    static uint8_t bytes[BATCH_MAX][LEAF_BYTES_MAX];
    struct nv_slice changesets[BATCH_MAX];
    struct nv_far_head heads[BATCH_MAX];
    struct nv_message message = {.kind = NV_MESSAGE_BATCH};
    size_t count = nv_dice_below(dice, BATCH_MAX + 1), times = nv_dice_percent(dice, 10) ? FLOOD : 1;
    for (size_t i = 0; i < count; i++) {
        size_t scope = is_mixed ? nv_dice_below(dice, NODE_SCOPES) : NODE_NETWORK;
        struct leaf leaf = some_leaf(dice, node, scope, i);
        memcpy(bytes[i], &leaf, sizeof leaf);
        changesets[i] = (struct nv_slice){bytes[i], sizes[nv_dice_below(dice, sizeof sizes / sizeof sizes[0])]};
        heads[i] = some_head(dice, &leaf);
    }
    message.batch.pull = nv_dice_percent(dice, 60) ? session->pull : nv_dice_below(dice, 3);
    message.batch.last = nv_dice_percent(dice, 30);
    message.batch.changesets = changesets;
    message.batch.changeset_count = count;
    for (size_t turn = 0; turn < times && session->open; turn++) {
        node_hear(node, session, &message, heads);
        for (size_t i = 0; i < count; i++)
            heads[i].epoch += BATCH_MAX * (turn + 1);
    }
}

static void say_anything(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message;
    struct nv_far_head heads[8] = {0};
    struct nv_arena arena = {.limit = 1 << 20};
    nv_fuzz_message(dice, &arena, &message);
    if (message.kind != NV_MESSAGE_BATCH) /* whose changesets are leaves */
        node_hear(node, session, &message, heads);
    nv_arena_done(&arena);
}

static void say(struct nv_dice *dice, struct node *node, struct session *session)
{
    switch (nv_dice_below(dice, 8)) {
    case 0:
    case 1:
        say_has(dice, node, session);
        break;
    case 2:
        say_pull(dice, node, session);
        break;
    case 3:
        say_credit(dice, node, session);
        break;
    case 4:
    case 5:
        say_batch(dice, node, session, false);
        break;
    case 6:
        say_anything(dice, node, session);
        break;
    default:
        say_hello(dice, node, session);
        break;
    }
}

/* ---- what they say of scopes ---- */

/* As it should be, or any: they need not ascend. */
static struct nv_scopes_said some_scopes(struct nv_dice *dice, const struct node *node, const struct session *session,
                                         struct nv_scope_id room[NODE_SCOPES])
{
    size_t site = node_place(session->site);
    unsigned both = site < NODE_SITES ? node->carries[NODE_SELF] & node->carries[site] : NODE_LEAST_SCOPES;
    struct nv_scopes_said said = {.is_said = true, .authority_seq = node->durable[NODE_AUTHORITY][0]};
    if (nv_dice_percent(dice, 40))
        both ^= (unsigned)nv_dice_below(dice, NODE_EVERY_SCOPE + 1);
    said.authority_seq += nv_dice_percent(dice, 40) ? nv_dice_below(dice, 3) - 1 : 0;
    said.scopes = node_scopes(both, room);
    if (said.scopes.count > 1 && nv_dice_percent(dice, 5))
        room[0] = room[1];
    return said;
}

static size_t some_heads(struct nv_dice *dice, const struct node *node,
                         struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS])
{
    size_t count = 0;
    for (size_t scope = 0; scope < NODE_SCOPES; scope++)
        for (size_t writer = 0; writer < HONEST; writer++) {
            uint64_t seq = node->durable[scope][writer] + nv_dice_below(dice, 3);
            if (seq > 0 && nv_dice_percent(dice, 50))
                heads[count++] = node_head(scope, writer, seq);
        }
    return count;
}

static void say_has_of_scopes(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS];
    struct nv_scope_id room[NODE_SCOPES];
    if (nv_dice_percent(dice, 50))
        message.has.scopes = some_scopes(dice, node, session, room);
    message.has.heads = heads;
    message.has.head_count = nv_dice_percent(dice, 70) ? some_heads(dice, node, heads) : 0;
    message.has.digest = node_digest(heads, message.has.head_count);
    message.has.whole = nv_dice_percent(dice, 50);
    message.has.please = nv_dice_percent(dice, 50);
    node_hear(node, session, &message, NULL);
}

static void say_pull_of_scopes(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_message message = {.kind = NV_MESSAGE_PULL};
    struct nv_far_head heads[NODE_SCOPES * NODE_WRITERS];
    message.pull.pull = 1 + nv_dice_below(dice, 4);
    message.pull.has = heads;
    message.pull.has_count = some_heads(dice, node, heads);
    message.pull.credit_bytes = nv_fuzz_number(dice);
    node_hear(node, session, &message, NULL);
}

static void say_hello_of_scopes(struct nv_dice *dice, struct node *node, struct session *session)
{
    struct nv_scope_id room[NODE_SCOPES];
    struct nv_message message = good_hello(session);
    message.hello.scopes = some_scopes(dice, node, session, room);
    node_hear(node, session, &message, NULL);
}

/* The honest one stays a member: it is to be served. */
static void change_rights(struct nv_dice *dice, struct node *node)
{
    size_t site = nv_dice_percent(dice, 30) ? (size_t)NODE_SELF : nv_dice_below(dice, SITES + 1);
    unsigned scopes = NODE_LEAST_SCOPES | (unsigned)nv_dice_below(dice, NODE_EVERY_SCOPE + 1);
    bool stays = site == HONEST || site == NODE_SELF || nv_dice_percent(dice, 90);
    node_set_carried(node, site, stays ? scopes : 0);
}

static void some_step_of_scopes(struct nv_dice *dice, struct node *node)
{
    size_t what = nv_dice_below(dice, 8);
    struct session *session = what < 6 ? some_session(dice, node) : NULL;
    if (what < 2 && session != NULL)
        say_has_of_scopes(dice, node, session);
    else if (what == 2 && session != NULL)
        say_pull_of_scopes(dice, node, session);
    else if (what == 3 && session != NULL)
        say_hello_of_scopes(dice, node, session);
    else if (what < 6 && session != NULL)
        say_batch(dice, node, session, true);
    else if (what == 6)
        node_write(node, NODE_GROUP + nv_dice_below(dice, NODE_SCOPES - NODE_GROUP));
    else
        change_rights(dice, node);
}

/* ---- what happens ---- */

static void some_open(struct nv_dice *dice, struct node *node)
{
    size_t site = nv_dice_below(dice, SITES);
    struct session *session = node_open(node, node_site(site == HONEST ? SITES : site), nv_dice_percent(dice, 50),
                                        (uint32_t)nv_dice_bits(dice));
    if (session != NULL && session->open && nv_dice_percent(dice, 80))
        say_hello(dice, node, session);
}

static void some_time(struct nv_dice *dice, struct node *node)
{
    static const int64_t times[] = {0, 1, 1000, 10000, 100000, SECOND, 3 * SECOND, 11 * SECOND, 61 * SECOND};
    node_wait(node, times[nv_dice_below(dice, sizeof times / sizeof times[0])]);
}

static void some_step(struct nv_dice *dice, struct node *node)
{
    size_t what = nv_dice_below(dice, 256);
    if (what >= OF_SCOPES) {
        some_step_of_scopes(dice, node);
        return;
    }
    what %= 16;
    struct session *session = what < 10 ? some_session(dice, node) : NULL;
    if (what < 8 && session != NULL)
        say(dice, node, session);
    else if (what == 8 && session != NULL)
        node_close(node, session);
    else if (what == 9 && session != NULL && nv_dice_percent(dice, 30))
        node_garbage(node, session);
    else if (what == 10 || what == 11)
        some_open(dice, node);
    else if (what == 12)
        node_write(node, NODE_NETWORK);
    else if (what == 13 || what == 14)
        node_ingest(node);
    else
        some_time(dice, node);
}

/* ---- the honest one ---- */

static void give(struct node *node, struct session *session)
{
    struct leaf leaf = {.writer = HONEST, .scope = NODE_NETWORK, .seq = 1};
    struct nv_slice changeset = {(const uint8_t *)&leaf, sizeof leaf};
    struct nv_far_head head = node_head(NODE_NETWORK, HONEST, 1);
    struct nv_message message = {.kind = NV_MESSAGE_BATCH};
    message.batch.pull = session->pull;
    message.batch.last = true;
    message.batch.changesets = &changeset;
    message.batch.changeset_count = 1;
    node_hear(node, session, &message, &head);
}

/* Those that the node pulls from give nothing, but say a word now and then so that they look alive. */
static void stall(struct node *node, const struct session *honest)
{
    for (size_t i = 0; i < node->session_count; i++) {
        struct session *session = &node->sessions[i];
        struct nv_message message = {.kind = NV_MESSAGE_BATCH};
        message.batch.pull = session->pull;
        if (session != honest && session->open && session->greeted && session->pull != 0)
            node_hear(node, session, &message, NULL);
    }
}

static void wait_a_second(struct node *node, struct session *honest)
{
    struct nv_message message = {.kind = NV_MESSAGE_PING};
    message.ping.reply = true;
    node_hear(node, honest, &message, NULL);
    stall(node, honest);
    node_wait(node, SECOND);
    for (size_t i = 0; i < INGESTS; i++)
        node_ingest(node);
}

/* Whatever was said before: a site that has something new, and says so, is asked for it, and told that it arrived. */
static void come_honestly(struct node *node)
{
    struct session *session = node_open(node, node_site(HONEST), false, 1);
    if (session == NULL)
        return;
    struct nv_far_head head = node_head(NODE_NETWORK, HONEST, 1);
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.heads = &head;
    message.has.head_count = 1;
    message.has.whole = true;
    message.has.digest = node_digest(&head, 1);
    struct nv_message hello = good_hello(session);
    node_hear(node, session, &hello, NULL);
    node_hear(node, session, &message, NULL);
    size_t seconds = 0;
    for (; session->pull == 0; seconds++) {
        assert(seconds < HONEST_PATIENCE_S);
        wait_a_second(node, session);
    }
    give(node, session);
    for (; session->told[HONEST] == 0; seconds++) {
        assert(seconds < HONEST_PATIENCE_S);
        wait_a_second(node, session);
    }
    assert(node->durable[NODE_NETWORK][HONEST] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct node node;
    struct nv_dice dice = nv_dice_scripted((struct nv_slice){.data = data, .size = size});
    nv_fuzz_start();
    node_start(&node);
    for (size_t steps = 0; steps < STEPS_MAX && nv_reader_left(&dice.script) > 0; steps++)
        some_step(&dice, &node);
    come_honestly(&node);
    node_done(&node);
    return 0;
}
