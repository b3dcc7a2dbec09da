/* Writing messages to other nodes. */
#include "wire/heads.h"
#include "wire/message.h"
#include "wire/unpack.h"

/* Each kind fills a struct that stands in the arena until the message is packed; false where memory ran out. */

/* False where memory ran out; NULL where nothing is said. */
static bool add_scopes(const struct nv_scopes_said *said, struct nv_arena *arena, Navette__Scopes **ret_wire)
{
    const struct nv_scope_set *set = &said->scopes;
    if (!said->is_said)
        return true;
    Navette__Scopes *wire = nv_arena_alloc(arena, sizeof *wire);
    ProtobufCBinaryData *scopes = nv_arena_alloc(arena, (set->count + 1) * sizeof *scopes);
    if (wire == NULL || scopes == NULL)
        return false;
    navette__scopes__init(wire);
    for (size_t i = 0; i < set->count; i++)
        scopes[i] = nv_binary(set->scopes[i].bytes, sizeof set->scopes[i].bytes);
    wire->authority_seq = said->authority_seq;
    wire->all = set->has_all;
    wire->n_scopes = set->count;
    wire->scopes = scopes;
    *ret_wire = wire;
    return true;
}

static bool add_hello(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    wire->kind_case = NAVETTE__MESSAGE__KIND_HELLO;
    wire->hello = nv_arena_alloc(arena, sizeof *wire->hello);
    if (wire->hello == NULL)
        return false;
    navette__hello__init(wire->hello);
    wire->hello->protocol = message->hello.protocol;
    wire->hello->network = nv_binary(message->hello.network, sizeof message->hello.network);
    wire->hello->site = nv_binary(message->hello.site.bytes, sizeof message->hello.site.bytes);
    wire->hello->now_ms = message->hello.now.ms;
    return add_scopes(&message->hello.scopes, arena, &wire->hello->scopes);
}

static bool add_has(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    wire->kind_case = NAVETTE__MESSAGE__KIND_HAS;
    wire->has = nv_arena_alloc(arena, sizeof *wire->has);
    if (wire->has == NULL)
        return false;
    navette__has__init(wire->has);
    wire->has->digest = nv_binary(message->has.digest.bytes, sizeof message->has.digest.bytes);
    wire->has->whole = message->has.whole;
    wire->has->please = message->has.please;
    wire->has->n_heads = message->has.head_count;
    wire->has->heads = nv_heads_to_pack(message->has.heads, message->has.head_count, true, arena);
    return wire->has->heads != NULL && add_scopes(&message->has.scopes, arena, &wire->has->scopes);
}

static bool add_pull(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    wire->kind_case = NAVETTE__MESSAGE__KIND_PULL;
    wire->pull = nv_arena_alloc(arena, sizeof *wire->pull);
    if (wire->pull == NULL)
        return false;
    navette__pull__init(wire->pull);
    wire->pull->pull = message->pull.pull;
    wire->pull->credit_bytes = message->pull.credit_bytes;
    wire->pull->n_has = message->pull.has_count;
    wire->pull->has = nv_heads_to_pack(message->pull.has, message->pull.has_count, true, arena);
    return wire->pull->has != NULL;
}

static bool add_batch(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    size_t count = message->batch.changeset_count;
    wire->kind_case = NAVETTE__MESSAGE__KIND_BATCH;
    wire->batch = nv_arena_alloc(arena, sizeof *wire->batch);
    ProtobufCBinaryData *changesets = nv_arena_alloc(arena, count * sizeof *changesets);
    if (wire->batch == NULL || changesets == NULL)
        return false;
    navette__batch__init(wire->batch);
    for (size_t i = 0; i < count; i++)
        changesets[i] = nv_binary(message->batch.changesets[i].data, message->batch.changesets[i].size);
    wire->batch->pull = message->batch.pull;
    wire->batch->last = message->batch.last;
    wire->batch->n_changesets = count;
    wire->batch->changesets = changesets;
    return true;
}

static bool add_credit(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    wire->kind_case = NAVETTE__MESSAGE__KIND_CREDIT;
    wire->credit = nv_arena_alloc(arena, sizeof *wire->credit);
    if (wire->credit == NULL)
        return false;
    navette__credit__init(wire->credit);
    wire->credit->pull = message->credit.pull;
    wire->credit->bytes = message->credit.bytes;
    return true;
}

static bool add_ping(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    wire->kind_case = NAVETTE__MESSAGE__KIND_PING;
    wire->ping = nv_arena_alloc(arena, sizeof *wire->ping);
    if (wire->ping == NULL)
        return false;
    navette__ping__init(wire->ping);
    wire->ping->reply = message->ping.reply;
    wire->ping->now_ms = message->ping.now.ms;
    return true;
}

static bool add_refusal(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    wire->kind_case = NAVETTE__MESSAGE__KIND_REFUSAL;
    wire->refusal = nv_arena_alloc(arena, sizeof *wire->refusal);
    if (wire->refusal == NULL)
        return false;
    navette__refusal__init(wire->refusal);
    wire->refusal->reason = (uint32_t)message->refusal.reason;
    wire->refusal->text = (char *)message->refusal.text;
    return true;
}

static bool add_kind(const struct nv_message *message, struct nv_arena *arena, Navette__Message *wire)
{
    switch (message->kind) {
    case NV_MESSAGE_HELLO:
        return add_hello(message, arena, wire);
    case NV_MESSAGE_HAS:
        return add_has(message, arena, wire);
    case NV_MESSAGE_PULL:
        return add_pull(message, arena, wire);
    case NV_MESSAGE_BATCH:
        return add_batch(message, arena, wire);
    case NV_MESSAGE_CREDIT:
        return add_credit(message, arena, wire);
    case NV_MESSAGE_PING:
        return add_ping(message, arena, wire);
    case NV_MESSAGE_REFUSAL:
        return add_refusal(message, arena, wire);
    }
    return false;
}

void nv_message_encode(const struct nv_message *message, struct nv_buffer *buffer)
{
    struct nv_arena arena = {.limit = 16u << 20};
    Navette__Message wire = NAVETTE__MESSAGE__INIT;
    if (add_kind(message, &arena, &wire))
        nv_pack(&wire.base, buffer);
    else
        buffer->failed = true;
    nv_arena_done(&arena);
}
