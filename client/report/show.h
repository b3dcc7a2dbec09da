/* Figures as people and programs read them: a table on a terminal, CSV for a spreadsheet, JSON, a page to print. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/buffer.h"
#include "client/report/figures.h"

struct nv_page {
    const struct nv_definitions *definitions;
    const struct nv_counts *counts;
    const struct nv_figures *figures;
    const char *report;   /* the one that was asked for; NULL: all */
    const char *site;     /* who prints it */
    const char *period;   /* "": as it is now, at this site */
    bool tells_why;       /* each figure that is hidden says for what: not to be handed on */
    bool is_draft;        /* for funders, and not handed out yet */
    const char *day_from; /* when it was counted, ISO 8601 */
    const char *day_to;
};

enum nv_status nv_show_table(const struct nv_page *page, struct nv_error *error);
enum nv_status nv_show_csv(const struct nv_page *page, struct nv_error *error);
enum nv_status nv_show_json(const struct nv_page *page, struct nv_error *error);
enum nv_status nv_show_html(const struct nv_page *page, struct nv_error *error);

/* ---- what they share ---- (show_text.c) */

enum { NV_FIGURE_TEXT = 64 };

/* A figure's share of one, from 0 on; below 0 where it has none. */
double nv_figure_rate(const struct nv_figure *figure);
double nv_figure_low(const struct nv_figure *figure);  /* where it has bounds */
double nv_figure_high(const struct nv_figure *figure); /* the same */

/* In the reader's language: "1 234", "10,9 %", "12 500,50 €", "26/11/2026". */
void nv_text_count(int64_t count, char ret_text[NV_FIGURE_TEXT]);
void nv_text_percent(double rate, int decimals, char ret_text[NV_FIGURE_TEXT]);
void nv_text_euros(double euros, char ret_text[NV_FIGURE_TEXT]);
void nv_text_day(const char *day, char ret_text[NV_FIGURE_TEXT]);

/* The cells of a figure's line: what, of what, the rate or amount, who is not known. "" where there is nothing. */
struct nv_figure_cells {
    char numerator[NV_FIGURE_TEXT], denominator[NV_FIGURE_TEXT], value[2 * NV_FIGURE_TEXT], unknown[NV_FIGURE_TEXT];
};
void nv_figure_cells(const struct nv_figure *figure, struct nv_figure_cells *ret_cells);

/* Whether the report is on the page. */
bool nv_page_has(const struct nv_page *page, const char *report);

/* A sentence for the head of the page: the period, and when it was counted. Another one: what small counts are. */
void nv_page_date(const struct nv_page *page, struct nv_buffer *ret_text);
void nv_page_rule(const struct nv_page *page, struct nv_buffer *ret_text);

struct nv_hidden_count {
    size_t hidden, shown;
};
struct nv_hidden_count nv_page_hidden(const struct nv_page *page);
