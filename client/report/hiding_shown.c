/* What may be shown, as the last publication left it. */
#include <assert.h>

#include "client/report/hiding_internal.h"

bool nv_hiding_shows(const struct nv_hiding *hiding, size_t step, size_t group)
{
    return step < hiding->rule.step_count && hiding->steps[step].shows[group];
}

bool nv_hiding_has(const struct nv_hiding *hiding, size_t step, size_t unit)
{
    return step < hiding->rule.step_count && hiding->steps[step].cell_of[unit] != NO_CELL;
}

/* Calls for each cell that the group has units in, once. */
static const struct nv_hiding_cell *next_cell(const struct nv_hiding *hiding, size_t number, size_t group, size_t *at)
{
    const struct nv_hiding_step *step = &hiding->steps[number];
    const struct nv_unit_group *of = &hiding->groups[group];
    for (; *at < of->unit_count; ++*at) {
        int cell = step->cell_of[of->units[*at]];
        bool was_met = cell == NO_CELL;
        for (size_t i = 0; !was_met && i < *at; i++)
            was_met = step->cell_of[of->units[i]] == cell;
        if (was_met)
            continue;
        ++*at;
        return &step->cells[cell];
    }
    return NULL;
}

int64_t nv_hiding_count(const struct nv_hiding *hiding, size_t step, size_t group, nv_parts set)
{
    int64_t sum = 0;
    size_t at = 0;
    assert(nv_hiding_shows(hiding, step, group));
    for (const struct nv_hiding_cell *cell; (cell = next_cell(hiding, step, group, &at)) != NULL;)
        for (size_t i = 0; i < hiding->steps[step].atom_count; i++)
            if ((hiding->steps[step].atoms[i] & set) != 0)
                sum += cell->counts[i];
    return sum;
}

int64_t nv_hiding_amount(const struct nv_hiding *hiding, size_t group, size_t which)
{
    int64_t sum = 0;
    size_t at = 0;
    assert(nv_hiding_shows(hiding, 0, group));
    for (const struct nv_hiding_cell *cell; (cell = next_cell(hiding, 0, group, &at)) != NULL;)
        sum += cell->amounts[which];
    return sum;
}

bool nv_hiding_is_part(const struct nv_hiding *hiding, size_t step, size_t group)
{
    const struct nv_unit_group *of = &hiding->groups[group];
    for (size_t i = 0; i < of->unit_count; i++)
        if (hiding->steps[step].cell_of[of->units[i]] == NO_CELL && nv_hiding_counts_unit(hiding, of->units[i]))
            return true;
    return false;
}

int nv_hiding_when(const struct nv_hiding *hiding, size_t step, size_t group)
{
    int when = NEVER;
    size_t at = 0;
    for (const struct nv_hiding_cell *cell; (cell = next_cell(hiding, step, group, &at)) != NULL;)
        if (when == NEVER || cell->when < when)
            when = cell->when;
    return when;
}

bool nv_hiding_is_nobody(const struct nv_hiding *hiding, size_t group)
{
    const struct nv_unit_group *of = &hiding->groups[group];
    for (size_t i = 0; i < of->unit_count; i++)
        if (nv_hiding_counts_unit(hiding, of->units[i]))
            return false;
    return true;
}

bool nv_hiding_is_small(const struct nv_hiding *hiding, size_t step, size_t group)
{
    const struct nv_unit_group *of = &hiding->groups[group];
    struct nv_hiding_cell own = {0};
    for (size_t i = 0; i < of->unit_count; i++)
        nv_hiding_add_unit(hiding, &hiding->steps[step], of->units[i], &own);
    return !nv_hiding_is_safe(hiding, &hiding->steps[step], own.counts);
}
