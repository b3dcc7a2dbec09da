/* What an import found and did, for people and for programs. */
#include <stdio.h>
#include <string.h>

#include "client/import/limits.h"
#include "client/import/run.h"
#include "client/language.h"
#include "client/output.h"
#include "client/words.h"

typedef unsigned long long number;

/* Whether something was refused and nothing of the file is in the store: the exit status says so. */
static bool is_all_refused(const struct nv_import *import, const struct nv_import_wishes *wishes)
{
    const struct nv_report *report = &import->report;
    bool has_rest = report->created + report->changed + report->same > 0;
    return report->total > 0 && (!wishes->skips_errors || !has_rest);
}

static void say_counts(const struct nv_import *import, const struct nv_import_outcome *outcome)
{
    const struct nv_report *report = &import->report;
    if (outcome->converted)
        nv_say(_("The file is in Windows-1252."));
    nv_say(NV_PLURAL("%llu line read", "%llu lines read", report->lines), (number)report->lines);
    if (outcome->is_written) {
        nv_say(NV_PLURAL("  %llu record made", "  %llu records made", report->created), (number)report->created);
        nv_say(
            NV_PLURAL("  %llu record changed (fields: %llu)", "  %llu records changed (fields: %llu)", report->changed),
            (number)report->changed, (number)report->fields);
    } else {
        nv_say(NV_PLURAL("  %llu record would be made", "  %llu records would be made", report->created),
               (number)report->created);
        nv_say(NV_PLURAL("  %llu record would change (fields: %llu)", "  %llu records would change (fields: %llu)",
                         report->changed),
               (number)report->changed, (number)report->fields);
    }
    nv_say(NV_PLURAL("  %llu line says what stands already", "  %llu lines say what stands already", report->same),
           (number)report->same);
    nv_say(NV_PLURAL("  %llu line refused", "  %llu lines refused", report->refused), (number)report->refused);
}

static void say_wrong_keys(const struct nv_report *report)
{
    enum { SHOWN = sizeof report->first_wrong / sizeof *report->first_wrong };
    char lines[SHOWN * 24 + 8] = "";
    for (size_t i = 0, at = 0; i < report->wrong_keys && i < SHOWN; i++)
        at += (size_t)snprintf(lines + at, sizeof lines - at, "%s%llu", i == 0 ? "" : ", ",
                               (number)report->first_wrong[i]);
    if (report->wrong_keys > SHOWN)
        strcat(lines, ", …");
    nv_say(NV_PLURAL("%llu line has a SIRET whose check digit is wrong (a digit may be mistyped); it is taken: line %s",
                     "%llu lines have a SIRET whose check digit is wrong (a digit may be mistyped); they are taken: "
                     "lines %s",
                     report->wrong_keys),
           (number)report->wrong_keys, lines);
}

static void say_mended(const struct nv_import *import)
{
    const struct nv_report *report = &import->report;
    for (size_t i = 0; i < import->mapping.sheet.count; i++)
        if (report->zeros[i] > 0)
            nv_say(NV_PLURAL("%s: %llu value gets back the zeros that a spreadsheet dropped before it",
                             "%s: %llu values get back the zeros that a spreadsheet dropped before them",
                             report->zeros[i]),
                   nv_sheet_title(&import->mapping.sheet.columns[i]), (number)report->zeros[i]);
    if (report->wrong_keys > 0)
        say_wrong_keys(report);
}

static const char *header_of(const struct nv_import *import, const struct nv_found_problem *found)
{
    return found->cell < import->mapping.source_count ? import->mapping.sources[found->cell].title : NULL;
}

static void say_known(const struct nv_import *import)
{
    struct nv_buffer known = {0};
    nv_mapping_show_known(&import->mapping, &known);
    nv_buffer_append_byte(&known, '\0');
    if (!known.failed)
        nv_say(_("The table has: %s"), (const char *)known.data);
    nv_say(_("Name the column of a header in a map file (Header = column, or Header = - to leave it out): --map FILE"));
    nv_buffer_done(&known);
}

static void say_problems(const struct nv_import *import)
{
    const struct nv_report *report = &import->report;
    bool has_unknown = false;
    for (size_t i = 0; i < report->kept && i < NV_IMPORT_SHOWN; i++) {
        const struct nv_found_problem *found = &report->problems[i];
        const char *header = header_of(import, found);
        has_unknown |= found->problem == NV_UNKNOWN_HEADER;
        if (header == NULL)
            nv_say(_("line %llu: %s"), (number)found->line, found->text);
        else
            nv_say(_("line %llu, %s: %s"), (number)found->line, header, found->text);
    }
    if (report->total > NV_IMPORT_SHOWN)
        nv_say(NV_PLURAL("… and %llu more mistake", "… and %llu more mistakes", report->total - NV_IMPORT_SHOWN),
               (number)(report->total - NV_IMPORT_SHOWN));
    if (has_unknown)
        say_known(import);
}

/* Before anything is written: which header is taken for which column. */
static void say_headers(const struct nv_import *import)
{
    const struct nv_mapping *mapping = &import->mapping;
    for (size_t i = 0; i < mapping->source_count; i++) {
        const struct nv_source *source = &mapping->sources[i];
        const char *title = nv_sheet_title(&mapping->sheet.columns[source->column]);
        if (source->is_unnamed)
            continue;
        if (source->target == NV_LEFT_OUT)
            nv_say(_("%s -> left out"), source->title);
        else if (source->target == NV_OWN_COLUMN)
            nv_say("%s -> %s", source->title, title);
        else
            nv_say(_("%s -> %s: %s"), source->title, title,
                   nv_sheet_title(&mapping->parents[source->column].columns[source->parent_column]));
    }
}

enum nv_status nv_import_say(const struct nv_import *import, const struct nv_import_wishes *wishes,
                             const struct nv_import_outcome *outcome, struct nv_error *error)
{
    const struct nv_report *report = &import->report;
    if (wishes->is_trial)
        say_headers(import);
    say_problems(import);
    if (report->total > 0 && report->refused == 0)
        return nv_fail(error, NV_REFUSED, "nothing was imported: the header line has to be mended first");
    say_counts(import, outcome);
    say_mended(import);
    if (outcome->rejected[0] != '\0')
        nv_say(_("The refused lines are in %s: mend them there, and import that file."), outcome->rejected);
    if (is_all_refused(import, wishes) && wishes->skips_errors)
        return nv_fail(error, NV_REFUSED, "nothing was imported: no line could be taken");
    if (is_all_refused(import, wishes))
        return nv_fail(
            error, NV_REFUSED,
            "nothing was imported: mend the lines that are refused, or import the others with --skip-errors");
    if (wishes->is_trial)
        nv_say(_("This was a trial: nothing was written."));
    return NV_OK;
}

/* ---- JSON ---- */

static json_t *problems_json(const struct nv_import *import)
{
    json_t *list = json_array();
    for (size_t i = 0; i < import->report.kept; i++) {
        const struct nv_found_problem *found = &import->report.problems[i];
        json_array_append_new(
            list, json_pack("{s:I, s:o, s:o, s:s, s:o}", "line", (json_int_t)found->line, "column",
                            found->cell == SIZE_MAX ? json_null() : json_integer((json_int_t)found->cell + 1), "header",
                            nv_json_text(header_of(import, found)), "problem", nv_problem_word(found->problem), "text",
                            nv_json_text(found->text)));
    }
    return list;
}

static json_t *zeros_json(const struct nv_import *import)
{
    json_t *zeros = json_object();
    for (size_t i = 0; i < import->mapping.sheet.count; i++)
        if (import->report.zeros[i] > 0)
            json_object_set_new(zeros, import->mapping.sheet.columns[i].name,
                                json_integer((json_int_t)import->report.zeros[i]));
    return zeros;
}

enum nv_status nv_import_say_json(const struct nv_import *import, const struct nv_import_wishes *wishes,
                                  const struct nv_import_outcome *outcome, struct nv_error *error)
{
    const struct nv_report *report = &import->report;
    const char separator[] = {import->csv.separator, '\0'};
    enum nv_status status = nv_print_json(
        json_pack("{s:s, s:b, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:I, s:o}", "table",
                  import->mapping.sheet.table->name, "written", (int)outcome->is_written, "dry_run",
                  (int)wishes->is_trial, "encoding", outcome->converted ? "windows-1252" : "utf-8", "separator",
                  separator, "lines", (json_int_t)report->lines, "created", (json_int_t)report->created, "changed",
                  (json_int_t)report->changed, "fields", (json_int_t)report->fields, "same", (json_int_t)report->same,
                  "refused", (json_int_t)report->refused, "zeros_put_back", zeros_json(import), "wrong_check_digits",
                  (json_int_t)report->wrong_keys, "rejected_file",
                  nv_json_text(outcome->rejected[0] == '\0' ? NULL : outcome->rejected), "problem_count",
                  (json_int_t)report->total, "problems", problems_json(import)),
        error);
    return status == NV_OK && is_all_refused(import, wishes) ? NV_REFUSED : status;
}
