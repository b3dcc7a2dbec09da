/* Which cell of a line belongs to which column: the file's headers, matched with the table's columns. */
#pragma once

#include "client/import/csv.h"
#include "client/import/mapfile.h"
#include "client/import/report.h"

enum nv_target {
    NV_LEFT_OUT,
    NV_OWN_COLUMN,
    NV_PARENT_COLUMN, /* a column of the record that a column references: `learner.family_name`, "Apprenant : Nom" */
};

/* Where one cell of each line goes. */
struct nv_source {
    enum nv_target target;
    size_t column;        /* of the sheet */
    size_t parent_column; /* of the parent's sheet */
    bool is_unnamed;      /* no header stands above it: then nothing may stand in it */
    bool is_stored_form;  /* the header is the column's own name: money is in cents, as it is stored */
    char *title;          /* the header as it stands in the file */
};

struct nv_mapping {
    struct nv_sheet sheet;
    struct nv_sheet *parents;  /* for each column of the sheet; without columns where it references nothing */
    struct nv_source *sources; /* for each cell of a line */
    size_t source_count;
    size_t *own; /* for each column of the sheet the cell that is for it, SIZE_MAX where there is none */
};

/* Reads the sheets of the table and of those that it references. */
enum nv_status nv_mapping_open(struct nv_store *store, const struct nv_table *table, struct nv_mapping *ret_mapping,
                               struct nv_error *error);
void nv_mapping_done(struct nv_mapping *mapping);

/* Matches the headers, the map's word before the table's; what is wrong with them is noted in the report. `map` NULL:
 * there is none. NV_REFUSED where the map itself is wrong. */
enum nv_status nv_mapping_match(struct nv_mapping *mapping, const struct nv_csv *csv, struct nv_map *map,
                                const char *map_path, struct nv_report *report, struct nv_error *error);

/* Writes the mapping as a map file, which must not be there yet. */
enum nv_status nv_mapping_save(const struct nv_mapping *mapping, const char *path, struct nv_error *error);

/* Appends the headers that the table knows, with commas between them. */
void nv_mapping_show_known(const struct nv_mapping *mapping, struct nv_buffer *text);

/* Whether any cell is for a column of the record that this column references. */
bool nv_mapping_has_parent(const struct nv_mapping *mapping, size_t column);
