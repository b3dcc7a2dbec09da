/* Reports on a terminal: aligned, with a small bar beside each rate. */
#include <stdlib.h>
#include <string.h>

#include "client/language.h"
#include "client/output.h"
#include "client/report/show.h"

enum { COLUMNS = 6, BAR_EIGHTHS = 80 };

/* A line of the table; the texts are its own. */
struct line {
    char *cells[COLUMNS]; /* line, group, numerator, denominator, value, unknown */
    double rate;
};

struct table {
    struct line *lines;
    size_t count;
    size_t widths[COLUMNS];
};

static size_t width_of(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text >> 6) != 2;
    return count;
}

/* Labels come from the schema and from records: nothing in them may turn against the terminal. */
static char *safe_copy(const char *text)
{
    struct nv_buffer shown = {0};
    nv_show_bytes(&shown, (struct nv_slice){(const uint8_t *)text, strlen(text)});
    nv_buffer_append_byte(&shown, 0);
    if (shown.failed) {
        nv_buffer_done(&shown);
        return NULL;
    }
    return (char *)shown.data;
}

static bool add_line(struct table *table, const char *const texts[COLUMNS], double rate)
{
    struct line *lines = realloc(table->lines, (table->count + 1) * sizeof *lines);
    if (lines == NULL)
        return false;
    table->lines = lines;
    struct line *line = &lines[table->count++];
    *line = (struct line){.rate = rate};
    for (int i = 0; i < COLUMNS; i++) {
        line->cells[i] = safe_copy(texts[i]);
        if (line->cells[i] == NULL)
            return false;
        size_t width = width_of(line->cells[i]);
        table->widths[i] = width > table->widths[i] ? width : table->widths[i];
    }
    return true;
}

static void table_done(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        for (int j = 0; j < COLUMNS; j++)
            free(table->lines[i].cells[j]);
    free(table->lines);
}

static void print_bar(double rate)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int size = (int)((rate > 1 ? 1 : rate) * BAR_EIGHTHS + 0.5);
    fputs("  ", stdout);
    for (int i = 0; i < size / 8; i++)
        fputs("█", stdout);
    fputs(eighths[size % 8], stdout);
}

static void print_table(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct line *line = &table->lines[i];
        for (int j = 0; j < COLUMNS; j++) {
            int gap = (int)(table->widths[j] - width_of(line->cells[j]));
            if (table->widths[j] == 0)
                continue;
            if (j < 2) /* words to the left, numbers to the right */
                printf("  %s%*s", line->cells[j], gap, "");
            else
                printf("  %*s%s", gap, "", line->cells[j]);
        }
        if (line->rate >= 0)
            print_bar(line->rate);
        putchar('\n');
    }
}

static const char *group_label(const struct nv_page *page, const struct nv_figure *figure)
{
    if (page->figures->split == 0)
        return "";
    return figure->group == NV_EVERYBODY ? _("Together") : page->definitions->groups[figure->group].label;
}

static bool fill(const struct nv_page *page, const char *report, struct table *table)
{
    const char *heads[COLUMNS] = {"", "", _("number"), _("of"), _("share"), _("unknown")};
    bool is_made = add_line(table, heads, -1);
    const char *last = "";
    for (size_t i = 0; is_made && i < page->figures->count; i++) {
        const struct nv_figure *figure = &page->figures->items[i];
        struct nv_figure_cells cells;
        if (strcmp(figure->report, report) != 0)
            continue;
        nv_figure_cells(figure, &cells);
        const char *texts[COLUMNS] = {strcmp(last, figure->line) == 0 ? "" : figure->label,
                                      group_label(page, figure),
                                      cells.numerator,
                                      cells.denominator,
                                      cells.value,
                                      cells.unknown};
        last = figure->line;
        is_made = add_line(table, texts, nv_figure_rate(figure));
    }
    return is_made;
}

/* All that is hidden is a long list, for whom asks for it; a funder is told how much it is, and no more. */
static bool lists_hidden(const struct nv_page *page)
{
    return page->report != NULL && page->figures->audience != NV_FOR_FUNDER;
}

static bool fill_hidden(const struct nv_page *page, struct table *table)
{
    bool is_made = true;
    for (size_t i = 0; is_made && i < page->figures->count; i++) {
        const struct nv_figure *figure = &page->figures->items[i];
        if (figure->shown != NV_SHOWN_HIDDEN)
            continue;
        char name[128];
        snprintf(name, sizeof name, "%.20s  %.90s", figure->report, figure->label);
        const char *why = !page->tells_why   ? _("few people, or it would give back what is hidden")
                          : figure->is_small ? _("few people")
                                             : _("it would give back what is hidden");
        const char *texts[COLUMNS] = {name, group_label(page, figure), "", "", why, ""};
        is_made = add_line(table, texts, -1);
    }
    return is_made;
}

static void print_hidden_count(const struct nv_page *page)
{
    struct nv_hidden_count hidden = nv_page_hidden(page);
    printf("  ");
    if (hidden.hidden == 0)
        puts(_("Nothing is hidden."));
    else
        printf(NV_PLURAL("%zu figure is hidden, %zu are shown.\n", "%zu figures are hidden, %zu are shown.\n",
                         hidden.hidden),
               hidden.hidden, hidden.shown);
}

enum nv_status nv_show_table(const struct nv_page *page, struct nv_error *error)
{
    struct nv_buffer date = {0}, rule = {0};
    nv_page_date(page, &date);
    nv_page_rule(page, &rule);
    bool is_made = !date.failed && !rule.failed;
    if (is_made)
        printf("%s\n%s\n", (const char *)date.data, (const char *)rule.data);
    if (is_made && page->is_draft)
        puts(_("A draft: it becomes final, and later reports keep to it, with --disclose."));
    for (size_t i = 0; is_made && i < page->definitions->report_count; i++) {
        const struct nv_report_title *report = &page->definitions->reports[i];
        struct table table = {0};
        if (!nv_page_has(page, report->name))
            continue;
        bool is_hidden_list = strcmp(report->name, "R14") == 0;
        is_made = is_hidden_list ? !lists_hidden(page) || fill_hidden(page, &table) : fill(page, report->name, &table);
        if (is_made && (is_hidden_list || table.count > 1)) {
            printf("\n%s  %s\n    %s\n", report->name, report->title, report->note);
            if (is_hidden_list)
                print_hidden_count(page);
            print_table(&table);
        }
        table_done(&table);
    }
    nv_buffer_done(&date);
    nv_buffer_done(&rule);
    return is_made ? NV_OK : nv_no_memory(error);
}
