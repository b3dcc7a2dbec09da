/* The lines that were refused, as they were, with what is wrong in one more column: to be mended and imported again. */
#include <string.h>

#include "client/import/import.h"
#include "client/language.h"
#include "client/tables/cell.h"
#include "client/tables/fold.h"

/* A file of refused lines that is refused in part has such a column already. */
static bool is_for_mistakes(const struct nv_source *source)
{
    struct nv_slice title = {(const uint8_t *)source->title, strlen(source->title)};
    return source->target == NV_LEFT_OUT && (nv_fold_equal(title, "Erreur") || nv_fold_equal(title, "Error"));
}

static void append_line(struct nv_import *import, const struct nv_csv_record *record, struct nv_slice last)
{
    struct nv_buffer *file = &import->rejected;
    for (size_t i = 0; i < record->count; i++) {
        if (i < import->mapping.source_count && is_for_mistakes(&import->mapping.sources[i]))
            continue;
        nv_csv_cell(file, nv_csv_cell_at(&import->csv, record, i), import->csv.separator);
        nv_buffer_append_byte(file, (uint8_t)import->csv.separator);
    }
    nv_csv_cell(file, last, import->csv.separator);
    nv_buffer_append(file, "\r\n", 2);
}

void nv_import_reject_header(struct nv_import *import)
{
    const char *title = _("Error");
    nv_buffer_append(&import->rejected, "\xef\xbb\xbf", 3);
    append_line(import, &import->csv.records[0], (struct nv_slice){(const uint8_t *)title, strlen(title)});
}

void nv_import_reject(struct nv_import *import)
{
    append_line(import, import->record, nv_buffer_slice(&import->refused));
}
