/* Shared by history.c and history_keys.c. */
#pragma once

#include "history.h"
#include "wire/changeset.h"

/* Room for one more at the end of an array; what is there is zeroed. */
void *sim_history_grow(void **array, size_t *count, size_t size);

/* Grants stand behind what was sealed with the keys that they give, so they are taken first. */
void sim_history_take_grants(struct sim_history *history, size_t log, const struct nv_header *header,
                             const struct nv_body *body);

/* What is in the box, in the place of the sealed op; returns the place of its key. */
size_t sim_history_open_box(struct sim_history *history, size_t log, const struct nv_header *header, uint32_t index,
                            const struct nv_salt *salt, struct nv_op *op);
