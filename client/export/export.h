/* What is here, for other programs and for people: a table's rows as CSV, and all that is held on one record. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "client/tables/sheet.h"

/* Writes all rows, by key, as a spreadsheet opens them right, and as an import of the same file changes nothing.
 * `codes`: names and values as they are stored, instead of labels. */
enum nv_status nv_export_rows(struct nv_store *store, const struct nv_table *table, bool codes, FILE *file,
                              struct nv_error *error);

/* All that is held on one record and on those that belong to it:
 *   {"table", "key", "site", "made_ms", "tables": [{"table", "records": [{"key", "is_in_table", "fields", "conflicts",
 *   "set_aside", "history"}]}]}
 * The first record of the first table is the one that was asked for. */
struct nv_dossier {
    json_t *json;
    struct nv_sheet *sheets; /* one for each of "tables" */
    size_t sheet_count;
};

/* NV_NOT_FOUND where nothing at all is known of it. */
enum nv_status nv_dossier_gather(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                 struct nv_dossier *ret_dossier, struct nv_error *error);
void nv_dossier_done(struct nv_dossier *dossier);

/* Writes it for people: as text, or as a page that needs nothing else and can be printed. */
enum nv_status nv_dossier_write_text(const struct nv_dossier *dossier, FILE *file, struct nv_error *error);
enum nv_status nv_dossier_write_html(const struct nv_dossier *dossier, FILE *file, struct nv_error *error);

/* The column of that name; NULL where the sheet has none (an older schema's). */
const struct nv_sheet_column *nv_dossier_column(const struct nv_sheet *sheet, const char *name);

/* Appends a value of the dossier as the reader writes it, a dash where it is NULL. `column` may be NULL. */
void nv_dossier_show(const struct nv_sheet_column *column, const json_t *value, struct nv_buffer *text);
void nv_dossier_show_time(const json_t *time_ms, struct nv_buffer *text);
