#include "client/report/hiding_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- atoms ---- */

/* The sets up to the step's cut what they cover into atoms: two parts are of one where each set has both or neither. */
static void make_atoms(const struct nv_hiding_rule *rule, size_t step, struct nv_hiding_step *made)
{
    nv_parts covered = 0;
    for (size_t i = 0; i <= step; i++)
        covered |= rule->sets[i];
    while (covered != 0) {
        nv_parts atom = covered, first = covered & (~covered + 1);
        for (size_t i = 0; i <= step; i++)
            atom &= (rule->sets[i] & first) != 0 ? rule->sets[i] : ~rule->sets[i];
        made->atoms[made->atom_count++] = atom;
        covered &= ~atom;
    }
}

static bool is_made_of_atoms(const struct nv_hiding_step *step, nv_parts set)
{
    nv_parts covered = 0;
    for (size_t i = 0; i < step->atom_count; i++)
        if ((step->atoms[i] & set) != 0) {
            if ((step->atoms[i] & ~set) != 0)
                return false;
            covered |= step->atoms[i];
        }
    return covered == set;
}

size_t nv_hiding_step_of(const struct nv_hiding *hiding, nv_parts set)
{
    size_t step = 0;
    while (step < hiding->rule.step_count && !is_made_of_atoms(&hiding->steps[step], set))
        step++;
    return step;
}

bool nv_hiding_is_safe(const struct nv_hiding *hiding, const struct nv_hiding_step *step, const int64_t *counts)
{
    for (size_t i = 0; i < step->atom_count; i++) {
        bool may_be_none = (step->atoms[i] & ~hiding->rule.may_be_none) == 0;
        if (counts[i] < hiding->rule.threshold && !(counts[i] == 0 && may_be_none))
            return false;
    }
    return true;
}

/* Whether nothing that is told of what changed is about few people. */
static bool is_safe_change(const struct nv_hiding *hiding, const struct nv_hiding_step *step, const int64_t *before,
                           const int64_t *after)
{
    for (size_t i = 0; i < step->atom_count; i++) {
        int64_t change = after[i] > before[i] ? after[i] - before[i] : before[i] - after[i];
        if (change != 0 && change < hiding->rule.threshold)
            return false;
    }
    return true;
}

/* How many people of the unit each atom has, as a publication counted them. */
static void add_counts(const struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t unit, int when,
                       int64_t *counts)
{
    const int64_t *of_unit = hiding->history[when] + unit * hiding->rule.part_count;
    for (size_t i = 0; i < step->atom_count; i++)
        for (size_t part = 0; part < hiding->rule.part_count; part++)
            if ((step->atoms[i] >> part & 1) != 0)
                counts[i] += of_unit[part];
}

/* The unit as it is now. */
void nv_hiding_add_unit(const struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t unit,
                        struct nv_hiding_cell *cell)
{
    add_counts(hiding, step, unit, hiding->now, cell->counts);
    for (size_t i = 0; i < NV_AMOUNTS; i++)
        cell->amounts[i] += hiding->amounts[unit * NV_AMOUNTS + i];
}

static bool is_fresh(const struct nv_hiding *hiding, const struct nv_hiding_cell *cell)
{
    return cell->when == hiding->now;
}

/* ---- what was published before ---- */

/* What the cells of a step are made of whole cells of: the step before, and the same one at a lower threshold. */
struct inner {
    const struct nv_hiding *hiding;
    const struct nv_hiding_step *step;
};

enum { INNER_MOST = 2 };

static size_t inner_steps(const struct nv_hiding *hiding, size_t number, struct inner ret_inner[INNER_MOST])
{
    size_t count = 0;
    if (number > 0)
        ret_inner[count++] = (struct inner){hiding, &hiding->steps[number - 1]};
    if (hiding->finer != NULL)
        ret_inner[count++] = (struct inner){hiding->finer, &hiding->finer->steps[number]};
    return count;
}

/* Whether all of the cells that the unit's cell is made of are as of now. */
static bool is_fresh_inside(const struct nv_hiding *hiding, size_t number, size_t unit)
{
    struct inner inner[INNER_MOST];
    size_t count = inner_steps(hiding, number, inner);
    for (size_t i = 0; i < count; i++) {
        int cell = inner[i].step->cell_of[unit];
        if (cell == NO_CELL || !is_fresh(inner[i].hiding, &inner[i].step->cells[cell]))
            return false;
    }
    return true;
}

/* Whether what is now told of the cell may stand beside all that ever was: what changed at once, and what changed since
 * any of the publications before, which somebody may have kept. */
static bool may_renew(struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t cell, const int64_t *now)
{
    if (!nv_hiding_is_safe(hiding, step, now))
        return false;
    for (int when = 0; when < hiding->now; when++) {
        int64_t told[NV_PARTS_MOST] = {0};
        if (!step->cells[cell].was_told[when])
            continue;
        for (size_t unit = 0; unit < hiding->unit_count; unit++)
            if (step->cell_of[unit] == (int)cell)
                add_counts(hiding, step, unit, when, told);
        if (!is_safe_change(hiding, step, told, now))
            return false;
    }
    return true;
}

/* Each cell's numbers become those of now, where that tells nothing of few people. */
static void renew(struct nv_hiding *hiding, size_t number)
{
    struct nv_hiding_step *step = &hiding->steps[number];
    memset(hiding->pieces, 0, step->cell_count * sizeof *hiding->pieces);
    memset(hiding->is_met, 0, step->cell_count * sizeof *hiding->is_met);
    for (size_t unit = 0; unit < hiding->unit_count; unit++) {
        if (step->cell_of[unit] == NO_CELL)
            continue;
        nv_hiding_add_unit(hiding, step, unit, &hiding->pieces[step->cell_of[unit]]);
        if (!is_fresh_inside(hiding, number, unit))
            hiding->is_met[step->cell_of[unit]] = true; /* made of what is older */
    }
    for (size_t i = 0; i < step->cell_count; i++) {
        struct nv_hiding_cell *cell = &step->cells[i], *now = &hiding->pieces[i];
        if (hiding->is_met[i] || !may_renew(hiding, step, i, now->counts))
            continue;
        memcpy(cell->counts, now->counts, sizeof cell->counts);
        memcpy(cell->amounts, now->amounts, sizeof cell->amounts);
        cell->when = hiding->now;
        cell->was_told[hiding->now] = true;
    }
}

bool nv_hiding_counts_unit(const struct nv_hiding *hiding, size_t unit)
{
    const int64_t *counts = hiding->history[hiding->now] + unit * hiding->rule.part_count;
    for (size_t part = 0; part < hiding->rule.part_count; part++)
        if ((hiding->rule.sets[0] >> part & 1) != 0 && counts[part] > 0)
            return true;
    return false;
}

/* Takes out those whose cell of an inner step is not inside as a whole. Whether there were any. */
static bool leave_out_pieces(struct nv_hiding *hiding, const struct nv_hiding_step *inner)
{
    bool has_left = false;
    memset(hiding->is_met, 0, inner->cell_count * sizeof *hiding->is_met);
    for (size_t unit = 0; unit < hiding->unit_count; unit++)
        if (!hiding->is_inside[unit] && inner->cell_of[unit] != NO_CELL)
            hiding->is_met[inner->cell_of[unit]] = true;
    for (size_t unit = 0; unit < hiding->unit_count; unit++)
        if (hiding->is_inside[unit] && hiding->is_met[inner->cell_of[unit]]) {
            hiding->is_inside[unit] = false;
            has_left = true;
        }
    return has_left;
}

/* Which units are to become a cell: those that stand in none yet, in whole cells of the inner steps. */
static void find_waiting(struct nv_hiding *hiding, size_t number)
{
    struct inner inner[INNER_MOST];
    size_t inner_count = inner_steps(hiding, number, inner);
    const struct nv_hiding_step *step = &hiding->steps[number];
    for (size_t unit = 0; unit < hiding->unit_count; unit++)
        hiding->is_inside[unit] =
            step->cell_of[unit] == NO_CELL &&
            (inner_count > 0 ? is_fresh_inside(hiding, number, unit) : nv_hiding_counts_unit(hiding, unit));
    for (bool has_left = true; has_left;) {
        has_left = false;
        for (size_t i = 0; i < inner_count; i++)
            has_left |= leave_out_pieces(hiding, inner[i].step);
    }
}

/* The units that wait become a cell, where together they are enough. */
static void take_in(struct nv_hiding *hiding, size_t number)
{
    struct nv_hiding_step *step = &hiding->steps[number];
    struct nv_hiding_cell cell = {.when = hiding->now};
    cell.was_told[hiding->now] = true;
    size_t taken = 0;
    find_waiting(hiding, number);
    for (size_t unit = 0; unit < hiding->unit_count; unit++) {
        if (hiding->is_inside[unit])
            nv_hiding_add_unit(hiding, step, unit, &cell);
        taken += hiding->is_inside[unit];
    }
    bool is_enough = taken > 0 && nv_hiding_is_safe(hiding, step, cell.counts);
    for (size_t unit = 0; unit < hiding->unit_count; unit++) {
        if (is_enough && hiding->is_inside[unit])
            step->cell_of[unit] = (int)step->cell_count;
        hiding->is_inside[unit] = false;
    }
    if (!is_enough)
        return;
    step->units_of[step->cell_count] = taken;
    step->cells[step->cell_count++] = cell;
}

/* ---- cutting cells by groups ---- */

/* Whether a cell of an inner step has units in the group at hand and others of the same cell here. */
static bool cuts_inside(struct nv_hiding *hiding, size_t number, const struct nv_unit_group *group)
{
    struct inner inner[INNER_MOST];
    size_t count = inner_steps(hiding, number, inner);
    for (size_t i = 0; i < count; i++) {
        const int *cell_of = hiding->steps[number].cell_of, *inner_of = inner[i].step->cell_of;
        memset(hiding->is_met, 0, inner[i].step->cell_count * sizeof *hiding->is_met);
        for (size_t j = 0; j < group->unit_count; j++)
            if (cell_of[group->units[j]] != NO_CELL)
                hiding->is_met[inner_of[group->units[j]]] = true;
        for (size_t unit = 0; unit < hiding->unit_count; unit++)
            if (!hiding->is_inside[unit] && inner_of[unit] != NO_CELL && hiding->is_met[inner_of[unit]])
                return true;
    }
    return false;
}

/* What of each cell is in the group. To be followed by forget(). */
static void measure(struct nv_hiding *hiding, const struct nv_hiding_step *step, const struct nv_unit_group *group)
{
    for (size_t i = 0; i < group->unit_count; i++) {
        size_t unit = group->units[i];
        hiding->is_inside[unit] = true;
        if (step->cell_of[unit] == NO_CELL)
            continue;
        size_t cell = (size_t)step->cell_of[unit];
        if (hiding->piece_units[cell]++ == 0) {
            hiding->touched[hiding->touched_count++] = cell;
            hiding->pieces[cell] = (struct nv_hiding_cell){0};
        }
        nv_hiding_add_unit(hiding, step, unit, &hiding->pieces[cell]);
    }
}

static void forget(struct nv_hiding *hiding, const struct nv_unit_group *group)
{
    for (size_t i = 0; i < group->unit_count; i++)
        hiding->is_inside[group->units[i]] = false;
    for (size_t i = 0; i < hiding->touched_count; i++)
        hiding->piece_units[hiding->touched[i]] = 0;
    hiding->touched_count = 0;
}

static bool is_whole(const struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t cell)
{
    return hiding->piece_units[cell] == step->units_of[cell];
}

/* What a publication told of the cell, as it would have been told of the group's piece of it and of the rest. */
static void measure_told(const struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t cell,
                         const struct nv_unit_group *group, int when, struct nv_hiding_pieces *ret_told)
{
    *ret_told = (struct nv_hiding_pieces){0};
    for (size_t i = 0; i < group->unit_count; i++)
        if (step->cell_of[group->units[i]] == (int)cell)
            add_counts(hiding, step, group->units[i], when, ret_told->piece);
    for (size_t unit = 0; unit < hiding->unit_count; unit++)
        if (step->cell_of[unit] == (int)cell && !hiding->is_inside[unit])
            add_counts(hiding, step, unit, when, ret_told->rest);
}

/* Whether all that was ever told of the cell could have been told of both pieces: who sees one of them now, and sees
 * that it did not change, knows what the other one was. */
static bool was_always_safe(struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t cell,
                            const struct nv_unit_group *group)
{
    size_t count = 0;
    for (int when = 0; when <= hiding->now; when++) {
        struct nv_hiding_pieces *told = &hiding->told[count];
        if (!step->cells[cell].was_told[when])
            continue;
        measure_told(hiding, step, cell, group, when, told);
        if (!nv_hiding_is_safe(hiding, step, told->piece) || !nv_hiding_is_safe(hiding, step, told->rest))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!is_safe_change(hiding, step, hiding->told[i].piece, told->piece) ||
                !is_safe_change(hiding, step, hiding->told[i].rest, told->rest))
                return false;
        count++;
    }
    return true;
}

/* Whether the cell can be cut into what is in the group and the rest. The quick look at what is now spares most of the
 * long one. */
static bool can_cut(struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t cell,
                    const struct nv_unit_group *group)
{
    int64_t rest[NV_PARTS_MOST];
    for (size_t i = 0; i < step->atom_count; i++)
        rest[i] = step->cells[cell].counts[i] - hiding->pieces[cell].counts[i];
    return is_fresh(hiding, &step->cells[cell]) && nv_hiding_is_safe(hiding, step, hiding->pieces[cell].counts) &&
           nv_hiding_is_safe(hiding, step, rest) && was_always_safe(hiding, step, cell, group);
}

static void cut(struct nv_hiding *hiding, struct nv_hiding_step *step, size_t cell, const struct nv_unit_group *group)
{
    struct nv_hiding_cell *whole = &step->cells[cell], *piece = &step->cells[step->cell_count];
    *piece = hiding->pieces[cell];
    piece->when = whole->when;
    memcpy(piece->was_told, whole->was_told, sizeof piece->was_told);
    for (size_t i = 0; i < step->atom_count; i++)
        whole->counts[i] -= piece->counts[i];
    for (size_t i = 0; i < NV_AMOUNTS; i++)
        whole->amounts[i] -= piece->amounts[i];
    for (size_t i = 0; i < group->unit_count; i++)
        if (step->cell_of[group->units[i]] == (int)cell)
            step->cell_of[group->units[i]] = (int)step->cell_count;
    step->units_of[step->cell_count++] = hiding->piece_units[cell];
    step->units_of[cell] -= hiding->piece_units[cell];
}

/* All the cells that a group is in part of are cut, or none: else cells became small for nothing. */
static void cut_for(struct nv_hiding *hiding, size_t number, const struct nv_unit_group *group)
{
    struct nv_hiding_step *step = &hiding->steps[number];
    measure(hiding, step, group);
    bool can = !cuts_inside(hiding, number, group);
    for (size_t i = 0; can && i < hiding->touched_count; i++)
        can = is_whole(hiding, step, hiding->touched[i]) || can_cut(hiding, step, hiding->touched[i], group);
    for (size_t i = 0; can && i < hiding->touched_count; i++)
        if (!is_whole(hiding, step, hiding->touched[i]))
            cut(hiding, step, hiding->touched[i], group);
    forget(hiding, group);
}

static bool is_shown(struct nv_hiding *hiding, size_t number, const struct nv_unit_group *group)
{
    const struct nv_hiding_step *step = &hiding->steps[number];
    measure(hiding, step, group);
    bool shows = hiding->touched_count > 0;
    for (size_t i = 0; shows && i < hiding->touched_count; i++)
        shows = is_whole(hiding, step, hiding->touched[i]);
    forget(hiding, group);
    return shows;
}

/* The groups by rank, then those of most people, then as they were given. */
static void put_in_order(struct nv_hiding *hiding)
{
    for (size_t g = 0; g < hiding->group_count; g++) {
        const struct nv_unit_group *group = &hiding->groups[g];
        hiding->people[g] = 0;
        for (size_t i = 0; i < group->unit_count; i++)
            for (size_t part = 0; part < hiding->rule.part_count; part++)
                if ((hiding->rule.sets[0] >> part & 1) != 0)
                    hiding->people[g] += hiding->history[hiding->now][group->units[i] * hiding->rule.part_count + part];
        size_t at = g;
        for (; at > 0; at--) {
            size_t other = hiding->order[at - 1];
            bool is_after = hiding->groups[other].rank > group->rank ||
                            (hiding->groups[other].rank == group->rank && hiding->people[other] < hiding->people[g]);
            if (!is_after)
                break;
            hiding->order[at] = other;
        }
        hiding->order[at] = g;
    }
}

bool nv_hiding_publish(struct nv_hiding *hiding, const int64_t *counts, const int64_t *amounts)
{
    size_t size = hiding->unit_count * hiding->rule.part_count;
    assert(hiding->now + 1 < NV_PUBLICATIONS_KEPT);
    int64_t *kept = calloc(size + 1, sizeof *kept);
    if (kept == NULL)
        return false;
    memcpy(kept, counts, size * sizeof *kept);
    hiding->history[++hiding->now] = kept;
    if (amounts != NULL)
        memcpy(hiding->amounts, amounts, hiding->unit_count * NV_AMOUNTS * sizeof *amounts);
    put_in_order(hiding);
    for (size_t number = 0; number < hiding->rule.step_count; number++) {
        renew(hiding, number);
        take_in(hiding, number);
        for (size_t i = 0; i < hiding->group_count; i++)
            cut_for(hiding, number, &hiding->groups[hiding->order[i]]);
        for (size_t i = 0; i < hiding->group_count; i++)
            hiding->steps[number].shows[i] = is_shown(hiding, number, &hiding->groups[i]);
    }
    return true;
}

/* ---- making one ---- */

static bool make_step(struct nv_hiding *hiding, size_t number)
{
    struct nv_hiding_step *step = &hiding->steps[number];
    make_atoms(&hiding->rule, number, step);
    step->cell_of = calloc(hiding->unit_count + 1, sizeof *step->cell_of);
    step->cells = calloc(hiding->unit_count + 1, sizeof *step->cells);
    step->units_of = calloc(hiding->unit_count + 1, sizeof *step->units_of);
    step->shows = calloc(hiding->group_count + 1, sizeof *step->shows);
    if (step->cell_of == NULL || step->cells == NULL || step->units_of == NULL || step->shows == NULL)
        return false;
    for (size_t unit = 0; unit < hiding->unit_count; unit++)
        step->cell_of[unit] = NO_CELL;
    return true;
}

struct nv_hiding *nv_hiding_new(const struct nv_hiding_rule *rule, const struct nv_hiding *finer, size_t unit_count,
                                const struct nv_unit_group *groups, size_t group_count)
{
    struct nv_hiding *hiding = calloc(1, sizeof *hiding);
    if (hiding == NULL)
        return NULL;
    hiding->rule = *rule;
    hiding->finer = finer;
    hiding->unit_count = unit_count;
    hiding->groups = groups;
    hiding->group_count = group_count;
    size_t units = unit_count + 1; /* no array is of nothing */
    hiding->now = NEVER;
    hiding->amounts = calloc(units * NV_AMOUNTS, sizeof *hiding->amounts);
    hiding->order = calloc(group_count + 1, sizeof *hiding->order);
    hiding->people = calloc(group_count + 1, sizeof *hiding->people);
    hiding->is_inside = calloc(units, sizeof *hiding->is_inside);
    hiding->pieces = calloc(units, sizeof *hiding->pieces);
    hiding->piece_units = calloc(units, sizeof *hiding->piece_units);
    hiding->touched = calloc(units, sizeof *hiding->touched);
    hiding->is_met = calloc(units, sizeof *hiding->is_met);
    bool is_made = hiding->amounts != NULL && hiding->order != NULL && hiding->people != NULL &&
                   hiding->is_inside != NULL && hiding->pieces != NULL && hiding->piece_units != NULL &&
                   hiding->touched != NULL && hiding->is_met != NULL;
    for (size_t i = 0; is_made && i < rule->step_count; i++)
        is_made = make_step(hiding, i);
    if (is_made)
        return hiding;
    nv_hiding_free(hiding);
    return NULL;
}

void nv_hiding_free(struct nv_hiding *hiding)
{
    if (hiding == NULL)
        return;
    for (size_t i = 0; i < hiding->rule.step_count; i++) {
        free(hiding->steps[i].cell_of);
        free(hiding->steps[i].cells);
        free(hiding->steps[i].units_of);
        free(hiding->steps[i].shows);
    }
    for (int i = 0; i <= hiding->now; i++)
        free(hiding->history[i]);
    free(hiding->amounts);
    free(hiding->order);
    free(hiding->people);
    free(hiding->is_inside);
    free(hiding->pieces);
    free(hiding->piece_units);
    free(hiding->touched);
    free(hiding->is_met);
    free(hiding);
}
