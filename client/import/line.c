/* One line of the file: its cells become what it tells of each column. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/import.h"
#include "client/language.h"
#include "client/records.h"
#include "client/tables/cell.h"
#include "client/tables/fold.h"

static bool no_memory(struct nv_error *error)
{
    nv_no_memory(error);
    return false;
}

/* ---- refusing ---- */

/* "Header: what is wrong", after what was wrong before. */
static void say_refused(struct nv_import *import, size_t cell, const char *sentence)
{
    struct nv_buffer *said = &import->refused;
    nv_buffer_append(said, " | ", said->size == 0 ? 0 : 3);
    if (cell < import->mapping.source_count) {
        const char *title = import->mapping.sources[cell].title;
        nv_buffer_append(said, title, strlen(title));
        nv_buffer_append(said, _(": "), strlen(_(": ")));
    }
    nv_buffer_append(said, sentence, strlen(sentence));
}

bool nv_import_refuse(struct nv_import *import, size_t cell, enum nv_problem problem, struct nv_error *error,
                      const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, _(format), arguments);
    va_end(arguments);
    if (size < 0)
        return no_memory(error);
    say_refused(import, cell, text);
    bool kept = nv_report_add_text(&import->report, import->record->line, cell, problem,
                                   (struct nv_slice){(const uint8_t *)text, (size_t)size});
    free(text);
    return (kept && !import->refused.failed) || no_memory(error);
}

static bool refuse_value(struct nv_import *import, size_t cell, enum nv_problem problem,
                         const struct nv_sheet_column *column, struct nv_error *error)
{
    struct nv_buffer text = {0};
    nv_problem_say(problem, column, &text);
    nv_buffer_append_byte(&text, '\0');
    bool done =
        text.failed ? no_memory(error) : nv_import_refuse(import, cell, problem, error, "%s", (const char *)text.data);
    nv_buffer_done(&text);
    return done;
}

bool nv_import_refuse_cell(struct nv_import *import, size_t column, struct nv_error *error)
{
    const struct nv_told *told = &import->told[column];
    const struct nv_sheet_column *of = &import->mapping.sheet.columns[column];
    if (told->reading.problem == NV_NO_PARENT)
        return nv_import_refuse(import, told->cell, NV_NO_PARENT, error, "%s has no such record: enter that one first",
                                of->parent->name);
    if (told->reading.problem == NV_SEVERAL_PARENTS)
        return nv_import_refuse(import, told->cell, NV_SEVERAL_PARENTS, error,
                                "%s has several such records: give more columns of the one that is meant, or its key",
                                of->parent->name);
    return refuse_value(import, told->cell, told->reading.problem, of, error);
}

/* ---- reading ---- */

/* The cell without the apostrophe that keeps a spreadsheet from computing it. */
static struct nv_slice raw_cell(const struct nv_import *import, size_t cell)
{
    struct nv_slice raw = nv_csv_cell_at(&import->csv, import->record, cell);
    if (nv_is_guarded(raw))
        raw = (struct nv_slice){raw.data + 1, raw.size - 1};
    return raw;
}

static bool check_cells(struct nv_import *import, struct nv_error *error)
{
    size_t headers = import->mapping.source_count, count = import->record->count;
    if (count != headers)
        return nv_import_refuse(import, SIZE_MAX, count < headers ? NV_TOO_FEW_CELLS : NV_TOO_MANY_CELLS, error,
                                "this line has %zu cells, and the header line has %zu", count, headers);
    for (size_t i = 0; i < count; i++)
        if (import->mapping.sources[i].is_unnamed && nv_trim(raw_cell(import, i)).size > 0)
            return nv_import_refuse(import, SIZE_MAX, NV_NO_HEADER, error,
                                    "something stands in cell %zu, which has no header", i + 1);
    return true;
}

static bool read_own(struct nv_import *import, size_t column, struct nv_error *error)
{
    struct nv_told *told = &import->told[column];
    size_t cell = import->mapping.own[column];
    *told = (struct nv_told){.cell = cell};
    if (cell == SIZE_MAX)
        return true;
    told->is_given = true;
    told->raw = raw_cell(import, cell);
    return nv_value_read(&import->mapping.sheet.columns[column], nv_trim(told->raw),
                         import->mapping.sources[cell].is_stored_form, &import->arena, &told->reading) ||
           no_memory(error);
}

/* What the line says of the record that the column references: *ret_first is the first cell that says something, or
 * could; *ret_described whether any does. */
static bool read_description(struct nv_import *import, size_t column, struct nv_described *described, size_t *ret_first,
                             bool *ret_described, struct nv_error *error)
{
    const struct nv_mapping *mapping = &import->mapping;
    *ret_first = SIZE_MAX;
    *ret_described = false;
    for (size_t i = 0; i < mapping->source_count; i++) {
        const struct nv_source *source = &mapping->sources[i];
        if (source->target != NV_PARENT_COLUMN || source->column != column)
            continue;
        const struct nv_sheet_column *of_parent = &mapping->parents[column].columns[source->parent_column];
        struct nv_slice cell = nv_trim(raw_cell(import, i));
        struct nv_reading reading;
        if (!nv_value_read(of_parent, cell, false, &import->arena, &reading))
            return no_memory(error);
        if (reading.problem != NV_NO_PROBLEM && !refuse_value(import, i, reading.problem, of_parent, error))
            return false;
        if (*ret_first == SIZE_MAX || (cell.size > 0 && !*ret_described))
            *ret_first = i;
        *ret_described |= cell.size > 0;
        described->given[source->parent_column] = cell.size > 0;
        described->values[source->parent_column] = reading.value;
    }
    return true;
}

/* The key of the record that the line describes, where it gives no key. */
static bool read_parent(struct nv_import *import, size_t column, struct nv_error *error)
{
    struct nv_told *told = &import->told[column];
    struct nv_described described = {0};
    size_t first;
    bool is_described;
    if (!nv_mapping_has_parent(&import->mapping, column) || (told->is_given && told->reading.value.type != NV_NULL))
        return true;
    if (!read_description(import, column, &described, &first, &is_described, error))
        return false;
    if (import->refused.size > 0 || (told->is_given && !is_described))
        return true;
    *told = (struct nv_told){.is_given = true, .is_from_parent = true, .cell = first};
    return !is_described || nv_import_find_parent(import, column, &described, &told->reading, error);
}

bool nv_import_read_line(struct nv_import *import, struct nv_error *error)
{
    nv_arena_reset(&import->arena);
    nv_buffer_clear(&import->refused);
    nv_buffer_clear(&import->key);
    import->is_found = false;
    if (!check_cells(import, error))
        return false;
    for (size_t i = 0; import->refused.size == 0 && i < import->mapping.sheet.count; i++)
        if (!read_own(import, i, error))
            return false;
    for (size_t i = 0; import->refused.size == 0 && i < import->mapping.sheet.count; i++)
        if (!read_parent(import, i, error))
            return false;
    return true;
}
