/* The state of one record: which puts are siblings, for which fields, and what each live delete marks. The merge.
 *
 * A field's siblings are the puts of that field that no other put of it covers. A delete is live while no other op
 * covers it; it marks the siblings that it covers and removes none. A record is hidden when it has siblings and each is
 * marked by a live delete, or when it has none. Values are not here: a sibling is the name of an op (a dot), and the op
 * has the value. So equal values never collapse, and nothing is ever replaced by something computed.
 *
 * The same state is defined twice: here step by step, in causal order; and in core/meaning.h from the set of retained
 * ops, in no order. They must agree.
 *
 * Sources: Preguica et al., "Dotted Version Vectors" (2012); Shapiro et al., "Conflict-free Replicated Data Types"
 * (2011), multi-value register.
 */
#pragma once

#include "base/error.h"
#include "core/op.h"
#include "core/vector.h"

/* Some fields of one put, captured at one time, that are siblings. A put whose fields were captured at several times
 * stands as several. */
struct nv_sibling {
    struct nv_dot dot;
    struct nv_wall_ms time;
    nv_fields fields; /* never empty */
};

struct nv_live_delete {
    struct nv_dot dot;
    struct nv_wall_ms time;
};

/* These fields of a sibling are marked by that live delete. */
struct nv_mark {
    struct nv_dot by;
    struct nv_dot dot;
    nv_fields fields; /* never empty */
};

struct nv_record {
    bool has_home;
    struct nv_site_id home;      /* the least site id that the record's retained puts name */
    struct nv_sibling *siblings; /* ascending by dot, then time */
    size_t sibling_count, sibling_capacity;
    struct nv_live_delete *deletes; /* ascending by dot */
    size_t delete_count, delete_capacity;
    struct nv_mark *marks; /* ascending by the delete, then the sibling */
    size_t mark_count, mark_capacity;
};

/* What an op covers: everything in `vector`, and its own log up to before `dot`, save its excepts. */
struct nv_local_except {
    struct nv_dot dot;
    nv_fields fields;
};

struct nv_cover {
    struct nv_dot dot;
    const struct nv_vector *vector;
    size_t except_count;
    const struct nv_local_except *excepts;
};

void nv_record_done(struct nv_record *record);
void nv_record_clear(struct nv_record *record);

/* Whether the context includes the dot, excepts apart. */
bool nv_cover_includes(const struct nv_cover *cover, struct nv_dot dot);

/* Which of `fields` of the dot the op covers. */
nv_fields nv_cover_fields(const struct nv_cover *cover, struct nv_dot dot, nv_fields fields);

/* Applies one put, in causal order. `op` is decoded and its refused fields are left out of `fields` (a field that the
 * schema refuses is as if the op did not have it). `writer` is the site whose log it stands in. NV_OK or NV_NO_MEMORY.
 */
enum nv_status nv_record_put(struct nv_record *record, const struct nv_cover *cover, const struct nv_op *op,
                             nv_fields fields, struct nv_site_id writer);

/* Applies one delete, in causal order. */
enum nv_status nv_record_delete(struct nv_record *record, const struct nv_cover *cover, const struct nv_op *op);

/* For whoever builds a state from elsewhere (the store's decoder, meaning.c): append in any order, then sort once. */
enum nv_status nv_record_add_sibling(struct nv_record *record, struct nv_sibling sibling);
enum nv_status nv_record_add_delete(struct nv_record *record, struct nv_live_delete deletion);
enum nv_status nv_record_add_mark(struct nv_record *record, struct nv_mark mark);
void nv_record_sort(struct nv_record *record);

/* The siblings that a put brings: one for each time at which some of `fields` were captured. */
enum nv_status nv_record_add_put(struct nv_record *record, struct nv_dot dot, const struct nv_op *op, nv_fields fields);

/* Lowers the record's home to `home` where that is the lesser site id. */
void nv_record_name_home(struct nv_record *record, struct nv_site_id home);

bool nv_record_shown(const struct nv_record *record);

/* Fields that have at least one sibling. */
nv_fields nv_record_fields(const struct nv_record *record);

/* Fields with two siblings or more (their values may still be equal). */
nv_fields nv_record_contested(const struct nv_record *record);

bool nv_record_equal(const struct nv_record *a, const struct nv_record *b);
