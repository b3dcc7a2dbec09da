/* Reports as a page of its own: nothing is fetched, it prints well, and its charts are SVG. */
#include <string.h>

#include "client/language.h"
#include "client/output.h"
#include "client/report/show.h"

static void print_escaped(const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", stdout);
            break;
        case '<':
            fputs("&lt;", stdout);
            break;
        case '>':
            fputs("&gt;", stdout);
            break;
        case '"':
            fputs("&quot;", stdout);
            break;
        default:
            putchar(*text);
        }
}

static void print_element(const char *name, const char *attributes, const char *text)
{
    printf("<%s%s>", name, attributes);
    print_escaped(text);
    printf("</%s>", name);
}

static const char style[] =
    ":root{color-scheme:light}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2.2rem 0 .2rem}"
    "p{margin:.2rem 0}.note{color:#57606a}.draft{color:#9a3412;font-weight:600}"
    "table{border-collapse:collapse;table-layout:fixed;width:100%;margin:.8rem 0;font-variant-numeric:tabular-nums}"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid #d8dee4;text-align:right;vertical-align:middle}"
    "th:first-child,td:first-child,.word{text-align:left}.what{width:26%}.word{width:20%}.bar{width:142px}"
    "thead th{font-weight:600;color:#57606a}"
    ".together td{font-weight:600}.hidden{color:#8a8f98;font-style:italic}"
    "svg{display:block}@media print{body{margin:0;max-width:none}section{break-inside:avoid}}";

/* One bar on a scale from 0 to 100 %; the space between its bounds lighter. */
static void print_bar(const struct nv_figure *figure)
{
    enum { WIDTH = 130, HEIGHT = 14 };
    double rate = nv_figure_rate(figure);
    char label[NV_FIGURE_TEXT];
    fputs("<td>", stdout);
    if (rate >= 0) {
        nv_text_percent(rate, 1, label);
        printf("<svg width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">", WIDTH, HEIGHT, label);
        printf("<rect width=\"%d\" height=\"%d\" rx=\"2\" fill=\"#eaeef2\"/>", WIDTH, HEIGHT);
        if (figure->has_bounds && nv_figure_low(figure) >= 0)
            printf("<rect x=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#b6d4f2\"/>", WIDTH * nv_figure_low(figure),
                   WIDTH * (nv_figure_high(figure) - nv_figure_low(figure)), HEIGHT);
        printf("<rect width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"#2f6fb0\"/></svg>",
               WIDTH * (figure->has_bounds && nv_figure_low(figure) >= 0 ? nv_figure_low(figure)
                        : rate > 1                                       ? 1
                                                                         : rate),
               HEIGHT);
    }
    fputs("</td>", stdout);
}

static void print_figure(const struct nv_page *page, const struct nv_figure *figure, bool is_first)
{
    struct nv_figure_cells cells;
    bool is_split = page->figures->split > 0;
    nv_figure_cells(figure, &cells);
    fputs(is_split && figure->group == NV_EVERYBODY ? "<tr class=\"together\">" : "<tr>", stdout);
    print_element("td", "", is_first ? figure->label : "");
    if (is_split)
        print_element("td", " class=\"word\"",
                      figure->group == NV_EVERYBODY ? _("Together") : page->definitions->groups[figure->group].label);
    print_element("td", "", cells.numerator);
    print_element("td", "", cells.denominator);
    print_element("td", figure->shown == NV_SHOWN_HIDDEN ? " class=\"hidden\"" : "", cells.value);
    print_bar(figure);
    print_element("td", "", cells.unknown);
    fputs("</tr>\n", stdout);
}

static void print_heads(const struct nv_page *page)
{
    /* The same widths in every report, so that the eye finds its way. */
    fputs("<table><thead><tr><th class=\"what\"></th>", stdout);
    if (page->figures->split > 0)
        fputs("<th class=\"word\"></th>", stdout);
    print_element("th", "", _("number"));
    print_element("th", "", _("of"));
    print_element("th", "", _("share"));
    fputs("<th class=\"bar\"></th>", stdout);
    print_element("th", "", _("unknown"));
    fputs("</tr></thead><tbody>\n", stdout);
}

static bool has_figures(const struct nv_page *page, const char *report)
{
    for (size_t i = 0; i < page->figures->count; i++)
        if (strcmp(page->figures->items[i].report, report) == 0)
            return true;
    return false;
}

static void print_figures(const struct nv_page *page, const char *report)
{
    const char *last = "";
    print_heads(page);
    for (size_t i = 0; i < page->figures->count; i++) {
        const struct nv_figure *figure = &page->figures->items[i];
        if (strcmp(figure->report, report) != 0)
            continue;
        print_figure(page, figure, strcmp(last, figure->line) != 0);
        last = figure->line;
    }
    fputs("</tbody></table>\n", stdout);
}

static void print_hidden(const struct nv_page *page)
{
    struct nv_hidden_count hidden = nv_page_hidden(page);
    char text[256];
    if (hidden.hidden == 0)
        snprintf(text, sizeof text, "%s", _("Nothing is hidden."));
    else
        snprintf(text, sizeof text,
                 NV_PLURAL("%zu figure is hidden, %zu are shown.\n", "%zu figures are hidden, %zu are shown.\n",
                           hidden.hidden),
                 hidden.hidden, hidden.shown);
    print_element("p", "", text);
}

static void print_report(const struct nv_page *page, const struct nv_report_title *report)
{
    bool is_hidden_list = strcmp(report->name, "R14") == 0;
    if (!nv_page_has(page, report->name) || (!is_hidden_list && !has_figures(page, report->name)))
        return;
    char title[256];
    snprintf(title, sizeof title, "%.20s · %.200s", report->name, report->title);
    fputs("<section>\n", stdout);
    print_element("h2", "", title);
    print_element("p", " class=\"note\"", report->note);
    if (is_hidden_list)
        print_hidden(page);
    else
        print_figures(page, report->name);
    fputs("</section>\n", stdout);
}

enum nv_status nv_show_html(const struct nv_page *page, struct nv_error *error)
{
    struct nv_buffer date = {0}, rule = {0};
    nv_page_date(page, &date);
    nv_page_rule(page, &rule);
    bool is_made = !date.failed && !rule.failed;
    if (is_made) {
        printf("<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>",
               nv_is_french() ? "fr" : "en");
        print_escaped(_("What became of the learners"));
        printf("</title><style>%s</style></head><body>\n", style);
        print_element("h1", "", _("What became of the learners"));
        print_element("p", "", (const char *)date.data);
        print_element("p", " class=\"note\"", (const char *)rule.data);
        if (page->is_draft)
            print_element("p", " class=\"draft\"", _("A draft, which was not handed out yet."));
        for (size_t i = 0; i < page->definitions->report_count; i++)
            print_report(page, &page->definitions->reports[i]);
        fputs("</body></html>\n", stdout);
    }
    nv_buffer_done(&date);
    nv_buffer_done(&rule);
    return is_made ? NV_OK : nv_no_memory(error);
}
