/* A dossier as text. */
#include <errno.h>
#include <string.h>

#include "client/export/export.h"
#include "client/language.h"
#include "client/output.h"

static void put_shown(FILE *file, const struct nv_buffer *text)
{
    struct nv_buffer safe = {0};
    nv_show_bytes(&safe, nv_buffer_slice(text));
    if (safe.size > 0)
        fwrite(safe.data, 1, safe.size, file);
    nv_buffer_done(&safe);
}

static void put_string(FILE *file, const char *string)
{
    struct nv_buffer text = {0};
    if (string != NULL)
        nv_buffer_append(&text, string, strlen(string));
    put_shown(file, &text);
    nv_buffer_done(&text);
}

static const char *title_of(const struct nv_sheet_column *column, const char *name)
{
    return column != NULL ? nv_sheet_title(column) : name != NULL ? name : "-";
}

static void put_value(FILE *file, const struct nv_sheet *sheet, const char *name, const json_t *value)
{
    const struct nv_sheet_column *column = nv_dossier_column(sheet, name);
    struct nv_buffer text = {0};
    nv_dossier_show(column, value, &text);
    put_string(file, title_of(column, name));
    fputs(_(": "), file);
    put_shown(file, &text);
    nv_buffer_done(&text);
}

static void put_when(FILE *file, const json_t *entry)
{
    struct nv_buffer time = {0};
    const char *site = json_string_value(json_object_get(entry, "site"));
    nv_dossier_show_time(json_object_get(entry, "time_ms"), &time);
    put_shown(file, &time);
    nv_buffer_done(&time);
    fputs("  ", file);
    put_string(file, site);
}

static void put_conflicts(FILE *file, const struct nv_sheet *sheet, const json_t *conflicts)
{
    size_t i, k;
    const json_t *conflict, *value;
    if (json_array_size(conflicts) > 0)
        fprintf(file, "  %s\n", _("Written apart at several sites, and not settled yet:"));
    json_array_foreach(conflicts, i, conflict)
    {
        const char *field = json_string_value(json_object_get(conflict, "field"));
        json_array_foreach(json_object_get(conflict, "values"), k, value)
        {
            fputs("    ", file);
            put_value(file, sheet, field, json_object_get(value, "value"));
            fputs("  ", file);
            put_when(file, value);
            fputc('\n', file);
        }
    }
}

static void put_set_aside(FILE *file, const struct nv_sheet *sheet, const json_t *set_aside)
{
    size_t i;
    const json_t *entry;
    if (json_array_size(set_aside) > 0)
        fprintf(file, "  %s\n", _("Set aside, because no row could hold it:"));
    json_array_foreach(set_aside, i, entry)
    {
        fputs("    ", file);
        put_value(file, sheet, json_string_value(json_object_get(entry, "field")), json_object_get(entry, "value"));
        fputs("  ", file);
        put_when(file, entry);
        fputc('\n', file);
    }
}

static void put_history(FILE *file, const struct nv_sheet *sheet, json_t *history)
{
    size_t i;
    json_t *entry, *value;
    const char *name;
    if (json_array_size(history) > 0)
        fprintf(file, "  %s\n", _("Who wrote what, and when:"));
    json_array_foreach(history, i, entry)
    {
        const char *kind = json_string_value(json_object_get(entry, "kind"));
        fputs("    ", file);
        put_when(file, entry);
        if (json_is_true(json_object_get(entry, "redacted")))
            fprintf(file, "  %s", _("the content was erased"));
        else if (kind != NULL && strcmp(kind, "delete") == 0)
            fprintf(file, "  %s", _("the record was deleted"));
        json_object_foreach(json_object_get(entry, "fields"), name, value)
        {
            fputs("  ", file);
            put_value(file, sheet, name, value);
        }
        fputc('\n', file);
    }
}

static void put_fields(FILE *file, const struct nv_sheet *sheet, const json_t *fields)
{
    for (size_t i = 0; i < sheet->count; i++) {
        const json_t *value = json_object_get(fields, sheet->columns[i].name);
        if (value == NULL || json_is_null(value))
            continue;
        fputs("  ", file);
        put_value(file, sheet, sheet->columns[i].name, value);
        fputc('\n', file);
    }
}

static void put_record(FILE *file, const struct nv_sheet *sheet, const json_t *record)
{
    fputc('\n', file);
    put_string(file, nv_sheet_name(sheet));
    fputc(' ', file);
    put_string(file, json_string_value(json_object_get(record, "key")));
    fputs(json_is_true(json_object_get(record, "is_in_table")) ? "" : _(" (not in the table any more)"), file);
    fputc('\n', file);
    put_fields(file, sheet, json_object_get(record, "fields"));
    put_conflicts(file, sheet, json_object_get(record, "conflicts"));
    put_set_aside(file, sheet, json_object_get(record, "set_aside"));
    put_history(file, sheet, json_object_get(record, "history"));
}

enum nv_status nv_dossier_write_text(const struct nv_dossier *dossier, FILE *file, struct nv_error *error)
{
    struct nv_buffer time = {0};
    size_t i, k;
    const json_t *section, *record;
    nv_dossier_show_time(json_object_get(dossier->json, "made_ms"), &time);
    nv_buffer_append_byte(&time, '\0');
    fprintf(file, _("All that the site %s holds on this record, %s"),
            json_string_value(json_object_get(dossier->json, "site")), time.failed ? "" : (const char *)time.data);
    fputc('\n', file);
    nv_buffer_done(&time);
    json_array_foreach(json_object_get(dossier->json, "tables"), i, section)
    {
        json_array_foreach(json_object_get(section, "records"), k, record)
            put_record(file, &dossier->sheets[i], record);
    }
    return ferror(file) == 0 ? NV_OK : nv_fail(error, NV_IO, "the export could not be written: %s", strerror(errno));
}
