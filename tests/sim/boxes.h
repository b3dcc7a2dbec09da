/* Boxes opened as PROTOCOL.md says ("Sealed ops"), with nothing of wire/: by what another implementation would do. */
#pragma once

#include "wire/changeset.h"
#include "wire/sealed.h"

/* `room` has as many bytes as the box. False where it is of another key or place, was changed, or is not padded as it
 * must be. */
bool sim_box_open(const struct nv_content_key *key, const struct nv_log_id *log, uint64_t seq, uint64_t index,
                  const struct nv_salt *salt, struct nv_slice box, uint8_t *room, struct nv_slice *ret_op);
