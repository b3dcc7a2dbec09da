/* A whole import, from the file to what is said of it. */
#pragma once

#include <jansson.h>

#include "client/import/import.h"

struct nv_import_wishes {
    const char *file;
    const char *table;
    const char *map;      /* NULL: none */
    const char *save_map; /* NULL: not wanted */
    const char *rejected; /* where refused lines go; NULL: FILE.rejected.csv */
    bool is_trial;        /* nothing is written */
    bool skips_errors;    /* what is right is imported, and what is not is written to a file */
};

struct nv_import_outcome {
    bool converted;      /* the file was in Windows-1252 */
    bool is_written;     /* the transaction counts */
    char rejected[4352]; /* the file that was written with the refused lines, "" where none was: longer than any path */
};

/* Reads, checks and, as wished, writes. NV_OK also where lines were refused and nothing was written: the report in
 * `import` says so. Close the import in any case. */
enum nv_status nv_import_run(struct nv_store *store, const struct nv_import_wishes *wishes, struct nv_import *import,
                             struct nv_import_outcome *ret_outcome, struct nv_error *error);
void nv_import_done(struct nv_import *import);

/* Prints what was found and done. */
enum nv_status nv_import_say(const struct nv_import *import, const struct nv_import_wishes *wishes,
                             const struct nv_import_outcome *outcome, struct nv_error *error);
enum nv_status nv_import_say_json(const struct nv_import *import, const struct nv_import_wishes *wishes,
                                  const struct nv_import_outcome *outcome, struct nv_error *error);

/* Prints an empty file for the table, with the headers that people fill in. */
enum nv_status nv_import_template(struct nv_store *store, const char *table, struct nv_error *error);
