#include "client/report/definitions.h"

#include <stdlib.h>
#include <string.h>

#include "client/language.h"
#include "store/db.h"

sqlite3_stmt *nv_source_prepare(const struct nv_source *source, const char *sql, struct nv_error *error)
{
    return source->own != NULL ? nv_own_prepare(source->own, sql, error)
                               : nv_db_prepare(nv_store_db(source->store), sql, error);
}

/* ---- keeping ---- */

static const char *keep(struct nv_definitions *definitions, const char *text, size_t size)
{
    char **texts = realloc(definitions->texts, (definitions->text_count + 1) * sizeof *texts);
    if (texts != NULL)
        definitions->texts = texts;
    char *kept = texts == NULL ? NULL : strndup(text, size);
    if (kept != NULL)
        definitions->texts[definitions->text_count++] = kept;
    return kept;
}

const char *nv_definitions_keep(struct nv_definitions *definitions, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "" : keep(definitions, text, strlen(text));
}

/* One further item at the end of a list, zeroed; NULL where memory ran out. */
static void *add(void *list_pointer, size_t *count, size_t size)
{
    void **list = list_pointer;
    char *items = realloc(*list, (*count + 1) * size);
    if (items == NULL)
        return NULL;
    *list = items;
    memset(items + *count * size, 0, size);
    return items + (*count)++ * size;
}

/* Calls `take` for each row. */
static enum nv_status each_row(const struct nv_source *source, struct nv_definitions *definitions, const char *sql,
                               enum nv_status (*take)(struct nv_definitions *definitions, sqlite3_stmt *row,
                                                      struct nv_error *error),
                               struct nv_error *error)
{
    bool row;
    sqlite3_stmt *rows = nv_source_prepare(source, sql, error);
    if (rows == NULL)
        return error->status;
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        status = take(definitions, rows, error);
        if (status != NV_OK)
            break;
    }
    sqlite3_finalize(rows);
    return status;
}

/* Of two columns the one in the reader's language. */
static const char *keep_label(struct nv_definitions *definitions, sqlite3_stmt *row, int french, int english)
{
    return nv_definitions_keep(definitions, row, nv_is_french() ? french : english);
}

/* ---- reports and their lines ---- */

static enum nv_status take_report(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_report_title *report = add(&definitions->reports, &definitions->report_count, sizeof *report);
    if (report == NULL || (report->name = nv_definitions_keep(definitions, row, 0)) == NULL ||
        (report->title = keep_label(definitions, row, 1, 2)) == NULL ||
        (report->note = keep_label(definitions, row, 3, 4)) == NULL)
        return nv_no_memory(error);
    return NV_OK;
}

size_t nv_dimension_find(const struct nv_definitions *definitions, const char *measure, const char *name)
{
    size_t i = 0;
    while (i < definitions->dimension_count && (strcmp(definitions->dimensions[i].measure, measure) != 0 ||
                                                strcmp(definitions->dimensions[i].name, name) != 0))
        i++;
    return i;
}

size_t nv_part_find(const struct nv_dimension *dimension, const char *name)
{
    for (size_t i = 0; i < dimension->part_count; i++)
        if (i != dimension->others && strcmp(dimension->parts[i], name) == 0)
            return i;
    return dimension->others;
}

/* Finds the part that lines call so, or makes it. */
static enum nv_status intern_part(struct nv_definitions *definitions, size_t number, const char *name, size_t *ret_part,
                                  struct nv_error *error)
{
    struct nv_dimension *dimension = &definitions->dimensions[number];
    for (size_t i = 1; i < dimension->part_count; i++)
        if (strcmp(dimension->parts[i], name) == 0) {
            *ret_part = i;
            return NV_OK;
        }
    if (dimension->part_count == NV_PARTS_MOST)
        return nv_fail(error, NV_REFUSED, "%.64s has over %d values, which is more than a report can count",
                       dimension->name, NV_PARTS_MOST - 1);
    const char *kept = keep(definitions, name, strlen(name));
    if (kept == NULL)
        return nv_no_memory(error);
    dimension->parts[dimension->part_count] = kept;
    *ret_part = dimension->part_count++;
    return NV_OK;
}

/* A set: names with a space between them. */
static enum nv_status take_set(struct nv_definitions *definitions, size_t dimension, const char *names,
                               nv_parts *ret_set, struct nv_error *error)
{
    nv_parts set = 0;
    while (*names != '\0') {
        char name[NV_LIMIT_NAME + 1];
        size_t size = strcspn(names, " "), part = 0;
        if (size >= sizeof name)
            return nv_fail(error, NV_REFUSED, "the view indicator has a value of over %d bytes", NV_LIMIT_NAME);
        memcpy(name, names, size);
        name[size] = '\0';
        names += size + (names[size] == ' ');
        enum nv_status status = size == 0 ? NV_OK : intern_part(definitions, dimension, name, &part, error);
        if (status != NV_OK)
            return status;
        if (size > 0)
            set |= (nv_parts)1 << part;
    }
    *ret_set = set;
    return NV_OK;
}

static enum nv_status find_dimension(struct nv_definitions *definitions, sqlite3_stmt *row, size_t *ret_number,
                                     struct nv_error *error)
{
    const char *measure = nv_definitions_keep(definitions, row, 2), *name = nv_definitions_keep(definitions, row, 3);
    if (measure == NULL || name == NULL)
        return nv_no_memory(error);
    *ret_number = nv_dimension_find(definitions, measure, name);
    if (*ret_number < definitions->dimension_count)
        return NV_OK;
    struct nv_dimension *made = add(&definitions->dimensions, &definitions->dimension_count, sizeof *made);
    if (made == NULL)
        return nv_no_memory(error);
    made->measure = measure;
    made->name = name;
    made->parts[made->part_count++] = ""; /* `others`, which is 0: that there are none says nothing of anybody */
    made->may_be_none = 1;
    made->is_amount = strcmp(measure, "attendance") == 0;
    return NV_OK;
}

/* report, line, measure, dimension, numerator, denominator, unknown, base, may_be_none, bounds, label_fr, label_en */
static enum nv_status take_indicator(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error)
{
    size_t dimension = 0;
    nv_parts sets[5] = {0};
    enum nv_status status = find_dimension(definitions, row, &dimension, error);
    for (int i = 0; status == NV_OK && i < 5; i++) {
        const char *names = nv_definitions_keep(definitions, row, 4 + i);
        status = names == NULL ? nv_no_memory(error) : take_set(definitions, dimension, names, &sets[i], error);
    }
    struct nv_indicator *made =
        status != NV_OK ? NULL : add(&definitions->indicators, &definitions->indicator_count, sizeof *made);
    if (made == NULL)
        return status != NV_OK ? status : nv_no_memory(error);
    *made = (struct nv_indicator){.report = nv_definitions_keep(definitions, row, 0),
                                  .line = nv_definitions_keep(definitions, row, 1),
                                  .label = keep_label(definitions, row, 10, 11),
                                  .dimension = dimension,
                                  .numerator = sets[0],
                                  .denominator = sets[1],
                                  .unknown = sets[2],
                                  .has_bounds = sqlite3_column_int(row, 9) != 0};
    if (made->report == NULL || made->line == NULL || made->label == NULL)
        return nv_no_memory(error);
    definitions->dimensions[dimension].base |= sets[3];
    definitions->dimensions[dimension].may_be_none |= sets[4];
    return NV_OK;
}

/* ---- units and groups ---- */

static int compare_units(const void *one, const void *other)
{
    const struct nv_unit *a = one, *b = other;
    int order = strcmp(a->place, b->place);
    if (order == 0)
        order = strcmp(a->programme, b->programme);
    return order != 0 ? order : strcmp(a->starts_on, b->starts_on);
}

size_t nv_unit_find(const struct nv_definitions *definitions, struct nv_unit unit)
{
    const struct nv_unit *found =
        definitions->unit_count == 0
            ? NULL
            : bsearch(&unit, definitions->units, definitions->unit_count, sizeof unit, compare_units);
    return found == NULL ? definitions->unit_count : (size_t)(found - definitions->units);
}

static enum nv_status take_unit(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_unit *unit = add(&definitions->units, &definitions->unit_count, sizeof *unit);
    if (unit == NULL || (unit->place = nv_definitions_keep(definitions, row, 0)) == NULL ||
        (unit->programme = nv_definitions_keep(definitions, row, 1)) == NULL ||
        (unit->starts_on = nv_definitions_keep(definitions, row, 2)) == NULL)
        return nv_no_memory(error);
    return NV_OK;
}

static enum nv_status add_group(struct nv_definitions *definitions, size_t split, unsigned rank, const char *code,
                                const char *label, struct nv_error *error)
{
    size_t count = definitions->group_count;
    struct nv_unit_group *members = add(&definitions->members, &count, sizeof *members);
    struct nv_group *group = add(&definitions->groups, &definitions->group_count, sizeof *group);
    if (members == NULL || group == NULL)
        return nv_no_memory(error);
    members->rank = rank;
    members->units = calloc(definitions->unit_count + 1, sizeof *members->units);
    *group = (struct nv_group){.code = code, .label = label, .split = split};
    return members->units == NULL || code == NULL || label == NULL ? nv_no_memory(error) : NV_OK;
}

/* A unit is in a group once, whatever a view says. */
static void add_member(struct nv_unit_group *group, size_t unit)
{
    uint32_t *units = (uint32_t *)group->units; /* ours until the definitions are read; ascending */
    size_t at = group->unit_count;
    while (at > 0 && units[at - 1] > unit)
        at--;
    if (at > 0 && units[at - 1] == unit)
        return;
    memmove(units + at + 1, units + at, (group->unit_count++ - at) * sizeof *units);
    units[at] = (uint32_t)unit;
}

static enum nv_status begin_groups(struct nv_definitions *definitions, struct nv_error *error)
{
    definitions->splits[definitions->split_count++] = "";
    enum nv_status status = add_group(definitions, 0, 0, "", "", error);
    for (size_t i = 0; status == NV_OK && i < definitions->unit_count; i++)
        add_member(&definitions->members[NV_EVERYBODY], i);
    return status;
}

/* place, programme, starts_on, rank, split, code, label: ordered by rank, split, code */
static enum nv_status take_member(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_unit unit = {(const char *)sqlite3_column_text(row, 0), (const char *)sqlite3_column_text(row, 1),
                           (const char *)sqlite3_column_text(row, 2)};
    const char *split = (const char *)sqlite3_column_text(row, 4), *code = (const char *)sqlite3_column_text(row, 5);
    if (unit.place == NULL || unit.programme == NULL || unit.starts_on == NULL || split == NULL || code == NULL)
        return NV_OK;
    size_t number = nv_unit_find(definitions, unit), at = definitions->split_count - 1;
    if (number == definitions->unit_count)
        return NV_OK; /* written just now */
    if (strcmp(definitions->splits[at], split) != 0) {
        if (definitions->split_count == NV_SPLITS_MOST)
            return nv_fail(error, NV_REFUSED, "the view course_group has over %d splits", NV_SPLITS_MOST - 1);
        definitions->splits[++at] = nv_definitions_keep(definitions, row, 4);
        definitions->split_count++;
        if (definitions->splits[at] == NULL)
            return nv_no_memory(error);
    }
    const struct nv_group *last = &definitions->groups[definitions->group_count - 1];
    enum nv_status status = NV_OK;
    if (last->split != at || strcmp(last->code, code) != 0)
        status = add_group(definitions, at, (unsigned)sqlite3_column_int(row, 3),
                           nv_definitions_keep(definitions, row, 5), nv_definitions_keep(definitions, row, 6), error);
    if (status == NV_OK)
        add_member(&definitions->members[definitions->group_count - 1], number);
    return status;
}

/* ---- costs and aims ---- */

/* A line of people: amounts are neither divided by amounts nor aimed at. */
static size_t find_indicator(const struct nv_definitions *definitions, sqlite3_stmt *row, int column)
{
    const char *line = (const char *)sqlite3_column_text(row, column);
    size_t i = 0;
    while (i < definitions->indicator_count &&
           (line == NULL || strcmp(definitions->indicators[i].line, line) != 0 ||
            definitions->dimensions[definitions->indicators[i].dimension].is_amount))
        i++;
    return i;
}

static enum nv_status take_cost(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_cost *cost = add(&definitions->costs, &definitions->cost_count, sizeof *cost);
    if (cost == NULL || (cost->line = nv_definitions_keep(definitions, row, 0)) == NULL ||
        (cost->label = keep_label(definitions, row, 2, 3)) == NULL)
        return nv_no_memory(error);
    cost->indicator = find_indicator(definitions, row, 1);
    return NV_OK;
}

static enum nv_status take_aim(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_aim *aim = add(&definitions->aims, &definitions->aim_count, sizeof *aim);
    if (aim == NULL || (aim->line = nv_definitions_keep(definitions, row, 0)) == NULL ||
        (aim->label = keep_label(definitions, row, 3, 4)) == NULL)
        return nv_no_memory(error);
    aim->indicator = find_indicator(definitions, row, 1);
    aim->target = sqlite3_column_int64(row, 2);
    return NV_OK;
}

/* ---- the whole ---- */

static enum nv_status check_reports(const struct nv_source *source, struct nv_error *error)
{
    int64_t views;
    enum nv_status status = nv_db_integer(nv_store_db(source->store),
                                          "SELECT count(*) FROM main.sqlite_master WHERE type = 'view' AND name IN "
                                          "('report', 'indicator', 'course_group', 'money', 'cost', 'aim')",
                                          0, &views, error);
    if (status == NV_OK && views < 6)
        return nv_fail(error, NV_NOT_FOUND, "the schema of this network has no reports");
    return status;
}

enum nv_status nv_definitions_read(const struct nv_source *source, struct nv_definitions *ret_definitions,
                                   struct nv_error *error)
{
    static const struct {
        const char *sql;
        enum nv_status (*take)(struct nv_definitions *definitions, sqlite3_stmt *row, struct nv_error *error);
    } views[] = {
        {"SELECT name, title_fr, title_en, note_fr, note_en FROM report", take_report},
        {"SELECT report, line, measure, dimension, numerator, denominator, unknown, base, may_be_none, bounds, "
         "label_fr, "
         "label_en FROM indicator",
         take_indicator},
        {"SELECT line, of_line, label_fr, label_en FROM cost", take_cost},
        {"SELECT line, of_line, target, label_fr, label_en FROM aim", take_aim},
        {"SELECT DISTINCT place, programme, starts_on FROM course_group ORDER BY 1, 2, 3", take_unit},
    };
    struct nv_definitions definitions = {0};
    enum nv_status status = check_reports(source, error);
    for (size_t i = 0; status == NV_OK && i < sizeof views / sizeof views[0]; i++)
        status = each_row(source, &definitions, views[i].sql, views[i].take, error);
    if (status == NV_OK && definitions.dimension_count > 0 && definitions.dimensions[0].is_amount)
        status =
            nv_fail(error, NV_REFUSED, "the first line of the view indicator is of amounts: it has to be of people");
    if (status == NV_OK)
        status = begin_groups(&definitions, error);
    if (status == NV_OK)
        status = each_row(source, &definitions,
                          "SELECT place, programme, starts_on, rank, split, code, label FROM course_group "
                          "ORDER BY rank, split, code, place, programme, starts_on",
                          take_member, error);
    if (status == NV_OK)
        *ret_definitions = definitions;
    else
        nv_definitions_done(&definitions);
    return status;
}

void nv_definitions_done(struct nv_definitions *definitions)
{
    for (size_t i = 0; i < definitions->group_count; i++)
        free((void *)(uintptr_t)definitions->members[i].units);
    for (size_t i = 0; i < definitions->text_count; i++)
        free(definitions->texts[i]);
    free(definitions->members);
    free(definitions->groups);
    free(definitions->units);
    free(definitions->indicators);
    free(definitions->dimensions);
    free(definitions->reports);
    free(definitions->costs);
    free(definitions->aims);
    free(definitions->texts);
    *definitions = (struct nv_definitions){0};
}
