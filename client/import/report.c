#include "client/import/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/limits.h"
#include "client/language.h"

enum nv_status nv_report_init(struct nv_report *report, size_t column_count, struct nv_error *error)
{
    *report = (struct nv_report){.zeros = calloc(column_count, sizeof *report->zeros)};
    return report->zeros == NULL ? nv_no_memory(error) : NV_OK;
}

void nv_report_done(struct nv_report *report)
{
    for (size_t i = 0; i < report->kept; i++)
        free(report->problems[i].text);
    free(report->problems);
    free(report->zeros);
    *report = (struct nv_report){0};
}

bool nv_report_add_text(struct nv_report *report, uint64_t line, size_t cell, enum nv_problem problem,
                        struct nv_slice text)
{
    report->total++;
    if (report->kept == NV_IMPORT_KEPT)
        return true;
    /* The list grows at each power of two. */
    if ((report->kept & (report->kept - 1)) == 0) {
        size_t capacity = report->kept == 0 ? 1 : 2 * report->kept;
        struct nv_found_problem *grown = realloc(report->problems, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        report->problems = grown;
    }
    char *copy = strndup((const char *)text.data, text.size);
    if (copy == NULL)
        return false;
    report->problems[report->kept++] = (struct nv_found_problem){line, cell, problem, copy};
    return true;
}

bool nv_report_add(struct nv_report *report, uint64_t line, size_t cell, enum nv_problem problem, const char *format,
                   ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, _(format), arguments);
    va_end(arguments);
    if (size < 0)
        return false;
    bool kept = nv_report_add_text(report, line, cell, problem, (struct nv_slice){(const uint8_t *)text, (size_t)size});
    free(text);
    return kept;
}
