/* Whether a column, as published, would store a value as it is. A value that it would refuse or store differently is a
 * no-op for that field at every site, so a row is always acceptable. CHECKs are evaluated by the store.
 * Source: sqlite.org/datatype3.html section 3 (affinity), stricttables.html. */
#pragma once

#include "core/value.h"

enum nv_affinity { NV_AFFINITY_BLOB, NV_AFFINITY_TEXT, NV_AFFINITY_NUMERIC, NV_AFFINITY_INTEGER, NV_AFFINITY_REAL };

struct nv_column_type {
    enum nv_affinity affinity;
    bool strict;   /* in a STRICT table; affinity NV_AFFINITY_BLOB with any_type is ANY */
    bool any_type; /* STRICT's ANY */
    bool not_null;
};

/* The type's affinity by SQLite's five rules (datatype3.html 3.1). NULL or "" is BLOB. */
enum nv_affinity nv_affinity_of(const char *declared_type);

bool nv_column_accepts(const struct nv_column_type *column, const struct nv_value *value);

/* Whether SQLite's numeric affinities would turn this text into a number. */
bool nv_text_is_number(struct nv_slice text);
