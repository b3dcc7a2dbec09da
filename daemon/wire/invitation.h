/* Invitations and enrolment (PROTOCOL.md, "Joining").
 *
 * An invitation is one line: "navette1:" and base64url (no padding) of a length-prefixed record: number (8 bytes),
 * endpoint, hub's CURVE key (32), authority key (32), secret (32), expiry (8 bytes, ms), and 4 bytes of BLAKE2b over
 * all that, so that a lost character is noticed.
 */
#pragma once

#include "wire/authority.h"

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

/* Decodes and checks the signature; the proof is checked with nv_enrol_proof_holds once the secret's hash is looked up:
 * so the proof is keyed by that hash, not by the secret itself. */
struct nv_enrol_request {
    struct nv_certificate wanted;
    uint64_t invitation_number;
    struct nv_slice signed_bytes;
    uint8_t proof[32];
};
enum nv_status nv_enrol_request_decode(struct nv_slice bytes, struct nv_arena *arena,
                                       struct nv_enrol_request *ret_request, struct nv_error *error);
bool nv_enrol_proof_holds(const struct nv_enrol_request *request, const struct nv_hash *secret_hash);

void nv_enrol_reply_encode(bool admitted, const char *text, const struct nv_slice *authority, size_t count,
                           struct nv_buffer *buffer);
struct nv_enrol_reply {
    bool admitted;
    const char *text;
    struct nv_slice *authority;
    size_t authority_count;
};
enum nv_status nv_enrol_reply_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_enrol_reply *ret_reply,
                                     struct nv_error *error);
