/* Invitations and enrolment (PROTOCOL.md, "Joining").
 *
 * An invitation is one line: "navette1:" and base64url (no padding) of a length-prefixed record: number (8 bytes),
 * endpoint, hub's CURVE key (32), authority key (32), secret (32), expiry (8 bytes, ms), and 4 bytes of BLAKE2b over
 * all that, so that a lost character is noticed.
 */
#pragma once

#include "wire/authority.h"
#include "wire/sealed.h"

struct nv_invitation {
    uint64_t number;
    char endpoint[256];
    struct nv_public_key hub_curve_key;
    struct nv_public_key authority_key;
    uint8_t secret[32];
    struct nv_wall_ms expires;
};

/* The text, NUL-terminated, into ret_text. */
enum nv_status nv_invitation_write(const struct nv_invitation *invitation, char *ret_text, size_t capacity);
enum nv_status nv_invitation_read(const char *text, struct nv_invitation *ret_invitation, struct nv_error *error);

/* What the hub keeps of a secret: BLAKE2b-256 of it. */
struct nv_hash nv_invitation_secret_hash(const uint8_t secret[32]);

/* A request to be certified: `wanted` (role and dates are the authority's to say and are ignored), proven by the secret
 * and signed by the site's own key. */
void nv_enrol_request_encode(const struct nv_certificate *wanted, uint64_t invitation_number, const uint8_t secret[32],
                             const struct nv_sign_key *key, struct nv_buffer *buffer);

/* The same of a site that lost its keys: the one that the invitation is for (`wanted`'s id is not looked at). Proves
 * that its sender has the site's recovery key. NV_REFUSED where the invitation has no key that could be proven to. */
enum nv_status nv_enrol_recovery_encode(const struct nv_certificate *wanted, const struct nv_invitation *invitation,
                                        const struct nv_sign_key *key, const struct nv_curve_key *recovery,
                                        struct nv_buffer *buffer, struct nv_error *error);

/* Decodes and checks the signature; the proof is checked with nv_enrol_proof_holds once the secret's hash is looked up:
 * so the proof is keyed by that hash, not by the secret itself. */
struct nv_enrol_request {
    struct nv_certificate wanted; /* where it recovers a site without the site's id */
    bool recovers;
    uint64_t invitation_number;
    struct nv_slice signed_bytes;
    uint8_t proof[32];
    uint8_t recovery_proof[32];
};
enum nv_status nv_enrol_request_decode(struct nv_slice bytes, struct nv_arena *arena,
                                       struct nv_enrol_request *ret_request, struct nv_error *error);
bool nv_enrol_proof_holds(const struct nv_enrol_request *request, const struct nv_hash *secret_hash);

/* Whether its sender has the secret of the recovery key that is in it; judged with the hub's own X25519 key. */
bool nv_enrol_recovery_holds(const struct nv_enrol_request *request, const struct nv_curve_key *hub,
                             const struct nv_public_key *authority);

/* A content key for a recovery key. On the way each has a fixed size. */
struct nv_recovered_key {
    struct nv_log_id log;
    struct nv_hash id;
    uint8_t sealed[NV_SEALED_KEY_BYTES];
};
enum { NV_RECOVERED_KEY_BYTES = 16 + 8 + 16 + 32 + NV_SEALED_KEY_BYTES };
void nv_recovered_key_append(const struct nv_recovered_key *key, struct nv_buffer *buffer);
void nv_recovered_key_read(const uint8_t bytes[NV_RECOVERED_KEY_BYTES], struct nv_recovered_key *ret_key);

struct nv_enrol_reply {
    bool admitted;
    const char *text;           /* why not */
    struct nv_slice *authority; /* the authority log, a changeset each */
    size_t authority_count;
    struct nv_slice *keys; /* NV_RECOVERED_KEY_BYTES each */
    size_t key_count;
};
void nv_enrol_reply_encode(const struct nv_enrol_reply *reply, struct nv_buffer *buffer);
enum nv_status nv_enrol_reply_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_enrol_reply *ret_reply,
                                     struct nv_error *error);
