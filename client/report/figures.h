/* The figures of reports: each a number of a number for one line and one group, or what is hidden of it. */
#pragma once

#include "client/report/counts.h"

/* Who is to read it: how small a count may be shown (none is hidden from the school itself, under 5 inside the hub,
 * under 11 in what is handed out). */
enum nv_audience { NV_FOR_SITE, NV_FOR_HUB, NV_FOR_FUNDER };

enum nv_figure_kind {
    NV_FIGURE_RATE,     /* people of people */
    NV_FIGURE_AMOUNT,   /* minutes of minutes */
    NV_FIGURE_COST,     /* cents by people */
    NV_FIGURE_SHARE,    /* cents of cents: public, never hidden */
    NV_FIGURE_COVERAGE, /* sites or courses of those expected: public, never hidden */
    NV_FIGURE_AIM,      /* a number, and the aim */
};

enum nv_shown {
    NV_SHOWN,
    NV_SHOWN_AT_LEAST, /* of how many is hidden: `denominator` is everybody, and the rate is at least that; or it is 0,
                          and nothing is said of the rate */
    NV_SHOWN_HIDDEN,
};

struct nv_figure {
    enum nv_figure_kind kind;
    const char *report, *line, *label;
    size_t group;
    enum nv_shown shown;
    bool is_of_nobody; /* hidden because there is nobody to count */
    bool is_small;     /* hidden because it is small itself; else because it would give back what is */
    int64_t numerator, denominator;
    int64_t unknown; /* of everybody, those of whom it is not known; -1: hidden, or nothing that the line has */
    int64_t people;  /* everybody: -1 where hidden, or where nobody is counted */
    bool has_bounds; /* the rate is between numerator / (denominator + unknown) and (numerator + unknown) / the same */
    bool is_part;    /* units of the group wait to be shown */
    int when;        /* the oldest publication that it is of; -1 where that means nothing */
    int64_t aim;     /* percent that are aimed at; 0: none */
};

struct nv_figures {
    struct nv_figure *items; /* in the order of reports, then of lines, then of groups */
    size_t count;
    enum nv_audience audience;
    int64_t threshold;
    size_t split;
};

int64_t nv_threshold(enum nv_audience audience);

/* What the figures of one call are made of. */
struct nv_figures_wanted {
    const char *report; /* NULL: all */
    size_t split;       /* everybody is always among the groups, the last one */
    enum nv_audience audience;
};

enum nv_status nv_figures_compute(const struct nv_source *source, const struct nv_definitions *definitions,
                                  const struct nv_counts *counts, const struct nv_figures_wanted *wanted,
                                  struct nv_figures *ret_figures, struct nv_error *error);
void nv_figures_done(struct nv_figures *figures);
