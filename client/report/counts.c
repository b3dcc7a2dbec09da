#include "client/report/counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"

/* No school counts more people or minutes: so sums fit. */
enum { DAY_TEXT = 16, COUNT_MOST = 1000000000 };

struct reading {
    struct nv_definitions *definitions;
    struct nv_counts counts;
    size_t capacity;
};

/* ---- periods and sites ---- */

static enum nv_status list_periods(const struct nv_source *source, const struct nv_counts_wanted *wanted,
                                   struct nv_counts *counts, struct nv_error *error)
{
    bool row;
    sqlite3_stmt *rows = nv_source_prepare(
        source, "SELECT DISTINCT period FROM outcome_count WHERE ?1 IS NULL OR period <= ?1 ORDER BY period", error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_text(rows, 1, wanted->period, -1, SQLITE_STATIC);
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        char(*periods)[NV_PERIOD_TEXT] = realloc(counts->periods, (counts->period_count + 1) * sizeof *periods);
        if (periods == NULL) {
            status = nv_no_memory(error);
            break;
        }
        counts->periods = periods;
        const char *period = (const char *)sqlite3_column_text(rows, 0);
        if (period == NULL || strlen(period) >= NV_PERIOD_TEXT)
            continue; /* nothing that Navette wrote */
        strcpy(periods[counts->period_count++], period);
    }
    sqlite3_finalize(rows);
    if (status == NV_OK && counts->period_count > NV_PUBLICATIONS_KEPT)
        return nv_fail(error, NV_REFUSED, "counts of over %d periods were published: reports know no more",
                       NV_PUBLICATIONS_KEPT);
    if (status == NV_OK && counts->period_count == 0 && wanted->period != NULL)
        return nv_fail(error, NV_NOT_FOUND,
                       "no site has published counts up to %.16s yet: each does so with `navette publish`, or by "
                       "itself with `publish = yes` in its navette.conf",
                       wanted->period);
    if (status == NV_OK && counts->period_count == 0)
        return nv_fail(error, NV_NOT_FOUND,
                       "no site has published counts yet: each does so with `navette publish`, or by itself with "
                       "`publish = yes` in its navette.conf");
    return status;
}

static enum nv_status list_sites(const struct nv_source *source, struct reading *reading, struct nv_error *error)
{
    bool row;
    struct nv_counts *counts = &reading->counts;
    sqlite3_stmt *rows = nv_source_prepare(source, "SELECT DISTINCT site FROM outcome_count ORDER BY site", error);
    if (rows == NULL)
        return error->status;
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        const char **sites = realloc(counts->sites, (counts->site_count + 1) * sizeof *sites);
        const char *name = nv_definitions_keep(reading->definitions, rows, 0);
        if (sites != NULL)
            counts->sites = sites;
        if (sites == NULL || name == NULL) {
            status = nv_no_memory(error);
            break;
        }
        sites[counts->site_count++] = name;
    }
    sqlite3_finalize(rows);
    if (status != NV_OK)
        return status;
    counts->counted_on = calloc(counts->period_count * counts->site_count + 1, sizeof *counts->counted_on);
    return counts->counted_on == NULL ? nv_no_memory(error) : NV_OK;
}

static size_t period_of(const struct nv_counts *counts, const char *text)
{
    size_t i = 0;
    while (i < counts->period_count && strcmp(counts->periods[i], text) != 0)
        i++;
    return i;
}

static size_t site_of(const struct nv_counts *counts, const char *text)
{
    size_t i = 0;
    while (i < counts->site_count && strcmp(counts->sites[i], text) != 0)
        i++;
    return i;
}

/* ---- rows ---- */

/* place, programme, starts_on, measure, dimension, value, numerator, denominator, counted_on, period, site */
static const char *text_at(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "" : text;
}

/* A day goes as it is to terminals and into JSON. */
static bool is_day(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static enum nv_status add_count(struct reading *reading, const struct nv_count *count, struct nv_error *error)
{
    struct nv_counts *counts = &reading->counts;
    if (counts->item_count == reading->capacity) {
        size_t capacity = reading->capacity == 0 ? 1024 : 2 * reading->capacity;
        struct nv_count *items = realloc(counts->items, capacity * sizeof *items);
        if (items == NULL)
            return nv_no_memory(error);
        counts->items = items;
        reading->capacity = capacity;
    }
    counts->items[counts->item_count++] = *count;
    return NV_OK;
}

static enum nv_status take_row(struct reading *reading, sqlite3_stmt *row, struct nv_error *error)
{
    const struct nv_definitions *definitions = reading->definitions;
    struct nv_count count = {
        .period = period_of(&reading->counts, text_at(row, 9)),
        .site = site_of(&reading->counts, text_at(row, 10)),
        .unit = nv_unit_find(definitions, (struct nv_unit){text_at(row, 0), text_at(row, 1), text_at(row, 2)}),
        .dimension = nv_dimension_find(definitions, text_at(row, 3), text_at(row, 4)),
        .numerator = sqlite3_column_int64(row, 6),
        .denominator = sqlite3_column_int64(row, 7),
    };
    /* What no report counts, what was written just now, and what is no count. */
    if (count.period == reading->counts.period_count || count.site == reading->counts.site_count ||
        count.unit == definitions->unit_count || count.dimension == definitions->dimension_count ||
        count.numerator < 0 || count.denominator < 0 || count.numerator > COUNT_MOST || count.denominator > COUNT_MOST)
        return NV_OK;
    count.part = nv_part_find(&definitions->dimensions[count.dimension], text_at(row, 5));
    char *day = reading->counts.counted_on[count.period * reading->counts.site_count + count.site];
    snprintf(day, DAY_TEXT, "%s", is_day(text_at(row, 8)) ? text_at(row, 8) : "?");
    return add_count(reading, &count, error);
}

static enum nv_status take_rows(struct reading *reading, sqlite3_stmt *rows, struct nv_error *error)
{
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        status = take_row(reading, rows, error);
        if (status != NV_OK)
            break;
    }
    sqlite3_finalize(rows);
    return status;
}

enum nv_status nv_counts_read_published(const struct nv_source *source, const struct nv_counts_wanted *wanted,
                                        struct nv_definitions *definitions, struct nv_counts *ret_counts,
                                        struct nv_error *error)
{
    struct reading reading = {.definitions = definitions};
    enum nv_status status = list_periods(source, wanted, &reading.counts, error);
    if (status == NV_OK)
        status = list_sites(source, &reading, error);
    if (status == NV_OK) {
        size_t last = reading.counts.period_count - 1;
        sqlite3_stmt *rows =
            nv_source_prepare(source,
                              "SELECT place, programme, starts_on, measure, dimension, value, numerator, denominator, "
                              "counted_on, period, "
                              "site FROM outcome_count AS c WHERE period <= ?1 AND (NOT ?2 "
                              "OR EXISTS (SELECT 1 FROM disclosure AS d WHERE d.period = c.period AND d.site = c.site) "
                              "OR (period = ?1 AND NOT EXISTS (SELECT 1 FROM disclosure AS d WHERE d.period = ?1))) "
                              "ORDER BY period, site",
                              error);
        if (rows == NULL)
            status = error->status;
        if (status == NV_OK) {
            sqlite3_bind_text(rows, 1, reading.counts.periods[last], -1, SQLITE_STATIC);
            sqlite3_bind_int(rows, 2, wanted->disclosed_only);
            status = take_rows(&reading, rows, error);
        }
    }
    if (status == NV_OK)
        *ret_counts = reading.counts;
    else
        nv_counts_done(&reading.counts);
    return status;
}

enum nv_status nv_counts_read_own(const struct nv_source *source, struct nv_definitions *definitions,
                                  struct nv_counts *ret_counts, struct nv_error *error)
{
    struct reading reading = {.definitions = definitions};
    struct nv_counts *counts = &reading.counts;
    counts->periods = calloc(1, sizeof *counts->periods);
    counts->sites = calloc(1, sizeof *counts->sites);
    counts->counted_on = calloc(1, sizeof *counts->counted_on);
    enum nv_status status = NV_OK;
    if (counts->periods == NULL || counts->sites == NULL || counts->counted_on == NULL) {
        status = nv_no_memory(error);
    } else {
        counts->period_count = counts->site_count = 1;
        counts->sites[0] = "";
        sqlite3_stmt *rows = nv_source_prepare(source,
                                               "SELECT place, programme, starts_on, measure, dimension, value, "
                                               "numerator, denominator, counted_on, '', '' FROM outcome",
                                               error);
        status = rows == NULL ? error->status : take_rows(&reading, rows, error);
    }
    if (status == NV_OK)
        *ret_counts = *counts;
    else
        nv_counts_done(counts);
    return status;
}

void nv_counts_done(struct nv_counts *counts)
{
    free(counts->periods);
    free(counts->sites);
    free(counts->items);
    free(counts->counted_on);
    *counts = (struct nv_counts){0};
}

/* ---- as they stand at the end of a period ---- */

/* The newest period, up to that one, of which the site has counts; period_count where it has none. */
static size_t newest(const struct nv_counts *counts, size_t site, size_t period)
{
    for (size_t i = period + 1; i-- > 0;)
        if (counts->counted_on[i * counts->site_count + site][0] != '\0')
            return i;
    return counts->period_count;
}

static bool stands(const struct nv_counts *counts, const struct nv_count *count, size_t period, size_t dimension)
{
    return count->dimension == dimension && count->period <= period &&
           count->period == newest(counts, count->site, period);
}

void nv_counts_at(const struct nv_counts *counts, const struct nv_definitions *definitions, size_t period,
                  size_t dimension, int64_t *ret_counts)
{
    size_t parts = definitions->dimensions[dimension].part_count;
    memset(ret_counts, 0, definitions->unit_count * parts * sizeof *ret_counts);
    for (size_t i = 0; i < counts->item_count; i++)
        if (stands(counts, &counts->items[i], period, dimension))
            ret_counts[counts->items[i].unit * parts + counts->items[i].part] += counts->items[i].numerator;
}

void nv_amounts_at(const struct nv_counts *counts, const struct nv_definitions *definitions, size_t period,
                   size_t dimension, int64_t *ret_amounts)
{
    memset(ret_amounts, 0, definitions->unit_count * NV_AMOUNTS * sizeof *ret_amounts);
    for (size_t i = 0; i < counts->item_count; i++)
        if (stands(counts, &counts->items[i], period, dimension)) {
            ret_amounts[counts->items[i].unit * NV_AMOUNTS] += counts->items[i].numerator;
            ret_amounts[counts->items[i].unit * NV_AMOUNTS + 1] += counts->items[i].denominator;
        }
}

void nv_counts_days(const struct nv_counts *counts, const char **ret_first, const char **ret_last)
{
    *ret_first = *ret_last = "";
    for (size_t site = 0; site < counts->site_count; site++) {
        size_t period = newest(counts, site, counts->period_count - 1);
        if (period == counts->period_count)
            continue;
        const char *day = counts->counted_on[period * counts->site_count + site];
        if ((*ret_first)[0] == '\0' || strcmp(day, *ret_first) < 0)
            *ret_first = day;
        if (strcmp(day, *ret_last) > 0)
            *ret_last = day;
    }
}
