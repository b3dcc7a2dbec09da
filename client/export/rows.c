/* A table's rows as CSV: UTF-8 with a byte order mark, semicolons, and the line ends that spreadsheets write. */
#include <errno.h>
#include <string.h>

#include "client/export/export.h"
#include "client/records.h"
#include "client/tables/cell.h"
#include "store/db.h"

static void append_cell(struct nv_buffer *line, bool is_first, bool guards, struct nv_slice text)
{
    struct nv_buffer guarded = {0};
    if (!is_first)
        nv_buffer_append_byte(line, ';');
    if (guards && nv_needs_guard(text)) {
        nv_buffer_append_byte(&guarded, '\'');
        nv_buffer_append(&guarded, text.data, text.size);
        text = nv_buffer_slice(&guarded);
    }
    nv_csv_cell(line, text, ';');
    line->failed |= guarded.failed;
    nv_buffer_done(&guarded);
}

static enum nv_status write_line(struct nv_buffer *line, FILE *file, struct nv_error *error)
{
    nv_buffer_append(line, "\r\n", 2);
    if (line->failed)
        return nv_no_memory(error);
    if (fwrite(line->data, 1, line->size, file) != line->size)
        return nv_fail(error, NV_IO, "the export could not be written: %s", strerror(errno));
    nv_buffer_clear(line);
    return NV_OK;
}

/* The column's label, or its name: where that is wanted, and where the label means another column. Under its own name a
 * column's values are as they are stored. */
static const char *header_of(const struct nv_sheet *sheet, size_t column, bool codes)
{
    const char *title = nv_sheet_title(&sheet->columns[column]);
    struct nv_slice header = {(const uint8_t *)title, strlen(title)};
    return codes || nv_sheet_find(sheet, header) != column ? sheet->columns[column].name : title;
}

/* Only text can be a formula: a number below zero stays one. */
static enum nv_status write_row(sqlite3_stmt *row, const struct nv_sheet *sheet, const char *const *headers,
                                struct nv_buffer *line, FILE *file, struct nv_error *error)
{
    struct nv_buffer text = {0};
    for (size_t i = 0; i < sheet->count; i++) {
        struct nv_value value = nv_db_value(row, (int)i);
        nv_buffer_clear(&text);
        if (headers[i] == sheet->columns[i].name)
            nv_cell_show_stored(&value, &text);
        else
            nv_cell_show(&sheet->columns[i], &value, &text);
        append_cell(line, i == 0, value.type == NV_TEXT, nv_buffer_slice(&text));
        line->failed |= text.failed;
    }
    nv_buffer_done(&text);
    return write_line(line, file, error);
}

static enum nv_status write_headers(const struct nv_sheet *sheet, const char *const *headers, struct nv_buffer *line,
                                    FILE *file, struct nv_error *error)
{
    nv_buffer_append(line, "\xef\xbb\xbf", 3);
    for (size_t i = 0; i < sheet->count; i++)
        append_cell(line, i == 0, false, (struct nv_slice){(const uint8_t *)headers[i], strlen(headers[i])});
    return write_line(line, file, error);
}

enum nv_status nv_export_rows(struct nv_store *store, const struct nv_table *table, bool codes, FILE *file,
                              struct nv_error *error)
{
    struct nv_sheet sheet;
    struct nv_buffer line = {0};
    const char *headers[NV_SHEET_COLUMNS];
    bool row;
    enum nv_status status = nv_sheet_open(store, table, &sheet, error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0; i < sheet.count; i++)
        headers[i] = header_of(&sheet, i, codes);
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(store));
    for (size_t i = 0; i < sheet.count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "SELECT " : ", ", sheet.columns[i].name);
    sqlite3_str_appendf(sql, " FROM main.\"%w\" ORDER BY ", table->name);
    nv_sql_key_columns(sql, table);
    sqlite3_stmt *rows = nv_prepare_built(store, sql, error);
    status = rows == NULL ? error->status : write_headers(&sheet, headers, &line, file, error);
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row)
        status = write_row(rows, &sheet, headers, &line, file, error);
    sqlite3_finalize(rows);
    nv_buffer_done(&line);
    nv_sheet_done(&sheet);
    return status;
}
