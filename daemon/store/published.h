/* The schema as it was published: all statements of the authority log, run in a database of their own in memory. What
 * this site's tools made of its tables does not matter there, so that every site judges alike. Internal to store/. */
#pragma once

#include "store/internal.h"
#include "store/shape.h"

/* Brings it up to what navette_statement holds; cheap where nothing changed. */
enum nv_status nv_published_load(struct nv_store *store, struct nv_error *error);
void nv_published_done(struct nv_store *store);

/* The database. NULL before the first load. */
sqlite3 *nv_published_db(const struct nv_store *store);

/* Says that its database now holds the statements up to this number of navette_statement. */
void nv_published_moved(struct nv_store *store, int64_t statements);

/* A statement that is refused by SQLite where the row's field has a value that its CHECKs refuse. Kept until the schema
 * moves. The value is parameter 1. */
enum nv_status nv_published_check(struct nv_store *store, const struct nv_table *table, unsigned field,
                                  sqlite3_stmt **ret_statement, struct nv_error *error);

/* The field's default, in `arena`: what a row shows while nobody wrote it. */
enum nv_status nv_published_default(struct nv_store *store, const struct nv_table *table, unsigned field,
                                    struct nv_arena *arena, struct nv_value *ret_value, struct nv_error *error);
