/* Values of a dossier, as people read them. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "client/export/export.h"
#include "client/output.h"
#include "client/tables/cell.h"

const struct nv_sheet_column *nv_dossier_column(const struct nv_sheet *sheet, const char *name)
{
    for (size_t i = 0; name != NULL && i < sheet->count; i++)
        if (strcmp(sheet->columns[i].name, name) == 0)
            return &sheet->columns[i];
    return NULL;
}

static const struct nv_sheet_column anything = {.name = ""};

void nv_dossier_show(const struct nv_sheet_column *column, const json_t *value, struct nv_buffer *text)
{
    struct nv_value shown = {.type = NV_NULL};
    if (json_is_integer(value))
        shown = (struct nv_value){.type = NV_INTEGER, .integer = json_integer_value(value)};
    else if (json_is_real(value))
        shown = (struct nv_value){.type = NV_REAL, .real = json_real_value(value)};
    else if (json_is_string(value))
        shown = (struct nv_value){.type = NV_TEXT,
                                  .bytes = {(const uint8_t *)json_string_value(value), json_string_length(value)}};
    if (json_is_null(value))
        nv_buffer_append(text, "-", 1);
    if (!json_is_object(value)) {
        nv_cell_show(column == NULL ? &anything : column, &shown, text);
        return;
    }
    /* What no text holds (a blob): as JSON has it. */
    char *dumped = json_dumps(value, JSON_COMPACT);
    text->failed |= dumped == NULL;
    if (dumped != NULL)
        nv_buffer_append(text, dumped, strlen(dumped));
    free(dumped);
}

void nv_dossier_show_time(const json_t *time_ms, struct nv_buffer *text)
{
    if (json_is_integer(time_ms))
        nv_show_time(text, (struct nv_wall_ms){json_integer_value(time_ms)});
}
