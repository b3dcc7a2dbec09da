/* A dossier as a page: nothing is loaded from elsewhere, and all that comes from records is escaped. */
#include <errno.h>
#include <string.h>

#include "client/export/export.h"
#include "client/language.h"

static const char head[] =
    "<style>\n"
    "body { font: 11pt/1.4 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #111; }\n"
    "h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #888; }\n"
    "h3 { font-size: 1em; margin-bottom: .3em; overflow-wrap: anywhere; } h4 { font-size: .9em; margin: .8em 0 .2em; "
    "}\n"
    "table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .15em .8em .15em 0; "
    "}\n"
    "th { font-weight: normal; color: #444; white-space: nowrap; } td { overflow-wrap: anywhere; white-space: "
    "pre-wrap; }\n"
    "section { break-inside: avoid; }\n"
    "@media print { body { margin: 0; max-width: none; font-size: 9pt; } }\n"
    "</style>\n";

static void put_escaped(FILE *file, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '&')
            fputs("&amp;", file);
        else if (byte == '<')
            fputs("&lt;", file);
        else if (byte == '>')
            fputs("&gt;", file);
        else if (byte == '"')
            fputs("&quot;", file);
        else if (byte >= ' ' || byte == '\n' || byte == '\t')
            fputc(byte, file);
    }
}

static void put_string(FILE *file, const char *string)
{
    if (string != NULL)
        put_escaped(file, string, strlen(string));
}

static void put_buffer(FILE *file, struct nv_buffer *text)
{
    if (text->size > 0)
        put_escaped(file, (const char *)text->data, text->size);
    nv_buffer_done(text);
}

static void put_value_row(FILE *file, const struct nv_sheet *sheet, const char *name, const json_t *value,
                          const char *note)
{
    const struct nv_sheet_column *column = nv_dossier_column(sheet, name);
    struct nv_buffer text = {0};
    nv_dossier_show(column, value, &text);
    fputs("<tr><th>", file);
    put_string(file, column != NULL ? nv_sheet_title(column) : name);
    fputs("</th><td>", file);
    put_buffer(file, &text);
    if (note != NULL) {
        fputs("</td><td>", file);
        put_string(file, note);
    }
    fputs("</td></tr>\n", file);
}

static void begin_part(FILE *file, const char *title)
{
    fputs("<h4>", file);
    put_string(file, title);
    fputs("</h4>\n<table>\n", file);
}

static void put_conflicts(FILE *file, const struct nv_sheet *sheet, const json_t *conflicts)
{
    size_t i, k;
    const json_t *conflict, *value;
    if (json_array_size(conflicts) == 0)
        return;
    begin_part(file, _("Written apart at several sites, and not settled yet:"));
    json_array_foreach(conflicts, i, conflict)
    {
        json_array_foreach(json_object_get(conflict, "values"), k, value)
            put_value_row(file, sheet, json_string_value(json_object_get(conflict, "field")),
                          json_object_get(value, "value"), json_string_value(json_object_get(value, "site")));
    }
    fputs("</table>\n", file);
}

static void put_set_aside(FILE *file, const struct nv_sheet *sheet, const json_t *set_aside)
{
    size_t i;
    const json_t *entry;
    if (json_array_size(set_aside) == 0)
        return;
    begin_part(file, _("Set aside, because no row could hold it:"));
    json_array_foreach(set_aside, i, entry) put_value_row(
        file, sheet, json_string_value(json_object_get(entry, "field")), json_object_get(entry, "value"), NULL);
    fputs("</table>\n", file);
}

static void put_what(FILE *file, const struct nv_sheet *sheet, json_t *entry)
{
    const char *name, *kind = json_string_value(json_object_get(entry, "kind"));
    json_t *value;
    bool is_first = true;
    if (json_is_true(json_object_get(entry, "redacted")))
        put_string(file, _("the content was erased"));
    else if (kind != NULL && strcmp(kind, "delete") == 0)
        put_string(file, _("the record was deleted"));
    json_object_foreach(json_object_get(entry, "fields"), name, value)
    {
        const struct nv_sheet_column *column = nv_dossier_column(sheet, name);
        struct nv_buffer text = {0};
        nv_dossier_show(column, value, &text);
        fputs(is_first ? "" : "\n", file);
        put_string(file, column != NULL ? nv_sheet_title(column) : name);
        fputs(_(": "), file);
        put_buffer(file, &text);
        is_first = false;
    }
}

static void put_history(FILE *file, const struct nv_sheet *sheet, const json_t *history)
{
    size_t i;
    json_t *entry;
    if (json_array_size(history) == 0)
        return;
    begin_part(file, _("Who wrote what, and when:"));
    json_array_foreach(history, i, entry)
    {
        struct nv_buffer time = {0};
        nv_dossier_show_time(json_object_get(entry, "time_ms"), &time);
        fputs("<tr><th>", file);
        put_buffer(file, &time);
        fputs("</th><th>", file);
        put_string(file, json_string_value(json_object_get(entry, "site")));
        fputs("</th><td>", file);
        put_what(file, sheet, entry);
        fputs("</td></tr>\n", file);
    }
    fputs("</table>\n", file);
}

static void put_record(FILE *file, const struct nv_sheet *sheet, const json_t *record)
{
    const json_t *fields = json_object_get(record, "fields");
    fputs("<section>\n<h3>", file);
    put_string(file, json_string_value(json_object_get(record, "key")));
    if (!json_is_true(json_object_get(record, "is_in_table")))
        put_string(file, _(" (not in the table any more)"));
    fputs("</h3>\n<table>\n", file);
    for (size_t i = 0; i < sheet->count; i++) {
        const json_t *value = json_object_get(fields, sheet->columns[i].name);
        if (value != NULL && !json_is_null(value))
            put_value_row(file, sheet, sheet->columns[i].name, value, NULL);
    }
    fputs("</table>\n", file);
    put_conflicts(file, sheet, json_object_get(record, "conflicts"));
    put_set_aside(file, sheet, json_object_get(record, "set_aside"));
    put_history(file, sheet, json_object_get(record, "history"));
    fputs("</section>\n", file);
}

enum nv_status nv_dossier_write_html(const struct nv_dossier *dossier, FILE *file, struct nv_error *error)
{
    struct nv_buffer time = {0};
    size_t i, k;
    const json_t *section, *record;
    nv_dossier_show_time(json_object_get(dossier->json, "made_ms"), &time);
    fprintf(file, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
            nv_is_french() ? "fr" : "en");
    put_string(file, json_string_value(json_object_get(dossier->json, "table")));
    fprintf(file, "</title>\n%s</head>\n<body>\n<h1>", head);
    put_string(file, _("All that is held on this record"));
    fputs("</h1>\n<p>", file);
    put_string(file, json_string_value(json_object_get(dossier->json, "site")));
    fputs(", ", file);
    put_buffer(file, &time);
    fputs("</p>\n", file);
    json_array_foreach(json_object_get(dossier->json, "tables"), i, section)
    {
        fputs("<h2>", file);
        put_string(file, nv_sheet_name(&dossier->sheets[i]));
        fputs("</h2>\n", file);
        json_array_foreach(json_object_get(section, "records"), k, record)
            put_record(file, &dossier->sheets[i], record);
    }
    fputs("</body>\n</html>\n", file);
    return ferror(file) == 0 ? NV_OK : nv_fail(error, NV_IO, "the export could not be written: %s", strerror(errno));
}
