#include "client/import/csv.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/limits.h"
#include "client/tables/fold.h"

/* What libcsv's callbacks, which cannot say no, note while one file is read. */
struct reading {
    struct nv_csv csv;
    size_t cell_capacity, record_capacity;
    uint64_t line;        /* the line that is read */
    uint64_t record_line; /* where the record began that is read */
    bool in_record;
    size_t first; /* its first cell */
    bool lost_memory, is_wide, is_long, has_many;
};

/* ---- the separator ---- */

static char tell_separator(struct nv_slice text)
{
    static const char candidates[] = ";\t,";
    size_t counts[3] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size && (quoted || (text.data[i] != '\n' && text.data[i] != '\r')); i++) {
        const char *found = strchr(candidates, text.data[i]);
        if (text.data[i] == '"')
            quoted = !quoted;
        else if (!quoted && found != NULL)
            counts[found - candidates]++;
    }
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

/* How many bytes a line `sep=;` takes at the beginning; 0 where there is none. */
static size_t take_separator_line(struct nv_slice text, char *ret_separator)
{
    size_t size = 5;
    if (text.size < 6 || memcmp(text.data, "sep=", 4) != 0 || strchr(";,\t", text.data[4]) == NULL)
        return 0;
    size += text.data[size] == '\r';
    if (size >= text.size || text.data[size] != '\n')
        return 0;
    *ret_separator = (char)text.data[4];
    return size + 1;
}

/* ---- libcsv's callbacks ---- */

static void *grow(void *array, size_t item, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity == 0 ? 256 : *capacity * 2;
    void *grown = realloc(array, wanted * item);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

static void take_cell(void *data, size_t size, void *context)
{
    struct reading *reading = context;
    struct nv_csv *csv = &reading->csv;
    reading->is_long |= size > NV_IMPORT_CELL_BYTES;
    reading->is_wide |= csv->cell_count - reading->first >= NV_IMPORT_COLUMNS;
    reading->has_many |= csv->cell_count >= NV_IMPORT_CELLS;
    if (reading->is_long || reading->is_wide || reading->has_many || reading->lost_memory)
        return;
    size_t *ends = grow(csv->ends, sizeof *ends, csv->cell_count, &reading->cell_capacity);
    if (ends != NULL)
        csv->ends = ends;
    nv_buffer_append(&csv->text, data, size);
    reading->lost_memory |= ends == NULL || csv->text.failed;
    if (!reading->lost_memory)
        ends[csv->cell_count++] = csv->text.size;
}

static bool is_blank_record(const struct nv_csv *csv, const struct nv_csv_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (nv_trim(nv_csv_cell_at(csv, record, i)).size > 0)
            return false;
    return true;
}

static void end_record(int character, void *context)
{
    struct reading *reading = context;
    struct nv_csv *csv = &reading->csv;
    (void)character;
    struct nv_csv_record record = {reading->record_line, reading->first, csv->cell_count - reading->first};
    reading->in_record = false;
    reading->first = csv->cell_count;
    if (reading->lost_memory || is_blank_record(csv, &record))
        return;
    reading->has_many |= csv->record_count > NV_IMPORT_RECORDS;
    struct nv_csv_record *records = grow(csv->records, sizeof *records, csv->record_count, &reading->record_capacity);
    reading->lost_memory |= records == NULL;
    if (records == NULL || reading->has_many)
        return;
    csv->records = records;
    csv->records[csv->record_count++] = record;
}

/* ---- reading ---- */

/* The size of the line at `at`, with its end: \n, \r\n or \r. */
static size_t line_size(const uint8_t *at, size_t left)
{
    size_t size = 0;
    while (size < left && at[size] != '\n' && at[size] != '\r')
        size++;
    if (size + 1 < left && at[size] == '\r' && at[size + 1] == '\n')
        size++;
    return size < left ? size + 1 : size;
}

/* A line that libcsv passes over where no record is open. */
static bool is_blank_line(const uint8_t *at, size_t size, char separator)
{
    for (size_t i = 0; i < size; i++)
        if (strchr(" \t\r\n", at[i]) == NULL || at[i] == (uint8_t)separator)
            return false;
    return true;
}

static enum nv_status check(const struct reading *reading, const struct csv_parser *parser, const char *path,
                            struct nv_error *error)
{
    unsigned long long line = reading->record_line;
    if (reading->lost_memory)
        return nv_no_memory(error);
    if (reading->is_long || parser->entry_pos > NV_IMPORT_CELL_BYTES)
        return nv_fail(error, NV_REFUSED,
                       "%s: a cell of line %llu is longer than %u characters: is a quotation mark missing there?", path,
                       line, NV_IMPORT_CELL_BYTES);
    if (reading->is_wide)
        return nv_fail(error, NV_REFUSED, "%s: line %llu has more than %u cells", path, line, NV_IMPORT_COLUMNS);
    if (reading->has_many)
        return nv_fail(error, NV_REFUSED, "%s has too many lines: at most %u are imported at once: make several files",
                       path, NV_IMPORT_RECORDS);
    return NV_OK;
}

/* Line by line, so that each record's line is known, and in pieces, so that a cell without end is seen in time. */
static enum nv_status feed(struct reading *reading, struct csv_parser *parser, const char *path, struct nv_slice text,
                           struct nv_error *error)
{
    enum { PIECE = 16 << 10 };
    enum nv_status status = NV_OK;
    size_t at = 0;
    while (status == NV_OK && at < text.size) {
        size_t left = line_size(text.data + at, text.size - at);
        if (!reading->in_record && !is_blank_line(text.data + at, left, reading->csv.separator)) {
            reading->in_record = true;
            reading->record_line = reading->line;
        }
        for (size_t size; status == NV_OK && left > 0; at += size, left -= size) {
            size = left < PIECE ? left : PIECE;
            if (csv_parse(parser, text.data + at, size, take_cell, end_record, reading) != size)
                return nv_no_memory(error);
            status = check(reading, parser, path, error);
        }
        reading->line++;
    }
    /* Quotation marks within words are let pass, and one that is never closed is not: libcsv wants both words for that.
     */
    csv_set_opts(parser, CSV_STRICT | CSV_STRICT_FINI);
    if (status == NV_OK && csv_fini(parser, take_cell, end_record, reading) != 0)
        return nv_fail(error, NV_REFUSED,
                       "%s: a quotation mark is opened in line %llu and never closed: is the file cut short?", path,
                       (unsigned long long)reading->record_line);
    return status == NV_OK ? check(reading, parser, path, error) : status;
}

enum nv_status nv_csv_read(const char *path, struct nv_slice text, struct nv_csv *ret_csv, struct nv_error *error)
{
    struct reading reading = {.line = 1};
    struct csv_parser parser;
    if (csv_init(&parser, 0) != 0)
        return nv_no_memory(error);
    csv_set_blk_size(&parser, 4096);
    size_t skipped = take_separator_line(text, &reading.csv.separator);
    text = (struct nv_slice){text.data + skipped, text.size - skipped};
    if (skipped > 0)
        reading.line++;
    else
        reading.csv.separator = tell_separator(text);
    csv_set_delim(&parser, (unsigned char)reading.csv.separator);
    enum nv_status status = feed(&reading, &parser, path, text, error);
    if (status == NV_OK && reading.csv.record_count == 0)
        status = nv_fail(error, NV_REFUSED, "%s is empty", path);
    csv_free(&parser);
    if (status != NV_OK)
        nv_csv_done(&reading.csv);
    else
        *ret_csv = reading.csv;
    return status;
}

void nv_csv_done(struct nv_csv *csv)
{
    nv_buffer_done(&csv->text);
    free(csv->ends);
    free(csv->records);
    *csv = (struct nv_csv){0};
}

struct nv_slice nv_csv_cell_at(const struct nv_csv *csv, const struct nv_csv_record *record, size_t cell)
{
    size_t place = record->first + cell, begin = place == 0 ? 0 : csv->ends[place - 1];
    return (struct nv_slice){csv->text.data + begin, csv->ends[place] - begin};
}
