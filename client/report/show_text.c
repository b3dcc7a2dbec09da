#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "client/language.h"
#include "client/report/show.h"

/* ---- numbers ---- */

static double share(int64_t of, int64_t all)
{
    return all > 0 ? (double)of / (double)all : -1;
}

double nv_figure_rate(const struct nv_figure *figure)
{
    return figure->shown == NV_SHOWN_HIDDEN || figure->kind == NV_FIGURE_COST
               ? -1
               : share(figure->numerator, figure->denominator);
}

double nv_figure_low(const struct nv_figure *figure)
{
    return share(figure->numerator, figure->denominator + figure->unknown);
}

double nv_figure_high(const struct nv_figure *figure)
{
    return share(figure->numerator + figure->unknown, figure->denominator + figure->unknown);
}

/* Digits by threes: a narrow no-break space between them in French, a comma in English. */
static void group_digits(const char *digits, char ret_text[NV_FIGURE_TEXT])
{
    const char *between = nv_is_french() ? "\u202f" : ",";
    size_t count = strlen(digits), at = 0;
    for (size_t i = 0; i < count && at + 5 < NV_FIGURE_TEXT; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            memcpy(ret_text + at, between, strlen(between));
            at += strlen(between);
        }
        ret_text[at++] = digits[i];
    }
    ret_text[at] = '\0';
}

void nv_text_count(int64_t count, char ret_text[NV_FIGURE_TEXT])
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, count < 0 ? 0 : count);
    group_digits(digits, ret_text);
}

static void put_comma(char *text)
{
    char *point = strchr(text, '.');
    if (point != NULL && nv_is_french())
        *point = ',';
}

void nv_text_percent(double rate, int decimals, char ret_text[NV_FIGURE_TEXT])
{
    snprintf(ret_text, NV_FIGURE_TEXT, nv_is_french() ? "%.*f\u00a0%%" : "%.*f%%", decimals, 100 * rate);
    put_comma(ret_text);
}

void nv_text_euros(double euros, char ret_text[NV_FIGURE_TEXT])
{
    char digits[32], grouped[NV_FIGURE_TEXT];
    double whole = floor(euros), cents = round(100 * (euros - whole));
    whole += cents >= 100;
    cents = cents >= 100 ? 0 : cents;
    snprintf(digits, sizeof digits, "%.0f", whole);
    group_digits(digits, grouped);
    if (nv_is_french())
        snprintf(ret_text, NV_FIGURE_TEXT, "%.40s,%02.0f\u00a0€", grouped, cents);
    else
        snprintf(ret_text, NV_FIGURE_TEXT, "€%.40s.%02.0f", grouped, cents);
}

void nv_text_day(const char *day, char ret_text[NV_FIGURE_TEXT])
{
    if (nv_is_french() && strlen(day) == 10)
        snprintf(ret_text, NV_FIGURE_TEXT, "%.2s/%.2s/%.4s", day + 8, day + 5, day);
    else
        snprintf(ret_text, NV_FIGURE_TEXT, "%.20s", day);
}

/* ---- the cells of a line ---- */

static void show_rate(const struct nv_figure *figure, struct nv_figure_cells *cells)
{
    char rate[NV_FIGURE_TEXT], low[NV_FIGURE_TEXT], high[NV_FIGURE_TEXT];
    if (figure->denominator == 0) {
        if (figure->shown == NV_SHOWN_AT_LEAST)
            snprintf(cells->value, sizeof cells->value, "%s", _("hidden"));
        return;
    }
    nv_text_percent(nv_figure_rate(figure), figure->kind == NV_FIGURE_SHARE ? 2 : 1, rate);
    if (figure->shown == NV_SHOWN_AT_LEAST) {
        snprintf(cells->value, sizeof cells->value, "≥\u00a0%.50s", rate);
    } else if (figure->aim > 0) {
        snprintf(cells->value, sizeof cells->value, "%.50s (%+.1f)", rate,
                 100 * nv_figure_rate(figure) - (double)figure->aim);
        put_comma(strchr(cells->value, '('));
    } else if (figure->has_bounds && figure->unknown > 0) {
        nv_text_percent(nv_figure_low(figure), 1, low);
        nv_text_percent(nv_figure_high(figure), 1, high);
        snprintf(cells->value, sizeof cells->value, "%.30s [%.30s – %.30s]", rate, low, high);
    } else {
        snprintf(cells->value, sizeof cells->value, "%.60s", rate);
    }
}

void nv_figure_cells(const struct nv_figure *figure, struct nv_figure_cells *ret_cells)
{
    *ret_cells = (struct nv_figure_cells){0};
    if (figure->shown == NV_SHOWN_HIDDEN) {
        if (figure->people >= 0)
            nv_text_count(figure->people, ret_cells->denominator);
        snprintf(ret_cells->value, sizeof ret_cells->value, "%s", _("hidden"));
        return;
    }
    switch (figure->kind) {
    case NV_FIGURE_COST:
        nv_text_euros((double)figure->numerator / 100, ret_cells->numerator);
        nv_text_count(figure->denominator, ret_cells->denominator);
        nv_text_euros((double)figure->numerator / 100 / (double)figure->denominator, ret_cells->value);
        break;
    case NV_FIGURE_SHARE:
        nv_text_euros((double)figure->numerator / 100, ret_cells->numerator);
        nv_text_euros((double)figure->denominator / 100, ret_cells->denominator);
        show_rate(figure, ret_cells);
        break;
    case NV_FIGURE_RATE:
    case NV_FIGURE_AMOUNT:
    case NV_FIGURE_COVERAGE:
    case NV_FIGURE_AIM:
        nv_text_count(figure->numerator, ret_cells->numerator);
        if (figure->shown == NV_SHOWN || figure->denominator > 0)
            nv_text_count(figure->denominator, ret_cells->denominator);
        show_rate(figure, ret_cells);
        break;
    }
    if (figure->unknown >= 0)
        nv_text_count(figure->unknown, ret_cells->unknown);
}

/* ---- the page ---- */

bool nv_page_has(const struct nv_page *page, const char *report)
{
    return page->report == NULL || strcmp(page->report, report) == 0;
}

void nv_page_date(const struct nv_page *page, struct nv_buffer *ret_text)
{
    char from[NV_FIGURE_TEXT], to[NV_FIGURE_TEXT], text[512];
    nv_text_day(page->day_from, from);
    nv_text_day(page->day_to, to);
    if (page->period[0] == '\0')
        snprintf(text, sizeof text, _("%s: its own records, as they are on %s"), page->site, to);
    else if (strcmp(from, to) == 0)
        snprintf(text, sizeof text, _("Published counts up to %s, made on %s"), page->period, to);
    else
        snprintf(text, sizeof text, _("Published counts up to %s, made from %s to %s"), page->period, from, to);
    nv_buffer_append(ret_text, text, strlen(text));
    nv_buffer_append_byte(ret_text, 0);
}

void nv_page_rule(const struct nv_page *page, struct nv_buffer *ret_text)
{
    char text[512];
    if (page->figures->threshold == 0)
        snprintf(text, sizeof text, "%s",
                 _("For the site alone: small counts are shown, and persons can be told by them."));
    else
        snprintf(
            text, sizeof text,
            _("Counts under %d are hidden, and so is what would give them back. Rates are sums of the sites' counts, "
              "never means of rates."),
            (int)page->figures->threshold);
    nv_buffer_append(ret_text, text, strlen(text));
    nv_buffer_append_byte(ret_text, 0);
}

struct nv_hidden_count nv_page_hidden(const struct nv_page *page)
{
    struct nv_hidden_count count = {0};
    for (size_t i = 0; i < page->figures->count; i++) {
        const struct nv_figure *figure = &page->figures->items[i];
        count.shown += figure->shown != NV_SHOWN_HIDDEN;
        count.hidden += figure->shown == NV_SHOWN_HIDDEN;
    }
    return count;
}
