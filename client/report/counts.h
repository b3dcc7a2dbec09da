/* The counts that reports are made of: those that sites published, period by period, or those of this site alone. */
#pragma once

#include "client/report/definitions.h"

struct nv_count {
    size_t period, site; /* of nv_counts.periods, sites */
    size_t unit, dimension, part;
    int64_t numerator, denominator;
};

struct nv_counts {
    char (*periods)[NV_PERIOD_TEXT]; /* ascending; one, "", where the counts are of this site as it is now */
    size_t period_count;
    const char **sites;
    size_t site_count;
    struct nv_count *items; /* ascending by period, then by site */
    size_t item_count;
    char (*counted_on)[16]; /* by period * site_count + site; "" where the site has none of that period */
};

/* Which published counts are read: all up to a period, or only those that were handed out (and those of the period
 * itself where it never was). */
struct nv_counts_wanted {
    const char *period; /* NULL: up to the last one */
    bool disclosed_only;
};

/* The definitions keep what the counts point to. NV_NOT_FOUND where there are none. */
enum nv_status nv_counts_read_published(const struct nv_source *source, const struct nv_counts_wanted *wanted,
                                        struct nv_definitions *definitions, struct nv_counts *ret_counts,
                                        struct nv_error *error);
enum nv_status nv_counts_read_own(const struct nv_source *source, struct nv_definitions *definitions,
                                  struct nv_counts *ret_counts, struct nv_error *error);
void nv_counts_done(struct nv_counts *counts);

/* What stands at the end of a period, by unit and part of a dimension: each site's newest counts, added up. `counts`
 * has unit_count * part_count places, `amounts` (of a dimension of amounts) unit_count * NV_AMOUNTS. */
void nv_counts_at(const struct nv_counts *counts, const struct nv_definitions *definitions, size_t period,
                  size_t dimension, int64_t *ret_counts);
void nv_amounts_at(const struct nv_counts *counts, const struct nv_definitions *definitions, size_t period,
                   size_t dimension, int64_t *ret_amounts);

/* The first and the last day on which what stands at the end of the last period was counted; "" where none is said. */
void nv_counts_days(const struct nv_counts *counts, const char **ret_first, const char **ret_last);
