/* What the files that compute figures share. */
#pragma once

#include "client/report/figures.h"

struct nv_figuring {
    const struct nv_source *source;
    const struct nv_definitions *definitions;
    const struct nv_counts *counts;
    struct nv_hiding **hidings; /* by dimension; NULL for one of amounts */
    struct nv_figures figures;
    size_t capacity;
};

/* NULL where memory ran out. */
struct nv_figure *nv_figure_add(struct nv_figuring *figuring, const struct nv_figure *figure);

struct nv_figure nv_figure_of_people(const struct nv_figuring *figuring, const struct nv_indicator *indicator,
                                     size_t group);
/* The step at which the group's numerator and denominator are known; where they are not, that of the numerator alone.
 */
size_t nv_figuring_step(const struct nv_figuring *figuring, const struct nv_indicator *indicator, size_t group);

/* Whether the group is one that the figures are split into. Everybody always is: the last one. */
bool nv_figuring_has(const struct nv_figuring *figuring, size_t group);

nv_parts nv_figuring_everybody(const struct nv_figuring *figuring, size_t dimension);

/* figures_money.c, figures_whole.c: what is no rate of people. */
enum nv_status nv_figures_add_money(struct nv_figuring *figuring, struct nv_error *error);
enum nv_status nv_figures_add_coverage(struct nv_figuring *figuring, struct nv_error *error);
enum nv_status nv_figures_add_aims(struct nv_figuring *figuring, struct nv_error *error);
