/* A table as it stands in a database: what SQLite says of it, and the CHECKs from its text. Internal to store/. */
#pragma once

#include <sqlite3.h>

#include "core/accept.h"
#include "store/schema/sqltext.h"

struct nv_shape_column {
    const char *name;
    const char *type;      /* as declared; "" where it has none */
    const char *fallback;  /* its DEFAULT as SQL, NULL where it has none */
    const char *collation; /* BINARY, NOCASE or RTRIM; NULL: one that SQLite itself does not have */
    bool not_null;
    bool is_generated;
    unsigned key; /* its place in the key, from 1; 0: it is a field */
    struct nv_column_type stored;
};

struct nv_shape_check {
    struct nv_sql_part expression;
    size_t named;                   /* how many columns it names */
    size_t column;                  /* the first of them */
    const struct nv_token *foreign; /* the first word in it that no CHECK may use; NULL where there is none */
};

enum nv_shape_kind { NV_SHAPE_NONE, NV_SHAPE_TABLE, NV_SHAPE_VIRTUAL, NV_SHAPE_VIEW };

struct nv_shape {
    enum nv_shape_kind kind; /* the following only where it is a table */
    const char *name;        /* as it is spelled where it was made */
    struct nv_sql_table text;
    bool is_strict;
    size_t column_count;
    struct nv_shape_column *columns;
    size_t key_count;
    size_t check_count;
    struct nv_shape_check *checks;
    const char *unique;        /* the first column of a unique index beside the key; NULL: there is none */
    const char *key_collation; /* of the key's index, where it is not BINARY; else NULL */
    bool has_conflict_clause;
};

/* Reads what stands under that name in the schema `main` of the database. Everything is in `arena`. */
enum nv_status nv_shape_read(sqlite3 *db, const char *name, struct nv_arena *arena, struct nv_shape *ret_shape,
                             struct nv_error *error);

/* The column of that name; NULL where there is none. */
const struct nv_shape_column *nv_shape_column(const struct nv_shape *shape, const char *name);

/* The column that is the `place`-th of the key, from 1. */
const struct nv_shape_column *nv_shape_key(const struct nv_shape *shape, unsigned place);

/* The words of SQLite's own by which a row is called, unless a column has that name. */
bool nv_is_rowid_word(const struct nv_token *token);
