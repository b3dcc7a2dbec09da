/* Who carries what in the world, and what may be said by that: told once more, apart from the machine. */
#include <assert.h>
#include <stdio.h>

#include "sync_world_internal.h"
#include "wire/digest.h"

struct nv_scope_id scope_id(size_t scope)
{
    if (scope == AUTHORITY)
        return NV_SCOPE_AUTHORITY;
    return scope == NETWORK ? NV_SCOPE_NETWORK : (struct nv_scope_id){{(uint8_t)(0x40 + scope)}};
}

static size_t scope_of(struct nv_scope_id id)
{
    for (size_t i = 0; i < SCOPES; i++)
        if (nv_scope_id_equal(id, scope_id(i)))
            return i;
    assert(false);
    return 0;
}

uint64_t node_position(const struct node *node)
{
    return node->durable[AUTHORITY][0];
}

unsigned world_carries(const struct world *world, size_t node, uint64_t position)
{
    if (node < world->settings.hubs)
        return EVERY_SCOPE;
    unsigned scopes = 1u << AUTHORITY | 1u << NETWORK | 1u << (OWN + node);
    for (size_t group = 0; group < WORLD_GROUPS; group++)
        scopes |= (world->readers[position][group] >> node & 1) << (GROUP + group);
    return scopes;
}

struct nv_scope_set world_set_of(unsigned scopes, struct nv_scope_id room[SCOPES])
{
    struct nv_scope_set set = {.has_all = scopes == EVERY_SCOPE, .scopes = room};
    for (size_t i = OWN; i < SCOPES && !set.has_all; i++)
        if (scopes >> i & 1)
            room[set.count++] = scope_id(i);
    return set;
}

unsigned world_bits_of(const struct nv_scope_set *set)
{
    unsigned scopes = 0;
    for (size_t i = 0; i < SCOPES; i++)
        scopes |= (unsigned)nv_scope_set_has(set, scope_id(i)) << i;
    return scopes;
}

size_t world_heads(const struct node *node, unsigned scopes, struct nv_far_head heads[SCOPES * WORLD_NODES])
{
    size_t count = 0;
    for (size_t scope = 0; scope < SCOPES; scope++)
        for (uint8_t writer = 0; writer < WORLD_NODES; writer++) {
            uint64_t seq = node->durable[scope][writer];
            if (seq == 0 || (scopes >> scope & 1) == 0)
                continue;
            heads[count] = (struct nv_far_head){.epoch = 7, .scope = scope_id(scope), .seq = seq};
            heads[count].site.bytes[0] = heads[count].pin.bytes[0] = (uint8_t)(writer + 1);
            memcpy(&heads[count++].pin.bytes[8], &seq, sizeof seq);
        }
    return count;
}

/* ---- what is said -------------------------------------------------------------------------------------------------
 */

static void check_heads(const struct node *node, unsigned may, const struct nv_far_head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t scope = scope_of(heads[i].scope);
        assert(may >> scope & 1);
        assert(heads[i].seq <= node->durable[scope][heads[i].site.bytes[0] - 1]);
    }
}

static void check_scopes(const struct node *node, unsigned both, const struct nv_scopes_said *said)
{
    if (!said->is_said)
        return;
    assert(world_bits_of(&said->scopes) == both && said->authority_seq == node_position(node));
}

static void check_digest(const struct node *node, unsigned shared, const struct nv_digest *said)
{
    struct nv_far_head heads[SCOPES * WORLD_NODES];
    struct nv_part_digest parts[SCOPES];
    size_t count = world_heads(node, shared, heads), part_count = 0;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && nv_scope_id_equal(heads[first].scope, heads[end].scope);)
            end++;
        parts[part_count].scope = heads[first].scope;
        parts[part_count++].digest = nv_heads_digest(heads + first, end - first);
    }
    struct nv_digest digest = nv_vector_digest(parts, part_count);
    assert(memcmp(&digest, said, sizeof digest) == 0);
}

static void check_changesets(const struct node *node, unsigned may, const struct nv_message *message)
{
    for (size_t i = 0; i < message->batch.changeset_count; i++) {
        struct leaf leaf;
        memcpy(&leaf, message->batch.changesets[i].data, sizeof leaf);
        assert(may >> leaf.scope & 1);
        assert(leaf.seq <= node->durable[leaf.scope][leaf.writer]);
    }
}

void world_check_said(const struct world *world, const struct line *line, size_t end, const struct nv_message *message)
{
    const struct node *node = &world->nodes[line->ends[end]];
    uint64_t position = node_position(node);
    unsigned both = world_carries(world, node->place, position) & world_carries(world, line->ends[1 - end], position);
    unsigned shared = both & line->heard[end];
    if (message->kind == NV_MESSAGE_HELLO)
        check_scopes(node, both, &message->hello.scopes);
    if (message->kind == NV_MESSAGE_HAS) {
        check_heads(node, shared, message->has.heads, message->has.head_count);
        check_scopes(node, both, &message->has.scopes);
        assert(message->has.scopes.is_said == (message->has.whole || message->has.head_count == 0));
        check_digest(node, shared, &message->has.digest);
    }
    if (message->kind == NV_MESSAGE_PULL)
        check_heads(node, shared, message->pull.has, message->pull.has_count);
    if (message->kind == NV_MESSAGE_BATCH)
        check_changesets(node, shared, message);
}

/* ---- what they hold at the end ------------------------------------------------------------------------------------
 */

static bool is_old(const struct world *world, size_t node)
{
    return world->settings.old_node != 0 && node == world->settings.old_node;
}

/* Of an old node: whether the other one has what it wrote itself. What others write waits for its software. */
static bool hold_the_same(const struct world *world, const struct node *a, const struct node *b)
{
    unsigned both = world_carries(world, a->place, node_position(a)) &
                    world_carries(world, b->place, node_position(a)) &
                    world_carries(world, a->place, node_position(b)) & world_carries(world, b->place, node_position(b));
    bool has_old = is_old(world, a->place) || is_old(world, b->place);
    for (size_t scope = 0; scope < SCOPES; scope++)
        for (size_t writer = 0; writer < WORLD_NODES && (both >> scope & 1) != 0; writer++)
            if (a->durable[scope][writer] != b->durable[scope][writer] && (!has_old || is_old(world, writer)))
                return false;
    return true;
}

static bool knows_all(const struct world *world, struct node *node)
{
    struct nv_sync_view view;
    for (size_t i = 0; nv_sync_look(node->sync, i, (struct nv_mono_us){0}, &view); i++)
        if (world->nodes[view.site.bytes[0] - 1].has_left)
            continue;
        else if (view.session == 0 || !view.in_step || view.behind > 0 || view.ahead > 0)
            return false;
    return true;
}

static bool holds_only_its_own(const struct world *world, const struct node *node)
{
    unsigned scopes = world_carries(world, node->place, node_position(node));
    for (size_t scope = 0; scope < SCOPES; scope++)
        for (size_t writer = 0; writer < WORLD_NODES; writer++)
            if (node->durable[scope][writer] > 0 && (scopes >> scope & 1) == 0)
                return false;
    return true;
}

bool world_converged(const struct world *world)
{
    for (size_t i = 0; i < world->line_count; i++) {
        const struct line *line = &world->lines[i];
        if (world->nodes[line->ends[0]].has_left || world->nodes[line->ends[1]].has_left)
            continue;
        if (!hold_the_same(world, &world->nodes[line->ends[0]], &world->nodes[line->ends[1]]))
            return false;
    }
    for (size_t i = 0; i < world->settings.nodes; i++) {
        struct node node = world->nodes[i];
        if (!holds_only_its_own(world, &node) ||
            (world->settings.old_node == 0 && !node.has_left && !knows_all(world, &node)))
            return false;
    }
    return true;
}

static void explain_node(const struct world *world, const struct node *node)
{
    fprintf(stderr, "node %zu at position %llu carries %x: waiting %zu queued %zu\n", node->place,
            (unsigned long long)node_position(node), world_carries(world, node->place, node_position(node)),
            nv_intake_waiting(node->intake), nv_sync_queued(node->sync));
    for (size_t scope = 0; scope < SCOPES; scope++) {
        fprintf(stderr, "  scope %zu:", scope);
        for (size_t writer = 0; writer < world->settings.nodes; writer++)
            fprintf(stderr, " %llu", (unsigned long long)node->durable[scope][writer]);
        fputc('\n', stderr);
    }
    struct nv_sync_view view;
    for (size_t j = 0; nv_sync_look(node->sync, j, (struct nv_mono_us){0}, &view); j++)
        fprintf(stderr, "  peer %d: session %u in step %d behind %llu ahead %llu note '%s'\n", view.site.bytes[0] - 1,
                view.session, view.in_step, (unsigned long long)view.behind, (unsigned long long)view.ahead, view.note);
}

void world_explain(const struct world *world)
{
    for (size_t i = 0; i < world->settings.nodes; i++)
        explain_node(world, &world->nodes[i]);
}

uint64_t world_holds_own(const struct world *world, size_t node, size_t writer)
{
    return world->nodes[node].durable[OWN + writer][writer];
}

uint64_t world_holds_group(const struct world *world, size_t node, size_t group, size_t writer)
{
    return world->nodes[node].durable[GROUP + group][writer];
}
