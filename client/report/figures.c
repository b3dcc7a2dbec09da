#include "client/report/figures.h"

#include <stdlib.h>
#include <string.h>

#include "client/report/figures_internal.h"

int64_t nv_threshold(enum nv_audience audience)
{
    switch (audience) {
    case NV_FOR_SITE:
        return 0;
    case NV_FOR_HUB:
        return 5;
    case NV_FOR_FUNDER:
        return 11;
    }
    return INT64_MAX;
}

/* ---- what may be shown, dimension by dimension ---- */

static nv_parts all_parts(const struct nv_dimension *dimension)
{
    return dimension->part_count == NV_PARTS_MOST ? ~(nv_parts)0 : ((nv_parts)1 << dimension->part_count) - 1;
}

nv_parts nv_figuring_everybody(const struct nv_figuring *figuring, size_t number)
{
    const struct nv_dimension *dimension = &figuring->definitions->dimensions[number];
    return dimension->base != 0 ? dimension->base : all_parts(dimension);
}

/* false: the dimension has more sets than steps. */
static bool add_set(struct nv_hiding_rule *rule, nv_parts set)
{
    for (size_t i = 0; i < rule->step_count; i++)
        if (rule->sets[i] == set)
            return true;
    if (set != 0 && rule->step_count == NV_STEPS_MOST)
        return false;
    if (set != 0)
        rule->sets[rule->step_count++] = set;
    return true;
}

/* Everybody first, then the lines in their order: how many, of how many, and of how many it is not known. */
static enum nv_status make_rule(const struct nv_definitions *definitions, size_t dimension, int64_t threshold,
                                struct nv_hiding_rule *ret_rule, struct nv_error *error)
{
    const struct nv_dimension *of = &definitions->dimensions[dimension];
    struct nv_hiding_rule rule = {.threshold = threshold, .part_count = of->part_count, .may_be_none = of->may_be_none};
    add_set(&rule, of->base != 0 ? of->base : all_parts(of));
    for (size_t i = 0; i < definitions->indicator_count; i++) {
        const struct nv_indicator *indicator = &definitions->indicators[i];
        if (indicator->dimension == dimension &&
            (!add_set(&rule, indicator->numerator) || !add_set(&rule, indicator->denominator) ||
             !add_set(&rule, indicator->unknown)))
            return nv_fail(error, NV_REFUSED, "%.64s has lines of over %d sets of values", of->name, NV_STEPS_MOST);
    }
    *ret_rule = rule;
    return NV_OK;
}

/* The dimension of amounts, which go with the people of the first dimension; dimension_count where there is none. */
static size_t amount_dimension(const struct nv_definitions *definitions)
{
    size_t i = 0;
    while (i < definitions->dimension_count && !definitions->dimensions[i].is_amount)
        i++;
    return i;
}

/* A site of older software may not count in a dimension. Who entered its courses is then among the others there: were
 * everybody fewer in one dimension than in the next, the difference would be told. `first` is room for the counts of
 * the first dimension. */
static void complete(const struct nv_figuring *figuring, size_t period, size_t dimension, int64_t *counts,
                     int64_t *first)
{
    const struct nv_definitions *definitions = figuring->definitions;
    const struct nv_dimension *of = &definitions->dimensions[dimension], *lead = &definitions->dimensions[0];
    nv_parts everybody = nv_figuring_everybody(figuring, 0);
    if (dimension == 0 || of->base != 0 || strcmp(of->measure, lead->measure) != 0)
        return;
    nv_counts_at(figuring->counts, definitions, period, 0, first);
    for (size_t unit = 0; unit < definitions->unit_count; unit++) {
        int64_t missing = 0;
        for (size_t part = 0; part < lead->part_count; part++)
            missing += (everybody >> part & 1) != 0 ? first[unit * lead->part_count + part] : 0;
        for (size_t part = 0; part < of->part_count; part++)
            missing -= counts[unit * of->part_count + part];
        if (missing > 0)
            counts[unit * of->part_count + of->others] += missing;
    }
}

/* All publications of a dimension, first to the hiding of the lower threshold. */
static enum nv_status publish_all(struct nv_figuring *figuring, size_t dimension, struct nv_hiding *finer,
                                  struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    size_t units = definitions->unit_count, parts = definitions->dimensions[dimension].part_count;
    size_t amounts_of = dimension == 0 ? amount_dimension(definitions) : definitions->dimension_count;
    bool has_amounts = amounts_of < definitions->dimension_count;
    int64_t *counts = calloc(units * parts + 1, sizeof *counts),
            *first = calloc(units * definitions->dimensions[0].part_count + 1, sizeof *first),
            *amounts = calloc(units * NV_AMOUNTS + 1, sizeof *amounts);
    enum nv_status status = counts == NULL || first == NULL || amounts == NULL ? nv_no_memory(error) : NV_OK;
    for (size_t period = 0; status == NV_OK && period < figuring->counts->period_count; period++) {
        nv_counts_at(figuring->counts, definitions, period, dimension, counts);
        complete(figuring, period, dimension, counts, first);
        if (has_amounts)
            nv_amounts_at(figuring->counts, definitions, period, amounts_of, amounts);
        if ((finer != NULL && !nv_hiding_publish(finer, counts, NULL)) ||
            !nv_hiding_publish(figuring->hidings[dimension], counts, has_amounts ? amounts : NULL))
            status = nv_no_memory(error);
    }
    free(counts);
    free(first);
    free(amounts);
    return status;
}

/* What funders get is made of what is shown inside the hub. */
static enum nv_status hide_dimension(struct nv_figuring *figuring, size_t dimension, struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    struct nv_hiding_rule rule;
    enum nv_status status = make_rule(definitions, dimension, figuring->figures.threshold, &rule, error);
    if (status != NV_OK)
        return status;
    struct nv_hiding_rule inside = rule;
    bool is_twofold = figuring->figures.audience == NV_FOR_FUNDER;
    struct nv_hiding *finer = NULL;
    inside.threshold = nv_threshold(NV_FOR_HUB);
    if (is_twofold)
        finer = nv_hiding_new(&inside, NULL, definitions->unit_count, definitions->members, definitions->group_count);
    if (!is_twofold || finer != NULL)
        figuring->hidings[dimension] =
            nv_hiding_new(&rule, finer, definitions->unit_count, definitions->members, definitions->group_count);
    status =
        figuring->hidings[dimension] == NULL ? nv_no_memory(error) : publish_all(figuring, dimension, finer, error);
    nv_hiding_free(finer);
    return status;
}

static enum nv_status hide(struct nv_figuring *figuring, struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    figuring->hidings = calloc(definitions->dimension_count + 1, sizeof *figuring->hidings);
    if (figuring->hidings == NULL)
        return nv_no_memory(error);
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < definitions->dimension_count; i++)
        if (!definitions->dimensions[i].is_amount)
            status = hide_dimension(figuring, i, error);
    return status;
}

/* ---- figures of people ---- */

struct nv_figure *nv_figure_add(struct nv_figuring *figuring, const struct nv_figure *figure)
{
    struct nv_figures *figures = &figuring->figures;
    if (figures->count == figuring->capacity) {
        size_t capacity = figuring->capacity == 0 ? 256 : 2 * figuring->capacity;
        struct nv_figure *items = realloc(figures->items, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        figures->items = items;
        figuring->capacity = capacity;
    }
    figures->items[figures->count] = *figure;
    return &figures->items[figures->count++];
}

size_t nv_figuring_step(const struct nv_figuring *figuring, const struct nv_indicator *indicator, size_t group)
{
    const struct nv_hiding *hiding = figuring->hidings[indicator->dimension];
    size_t numerator = nv_hiding_step_of(hiding, indicator->numerator);
    size_t denominator = nv_hiding_step_of(hiding, indicator->denominator);
    size_t both = numerator > denominator ? numerator : denominator;
    return nv_hiding_shows(hiding, both, group) ? both : numerator;
}

/* A line's figure for a group, before anything of it is known to be shown. */
static struct nv_figure hidden_figure(enum nv_figure_kind kind, const struct nv_indicator *indicator, size_t group)
{
    return (struct nv_figure){.kind = kind,
                              .report = indicator->report,
                              .line = indicator->line,
                              .label = indicator->label,
                              .group = group,
                              .shown = NV_SHOWN_HIDDEN,
                              .unknown = -1,
                              .people = -1,
                              .when = -1};
}

struct nv_figure nv_figure_of_people(const struct nv_figuring *figuring, const struct nv_indicator *indicator,
                                     size_t group)
{
    const struct nv_hiding *hiding = figuring->hidings[indicator->dimension];
    nv_parts everybody = nv_figuring_everybody(figuring, indicator->dimension);
    size_t at = nv_figuring_step(figuring, indicator, group);
    bool is_whole = nv_hiding_step_of(hiding, indicator->numerator) <= at &&
                    nv_hiding_step_of(hiding, indicator->denominator) <= at;
    size_t unknown = indicator->unknown == 0 ? SIZE_MAX : nv_hiding_step_of(hiding, indicator->unknown);
    struct nv_figure figure = hidden_figure(NV_FIGURE_RATE, indicator, group);
    if (!nv_hiding_shows(hiding, at, group)) {
        figure.is_of_nobody = nv_hiding_is_nobody(hiding, group);
        figure.is_small = nv_hiding_is_small(hiding, at, group);
        if (nv_hiding_shows(hiding, 0, group)) {
            figure.people = nv_hiding_count(hiding, 0, group, everybody);
            figure.is_part = nv_hiding_is_part(hiding, 0, group);
            figure.when = nv_hiding_when(hiding, 0, group);
        }
        return figure;
    }
    figure.shown = is_whole ? NV_SHOWN : NV_SHOWN_AT_LEAST;
    figure.numerator = nv_hiding_count(hiding, at, group, indicator->numerator);
    figure.people = nv_hiding_count(hiding, at, group, everybody);
    if (is_whole)
        figure.denominator = nv_hiding_count(hiding, at, group, indicator->denominator);
    else /* everybody, where the line is of some of them */
        figure.denominator = (indicator->denominator & ~everybody) == 0 ? figure.people : 0;
    figure.is_part = nv_hiding_is_part(hiding, at, group);
    figure.when = nv_hiding_when(hiding, at, group);
    /* Of the same units and of the same day as the rest, or not at all. */
    if (is_whole && nv_hiding_shows(hiding, unknown, group) &&
        nv_hiding_count(hiding, unknown, group, everybody) == figure.people &&
        nv_hiding_when(hiding, unknown, group) == figure.when)
        figure.unknown = nv_hiding_count(hiding, unknown, group, indicator->unknown);
    figure.has_bounds = indicator->has_bounds && figure.unknown >= 0;
    return figure;
}

static struct nv_figure figure_of_amounts(const struct nv_figuring *figuring, const struct nv_indicator *indicator,
                                          size_t group)
{
    const struct nv_hiding *hiding = figuring->hidings[0];
    struct nv_figure figure = hidden_figure(NV_FIGURE_AMOUNT, indicator, group);
    if (!nv_hiding_shows(hiding, 0, group)) {
        figure.is_of_nobody = nv_hiding_is_nobody(hiding, group);
        figure.is_small = nv_hiding_is_small(hiding, 0, group);
        return figure;
    }
    figure.numerator = nv_hiding_amount(hiding, group, 0);
    figure.denominator = nv_hiding_amount(hiding, group, 1);
    if (figure.denominator == 0) {
        figure.is_of_nobody = true; /* nobody wrote any down */
        return figure;
    }
    figure.shown = NV_SHOWN;
    figure.people = nv_hiding_count(hiding, 0, group, nv_figuring_everybody(figuring, 0));
    figure.is_part = nv_hiding_is_part(hiding, 0, group);
    figure.when = nv_hiding_when(hiding, 0, group);
    return figure;
}

bool nv_figuring_has(const struct nv_figuring *figuring, size_t group)
{
    return group == NV_EVERYBODY || figuring->definitions->groups[group].split == figuring->figures.split;
}

/* A line for each group of the split, and the last for everybody. Groups of nobody have none. */
static enum nv_status add_line(struct nv_figuring *figuring, const struct nv_indicator *indicator,
                               struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    for (size_t i = 1; i <= definitions->group_count; i++) {
        size_t group = i % definitions->group_count; /* everybody last */
        if (!nv_figuring_has(figuring, group))
            continue;
        struct nv_figure figure = definitions->dimensions[indicator->dimension].is_amount
                                      ? figure_of_amounts(figuring, indicator, group)
                                      : nv_figure_of_people(figuring, indicator, group);
        bool is_nobody = figure.shown == NV_SHOWN_HIDDEN && figure.is_of_nobody;
        if (!is_nobody && nv_figure_add(figuring, &figure) == NULL)
            return nv_no_memory(error);
    }
    return NV_OK;
}

/* ---- the whole ---- */

static enum nv_status add_report(struct nv_figuring *figuring, const char *report, struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < definitions->indicator_count; i++)
        if (strcmp(definitions->indicators[i].report, report) == 0)
            status = add_line(figuring, &definitions->indicators[i], error);
    if (status == NV_OK && strcmp(report, "R10") == 0)
        status = nv_figures_add_money(figuring, error);
    if (status == NV_OK && strcmp(report, "R12") == 0)
        status = nv_figures_add_coverage(figuring, error);
    if (status == NV_OK && strcmp(report, "R13") == 0)
        status = nv_figures_add_aims(figuring, error);
    return status;
}

enum nv_status nv_figures_compute(const struct nv_source *source, const struct nv_definitions *definitions,
                                  const struct nv_counts *counts, const struct nv_figures_wanted *wanted,
                                  struct nv_figures *ret_figures, struct nv_error *error)
{
    struct nv_figuring figuring = {
        .source = source,
        .definitions = definitions,
        .counts = counts,
        .figures = {.audience = wanted->audience, .threshold = nv_threshold(wanted->audience), .split = wanted->split}};
    enum nv_status status = definitions->dimension_count == 0
                                ? nv_fail(error, NV_NOT_FOUND, "the reports of this network have no lines")
                                : hide(&figuring, error);
    for (size_t i = 0; status == NV_OK && i < definitions->report_count; i++)
        if (wanted->report == NULL || strcmp(wanted->report, definitions->reports[i].name) == 0 ||
            strcmp(wanted->report, "R14") == 0)
            status = add_report(&figuring, definitions->reports[i].name, error);
    for (size_t i = 0; figuring.hidings != NULL && i < definitions->dimension_count; i++)
        nv_hiding_free(figuring.hidings[i]);
    free(figuring.hidings);
    if (status == NV_OK)
        *ret_figures = figuring.figures;
    else
        nv_figures_done(&figuring.figures);
    return status;
}

void nv_figures_done(struct nv_figures *figures)
{
    free(figures->items);
    *figures = (struct nv_figures){0};
}
