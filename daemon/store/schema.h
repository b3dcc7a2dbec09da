/* Tables that are tracked: refused or accepted, published in the authority log, applied where they arrive. */
#pragma once

#include "core/accept.h"
#include "core/op.h"
#include "core/rule.h"
#include "store/store.h"

struct nv_column {
    char name[NV_LIMIT_NAME + 1];
    struct nv_column_type type;
    enum nv_rule rule;
    bool quiet;
    bool has_check;            /* a CHECK names it: asked of SQLite for every value */
    uint64_t published;        /* the authority position that published it */
    char *label_fr, *label_en; /* NULL: none */
};

/* Who reads a table's records: everybody; the site that made it; who a column says; who reads its parent. */
enum nv_declared { NV_DECLARED_NETWORK, NV_DECLARED_SITE, NV_DECLARED_COLUMN, NV_DECLARED_PARENT };

struct nv_table {
    uint32_t number;
    char name[NV_LIMIT_NAME + 1];
    char scope[80]; /* as declared: "network", "site", "column:NAME", "parent:COLUMN" */
    char writers[8];
    enum nv_declared declared;
    bool scope_in_key;    /* COLUMN, PARENT: the column is one of the key's; else a field */
    unsigned scope_place; /* its place among these */
    uint32_t parent;      /* PARENT: the number of the table that the column references */
    unsigned depth;       /* how many ancestors it has, over its parents */
    bool of_home;         /* the home alone writes a record, which its site id is part of */
    bool has_scopes;      /* several records may have one key: all is not in `network`, or of homes */
    uint64_t published;
    size_t key_count;
    char keys[NV_LIMIT_KEY_COLUMNS][NV_LIMIT_NAME + 1];
    struct nv_column_type key_types[NV_LIMIT_KEY_COLUMNS];
    size_t field_count; /* fields[0 .. field_count - 1], by field number */
    struct nv_column fields[NV_LIMIT_FIELDS];
    bool missing; /* the table is not in the database (a tool may be rebuilding it): nothing of it is sealed */
};

/* At the authority: reads a schema file's SQL (CREATE TABLE/INDEX/VIEW, ALTER TABLE ADD COLUMN, INSERT INTO
 * navette_table/navette_column), tries it on the store, refuses what cannot be tracked with the fix in the message,
 * and, unless `dry_run`, publishes it: one transaction. `ret_summary` (may be NULL) gets a line for each table. */
enum nv_status nv_schema_apply(struct nv_store *store, const struct nv_sign_key *authority, const char *sql,
                               bool dry_run, struct nv_wall_ms now, struct nv_buffer *ret_summary,
                               struct nv_error *error);

/* The tracked tables, ascending by number. Owned by the store, valid until its next change. */
void nv_store_tables(const struct nv_store *store, const struct nv_table *const **ret_tables, size_t *ret_count);
const struct nv_table *nv_store_table(const struct nv_store *store, const char *name);
const struct nv_table *nv_table_by_number(const struct nv_store *store, uint32_t number); /* NULL: there is none */

/* Why a table is `missing`, and what to do, for `status`: "" where nothing is wrong with it. */
enum { NV_TROUBLE_TEXT = 320 };
enum nv_status nv_store_table_trouble(struct nv_store *store, const struct nv_table *table,
                                      char ret_text[NV_TROUBLE_TEXT], struct nv_error *error);
