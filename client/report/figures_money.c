/* Money: what it cost by head, and who gave it. Amounts are public; how many people they are divided by may not be. */
#include <stdlib.h>
#include <string.h>

#include "client/report/figures_internal.h"
#include "store/db.h"

/* Nobody pays more for a course: so sums fit. */
#define CENTS_MOST INT64_C(1000000000000)

struct grant {
    size_t unit;
    const char *funder;
    int64_t cents;
};

struct money {
    struct grant *grants; /* ascending by funder */
    size_t count;
};

static enum nv_status read_money(struct nv_figuring *figuring, struct money *money, struct nv_error *error)
{
    bool row;
    /* The texts are the definitions' to keep, and nothing that is read changes. */
    struct nv_definitions *definitions = (struct nv_definitions *)figuring->definitions;
    sqlite3_stmt *rows = nv_source_prepare(
        figuring->source, "SELECT place, programme, starts_on, funder, cents FROM money ORDER BY funder", error);
    if (rows == NULL)
        return error->status;
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        const char *place = (const char *)sqlite3_column_text(rows, 0);
        const char *programme = (const char *)sqlite3_column_text(rows, 1);
        const char *starts_on = (const char *)sqlite3_column_text(rows, 2);
        size_t unit = place == NULL || programme == NULL || starts_on == NULL
                          ? definitions->unit_count
                          : nv_unit_find(definitions, (struct nv_unit){place, programme, starts_on});
        int64_t cents = sqlite3_column_int64(rows, 4);
        if (unit == definitions->unit_count || cents > CENTS_MOST || cents < -CENTS_MOST)
            continue; /* of a course that nobody entered here; or no amount */
        struct grant *grants = realloc(money->grants, (money->count + 1) * sizeof *grants);
        const char *funder = nv_definitions_keep(definitions, rows, 3);
        if (grants != NULL)
            money->grants = grants;
        if (grants == NULL || funder == NULL) {
            status = nv_no_memory(error);
            break;
        }
        grants[money->count++] = (struct grant){unit, funder, cents};
    }
    sqlite3_finalize(rows);
    return status;
}

static bool is_in(const struct nv_unit_group *group, size_t unit)
{
    for (size_t i = 0; i < group->unit_count; i++)
        if (group->units[i] == unit)
            return true;
    return false;
}

static int64_t cents_of(const struct nv_figuring *figuring, const struct money *money, size_t group, const char *funder)
{
    int64_t sum = 0;
    for (size_t i = 0; i < money->count; i++)
        if ((funder == NULL || strcmp(money->grants[i].funder, funder) == 0) &&
            is_in(&figuring->definitions->members[group], money->grants[i].unit))
            sum += money->grants[i].cents;
    return sum;
}

/* What was paid for the courses whose people are known at that step: an amount is not divided by the people of others.
 */
static int64_t cents_of_known(const struct nv_figuring *figuring, const struct money *money, size_t group,
                              const struct nv_indicator *indicator)
{
    const struct nv_hiding *hiding = figuring->hidings[indicator->dimension];
    size_t step = nv_figuring_step(figuring, indicator, group);
    int64_t sum = 0;
    for (size_t i = 0; i < money->count; i++)
        if (nv_hiding_has(hiding, step, money->grants[i].unit) &&
            is_in(&figuring->definitions->members[group], money->grants[i].unit))
            sum += money->grants[i].cents;
    return sum;
}

/* The people that an amount is divided by: those of a line, or everybody. */
static struct nv_indicator people_of(const struct nv_figuring *figuring, const struct nv_cost *cost)
{
    const struct nv_definitions *definitions = figuring->definitions;
    if (cost->indicator < definitions->indicator_count)
        return definitions->indicators[cost->indicator];
    nv_parts everybody = nv_figuring_everybody(figuring, 0);
    return (struct nv_indicator){.numerator = everybody, .denominator = everybody, .dimension = 0};
}

static enum nv_status add_cost(struct nv_figuring *figuring, const struct money *money, const struct nv_cost *cost,
                               size_t group, struct nv_error *error)
{
    struct nv_indicator of = people_of(figuring, cost);
    struct nv_figure figure = nv_figure_of_people(figuring, &of, group);
    int64_t cents = cents_of_known(figuring, money, group, &of), people = figure.numerator;
    bool is_hidden = figure.shown == NV_SHOWN_HIDDEN;
    if (cents_of(figuring, money, group, NULL) == 0 || (is_hidden ? figure.is_of_nobody : people == 0 || cents == 0))
        return NV_OK;
    figure.kind = NV_FIGURE_COST;
    figure.report = "R10";
    figure.line = cost->line;
    figure.label = cost->label;
    figure.shown = is_hidden ? NV_SHOWN_HIDDEN : NV_SHOWN;
    figure.numerator = cents;
    figure.denominator = is_hidden ? 0 : people;
    figure.unknown = -1;
    figure.has_bounds = false;
    return nv_figure_add(figuring, &figure) == NULL ? nv_no_memory(error) : NV_OK;
}

static enum nv_status add_shares(struct nv_figuring *figuring, const struct money *money, size_t group,
                                 struct nv_error *error)
{
    int64_t all = cents_of(figuring, money, group, NULL);
    const char *last = NULL;
    for (size_t i = 0; all > 0 && i < money->count; i++) {
        const char *funder = money->grants[i].funder;
        if (last != NULL && strcmp(last, funder) == 0)
            continue;
        last = funder;
        struct nv_figure figure = {.kind = NV_FIGURE_SHARE,
                                   .report = "R10",
                                   .line = funder,
                                   .label = funder,
                                   .group = group,
                                   .shown = NV_SHOWN,
                                   .numerator = cents_of(figuring, money, group, funder),
                                   .denominator = all,
                                   .unknown = -1,
                                   .people = -1,
                                   .when = -1};
        if (figure.numerator != 0 && nv_figure_add(figuring, &figure) == NULL)
            return nv_no_memory(error);
    }
    return NV_OK;
}

enum nv_status nv_figures_add_money(struct nv_figuring *figuring, struct nv_error *error)
{
    const struct nv_definitions *definitions = figuring->definitions;
    struct money money = {0};
    enum nv_status status = read_money(figuring, &money, error);
    for (size_t cost = 0; status == NV_OK && cost < definitions->cost_count; cost++)
        for (size_t i = 1; status == NV_OK && i <= definitions->group_count; i++)
            if (nv_figuring_has(figuring, i % definitions->group_count))
                status = add_cost(figuring, &money, &definitions->costs[cost], i % definitions->group_count, error);
    for (size_t i = 1; status == NV_OK && i <= definitions->group_count; i++)
        if (nv_figuring_has(figuring, i % definitions->group_count))
            status = add_shares(figuring, &money, i % definitions->group_count, error);
    free(money.grants);
    return status;
}
