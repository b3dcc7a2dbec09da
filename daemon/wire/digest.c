#include "wire/digest.h"

#include <sodium.h>

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        at[i] = (uint8_t)(number >> (8 * i));
    return at + 8;
}

struct nv_digest nv_heads_digest(const struct nv_far_head *heads, size_t count)
{
    struct nv_digest digest;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof digest.bytes);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[48], *at = bytes;
        at = put(at, heads[i].site.bytes, sizeof heads[i].site.bytes);
        at = put_number(at, heads[i].epoch);
        at = put_number(at, heads[i].seq);
        put(at, heads[i].pin.bytes, sizeof heads[i].pin.bytes);
        crypto_generichash_update(&state, bytes, sizeof bytes);
    }
    crypto_generichash_final(&state, digest.bytes, sizeof digest.bytes);
    return digest;
}

struct nv_digest nv_vector_digest(const struct nv_part_digest *parts, size_t count)
{
    struct nv_digest digest;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof digest.bytes);
    for (size_t i = 0; i < count; i++) {
        crypto_generichash_update(&state, parts[i].scope.bytes, sizeof parts[i].scope.bytes);
        crypto_generichash_update(&state, parts[i].digest.bytes, sizeof parts[i].digest.bytes);
    }
    crypto_generichash_final(&state, digest.bytes, sizeof digest.bytes);
    return digest;
}

const struct nv_digests nv_digests = {nv_heads_digest, nv_vector_digest};
