/* What competes for a field of a record, by the model, and what its row shows of that. */
#pragma once

#include "history.h"

struct sim_siblings {
    struct nv_candidate candidates[SIM_MODEL_OPS];
    size_t count, shown, distinct; /* shown: its place among the candidates */
};

/* From what sim_history_meaning gave. */
void sim_siblings_gather(const struct sim_history *history, const struct nv_model_state *state, const size_t *ops,
                         size_t count, int field, enum nv_rule rule, struct sim_siblings *ret_siblings);
