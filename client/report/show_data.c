/* Reports for programs: CSV for spreadsheets, JSON. Names and codes are the same in every language. */
#include <string.h>

#include "client/language.h"
#include "client/output.h"
#include "client/report/show.h"

/* ---- CSV (RFC 4180), with semicolons and a byte order mark, as spreadsheets here want it ---- */

/* A text that begins like a formula is none: an apostrophe keeps a spreadsheet from computing it. */
static void print_cell(const char *text, bool is_last)
{
    putchar('"');
    if (strchr("=+-@\t\r", text[0]) != NULL && text[0] != '\0')
        putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    fputs(is_last ? "\"\r\n" : "\";", stdout);
}

static void print_number(int64_t number)
{
    if (number >= 0)
        printf("%lld", (long long)number);
    putchar(';');
}

/* A share, with the decimal mark that the reader's spreadsheet expects. */
static void print_share(double share)
{
    char text[32];
    snprintf(text, sizeof text, "%.6f", share);
    char *point = strchr(text, '.');
    if (point != NULL && nv_is_french())
        *point = ',';
    printf("%s;", share < 0 ? "" : text);
}

static int64_t shown_denominator(const struct nv_figure *figure)
{
    bool is_shown = figure->shown == NV_SHOWN || (figure->shown == NV_SHOWN_AT_LEAST && figure->denominator > 0);
    return is_shown ? figure->denominator : -1;
}

static const char *shown_code(const struct nv_page *page, const struct nv_figure *figure)
{
    switch (figure->shown) {
    case NV_SHOWN:
        return "shown";
    case NV_SHOWN_AT_LEAST:
        return "at_least";
    case NV_SHOWN_HIDDEN:
        return !page->tells_why ? "hidden" : figure->is_small ? "small" : "complement";
    }
    return "hidden";
}

static bool is_on(const struct nv_page *page, const struct nv_figure *figure)
{
    return nv_page_has(page, figure->report) || (strcmp(page->report, "R14") == 0 && figure->shown == NV_SHOWN_HIDDEN &&
                                                 page->figures->audience != NV_FOR_FUNDER);
}

enum nv_status nv_show_csv(const struct nv_page *page, struct nv_error *error)
{
    (void)error;
    const char *const heads[] = {_("Report"), _("Line"),  _("Label"), _("Group"),   _("Group's name"),
                                 _("number"), _("of"),    _("share"), _("unknown"), _("everybody"),
                                 _("from"),   _("up to"), _("shown")};
    enum { HEADS = sizeof heads / sizeof heads[0] };
    fputs("\ufeff", stdout);
    for (size_t i = 0; i < HEADS; i++)
        print_cell(heads[i], i + 1 == HEADS);
    for (size_t i = 0; i < page->figures->count; i++) {
        const struct nv_figure *figure = &page->figures->items[i];
        const struct nv_group *group = &page->definitions->groups[figure->group];
        bool is_shown = figure->shown != NV_SHOWN_HIDDEN;
        if (!is_on(page, figure))
            continue;
        print_cell(figure->report, false);
        print_cell(figure->line, false);
        print_cell(figure->label, false);
        print_cell(group->code, false);
        print_cell(group->label, false);
        print_number(is_shown ? figure->numerator : -1);
        print_number(shown_denominator(figure));
        print_share(nv_figure_rate(figure));
        print_number(figure->unknown);
        print_number(figure->people);
        print_share(figure->has_bounds ? nv_figure_low(figure) : -1);
        print_share(figure->has_bounds ? nv_figure_high(figure) : -1);
        print_cell(shown_code(page, figure), true);
    }
    return NV_OK;
}

/* ---- JSON ---- */

static json_t *number_json(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *share_json(double share)
{
    return share < 0 ? json_null() : json_real(share);
}

static json_t *figure_json(const struct nv_page *page, const struct nv_figure *figure)
{
    static const char *const kinds[] = {
        [NV_FIGURE_RATE] = "rate",         [NV_FIGURE_AMOUNT] = "minutes",    [NV_FIGURE_COST] = "cents_per_head",
        [NV_FIGURE_SHARE] = "cents_share", [NV_FIGURE_COVERAGE] = "coverage", [NV_FIGURE_AIM] = "aim"};
    const struct nv_group *group = &page->definitions->groups[figure->group];
    bool is_shown = figure->shown != NV_SHOWN_HIDDEN;
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o}", "report",
                     figure->report, "line", nv_json_text(figure->line), "kind", kinds[figure->kind], "split",
                     page->definitions->splits[group->split], "group", nv_json_text(group->code), "group_label",
                     nv_json_text(group->label), "numerator", number_json(is_shown ? figure->numerator : -1),
                     "denominator", number_json(shown_denominator(figure)), "rate", share_json(nv_figure_rate(figure)),
                     "unknown", number_json(figure->unknown), "people", number_json(figure->people), "low",
                     share_json(figure->has_bounds ? nv_figure_low(figure) : -1), "high",
                     share_json(figure->has_bounds ? nv_figure_high(figure) : -1), "shown", shown_code(page, figure),
                     "part", (int)figure->is_part, "as_of",
                     figure->when < 0 ? json_null() : json_string(page->counts->periods[figure->when]));
}

enum nv_status nv_show_json(const struct nv_page *page, struct nv_error *error)
{
    static const char *const audiences[] = {[NV_FOR_SITE] = "site", [NV_FOR_HUB] = "hub", [NV_FOR_FUNDER] = "funder"};
    struct nv_hidden_count hidden = nv_page_hidden(page);
    json_t *list = json_array();
    for (size_t i = 0; i < page->figures->count; i++)
        if (is_on(page, &page->figures->items[i]))
            json_array_append_new(list, figure_json(page, &page->figures->items[i]));
    return nv_print_json(
        json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:o}", "audience", audiences[page->figures->audience],
                  "threshold", (json_int_t)page->figures->threshold, "by",
                  page->definitions->splits[page->figures->split], "period", page->period, "counted_from",
                  page->day_from, "counted_to", page->day_to, "draft", (int)page->is_draft, "hidden",
                  (json_int_t)hidden.hidden, "shown", (json_int_t)hidden.shown, "figures", list),
        error);
}
