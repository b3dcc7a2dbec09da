/* What a schema says of its reports, in views of its own (ARCHITECTURE.md, "Reports"): which there are, the lines that
 * each has, the groups that they may be split by. Navette knows no learner and no course: whatever is counted is here.
 */
#pragma once

#include "client/report/hiding.h"
#include "store/publish.h"

enum { NV_REPORT_NAME = 24, NV_SPLITS_MOST = 8, NV_EVERYBODY = 0 /* the first group: all units */ };

/* Where views are read: the store, or (`own` not NULL) this site's own records in it. */
struct nv_source {
    struct nv_store *store;
    struct nv_own *own;
};
sqlite3_stmt *nv_source_prepare(const struct nv_source *source, const char *sql, struct nv_error *error);

/* A text of the view at that column, "" for NULL; kept as long as the definitions. */
struct nv_definitions;

struct nv_report_title {
    const char *name, *title, *note; /* in the reader's language, but for the name */
};

/* What is counted in one dimension. */
struct nv_dimension {
    const char *measure, *name;
    const char *parts[NV_PARTS_MOST];
    size_t part_count;
    size_t others; /* the part of all that no line names: one part, however many values there are */
    nv_parts base; /* everybody */
    nv_parts may_be_none;
    bool is_amount; /* its one line is of amounts, which go with the people of the first dimension */
};

/* A line of a report: so many of so many. */
struct nv_indicator {
    const char *report, *line, *label;
    size_t dimension;
    nv_parts numerator, denominator, unknown;
    bool has_bounds;
};

struct nv_unit {
    const char *place, *programme, *starts_on;
};

struct nv_group {
    const char *code, *label;
    size_t split; /* of nv_definitions.splits */
};

/* An amount by everybody, or by the numerator of an indicator. */
struct nv_cost {
    const char *line, *label;
    size_t indicator; /* indicator_count: everybody */
};

struct nv_aim {
    const char *line, *label;
    size_t indicator; /* indicator_count: none; `line` is then "places" or "learners" */
    int64_t target;
};

struct nv_definitions {
    struct nv_report_title *reports;
    size_t report_count;
    struct nv_dimension *dimensions;
    size_t dimension_count;
    struct nv_indicator *indicators; /* in the order of the view */
    size_t indicator_count;
    struct nv_unit *units; /* ascending */
    size_t unit_count;
    const char *splits[NV_SPLITS_MOST]; /* the first one is "": everybody */
    size_t split_count;
    struct nv_group *groups; /* those of one split together */
    struct nv_unit_group *members;
    size_t group_count;
    struct nv_cost *costs;
    size_t cost_count;
    struct nv_aim *aims;
    size_t aim_count;
    char **texts; /* what the rest points to */
    size_t text_count;
};

/* NV_NOT_FOUND where the schema has no reports; NV_REFUSED where its views are not what they should be. */
enum nv_status nv_definitions_read(const struct nv_source *source, struct nv_definitions *ret_definitions,
                                   struct nv_error *error);
void nv_definitions_done(struct nv_definitions *definitions);

/* The unit's number; unit_count where there is none. */
size_t nv_unit_find(const struct nv_definitions *definitions, struct nv_unit unit);

/* The dimension's number; dimension_count where there is none. */
size_t nv_dimension_find(const struct nv_definitions *definitions, const char *measure, const char *name);

/* The part of that value: `others` where no line names it. */
size_t nv_part_find(const struct nv_dimension *dimension, const char *name);

/* The column's text, kept with the definitions; "" for NULL. NULL where memory ran out. */
const char *nv_definitions_keep(struct nv_definitions *definitions, sqlite3_stmt *row, int column);
