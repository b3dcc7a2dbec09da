/* One op onto one record: the version, and the row that shows it. Internal to store/.
 *
 * The same path serves the ops of peers and our own: what is written locally stands in the row already, so nothing of
 * the row is left to change, unless a rule shows another sibling than the one just written.
 */
#pragma once

#include "store/merge/rows.h"
#include "store/merge/versions.h"

struct nv_place { /* a record */
    uint32_t table;
    struct nv_slice key;
};

/* Records whose rows are not what we last wrote, with no pending row that says why: a tool wrote without triggers. */
struct nv_stale {
    struct nv_place *places;
    size_t count, capacity;
    struct nv_arena arena; /* the keys */
};

/* Another record of the key at hand, in another scope. */
struct nv_namesake {
    nv_scope_number scope;
    bool is_shown;
};

struct nv_merge {
    struct nv_store *store;
    struct nv_wall_ms now;
    bool is_silent; /* judge again, without listing again what is refused */
    /* The changeset: */
    nv_log_number log;
    uint64_t seq;
    struct nv_site_id writer;
    uint64_t authority_seq;
    const struct nv_vector *context;
    /* The op: */
    const struct nv_op *op;
    struct nv_dot dot;
    /* The record at hand, and its key's: */
    nv_scope_number scope;
    struct nv_version version;
    struct nv_namesakes {
        struct nv_namesake *items; /* in the arena */
        size_t count, capacity;
    } namesakes;
    nv_scope_number row_scope; /* of the record that the row shows; 0: of none */
    struct nv_version in_row;  /* that record's, where it is a namesake */
    struct nv_row row;
    /* Scratch, kept from op to op: */
    struct nv_version scratch;
    struct nv_buffer bytes;
    struct nv_arena arena;
    struct nv_stale *stale; /* where remote ops note rows that must be sealed first */
};

void nv_merge_init(struct nv_merge *merge, struct nv_store *store, struct nv_wall_ms now, struct nv_stale *stale);
void nv_merge_done(struct nv_merge *merge);

/* Merges the op that stands at `index` of the changeset that `merge` tells of (which is set as opened's current one).
 * A record that is noted as stale is left as it is: the caller rolls back, seals it, and begins again. */
enum nv_status nv_merge_op(struct nv_merge *merge, uint32_t index, const struct nv_op *op, struct nv_error *error);

/* The record of that key in the merge's scope. */
static inline struct nv_record_name nv_merge_name(const struct nv_merge *merge, uint32_t table, struct nv_slice key)
{
    return (struct nv_record_name){table, key, merge->scope};
}

/* Sets merge->scope to that of the record that an op of merge->log on the table is about. */
enum nv_status nv_merge_enter(struct nv_merge *merge, const struct nv_table *table, struct nv_error *error);

/* Reads the record's version and row into the merge. */
enum nv_status nv_merge_load(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                             bool *ret_found, struct nv_error *error);

/* Makes the record that the row shows the one at hand, and reads its version, not the row; merge->scope is 0 where it
 * shows none. */
enum nv_status nv_merge_find_shown(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                   struct nv_error *error);

/* Makes the record `derived`, which is swapped for what it was, and its row what that says. `by`: as in
 * nv_derive_again. A stale record is noted as such, and left. */
enum nv_status nv_merge_anew(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                             struct nv_record *derived, const struct nv_dot *by, struct nv_error *error);

/* Merges an op of our own whose record was loaded before: its row is as its writer left it, save that the fields of
 * `put_back` show again what the version says. */
enum nv_status nv_merge_own(struct nv_merge *merge, struct nv_table_access *access, uint32_t index,
                            const struct nv_op *op, nv_fields put_back, struct nv_error *error);

/* What the row shall show of a field: by the rule where it has siblings, else the default that was published. */
enum nv_status nv_merge_shown(struct nv_merge *merge, const struct nv_table *table, unsigned field,
                              struct nv_value *ret_value, struct nv_error *error);

/* Whether these values, by field number, are the row of the version, as far as its digest goes; and which of the fields
 * that were added since do not show their default. */
enum nv_status nv_merge_digest_fits(struct nv_merge *merge, const struct nv_value *values, size_t count, bool *ret_fits,
                                    struct nv_error *error);
enum nv_status nv_merge_added_since(struct nv_merge *merge, const struct nv_table *table, const struct nv_row *row,
                                    nv_fields *ret_fields, struct nv_error *error);

/* Whether the key is one that the table can have. */
bool nv_merge_takes_key(const struct nv_table *table, struct nv_slice key);

/* Lists in quarantine what a row or a table cannot hold; `field` -1: the op as a whole. */
enum nv_status nv_merge_quarantine(struct nv_merge *merge, const struct nv_op *op, int field, const char *reason,
                                   const struct nv_value *value, struct nv_error *error);

/* Makes the row what the key's narrowest record says: only `touched` fields can differ where the row is there. Updates
 * the digest, the conflicts and `merge->row`; *ret_changed are the fields whose shown value changed. Then writes the
 * version. */
enum nv_status nv_merge_show(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                             nv_fields touched, nv_fields *ret_changed, struct nv_error *error);

/* Writes the row of the record at hand, or takes it away (`in_row` false, and no namesake comes to it), then as
 * nv_merge_write_version, which writes the version and its conflicts alone. */
enum nv_status nv_merge_write_row(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                  bool in_row, nv_fields touched, nv_fields *ret_changed, struct nv_error *error);
enum nv_status nv_merge_write_version(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                      struct nv_error *error);

/* Strikes a row that was found gone off the list: it is there again, or was deleted. */
enum nv_status nv_merge_forget_missing(struct nv_merge *merge, uint32_t table, struct nv_slice key,
                                       struct nv_error *error);

enum nv_status nv_stale_add(struct nv_stale *stale, uint32_t table, struct nv_slice key, struct nv_error *error);
void nv_stale_done(struct nv_stale *stale);

/* What the schema, as published at the merge's authority position, accepts of an op, and its writer had a right to; the
 * rest is listed in quarantine. *ret_takes_op false: the op as a whole is nothing anywhere, for its key or its place.
 */
enum nv_status nv_merge_accepted(struct nv_merge *merge, const struct nv_table *table, const struct nv_op *op,
                                 bool *ret_takes_op, nv_fields *ret_fields, struct nv_error *error);

/* The op's excepts by local numbers, in the merge's arena; those that name logs which we do not know name nothing. */
enum nv_status nv_merge_excepts(struct nv_merge *merge, const struct nv_op *op, struct nv_cover *cover,
                                struct nv_error *error);
