/* What is said between nodes: messages, requests to join and their answers, and zstd frames. */
#include <assert.h>

#include "core/heads.h"
#include "messages.h"
#include "target.h"
#include "wire/compress.h"
#include "wire/invitation.h"

enum { FRAME_BYTES_MAX = 1 << 20, PLAIN_BYTES_MAX = 2000, LOG_MAX = 4 };

/* ---- messages ---- */

/* They may come in any form that protobuf allows, so what is compared is what they say. */
static void take_message(struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_message message, again;
    struct nv_buffer encoded = {0};
    if (nv_message_decode(bytes, arena, &message, NULL) != NV_OK)
        return;
    assert(message.kind != NV_MESSAGE_HAS || nv_heads_ascend(message.has.heads, message.has.head_count));
    assert(message.kind != NV_MESSAGE_PULL || nv_heads_ascend(message.pull.has, message.pull.has_count));
    nv_message_encode(&message, &encoded);
    enum nv_status status = nv_message_decode(nv_buffer_slice(&encoded), arena, &again, NULL);
    assert(status == NV_OK && nv_fuzz_messages_equal(&message, &again));
    nv_buffer_done(&encoded);
}

static void build_message(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_message message, again;
    struct nv_buffer bytes = {0};
    nv_fuzz_message(dice, arena, &message);
    nv_message_encode(&message, &bytes);
    enum nv_status status = nv_message_decode(nv_buffer_slice(&bytes), arena, &again, NULL);
    assert(status == NV_OK && nv_fuzz_messages_equal(&message, &again));
    nv_fuzz_flip(dice, bytes.data, bytes.size);
    take_message(nv_buffer_slice(&bytes));
    nv_buffer_done(&bytes);
}

/* ---- requests to join ---- */

static void build_request(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_sign_key key = nv_fuzz_key(1);
    uint8_t secret[32] = {7};
    const char *endpoint = nv_fuzz_text(dice, arena, NV_LIMIT_ENDPOINT_BYTES, true);
    const char *name = nv_fuzz_text(dice, arena, NV_LIMIT_NAME, true);
    struct nv_certificate wanted = {.name = name[0] == '\0' ? "site" : name,
                                    .sign_key = key.public_key,
                                    .endpoint_count = endpoint[0] != '\0',
                                    .endpoints = &endpoint};
    struct nv_enrol_request request;
    struct nv_buffer bytes = {0};
    uint64_t number = nv_fuzz_number(dice);
    nv_dice_bytes(dice, wanted.site.bytes, 2);
    nv_enrol_request_encode(&wanted, number, secret, &key, &bytes);
    enum nv_status status = nv_enrol_request_decode(nv_buffer_slice(&bytes), arena, &request, NULL);
    struct nv_hash hash = nv_invitation_secret_hash(secret);
    assert(status == NV_OK && request.invitation_number == number && strcmp(request.wanted.name, wanted.name) == 0);
    assert(nv_enrol_proof_holds(&request, &hash));
    nv_fuzz_flip(dice, bytes.data, bytes.size);
    /* What the signature covers is as it was, or the request is refused; where the proof was hit it does not hold. */
    if (nv_enrol_request_decode(nv_buffer_slice(&bytes), arena, &request, NULL) == NV_OK)
        assert(request.invitation_number == number && strcmp(request.wanted.name, wanted.name) == 0);
    nv_buffer_done(&bytes);
}

static void take_request(struct nv_slice bytes)
{
    struct nv_enrol_request request;
    nv_enrol_request_decode(bytes, nv_fuzz_arena(), &request, NULL);
}

/* ---- their answers ---- */

static void take_reply(struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_enrol_reply reply, again;
    struct nv_buffer encoded = {0};
    if (nv_enrol_reply_decode(bytes, arena, &reply, NULL) != NV_OK)
        return;
    nv_enrol_reply_encode(&reply, &encoded);
    enum nv_status status = nv_enrol_reply_decode(nv_buffer_slice(&encoded), arena, &again, NULL);
    assert(status == NV_OK && again.admitted == reply.admitted && strcmp(again.text, reply.text) == 0 &&
           again.authority_count == reply.authority_count && again.key_count == reply.key_count);
    for (size_t i = 0; i < reply.authority_count; i++)
        assert(nv_slice_equal(reply.authority[i], again.authority[i]));
    for (size_t i = 0; i < reply.key_count; i++)
        assert(nv_slice_equal(reply.keys[i], again.keys[i]));
    nv_buffer_done(&encoded);
}

/* ---- zstd frames ---- */

static void take_frame(struct nv_slice bytes)
{
    struct nv_slice plain;
    if (nv_decompress(bytes, FRAME_BYTES_MAX, nv_fuzz_arena(), &plain, NULL) != NV_OK)
        return;
    assert(plain.size <= FRAME_BYTES_MAX);
    struct nv_buffer again = {0};
    struct nv_slice back = plain;
    nv_buffer_append(&again, plain.data, plain.size);
    if (nv_compress(&again, 0)) {
        struct nv_arena arena = {.limit = plain.size + 16};
        enum nv_status status = nv_decompress(nv_buffer_slice(&again), plain.size, &arena, &back, NULL);
        assert(status == NV_OK && nv_slice_equal(back, plain));
        nv_arena_done(&arena);
    }
    nv_buffer_done(&again);
}

static void build_frame(struct nv_dice *dice)
{
    struct nv_slice some = nv_fuzz_bytes(dice, nv_fuzz_arena(), 16);
    struct nv_buffer bytes = {0};
    while (bytes.size < PLAIN_BYTES_MAX && some.size > 0 && !nv_dice_percent(dice, 2))
        nv_buffer_append(&bytes, some.data, 1 + nv_dice_below(dice, some.size));
    if (nv_compress(&bytes, 0)) {
        nv_fuzz_flip(dice, bytes.data, bytes.size);
        take_frame(nv_buffer_slice(&bytes));
    }
    nv_buffer_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nv_slice rest = {.data = data + 1, .size = size - 1};
    struct nv_dice dice = nv_dice_scripted(rest);
    nv_fuzz_start();
    switch (data[0] % 7) {
    case 0:
        take_message(rest);
        break;
    case 1:
        build_message(&dice);
        break;
    case 2:
        take_request(rest);
        break;
    case 3:
        build_request(&dice);
        break;
    case 4:
        take_reply(rest);
        break;
    case 5:
        take_frame(rest);
        break;
    default:
        build_frame(&dice);
        break;
    }
    return 0;
}
