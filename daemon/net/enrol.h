/* What `navette join` needs of the network: one question to the hub's enrolment desk. */
#pragma once

#include "base/buffer.h"
#include "wire/invitation.h"

/* Sends the encoded EnrolRequest to the invitation's endpoint, and waits at most `timeout_ms` for the encoded
 * EnrolReply, which is appended to `reply`. Asks again where the answer does not come, which is harmless.
 * NV_UNREACHABLE where nobody answered in time. */
enum nv_status nv_enrol_ask(const struct nv_invitation *invitation, const struct nv_curve_key *own,
                            struct nv_slice request, int timeout_ms, struct nv_buffer *reply, struct nv_error *error);
