/* What an import found and did, gathered while the file is read. */
#pragma once

#include "client/import/problems.h"

struct nv_found_problem {
    uint64_t line;
    size_t cell; /* of the line, from 0; SIZE_MAX: the line as a whole */
    enum nv_problem problem;
    char *text;
};

struct nv_report {
    struct nv_found_problem *problems; /* the first NV_IMPORT_KEPT */
    size_t kept, total;
    uint64_t lines, created, changed, fields, same, refused;
    uint64_t *zeros;          /* for each column of the sheet: cells whose zeros were put back */
    uint64_t wrong_keys;      /* SIRETs and SIRENs with a wrong check digit, taken all the same */
    uint64_t first_wrong[10]; /* the lines of the first of them */
};

enum nv_status nv_report_init(struct nv_report *report, size_t column_count, struct nv_error *error);
void nv_report_done(struct nv_report *report);

/* Notes a problem. `format` is looked up in the reader's language. False where memory ran out. */
bool nv_report_add(struct nv_report *report, uint64_t line, size_t cell, enum nv_problem problem, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));

/* The same with a sentence that is made already. */
bool nv_report_add_text(struct nv_report *report, uint64_t line, size_t cell, enum nv_problem problem,
                        struct nv_slice text);
