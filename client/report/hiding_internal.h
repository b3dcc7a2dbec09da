/* The state behind hiding.h. Internal to client/report/hiding*.c. */
#pragma once

#include "client/report/hiding.h"

enum { NO_CELL = -1, NEVER = -1 };

/* Units whose sums are known, and the sums. */
struct nv_hiding_cell {
    int64_t counts[NV_PARTS_MOST]; /* by atom */
    int64_t amounts[NV_AMOUNTS];
    int when;                            /* the publication that they are of, */
    bool was_told[NV_PUBLICATIONS_KEPT]; /* and all that told of it, as part of a larger cell or by itself */
};

struct nv_hiding_step {
    size_t atom_count;
    nv_parts atoms[NV_PARTS_MOST];
    int *cell_of; /* by unit */
    struct nv_hiding_cell *cells;
    size_t *units_of; /* by cell: how many units it has */
    size_t cell_count;
    bool *shows; /* by group */
};

/* Counts of a cell, by atom, as a group cuts it. */
struct nv_hiding_pieces {
    int64_t piece[NV_PARTS_MOST], rest[NV_PARTS_MOST];
};

struct nv_hiding {
    struct nv_hiding_rule rule;
    const struct nv_hiding *finer; /* NULL: none */
    size_t unit_count, group_count;
    const struct nv_unit_group *groups;
    struct nv_hiding_step steps[NV_STEPS_MOST];
    int64_t *history[NV_PUBLICATIONS_KEPT]; /* the counts of each publication, */
    int now;                                /* the last one of which is at hand */
    int64_t *amounts;
    /* Room to work in. */
    size_t *order;                 /* groups by rank, then by how many people they are */
    int64_t *people;               /* by group */
    bool *is_inside;               /* by unit: of the group at hand */
    struct nv_hiding_cell *pieces; /* by cell: the part of it that is in the group at hand */
    size_t *piece_units;           /* by cell: how many of its units that is */
    size_t *touched;               /* the cells that the group at hand has units in */
    size_t touched_count;
    bool *is_met; /* by cell */
    struct nv_hiding_pieces told[NV_PUBLICATIONS_KEPT];
};

/* Whether the unit has anybody, in the publication at hand. */
bool nv_hiding_counts_unit(const struct nv_hiding *hiding, size_t unit);

/* Whether counts, by the step's atoms, could be shown. */
bool nv_hiding_is_safe(const struct nv_hiding *hiding, const struct nv_hiding_step *step, const int64_t *counts);

/* Adds what the unit has in the publication at hand. */
void nv_hiding_add_unit(const struct nv_hiding *hiding, const struct nv_hiding_step *step, size_t unit,
                        struct nv_hiding_cell *cell);
