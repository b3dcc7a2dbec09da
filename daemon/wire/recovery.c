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

enum nv_status nv_recovery_read(const char *text, struct nv_curve_key *ret_key, struct nv_error *error)
{
    char digits[2 * sizeof ret_key->secret + 2] = ""; /* one more, to notice it */
    size_t count = 0;
    for (const char *at = text; *at != '\0' && count < sizeof digits - 1; at++)
        if (strchr("- \t\r\n", *at) == NULL)
            digits[count++] = *at;
    bool is_good = nv_unhex(digits, ret_key->secret, sizeof ret_key->secret);
    nv_wipe(digits, sizeof digits);
    if (!is_good)
        return nv_fail(error, NV_REFUSED,
                       "this is no recovery secret: it has 16 groups of 4 digits from 0 to 9 and a to f; look for a "
                       "digit that is missing or was misread");
    return complete(ret_key, error);
}

/* ---- proofs ---- */

/* `own` is the secret of one of the two keys, `other` the public half of the other one. */
static bool prove(const uint8_t *own, const struct nv_public_key *other, const struct nv_public_key *recovery,
                  const struct nv_public_key *hub, const struct nv_public_key *authority, struct nv_slice request,
                  uint8_t ret_proof[NV_RECOVERY_PROOF_BYTES])
{
    static const uint8_t purpose[] = "navette recovery proof 1\n";
    uint8_t shared[crypto_scalarmult_BYTES];
    crypto_generichash_state state;
    if (crypto_scalarmult(shared, own, other->bytes) != 0)
        return false;
    crypto_generichash_init(&state, shared, sizeof shared, NV_RECOVERY_PROOF_BYTES);
    crypto_generichash_update(&state, purpose, sizeof purpose - 1);
    crypto_generichash_update(&state, authority->bytes, sizeof authority->bytes);
    crypto_generichash_update(&state, hub->bytes, sizeof hub->bytes);
    crypto_generichash_update(&state, recovery->bytes, sizeof recovery->bytes);
    crypto_generichash_update(&state, request.data, request.size);
    crypto_generichash_final(&state, ret_proof, NV_RECOVERY_PROOF_BYTES);
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(&state, sizeof state);
    return true;
}

bool nv_recovery_prove(const struct nv_curve_key *recovery, const struct nv_public_key *hub,
                       const struct nv_public_key *authority, struct nv_slice request,
                       uint8_t ret_proof[NV_RECOVERY_PROOF_BYTES])
{
    return prove(recovery->secret, hub, &recovery->public_key, hub, authority, request, ret_proof);
}

bool nv_recovery_proof_holds(const struct nv_public_key *recovery, const struct nv_curve_key *hub,
                             const struct nv_public_key *authority, struct nv_slice request,
                             const uint8_t proof[NV_RECOVERY_PROOF_BYTES])
{
    uint8_t expected[NV_RECOVERY_PROOF_BYTES];
    return prove(hub->secret, recovery, recovery, &hub->public_key, authority, request, expected) &&
           sodium_memcmp(expected, proof, sizeof expected) == 0;
}
