#include "wire/hash.h"

#include <sodium.h>

_Static_assert(sizeof(struct nv_hasher) == sizeof(crypto_generichash_state), "libsodium's state fits ours");
_Static_assert(alignof(struct nv_hasher) >= alignof(crypto_generichash_state), "and is aligned alike");
_Static_assert(crypto_shorthash_BYTES == 8 && crypto_shorthash_KEYBYTES == 16, "a short hash is one number");

static crypto_generichash_state *state_of(struct nv_hasher *hasher)
{
    return (crypto_generichash_state *)(void *)hasher->state;
}

void nv_hasher_start(struct nv_hasher *hasher)
{
    crypto_generichash_init(state_of(hasher), NULL, 0, sizeof(struct nv_hash));
}

void nv_hasher_update(struct nv_hasher *hasher, const void *bytes, size_t size)
{
    if (size > 0)
        crypto_generichash_update(state_of(hasher), bytes, size);
}

struct nv_hash nv_hasher_finish(struct nv_hasher *hasher)
{
    struct nv_hash hash;
    crypto_generichash_final(state_of(hasher), hash.bytes, sizeof hash.bytes);
    return hash;
}

struct nv_hash nv_hash_of(struct nv_slice bytes)
{
    struct nv_hash hash;
    crypto_generichash(hash.bytes, sizeof hash.bytes, bytes.data, bytes.size, NULL, 0);
    return hash;
}

uint64_t nv_short_hash(const uint8_t key[16], struct nv_slice bytes)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, bytes.data, bytes.size, key);
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof hash; i++)
        number |= (uint64_t)hash[i] << (8 * i);
    return number;
}
