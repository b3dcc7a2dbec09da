/* The lines and cells of a CSV file. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct nv_csv_record {
    uint64_t line; /* in the file, from 1: where the record begins, which may be several lines long */
    size_t first, count;
};

struct nv_csv {
    char separator;
    struct nv_buffer text; /* of all cells, one after the other */
    size_t *ends;          /* where each cell ends in it */
    struct nv_csv_record *records;
    size_t cell_count, record_count;
};

/* Takes the text apart. The separator is told by the first line, of `;`, `,` and tab, or by a line `sep=;` before it.
 * Lines without any cell that has something in it are left out. At least one record is there on success. `path` is for
 * the errors. */
enum nv_status nv_csv_read(const char *path, struct nv_slice text, struct nv_csv *ret_csv, struct nv_error *error);
void nv_csv_done(struct nv_csv *csv);

/* Valid as long as `csv`. */
struct nv_slice nv_csv_cell_at(const struct nv_csv *csv, const struct nv_csv_record *record, size_t cell);
