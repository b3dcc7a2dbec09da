#include "model.h"

#include <string.h>

bool nv_model_has(const struct nv_model_set *set, size_t op)
{
    return set->words[op / 64] >> op % 64 & 1;
}

void nv_model_add(struct nv_model_set *set, size_t op)
{
    set->words[op / 64] |= (uint64_t)1 << op % 64;
}

void nv_model_remove(struct nv_model_set *set, size_t op)
{
    set->words[op / 64] &= ~((uint64_t)1 << op % 64);
}

/* Whether `later` covers that field of `earlier`: its writer had seen it, and does not except it. */
static bool covers(const struct nv_model *model, size_t later, size_t earlier, unsigned field)
{
    const struct nv_model_op *op = &model->ops[later];
    if (!nv_model_has(&op->seen, earlier))
        return false;
    for (size_t i = 0; i < op->except_count; i++)
        if (op->excepts[i].op == earlier && (op->excepts[i].fields >> field & 1))
            return false;
    return true;
}

/* The ops of the record, in a list; returns how many. */
static size_t list(const struct nv_model *model, size_t record, const struct nv_model_set *ops, size_t *ret_list)
{
    size_t count = 0;
    for (size_t op = 0; op < model->count; op++)
        if (nv_model_has(ops, op) && model->ops[op].record == record)
            ret_list[count++] = op;
    return count;
}

static bool is_sibling(const struct nv_model *model, const size_t *ops, size_t count, size_t me, unsigned field)
{
    if (model->ops[me].is_delete || !(model->ops[me].fields >> field & 1))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct nv_model_op *other = &model->ops[ops[i]];
        if (ops[i] != me && !other->is_delete && (other->fields >> field & 1) && covers(model, ops[i], me, field))
            return false;
    }
    return true;
}

static bool is_live(const struct nv_model *model, const size_t *ops, size_t count, size_t me)
{
    if (!model->ops[me].is_delete)
        return false;
    for (size_t i = 0; i < count; i++)
        if (ops[i] != me && nv_model_has(&model->ops[ops[i]].seen, me))
            return false;
    return true;
}

static void find_home(const struct nv_model *model, const size_t *ops, size_t count, struct nv_model_state *state)
{
    for (size_t i = 0; i < count; i++) {
        const struct nv_model_op *op = &model->ops[ops[i]];
        if (op->is_delete || (state->has_home && state->home <= op->home))
            continue;
        state->has_home = true;
        state->home = op->home;
    }
}

void nv_model_meaning(const struct nv_model *model, size_t record, const struct nv_model_set *set,
                      struct nv_model_state *ret_state)
{
    size_t ops[NV_MODEL_OPS];
    size_t count = list(model, record, set, ops);
    memset(ret_state, 0, sizeof *ret_state);
    find_home(model, ops, count, ret_state);
    for (size_t i = 0; i < count; i++) {
        for (unsigned field = 0; field < NV_MODEL_FIELDS; field++)
            if (is_sibling(model, ops, count, ops[i], field))
                ret_state->siblings[ops[i]] |= (uint8_t)(1u << field);
        ret_state->live[ops[i]] = is_live(model, ops, count, ops[i]);
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t marked = 0;
        for (size_t j = 0; j < count; j++) {
            for (unsigned field = 0; field < NV_MODEL_FIELDS && ret_state->live[ops[j]]; field++)
                if ((ret_state->siblings[ops[i]] >> field & 1) && covers(model, ops[j], ops[i], field))
                    ret_state->marks[ops[j]][ops[i]] |= (uint8_t)(1u << field);
            marked |= ret_state->marks[ops[j]][ops[i]];
        }
        ret_state->is_shown = ret_state->is_shown || (ret_state->siblings[ops[i]] & ~marked) != 0;
    }
}
