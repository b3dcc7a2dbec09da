#include "messages.h"

#include <stdio.h>

enum { HEADS_MAX = 8, CHANGESETS_MAX = 4, CHANGESET_BYTES_MAX = 80, SCOPES_MAX = 4 };

static void fill_batch(struct nv_dice *dice, struct nv_arena *arena, struct nv_message *message)
{
    size_t count = nv_dice_below(dice, CHANGESETS_MAX + 1);
    message->batch.pull = nv_fuzz_number(dice);
    message->batch.last = nv_dice_percent(dice, 50);
    message->batch.changeset_count = count;
    message->batch.changesets = nv_fuzz_alloc(arena, count * sizeof(struct nv_slice) + 1);
    for (size_t i = 0; i < count; i++) {
        struct nv_slice *changeset = &message->batch.changesets[i];
        *changeset = nv_fuzz_bytes(dice, arena, CHANGESET_BYTES_MAX);
        changeset->size += changeset->size == 0; /* nv_fuzz_bytes has room for one more */
    }
}

/* Ascending, as a decoder takes them; some are those of every member. */
static void fill_scopes(struct nv_dice *dice, struct nv_arena *arena, struct nv_scopes_said *said)
{
    size_t count = nv_dice_below(dice, SCOPES_MAX + 1);
    said->is_said = count > 0;
    if (!said->is_said)
        return;
    said->authority_seq = nv_fuzz_number(dice);
    said->scopes.has_all = count == SCOPES_MAX;
    said->scopes.scopes = nv_fuzz_alloc(arena, SCOPES_MAX * sizeof *said->scopes.scopes);
    said->scopes.count = said->scopes.has_all ? 0 : count - 1;
    for (size_t i = 0; i < said->scopes.count; i++)
        said->scopes.scopes[i] =
            i == 0 ? NV_SCOPE_NETWORK : (struct nv_scope_id){{(uint8_t)(64 * i + nv_dice_below(dice, 64))}};
}

static void fill_refusal(struct nv_dice *dice, struct nv_arena *arena, struct nv_message *message)
{
    message->refusal.reason = (enum nv_refusal)(1 + nv_dice_below(dice, NV_REFUSAL_CHANGESET));
    snprintf(message->refusal.text, sizeof message->refusal.text, "%s", nv_fuzz_text(dice, arena, 200, true));
}

void nv_fuzz_message(struct nv_dice *dice, struct nv_arena *arena, struct nv_message *message)
{
    memset(message, 0, sizeof *message);
    message->kind = (enum nv_message_kind)(1 + nv_dice_below(dice, NV_MESSAGE_REFUSAL));
    switch (message->kind) {
    case NV_MESSAGE_HELLO:
        message->hello.protocol = (uint32_t)nv_fuzz_number(dice);
        nv_dice_bytes(dice, message->hello.network, 1);
        nv_dice_bytes(dice, message->hello.site.bytes, 1);
        fill_scopes(dice, arena, &message->hello.scopes);
        break;
    case NV_MESSAGE_HAS:
        nv_dice_bytes(dice, message->has.digest.bytes, 1);
        message->has.whole = nv_dice_percent(dice, 50);
        message->has.please = nv_dice_percent(dice, 50);
        message->has.heads = nv_fuzz_heads(dice, arena, NULL, HEADS_MAX, &message->has.head_count);
        fill_scopes(dice, arena, &message->has.scopes);
        break;
    case NV_MESSAGE_PULL:
        message->pull.pull = nv_fuzz_number(dice);
        message->pull.credit_bytes = nv_fuzz_number(dice);
        message->pull.has = nv_fuzz_heads(dice, arena, NULL, HEADS_MAX, &message->pull.has_count);
        break;
    case NV_MESSAGE_BATCH:
        fill_batch(dice, arena, message);
        break;
    case NV_MESSAGE_CREDIT:
        message->credit.pull = nv_fuzz_number(dice);
        message->credit.bytes = nv_fuzz_number(dice);
        break;
    case NV_MESSAGE_PING:
        message->ping.reply = nv_dice_percent(dice, 50);
        break;
    case NV_MESSAGE_REFUSAL:
        fill_refusal(dice, arena, message);
        break;
    }
}

bool nv_fuzz_heads_equal(const struct nv_far_head *a, size_t a_count, const struct nv_far_head *b, size_t b_count)
{
    bool are_equal = a_count == b_count;
    for (size_t i = 0; are_equal && i < a_count; i++)
        are_equal = memcmp(a[i].site.bytes, b[i].site.bytes, sizeof a->site.bytes) == 0 && a[i].epoch == b[i].epoch &&
                    nv_scope_id_equal(a[i].scope, b[i].scope) && a[i].seq == b[i].seq &&
                    memcmp(a[i].pin.bytes, b[i].pin.bytes, sizeof a->pin.bytes) == 0;
    return are_equal;
}

/* The order counts, and how they are told. */
static bool scopes_equal(const struct nv_scopes_said *a, const struct nv_scopes_said *b)
{
    bool are_equal = a->is_said == b->is_said && a->authority_seq == b->authority_seq &&
                     a->scopes.has_all == b->scopes.has_all && a->scopes.count == b->scopes.count;
    for (size_t i = 0; are_equal && i < a->scopes.count; i++)
        are_equal = nv_scope_id_equal(a->scopes.scopes[i], b->scopes.scopes[i]);
    return are_equal;
}

static bool batches_equal(const struct nv_message *a, const struct nv_message *b)
{
    bool are_equal = a->batch.pull == b->batch.pull && a->batch.last == b->batch.last &&
                     a->batch.changeset_count == b->batch.changeset_count;
    for (size_t i = 0; are_equal && i < a->batch.changeset_count; i++)
        are_equal = nv_slice_equal(a->batch.changesets[i], b->batch.changesets[i]);
    return are_equal;
}

bool nv_fuzz_messages_equal(const struct nv_message *a, const struct nv_message *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case NV_MESSAGE_HELLO:
        return a->hello.protocol == b->hello.protocol &&
               memcmp(a->hello.network, b->hello.network, sizeof a->hello.network) == 0 &&
               nv_site_id_compare(a->hello.site, b->hello.site) == 0 &&
               scopes_equal(&a->hello.scopes, &b->hello.scopes);
    case NV_MESSAGE_HAS:
        return memcmp(&a->has.digest, &b->has.digest, sizeof a->has.digest) == 0 && a->has.whole == b->has.whole &&
               a->has.please == b->has.please && scopes_equal(&a->has.scopes, &b->has.scopes) &&
               nv_fuzz_heads_equal(a->has.heads, a->has.head_count, b->has.heads, b->has.head_count);
    case NV_MESSAGE_PULL:
        return a->pull.pull == b->pull.pull && a->pull.credit_bytes == b->pull.credit_bytes &&
               nv_fuzz_heads_equal(a->pull.has, a->pull.has_count, b->pull.has, b->pull.has_count);
    case NV_MESSAGE_BATCH:
        return batches_equal(a, b);
    case NV_MESSAGE_CREDIT:
        return a->credit.pull == b->credit.pull && a->credit.bytes == b->credit.bytes;
    case NV_MESSAGE_PING:
        return a->ping.reply == b->ping.reply;
    case NV_MESSAGE_REFUSAL:
        return a->refusal.reason == b->refusal.reason && strcmp(a->refusal.text, b->refusal.text) == 0;
    }
    return false;
}
