#include "counting_model.h"

bool nv_model_holds_all(const struct nv_model_set *set, const struct nv_model_set *all)
{
    for (size_t i = 0; i < sizeof set->words / sizeof *set->words; i++)
        if (all->words[i] & ~set->words[i])
            return false;
    return true;
}

bool nv_counting_model_descends(const struct nv_counting_model *model, size_t later, size_t header)
{
    for (int at = (int)later; at != NV_COUNTING_NONE; at = model->headers[at].previous)
        if ((size_t)at == header)
            return true;
    return false;
}

/* Whether one of the heads, as far as they are held, is that header, or stands after it. */
static bool names(const struct nv_counting_model *model, const struct nv_model_set *held,
                  const struct nv_model_set *heads, size_t header)
{
    for (size_t head = 0; head < model->header_count; head++)
        if (nv_model_has(heads, head) && nv_model_has(held, head) && nv_counting_model_descends(model, head, header))
            return true;
    return false;
}

static bool is_vouched(const struct nv_counting_model *model, const struct nv_model_set *held,
                       const struct nv_model_set *counted, size_t header)
{
    for (size_t by = 0; by < model->header_count; by++)
        if (nv_model_has(counted, by) && model->headers[by].log != model->headers[header].log &&
            names(model, held, &model->headers[by].context, header))
            return true;
    return false;
}

static bool is_cut_off(const struct nv_counting_model *model, const struct nv_model_set *held,
                       const struct nv_model_set *counted, size_t header, unsigned known)
{
    for (size_t i = 0; i < model->taking_count; i++) {
        const struct nv_counting_model_taking *taking = &model->takings[i];
        if (taking->position <= known && taking->site == model->headers[header].site &&
            taking->position > model->headers[header].position && !names(model, held, &taking->named, header) &&
            !is_vouched(model, held, counted, header))
            return true;
    }
    return false;
}

struct nv_model_set nv_counting_model_counts(const struct nv_counting_model *model, const struct nv_model_set *held,
                                             unsigned known)
{
    struct nv_model_set counted = {0};
    bool any = true;
    while (any) {
        any = false;
        for (size_t i = 0; i < model->header_count; i++) {
            const struct nv_counting_model_header *header = &model->headers[i];
            bool stands = header->previous == NV_COUNTING_NONE || nv_model_has(&counted, (size_t)header->previous);
            if (nv_model_has(&counted, i) || !nv_model_has(held, i) || !header->is_valid || !stands ||
                is_cut_off(model, held, &counted, i, known))
                continue;
            nv_model_add(&counted, i);
            any = true;
        }
    }
    return counted;
}
