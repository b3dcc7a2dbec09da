/* Changesets of the log, opened: the values of siblings that no row shows, history, and all that is derived anew are
 * read from here. A few stay open, within a limit of memory. Internal to store/. */
#pragma once

#include "store/log/logs.h"
#include "wire/changeset.h"

struct nv_opened {
    int64_t changeset;
    nv_log_number log;
    struct nv_hash hash;
    struct nv_header header;
    struct nv_body body;
    struct nv_arena arena;
    uint64_t used_at;
};

/* What is being merged right now stands in no table yet: it is looked at first, until it is taken away. */
enum nv_status nv_opened_set_current(struct nv_store *store, const struct nv_opened *current, struct nv_error *error);
void nv_opened_forget_current(struct nv_store *store);

/* Opens the changeset at a place of a log. Owned by the store, valid until the next call of a function of this header.
 */
enum nv_status nv_opened_at(struct nv_store *store, nv_log_number log, uint64_t seq,
                            const struct nv_opened **ret_opened, struct nv_error *error);
enum nv_status nv_opened_by_number(struct nv_store *store, int64_t changeset, const struct nv_opened **ret_opened,
                                   struct nv_error *error);

/* Opens a changeset for the caller alone, who gives it back with nv_arena_done(&ret_opened->arena). */
enum nv_status nv_opened_read(struct nv_store *store, int64_t changeset, struct nv_opened *ret_opened,
                              struct nv_error *error);

/* The same as it was signed: what is in boxes stays there. */
enum nv_status nv_opened_read_sealed(struct nv_store *store, int64_t changeset, struct nv_opened *ret_opened,
                                     struct nv_error *error);

/* Decodes the op that a dot names. NV_NOT_FOUND where its body was redacted. `ret_hash` (its header's; may be NULL). */
enum nv_status nv_opened_op(struct nv_store *store, struct nv_dot dot, struct nv_arena *arena, struct nv_op *ret_op,
                            struct nv_hash *ret_hash, struct nv_error *error);

/* Decodes the op at a place of an opened changeset, if it is one of a record: *ret_has false where its body was
 * redacted or it is of another kind, or against the protocol, or of newer software. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_opened_record(const struct nv_opened *opened, uint32_t place, struct nv_arena *arena,
                                struct nv_op *ret_op, bool *ret_has, struct nv_error *error);

/* The changeset's number. While it is being taken in it is the one that the next changeset gets. */
int64_t nv_opened_number(const struct nv_store *store, const struct nv_opened *opened);

/* The value that an op gives to a field; NULL where it gives none. */
const struct nv_value *nv_op_value(const struct nv_op *op, unsigned field);

void nv_opened_forget(struct nv_store *store); /* after a rollback or a redaction */
void nv_opened_done(struct nv_store *store);
