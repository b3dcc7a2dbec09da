/* The schema as it was published: all statements of the authority log, run in a database of their own in memory. What
 * this site's tools made of its tables does not matter there, so that every site judges alike. Internal to store/. */
#pragma once

#include "store/internal.h"
#include "store/schema/shape.h"

/* Brings it up to what navette_statement holds; cheap where nothing changed. */
enum nv_status nv_published_load(struct nv_store *store, struct nv_error *error);
void nv_published_done(struct nv_store *store);

/* The database. NULL before the first load. */
sqlite3 *nv_published_db(const struct nv_store *store);

/* Says that its database now holds the statements up to this number of navette_statement. */
void nv_published_moved(struct nv_store *store, int64_t statements);

enum { NV_CHECK_SLOTS = 16, NV_CHECK_BYTES = 30 };

/* One field's CHECKs. Few distinct values come again and again in most columns that have any, and asking SQLite costs
 * as much as writing a row: what was asked lately is kept, by the value's storage class and bytes. */
struct nv_field_check {
    sqlite3_stmt *statement; /* refused by SQLite where its parameter 1 is a value that the CHECKs refuse */
    struct {
        uint8_t size; /* 0: empty */
        bool accepts;
        uint8_t bytes[NV_CHECK_BYTES];
    } slots[NV_CHECK_SLOTS];
};

/* Kept until the schema moves, or one of these calls fails: SQLite may have given up all that was made for them. */
enum nv_status nv_published_check(struct nv_store *store, const struct nv_table *table, unsigned field,
                                  struct nv_field_check **ret_check, struct nv_error *error);

void nv_published_forget_checks(struct nv_store *store);

/* The field's default, in `arena`: what a row shows while nobody wrote it. */
enum nv_status nv_published_default(struct nv_store *store, const struct nv_table *table, unsigned field,
                                    struct nv_arena *arena, struct nv_value *ret_value, struct nv_error *error);
