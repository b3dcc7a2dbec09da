/* The last imports, and taking one back. What is kept of them are values of people's records: it is in tables of this
 * store alone, for a few imports and some weeks. */
#pragma once

#include <jansson.h>

#include "base/time.h"
#include "store/schema.h"

/* An import that can be taken back: a row of navette_import. */
struct nv_past_import {
    int64_t number, created, changed;
    struct nv_wall_ms at;
    const struct nv_table *table; /* NULL: it is no table in step any more */
    char file[256];
};

/* Calls `each` for every import that can be undone, newest first. */
enum nv_status nv_imports_list(struct nv_store *store, bool (*each)(const struct nv_past_import *import, void *context),
                               void *context, struct nv_error *error);

struct nv_undone {
    struct nv_past_import import;
    uint64_t deleted, fields; /* records that it had made, and fields that it had changed */
    uint64_t left_records;    /* not deleted: changed since, or others reference them */
    uint64_t left_fields;     /* not put back: changed since, or the record is gone */
    json_t *left;             /* the keys of the first of both: [{"key": …, "why": "changed" | "referenced"}] */
};

/* Takes back the newest import, in one transaction. NV_NOT_FOUND where there is none. Give `left` back. */
enum nv_status nv_import_undo(struct nv_store *store, struct nv_undone *ret_undone, struct nv_error *error);
