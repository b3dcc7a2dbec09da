/* Which tables can be kept in step, and why others cannot. Internal to store/. */
#pragma once

#include "store/schema/shape.h"

/* The key that is proposed to whoever needs one: random, so that two sites never make the same, and ordered by time, so
 * that new rows stand together in the file. Every SQLite that people have can compute it. */
#define NV_KEY_DEFAULT                                                                                                 \
    "(printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) || lower(hex(randomblob(10))))"

/* NV_OK, or NV_REFUSED with the table, the column and the fix. It looks at the shape alone, so every site decides
 * alike. */
enum nv_status nv_trackable(const struct nv_shape *shape, const char *name, struct nv_error *error);

/* What stands in the way of keeping the table that is here as the published one: false where nothing does. A column or
 * an index more does no harm. The text says what is wrong and what to do. */
bool nv_shape_differs(const struct nv_shape *published, const struct nv_shape *here, const char *name, char *ret_text,
                      size_t capacity);

/* Appends the definition of one column to an SQL text, as far as values are concerned: type, default, NOT NULL, CHECKs.
 */
void nv_shape_column_sql(const struct nv_shape *shape, const struct nv_shape_column *column, sqlite3_str *sql);
