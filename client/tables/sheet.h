/* A table as people have it in a spreadsheet: what its columns are called, how their values are written, and what tells
 * one of its records from another.
 *
 * What the client has to know of a schema for this stands in views that the schema publishes, each of which may be
 * missing: `label` (what key columns are called, and, where it names no
 * column, the table), `choice` (the values of lists), `format` (dates, codes, money) and
 * `known_by` (columns that tell a record whose key nobody knows). */
#pragma once

#include "store/schema.h"

enum nv_kind { NV_PLAIN, NV_DATE, NV_SIRET, NV_SIREN, NV_COMMUNE, NV_EPCI, NV_CENTS };

struct nv_choice {
    char *code, *label_fr, *label_en; /* labels: NULL where there is none */
};

struct nv_sheet_column {
    const char *name;
    char *label_fr, *label_en; /* NULL: none */
    struct nv_column_type type;
    enum nv_kind kind;
    bool is_key;
    bool is_telling;               /* one of those that the table's records are known by */
    char *otherwise;               /* the column's default as SQL, NULL where it has none */
    const struct nv_table *parent; /* the column holds the key of one of its records; NULL: it references nothing */
    struct nv_choice *choices;
    size_t choice_count; /* 0: any value is taken */
};

enum { NV_SHEET_COLUMNS = NV_LIMIT_FIELDS + NV_LIMIT_KEY_COLUMNS };

struct nv_sheet {
    const struct nv_table *table;
    char *label_fr, *label_en; /* NULL: none */
    size_t count;              /* the key's columns, then the fields by number */
    struct nv_sheet_column *columns;
    bool makes_keys; /* one key column, with a default */
    bool has_telling;
};

enum nv_status nv_sheet_open(struct nv_store *store, const struct nv_table *table, struct nv_sheet *ret_sheet,
                             struct nv_error *error);
void nv_sheet_done(struct nv_sheet *sheet);

/* What the table, the column, the value is called in the reader's language; its name where it has no label. */
const char *nv_sheet_name(const struct nv_sheet *sheet);
const char *nv_sheet_title(const struct nv_sheet_column *column);
const char *nv_choice_title(const struct nv_choice *choice);

/* The column of that name, or of that label in either language, without regard to case and accents; `count` where there
 * is none. A name goes before a label. */
size_t nv_sheet_find(const struct nv_sheet *sheet, struct nv_slice header);

/* Whether people know the table's records by their names alone: the store makes the keys, and they mean nothing. */
bool nv_sheet_hides_key(const struct nv_sheet *sheet);
