#include "core/rule.h"

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The order that `last` takes, and every tie. */
static int compare_recency(const struct nv_candidate *a, const struct nv_candidate *b)
{
    int order = (a->time.ms > b->time.ms) - (a->time.ms < b->time.ms);
    if (order == 0)
        order = nv_site_id_compare(a->site, b->site);
    if (order == 0)
        order = compare_u64(a->epoch, b->epoch);
    if (order == 0)
        order = compare_u64(a->seq, b->seq);
    if (order == 0)
        order = memcmp(a->header.bytes, b->header.bytes, sizeof a->header.bytes);
    if (order == 0)
        order = compare_u64(a->index, b->index);
    return order;
}

static int compare(enum nv_rule rule, const struct nv_candidate *a, const struct nv_candidate *b,
                   struct nv_site_id home)
{
    int order = 0;
    switch (rule) {
    case NV_RULE_LAST:
        break;
    case NV_RULE_HOME:
        order = (nv_site_id_compare(a->site, home) == 0) - (nv_site_id_compare(b->site, home) == 0);
        break;
    case NV_RULE_MIN:
        order = nv_value_compare(&b->value, &a->value);
        break;
    case NV_RULE_MAX:
        order = nv_value_compare(&a->value, &b->value);
        break;
    }
    return order != 0 ? order : compare_recency(a, b);
}

size_t nv_rule_choose(enum nv_rule rule, const struct nv_candidate *candidates, size_t count, struct nv_site_id home)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (compare(rule, &candidates[i], &candidates[best], home) > 0)
            best = i;
    return best;
}

size_t nv_rule_distinct(const struct nv_candidate *candidates, size_t count)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < i && is_new; j++)
            is_new = !nv_value_equal(&candidates[i].value, &candidates[j].value);
        distinct += is_new;
    }
    return distinct;
}

static const char *const names[] = {"last", "home", "min", "max"};

const char *nv_rule_name(enum nv_rule rule)
{
    return names[rule];
}

bool nv_rule_from_name(const char *name, enum nv_rule *ret_rule)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *ret_rule = (enum nv_rule)i;
        return true;
    }
    return false;
}
