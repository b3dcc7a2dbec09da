/* The recovery key of a site: whoever has its secret can read what was sealed for the site once all its other keys are
 * lost. Its public half is certified; the secret is shown to a person once and stored nowhere. */
#pragma once

#include "wire/invitation.h"

enum { NV_RECOVERY_TEXT = 80, NV_RECOVERY_PROOF_BYTES = 32 };

/* A random pair. */
enum nv_status nv_recovery_make(struct nv_curve_key *ret_key, struct nv_error *error);

/* The pair of a site that joins: derived from the invitation's secret and the site's own key, so that asking again
 * after an answer was lost gives the pair that is certified, although nobody kept it. */
enum nv_status nv_recovery_derive(const struct nv_invitation *invitation, const struct nv_sign_key *own,
                                  struct nv_curve_key *ret_key, struct nv_error *error);

/* The secret as a person keeps it: groups of 4 hexadecimal digits with a dash between. */
void nv_recovery_text(const struct nv_curve_key *key, char ret_text[NV_RECOVERY_TEXT]);

/* Reads it back: dashes and blanks may stand anywhere, or nowhere. NV_REFUSED, with words for the person who typed it.
 */
enum nv_status nv_recovery_read(const char *text, struct nv_curve_key *ret_key, struct nv_error *error);

/* Proves to the hub that the sender of a request has the secret of the recovery key: with what the two keys have in
 * common, bound to the network and to the request. False where the hub's key is none. */
bool nv_recovery_prove(const struct nv_curve_key *recovery, const struct nv_public_key *hub,
                       const struct nv_public_key *authority, struct nv_slice request,
                       uint8_t ret_proof[NV_RECOVERY_PROOF_BYTES]);
bool nv_recovery_proof_holds(const struct nv_public_key *recovery, const struct nv_curve_key *hub,
                             const struct nv_public_key *authority, struct nv_slice request,
                             const uint8_t proof[NV_RECOVERY_PROOF_BYTES]);
