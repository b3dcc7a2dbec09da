/* What must hold of all that the node says. */
#include <assert.h>

#include "node.h"

static void check_heads(const struct node *node, const struct session *session, const struct nv_far_head *heads,
                        size_t count)
{
    unsigned shared = node_shared(node, session);
    for (size_t i = 0; i < count; i++) {
        size_t writer = (size_t)heads[i].site.bytes[0] - 1, scope = 0;
        while (scope < NODE_SCOPES && !nv_scope_id_equal(heads[i].scope, node_scope(scope)))
            scope++;
        assert(scope < NODE_SCOPES && (shared >> scope & 1) != 0);
        assert(writer < NODE_WRITERS && heads[i].seq >= 1 && heads[i].seq <= node->durable[scope][writer]);
    }
}

/* By the node's authority log alone: the peer is told what it may say. */
static void check_scopes(const struct node *node, const struct session *session, const struct nv_scopes_said *said)
{
    size_t site = node_place(session->site);
    unsigned both = site == NODE_SITES ? 0 : node->carries[NODE_SELF] & node->carries[site];
    assert(!said->is_said || node_bits(&said->scopes) == (both | NODE_LEAST_SCOPES));
    assert(!said->is_said || said->authority_seq == node->durable[NODE_AUTHORITY][0]);
}

static void check_has(const struct node *node, struct session *session, const struct nv_message *message)
{
    struct nv_far_head own[NODE_SCOPES * NODE_WRITERS];
    size_t count = node_own(node, node_shared(node, session), own);
    struct nv_digest digest = node_digest(own, count);
    check_heads(node, session, message->has.heads, message->has.head_count);
    check_scopes(node, session, &message->has.scopes);
    assert(message->has.scopes.is_said == (message->has.whole || message->has.head_count == 0));
    assert(memcmp(&digest, &message->has.digest, sizeof digest) == 0);
    if (message->has.whole)
        assert(nv_fuzz_heads_equal(message->has.heads, message->has.head_count, own, count));
    session->has_news = session->has_news || message->has.head_count > 0;
    for (size_t i = 0; i < message->has.head_count; i++)
        if (nv_scope_id_equal(message->has.heads[i].scope, NV_SCOPE_NETWORK))
            session->told[message->has.heads[i].site.bytes[0] - 1] = message->has.heads[i].seq;
}

/* Whatever is said can be read by the other side. */
static void check_readable(const struct nv_message *message)
{
    struct nv_arena arena = {.limit = 32 << 20};
    struct nv_message again;
    struct nv_buffer bytes = {0};
    nv_message_encode(message, &bytes);
    enum nv_status status = nv_message_decode(nv_buffer_slice(&bytes), &arena, &again, NULL);
    assert(status == NV_OK && nv_fuzz_messages_equal(message, &again));
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

void node_check_said(struct node *node, struct session *session, const struct nv_message *message)
{
    assert(session->open || message->kind == NV_MESSAGE_REFUSAL);
    check_readable(message);
    switch (message->kind) {
    case NV_MESSAGE_HELLO:
        assert(!session->was_helloed && nv_site_id_compare(message->hello.site, node_site(NODE_SELF)) == 0);
        check_scopes(node, session, &message->hello.scopes);
        session->was_helloed = true;
        break;
    case NV_MESSAGE_HAS:
        assert(session->greeted);
        check_has(node, session, message);
        break;
    case NV_MESSAGE_PULL:
        assert(session->greeted && message->pull.pull > session->pull);
        check_heads(node, session, message->pull.has, message->pull.has_count);
        session->pull = message->pull.pull;
        break;
    case NV_MESSAGE_BATCH: /* the machine's own are empty: those with changesets are its caller's */
        assert(session->greeted && message->batch.changeset_count == 0 && message->batch.pull == session->served);
        break;
    case NV_MESSAGE_CREDIT:
        assert(session->greeted && message->credit.pull == session->pull);
        break;
    case NV_MESSAGE_PING:
    case NV_MESSAGE_REFUSAL:
        break;
    }
}
