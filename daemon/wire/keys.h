/* Keys: made here, kept in files of mode 0600 below one folder, and nowhere else.
 *
 * A folder of keys holds `sign.key` (Ed25519 seed), `curve.key` (X25519 secret), and at the authority `authority.key`
 * (Ed25519 seed) and `successor.key`, which the operator is asked to take away. Each file is one line of hexadecimal.
 */
#pragma once

#include "base/error.h"
#include "core/ident.h"

struct nv_public_key {
    uint8_t bytes[32];
};

struct nv_sign_key {
    struct nv_public_key public_key;
    uint8_t secret[64]; /* libsodium's form: seed and public key */
};

struct nv_curve_key {
    struct nv_public_key public_key;
    uint8_t secret[32];
};

bool nv_public_key_is_zero(const struct nv_public_key *key);

/* Starts libsodium; call before anything else of wire/. */
enum nv_status nv_wire_start(struct nv_error *error);

/* Random bytes from the system (libsodium's randombytes, which tests may replace). */
void nv_random(void *ret_bytes, size_t size);

/* Makes a key, writes it to `folder`/`name` (0600, fsynced with its folder; refuses to overwrite one). */
enum nv_status nv_sign_key_create(const char *folder, const char *name, struct nv_sign_key *ret_key,
                                  struct nv_error *error);
enum nv_status nv_curve_key_create(const char *folder, const char *name, struct nv_curve_key *ret_key,
                                   struct nv_error *error);

/* Reads a key; refuses a file that others may read (mode beyond 0600), NV_NOT_FOUND where there is none. */
enum nv_status nv_sign_key_load(const char *folder, const char *name, struct nv_sign_key *ret_key,
                                struct nv_error *error);
enum nv_status nv_curve_key_load(const char *folder, const char *name, struct nv_curve_key *ret_key,
                                 struct nv_error *error);

/* Overwrites a secret in memory. */
void nv_wipe(void *secret, size_t size);
