/* What leaves a site as counts: a schema's view, computed over the records of which this site is the home, written
 * under the site's own name into a table that others read. Once a period, so that no difference between two
 * publications shows a person.
 *
 * The schema says which, in a view publication(view_name, table_name, every): `every` is month, quarter or year. The
 * table has the view's columns, and `period` and `site` where they are to be told; both are part of its key. */
#pragma once

#include "store/schema.h"

/* Reports look back over this year and those before it: 15 years have 255 months, quarters and years in all. */
enum { NV_PUBLICATIONS_MOST = 16, NV_PERIOD_TEXT = 16, NV_PERIOD_YEARS = 15 };

struct nv_publication {
    char view[NV_LIMIT_NAME + 1];
    char table[NV_LIMIT_NAME + 1];
    char every[8];
};

/* The publications that the schema asks for; none where it has no such view. */
enum nv_status nv_store_publications(struct nv_store *store, struct nv_publication ret_list[NV_PUBLICATIONS_MOST],
                                     size_t *ret_count, struct nv_error *error);

/* The period in which a time falls, in UTC: 2026-11, 2026-Q4 or 2026. Periods of one kind sort as text. */
void nv_period_of(const char *every, struct nv_wall_ms time, char ret_period[NV_PERIOD_TEXT]);

/* The last period up to now that this site published; "" where it never did. What a wrong clock published for a time
 * that is still to come is in nobody's way: reports do not count it before. */
enum nv_status nv_store_published_last(struct nv_store *store, const struct nv_publication *publication,
                                       char ret_period[NV_PERIOD_TEXT], struct nv_error *error);

/* Computes a publication and writes its rows for the period, one transaction; *ret_rows says how many. NV_NOT_SO where
 * this site published that period or a later one already. NV_NOT_YET while another program holds the lock too long. */
enum nv_status nv_store_publish(struct nv_store *store, const struct nv_publication *publication, const char *period,
                                size_t *ret_rows, struct nv_error *error);

/* For reports: from here on this connection sees, of two tables that have period and site in their keys, what it was
 * their writers' to say. Of `counts` the rows under the name of the site that wrote them, of periods that have begun;
 * of `disclosures` those that a hub wrote. */
enum nv_status nv_store_see_rightful(struct nv_store *store, const char *counts, const char *disclosures,
                                     struct nv_error *error);

/* A view as this site's own records alone give it: those of which it is the home, and what is of everybody. `sql` is a
 * SELECT over the schema's views and tables; nothing else can be reached, and nothing written. */
struct nv_own;
enum nv_status nv_own_open(struct nv_store *store, struct nv_own **ret_own, struct nv_error *error);
void nv_own_close(struct nv_own *own);
sqlite3_stmt *nv_own_prepare(struct nv_own *own, const char *sql, struct nv_error *error);
/* Computes a view once; its rows then stand in navette_kept, whatever becomes of the store. */
enum nv_status nv_own_keep(struct nv_own *own, const char *view, struct nv_error *error);
