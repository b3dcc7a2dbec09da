/* A file of records is imported: every line is read, checked and matched with the record that it is about, and what
 * differs is written, by ordinary SQL in one transaction. Whether that transaction counts is decided at its end, so
 * what a trial says is what would have happened. */
#pragma once

#include "base/arena.h"
#include "client/import/mapping.h"
#include "client/import/value.h"

/* What one line says of one column. */
struct nv_told {
    bool is_given;       /* the file has a cell for it, or for columns of the record that it references */
    bool is_from_parent; /* the key of the record that those found */
    size_t cell;         /* the (first) cell of the line that it is from */
    struct nv_slice raw; /* the cell as it stands there, without the apostrophe before a formula */
    struct nv_reading reading;
};

/* A lookup whose SQL depends on which of its columns are told: the statement for the last such set is kept. */
struct nv_lookup {
    sqlite3_stmt *statement;
    bool columns[NV_SHEET_COLUMNS];
};

struct nv_import {
    struct nv_store *store;
    struct nv_mapping mapping;
    struct nv_csv csv;
    struct nv_report report;

    /* of the line at hand */
    struct nv_arena arena;
    const struct nv_csv_record *record;
    struct nv_told *told;    /* for each column of the sheet */
    struct nv_value *stored; /* the record's values, where there is one: in the arena */
    bool is_found;
    struct nv_buffer key;     /* of the record, encoded */
    struct nv_buffer refused; /* what is wrong with the line, for the file of refused lines; empty: nothing */

    sqlite3_stmt *by_key, *by_telling, *insert, *insert_keyless, *seen, *see, *note_record, *note_cell;
    struct nv_lookup update;
    struct nv_lookup *parents; /* for each column: the record that it references, by columns of that */
    sqlite3_stmt **exist;      /* and by its key */

    int64_t number;            /* among the imports that can be undone */
    struct nv_buffer rejected; /* the lines that were refused, as CSV, where they are wanted */
    bool keeps_rejected;
};

/* Reads the whole line into `told`, and finds the records that it names by their columns. What is wrong with single
 * cells is kept with them; what is wrong with the line is refused. False and the error set where it could not be done.
 */
bool nv_import_read_line(struct nv_import *import, struct nv_error *error);

/* Finds the record that the line is about: sets is_found, stored and key. */
bool nv_import_find(struct nv_import *import, struct nv_error *error);

/* The key of the one record of a column's parent that has these values, in the columns that are given; NV_NO_PARENT or
 * NV_SEVERAL_PARENTS in the reading where there is not one. */
struct nv_described {
    bool given[NV_SHEET_COLUMNS];
    struct nv_value values[NV_SHEET_COLUMNS];
};
bool nv_import_find_parent(struct nv_import *import, size_t column, const struct nv_described *described,
                           struct nv_reading *ret_reading, struct nv_error *error);

/* Whether the record that the column references is there. */
bool nv_import_parent_exists(struct nv_import *import, size_t column, bool *ret_exists, struct nv_error *error);

/* Compares the line with the record, and refuses what cannot be; then writes what differs. */
bool nv_import_write_line(struct nv_import *import, struct nv_error *error);

/* Notes that the line is refused, and why. `cell`: SIZE_MAX where it is for the line as a whole. */
bool nv_import_refuse(struct nv_import *import, size_t cell, enum nv_problem problem, struct nv_error *error,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
bool nv_import_refuse_cell(struct nv_import *import, size_t column, struct nv_error *error);

/* Appends the line at hand, with what is wrong with it, to the lines that were refused. */
void nv_import_reject(struct nv_import *import);
void nv_import_reject_header(struct nv_import *import);

/* Begins and ends what can be undone: an entry that nothing hangs on is taken out again, and old ones go. */
enum nv_status nv_import_note_begin(struct nv_import *import, const char *path, struct nv_error *error);
enum nv_status nv_import_note_end(struct nv_import *import, struct nv_error *error);

/* Appends `?N`, or `ifnull(?N, default)` for a column that takes no NULL. */
void nv_import_sql_value(sqlite3_str *sql, const struct nv_sheet_column *column, int place);
