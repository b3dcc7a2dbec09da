/* What the store keeps of each record: the merge's state, a digest of the row it shows, and what a remote change
 * replaced a moment ago. One compact blob a record. Internal to store/.
 *
 * Blob: flags; home's site number; if the row is there: 8 bytes of row digest and how many fields it is over; siblings
 * (count; log, seq, index, time, fields each); where flagged: deletes, marks; replaced. Numbers are varints, times
 * zigzag. */
#pragma once

#include "core/record.h"
#include "store/log/logs.h"

/* A remote put `by` gave `fields` another value than the one of `old` that the row showed; log 0: than the default. */
struct nv_replaced {
    struct nv_dot old, by;
    nv_fields fields;
    struct nv_wall_ms at;
};

enum { NV_REPLACED_MAX = 8, NV_REPLACED_MS = 3600 * 1000 };

struct nv_version {
    struct nv_record record;
    bool has_row; /* the row is in the table, as we last wrote or sealed it */
    uint64_t row_digest;
    unsigned row_fields; /* how many fields the digest is over: columns may be added later */
    bool is_conflicted;  /* it has rows in navette_conflict */
    size_t replaced_count;
    struct nv_replaced replaced[NV_REPLACED_MAX];
};

void nv_version_done(struct nv_version *version);
void nv_version_clear(struct nv_version *version);

enum nv_status nv_version_encode(struct nv_store *store, const struct nv_version *version, struct nv_buffer *buffer,
                                 struct nv_error *error);
enum nv_status nv_version_decode(struct nv_store *store, struct nv_slice bytes, struct nv_version *version,
                                 struct nv_error *error);

/* A record by its table, its key and the number of its scope. */
struct nv_record_name {
    uint32_t table;
    struct nv_slice key;
    nv_scope_number scope;
};

/* Reads a record's version; *ret_found false (and `version` cleared) where it has none. */
enum nv_status nv_version_read(struct nv_store *store, struct nv_record_name name, struct nv_version *version,
                               bool *ret_found, struct nv_error *error);
enum nv_status nv_version_write(struct nv_store *store, struct nv_record_name name, const struct nv_version *version,
                                struct nv_error *error);

/* Writes the version of a record that has none yet; *ret_created false, and nothing written, where it has one. */
enum nv_status nv_version_create(struct nv_store *store, struct nv_record_name name, const struct nv_version *version,
                                 bool *ret_created, struct nv_error *error);

/* The 4 bytes by which a record's ops are found in navette_changeset.records. */
uint32_t nv_record_hash(uint32_t table, struct nv_slice key);
