/* The site's own tables, row by row: reading, writing and digesting. Internal to store/. */
#pragma once

#include "store/internal.h"

enum { NV_ROW_STATEMENTS = 24 };

/* Prepared statements of one tracked table. */
struct nv_table_access {
    const struct nv_table *table;
    sqlite3_stmt *select, *erase, *pending_some, *pending_span, *pending_forget, *old_forget;
    struct {
        bool is_insert;
        nv_fields fields;
        sqlite3_stmt *statement;
    } writers[NV_ROW_STATEMENTS];
    size_t next_writer;
};

/* NULL where no such table is tracked here. */
struct nv_table_access *nv_access(struct nv_store *store, uint32_t table);
enum nv_status nv_access_open(struct nv_store *store, struct nv_error *error); /* one for each of store->tables */
void nv_access_done(struct nv_store *store);

nv_fields nv_all_fields(const struct nv_table *table);

struct nv_row {
    bool there;
    size_t count;
    struct nv_value values[NV_LIMIT_FIELDS]; /* by field number; they point into `bytes` */
    struct nv_buffer bytes;                  /* the values, encoded one after the other */
};
void nv_row_done(struct nv_row *row);

/* Reads a row by its key. */
enum nv_status nv_row_read(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                           struct nv_row *row, struct nv_error *error);

/* Takes columns `first`… of a statement's current row as the fields' values. */
enum nv_status nv_row_take(sqlite3_stmt *statement, int first, size_t count, struct nv_row *row,
                           struct nv_error *error);

/* Writes; `values` are by field number. Inserting gives the fields that are not named their defaults. *ret_clash is
 * true, and nothing written, where a row of that key (or of a unique index that somebody added here) stands in the way.
 */
enum nv_status nv_row_insert(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                             nv_fields fields, const struct nv_value *values, bool *ret_clash, struct nv_error *error);
enum nv_status nv_row_update(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                             nv_fields fields, const struct nv_value *values, struct nv_error *error);
enum nv_status nv_row_erase(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                            struct nv_error *error);

/* A digest of the first `count` fields' values, keyed by this store; two rows that differ in a bit differ in it. */
enum nv_status nv_row_digest(struct nv_store *store, const struct nv_value *values, size_t count,
                             struct nv_buffer *scratch, uint64_t *ret_digest, struct nv_error *error);

/* The key columns' values of a statement's current row, encoded as a key; appended to `key`. */
void nv_key_take(sqlite3_stmt *statement, int first, size_t count, struct nv_buffer *key);
