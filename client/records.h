/* What the commands on records share: finding a table, taking FIELD=VALUE apart, building the SQL of one row. */
#pragma once

#include "client/home.h"
#include "store/schema.h"

/* The tracked table of that name. NV_NOT_FOUND with what to do where there is none, or while a tool rebuilds it. */
enum nv_status nv_find_table(const struct nv_store *store, const char *name, const struct nv_table **ret_table,
                             struct nv_error *error);

/* One FIELD=VALUE. Values are text, which the column's type turns into a number where it is one; @null is NULL, @hex:…
 * a blob, and @@… a text that begins with one @. */
struct nv_assignment {
    const char *column; /* the table's own spelling */
    bool is_key;
    enum nv_value_type type; /* NV_NULL, NV_TEXT or NV_BLOB */
    struct nv_slice bytes;   /* within the argument, or within `blob` */
    struct nv_buffer blob;
};

struct nv_assignments {
    struct nv_assignment *items;
    size_t count;
};

/* Whether the word is a FIELD=VALUE, and no key. (A key with an equals sign in it is written with a backslash before
 * it: else a misspelt field would make a record of that name.) */
bool nv_is_assignment(const char *word);
enum nv_status nv_assignments_read(const struct nv_table *table, const char *const *words, size_t count,
                                   struct nv_assignments *ret_assignments, struct nv_error *error);
void nv_assignments_done(struct nv_assignments *assignments);
void nv_assignment_bind(sqlite3_stmt *statement, int place, const struct nv_assignment *assignment);

/* Binds the key's columns from `place` on. */
void nv_bind_key(sqlite3_stmt *statement, int place, struct nv_slice key);

/* Appends: "a", "b" for the key's columns; and " WHERE "a" = ?N AND …" with the parameters from `place` on. */
void nv_sql_key_columns(sqlite3_str *sql, const struct nv_table *table);
void nv_sql_where_key(sqlite3_str *sql, const struct nv_table *table, int place);

/* Prepares what was built, and frees it. NULL and the error set on failure. */
sqlite3_stmt *nv_prepare_built(struct nv_store *store, sqlite3_str *sql, struct nv_error *error);

/* The key that a statement's columns hold from `first` on, as text; NUL-terminated. */
void nv_key_text_at(sqlite3_stmt *statement, int first, const struct nv_table *table, struct nv_buffer *ret_text);

/* The column's label in the reader's language, NULL where it has none. */
const char *nv_label(const struct nv_column *column);
