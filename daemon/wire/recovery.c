#include "wire/recovery.h"

#include <sodium.h>
#include <string.h>

#include "base/hex.h"

static enum nv_status complete(struct nv_curve_key *key, struct nv_error *error)
{
    if (crypto_scalarmult_base(key->public_key.bytes, key->secret) != 0)
        return nv_fail(error, NV_BUG, "the recovery key could not be made");
    return NV_OK;
}

enum nv_status nv_recovery_make(struct nv_curve_key *ret_key, struct nv_error *error)
{
    nv_random(ret_key->secret, sizeof ret_key->secret);
    return complete(ret_key, error);
}

enum nv_status nv_recovery_derive(const struct nv_invitation *invitation, const struct nv_sign_key *own,
                                  struct nv_curve_key *ret_key, struct nv_error *error)
{
    static const uint8_t purpose[] = "navette recovery key 1\n";
    crypto_generichash_state state;
    crypto_generichash_init(&state, invitation->secret, sizeof invitation->secret, sizeof ret_key->secret);
    crypto_generichash_update(&state, purpose, sizeof purpose - 1);
    crypto_generichash_update(&state, own->secret, sizeof own->secret);
    crypto_generichash_final(&state, ret_key->secret, sizeof ret_key->secret);
    sodium_memzero(&state, sizeof state);
    return complete(ret_key, error);
}

void nv_recovery_text(const struct nv_curve_key *key, char ret_text[NV_RECOVERY_TEXT])
{
    char *at = ret_text;
    for (size_t i = 0; i < sizeof key->secret; i += 2, at += 5) {
        nv_hex(key->secret + i, 2, at);
        at[4] = '-';
    }
    at[-1] = '\0';
}
