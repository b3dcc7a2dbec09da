/* What a record of one scope says, put into the record of the same key in another scope: every value, with the time at
 * which it was captured; values that compete go on competing. Internal to store/. */
#pragma once

#include "store/capture/making.h"

struct nv_carrying {
    struct nv_merge *source; /* the record is at hand in it; its arena is used */
    struct nv_table_access *access;
    struct nv_slice key;
    nv_fields fields; /* those that are carried */
    bool is_deleted;  /* somebody deleted it without knowing of all that it says: that is carried, too */
    nv_fields spared; /* by the delete, of what was carried before */
    /* A changeset of the other scope is in the making. What that record says already is not covered, but for what was
     * carried before: in our log there, from this seq on. */
    struct nv_making *making;
    nv_scope_number target;
    uint64_t carried_from;
};

/* *ret_done false: no op can say it; nothing was made. */
enum nv_status nv_carry(struct nv_carrying *carrying, bool *ret_done, struct nv_error *error);

/* A record that is deleted in a changeset in the making: all that it says, but for what was not carried there, of which
 * `carried_from` tells as above (0: covers all). Nothing where it is hidden. */
struct nv_ending_record {
    struct nv_making *making;
    struct nv_table_access *access;
    struct nv_slice key;
    nv_scope_number scope;
    uint64_t carried_from;
};
enum nv_status nv_carry_end(const struct nv_ending_record *record, struct nv_error *error);
