#include "siblings.h"

static struct nv_site_id home_of(const struct sim_history *history, const size_t *ops, size_t count)
{
    struct nv_site_id home = {{0}};
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct sim_op *op = &history->ops[ops[i]];
        if (op->is_delete || (any && nv_site_id_compare(home, op->home) <= 0))
            continue;
        home = op->home;
        any = true;
    }
    return home;
}

void sim_siblings_gather(const struct sim_history *history, const struct nv_model_state *state, const size_t *ops,
                         size_t count, int field, enum nv_rule rule, struct sim_siblings *ret_siblings)
{
    ret_siblings->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(state->siblings[i] >> field & 1))
            continue;
        const struct sim_op *op = &history->ops[ops[i]];
        const struct sim_log *log = &history->logs[op->log];
        ret_siblings->candidates[ret_siblings->count++] =
            (struct nv_candidate){.value = op->values[field],
                                  .time = {op->times[field]},
                                  .site = log->site,
                                  .epoch = log->epoch,
                                  .seq = op->seq,
                                  .index = op->index,
                                  .header = log->changesets[op->seq - 1].hash};
    }
    if (ret_siblings->count == 0)
        return;
    ret_siblings->distinct = nv_rule_distinct(ret_siblings->candidates, ret_siblings->count);
    ret_siblings->shown =
        nv_rule_choose(rule, ret_siblings->candidates, ret_siblings->count, home_of(history, ops, count));
}
