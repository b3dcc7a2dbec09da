/* Reading messages of other nodes. Writing them is in message_encode.c. */
#include "wire/message.h"

#include <stdio.h>

#include "base/catalogue.h"
#include "core/heads.h"
#include "wire/heads.h"
#include "wire/text.h"
#include "wire/unpack.h"

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "a message is against the protocol: %s: it is not answered", _(what));
}

static enum nv_status take_vector(Navette__Head *const *wire, size_t count, struct nv_arena *arena,
                                  struct nv_far_head **ret_heads, struct nv_error *error)
{
    if (count > NV_LIMIT_LOGS)
        return refuse(error, "it names more logs than a network may have");
    struct nv_far_head *heads;
    enum nv_status status = nv_heads_take(wire, count, NULL, arena, &heads, error);
    if (status != NV_OK)
        return status;
    if (!nv_heads_ascend(heads, count))
        return refuse(error, "its heads are not ascending, or name a log twice");
    *ret_heads = heads;
    return NV_OK;
}

static enum nv_status take_scopes(const Navette__Scopes *wire, struct nv_arena *arena, struct nv_scopes_said *ret_said,
                                  struct nv_error *error)
{
    if (wire == NULL)
        return NV_OK;
    if (wire->n_scopes > NV_LIMIT_SCOPES)
        return refuse(error, "it names more scopes than the protocol allows");
    if (wire->all && wire->n_scopes > 0)
        return refuse(error, "it names all scopes, and some of them");
    struct nv_scope_id *scopes = nv_arena_alloc(arena, (wire->n_scopes + 1) * sizeof *scopes);
    if (scopes == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the scopes of a message");
    for (size_t i = 0; i < wire->n_scopes; i++)
        if (!nv_binary_take(wire->scopes[i], scopes[i].bytes, sizeof scopes[i].bytes))
            return refuse(error, "a scope of another size");
    if (!nv_scopes_ascend(scopes, wire->n_scopes))
        return refuse(error, "its scopes are not ascending, or name one twice");
    *ret_said =
        (struct nv_scopes_said){.is_said = true,
                                .authority_seq = wire->authority_seq,
                                .scopes = {.has_all = wire->all != 0, .scopes = scopes, .count = wire->n_scopes}};
    return NV_OK;
}

static bool take_now(int64_t ms, struct nv_wall_ms *ret_now, struct nv_error *error)
{
    *ret_now = (struct nv_wall_ms){ms};
    bool is_time = ms >= -NV_LIMIT_TIME_MS && ms <= NV_LIMIT_TIME_MS;
    if (!is_time)
        refuse(error, "a clock beyond the year 9999");
    return is_time;
}

static enum nv_status take_hello(const Navette__Hello *wire, struct nv_arena *arena, struct nv_message *message,
                                 struct nv_error *error)
{
    message->kind = NV_MESSAGE_HELLO;
    message->hello.protocol = wire->protocol;
    if (!nv_binary_take(wire->network, message->hello.network, sizeof message->hello.network) ||
        !nv_binary_take(wire->site, message->hello.site.bytes, sizeof message->hello.site.bytes))
        return refuse(error, "a hello with ids of another size");
    if (!take_now(wire->now_ms, &message->hello.now, error))
        return NV_REFUSED;
    return take_scopes(wire->scopes, arena, &message->hello.scopes, error);
}

static enum nv_status take_has(const Navette__Has *wire, struct nv_arena *arena, struct nv_message *message,
                               struct nv_error *error)
{
    message->kind = NV_MESSAGE_HAS;
    message->has.whole = wire->whole;
    message->has.please = wire->please;
    message->has.head_count = wire->n_heads;
    if (!nv_binary_take(wire->digest, message->has.digest.bytes, sizeof message->has.digest.bytes))
        return refuse(error, "a digest of another size");
    enum nv_status status = take_scopes(wire->scopes, arena, &message->has.scopes, error);
    return status == NV_OK ? take_vector(wire->heads, wire->n_heads, arena, &message->has.heads, error) : status;
}

static enum nv_status take_pull(const Navette__Pull *wire, struct nv_arena *arena, struct nv_message *message,
                                struct nv_error *error)
{
    message->kind = NV_MESSAGE_PULL;
    message->pull.pull = wire->pull;
    message->pull.credit_bytes = wire->credit_bytes;
    message->pull.has_count = wire->n_has;
    return take_vector(wire->has, wire->n_has, arena, &message->pull.has, error);
}

static enum nv_status take_batch(const Navette__Batch *wire, struct nv_arena *arena, struct nv_message *message,
                                 struct nv_error *error)
{
    if (wire->n_changesets > NV_LIMIT_BATCH_CHANGESETS)
        return refuse(error, "a batch of more changesets than the protocol allows");
    struct nv_slice *changesets = nv_arena_alloc(arena, wire->n_changesets * sizeof *changesets);
    if (changesets == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for a batch of changesets");
    for (size_t i = 0; i < wire->n_changesets; i++) {
        changesets[i] = (struct nv_slice){.data = wire->changesets[i].data, .size = wire->changesets[i].len};
        if (changesets[i].size == 0)
            return refuse(error, "a batch with an empty changeset");
    }
    message->kind = NV_MESSAGE_BATCH;
    message->batch.pull = wire->pull;
    message->batch.last = wire->last;
    message->batch.changesets = changesets;
    message->batch.changeset_count = wire->n_changesets;
    return NV_OK;
}

/* The text is shown to people and logged. */
static enum nv_status take_refusal(const Navette__Refusal *wire, struct nv_message *message, struct nv_error *error)
{
    message->kind = NV_MESSAGE_REFUSAL;
    bool is_known = wire->reason >= NV_REFUSAL_PROTOCOL && wire->reason <= NV_REFUSAL_CHANGESET;
    message->refusal.reason = is_known ? (enum nv_refusal)wire->reason : NV_REFUSAL_PROTOCOL;
    if (!nv_text_is_good(wire->text, 0, sizeof message->refusal.text - 1))
        return refuse(error, "a refusal whose text is too long or no text");
    snprintf(message->refusal.text, sizeof message->refusal.text, "%s", wire->text);
    return NV_OK;
}

static enum nv_status take_kind(const Navette__Message *wire, struct nv_arena *arena, struct nv_message *message,
                                struct nv_error *error)
{
    switch (wire->kind_case) {
    case NAVETTE__MESSAGE__KIND_HELLO:
        return take_hello(wire->hello, arena, message, error);
    case NAVETTE__MESSAGE__KIND_HAS:
        return take_has(wire->has, arena, message, error);
    case NAVETTE__MESSAGE__KIND_PULL:
        return take_pull(wire->pull, arena, message, error);
    case NAVETTE__MESSAGE__KIND_BATCH:
        return take_batch(wire->batch, arena, message, error);
    case NAVETTE__MESSAGE__KIND_CREDIT:
        message->kind = NV_MESSAGE_CREDIT;
        message->credit.pull = wire->credit->pull;
        message->credit.bytes = wire->credit->bytes;
        return NV_OK;
    case NAVETTE__MESSAGE__KIND_PING:
        message->kind = NV_MESSAGE_PING;
        message->ping.reply = wire->ping->reply;
        if (!take_now(wire->ping->now_ms, &message->ping.now, error))
            return NV_REFUSED;
        return NV_OK;
    case NAVETTE__MESSAGE__KIND_REFUSAL:
        return take_refusal(wire->refusal, message, error);
    case NAVETTE__MESSAGE__KIND__NOT_SET:
    case _NAVETTE__MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    if (wire->base.n_unknown_fields > 0)
        return nv_fail(error, NV_NOT_YET, "a message of a kind that is not known here: newer software sent it");
    return refuse(error, "it says nothing");
}

enum nv_status nv_message_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_message *ret_message,
                                 struct nv_error *error)
{
    if (bytes.size > NV_LIMIT_MESSAGE_BYTES)
        return refuse(error, "it is longer than the protocol allows");
    const ProtobufCMessage *unpacked;
    enum nv_status status = nv_unpack(&navette__message__descriptor, bytes, arena, "a message", &unpacked, error);
    if (status != NV_OK)
        return status;
    const Navette__Message *wire = (const Navette__Message *)unpacked;
    if (bytes.size > NV_LIMIT_SHORT_MESSAGE_BYTES && wire->kind_case != NAVETTE__MESSAGE__KIND_BATCH)
        return refuse(error, "it is longer than one without changesets may be");
    struct nv_message message = {0};
    status = take_kind(wire, arena, &message, error);
    if (status == NV_OK)
        *ret_message = message;
    return status;
}
