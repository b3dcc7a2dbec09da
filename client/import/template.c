/* An empty file for a table: its headers, as a spreadsheet opens them right. */
#include <stdio.h>
#include <string.h>

#include "client/import/run.h"
#include "client/language.h"
#include "client/records.h"
#include "client/tables/cell.h"

static void append_header(struct nv_buffer *line, const char *first, const char *second)
{
    struct nv_buffer header = {0};
    nv_buffer_append(&header, first, strlen(first));
    if (second != NULL) {
        nv_buffer_append(&header, nv_is_french() ? " : " : ": ", nv_is_french() ? 3 : 2);
        nv_buffer_append(&header, second, strlen(second));
    }
    nv_buffer_append_byte(line, ';');
    nv_csv_cell(line, nv_buffer_slice(&header), ';');
    line->failed |= header.failed;
    nv_buffer_done(&header);
}

/* A record whose key means nothing is referenced by what it is known by. */
static void append_column(struct nv_buffer *line, const struct nv_mapping *mapping, size_t column)
{
    const struct nv_sheet *sheet = &mapping->sheet, *parent = &mapping->parents[column];
    const char *title = nv_sheet_title(&sheet->columns[column]);
    if (sheet->columns[column].is_key && nv_sheet_hides_key(sheet))
        return;
    if (parent->count == 0 || !nv_sheet_hides_key(parent)) {
        append_header(line, title, NULL);
        return;
    }
    for (size_t i = 0; i < parent->count; i++)
        if (parent->columns[i].is_telling)
            append_header(line, title, nv_sheet_title(&parent->columns[i]));
}

enum nv_status nv_import_template(struct nv_store *store, const char *name, struct nv_error *error)
{
    const struct nv_table *table;
    struct nv_mapping mapping = {0};
    struct nv_buffer line = {0};
    enum nv_status status = nv_find_table(store, name, &table, error);
    if (status == NV_OK)
        status = nv_mapping_open(store, table, &mapping, error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0; i < mapping.sheet.count; i++)
        append_column(&line, &mapping, i);
    if (line.failed)
        status = nv_no_memory(error);
    else /* without the separator before the first header */
        printf("\xef\xbb\xbf%.*s\r\n", (int)line.size - 1, (const char *)line.data + 1);
    nv_buffer_done(&line);
    nv_mapping_done(&mapping);
    return status;
}
