#include "store/log/opened.h"

#include <stdlib.h>

#include "base/catalogue.h"
#include "store/log.h"
#include "store/statements.h"
#include "store/trust/unbox.h"

enum { OPENED = 24, OPENED_BYTES = 24 << 20 };

struct nv_values {
    struct nv_opened slots[OPENED];
    const struct nv_opened *current;
    uint64_t clock; /* counts uses, for the least recently used */
};

static struct nv_values *values_of(struct nv_store *store)
{
    if (store->values == NULL)
        store->values = calloc(1, sizeof *store->values);
    return store->values;
}

enum nv_status nv_opened_set_current(struct nv_store *store, const struct nv_opened *current, struct nv_error *error)
{
    struct nv_values *values = values_of(store);
    if (values == NULL)
        return nv_no_memory(error);
    values->current = current;
    return NV_OK;
}

void nv_opened_forget_current(struct nv_store *store)
{
    if (store->values != NULL)
        store->values->current = NULL;
}

static void close_slot(struct nv_opened *opened)
{
    nv_arena_done(&opened->arena);
    *opened = (struct nv_opened){0};
}

void nv_opened_forget(struct nv_store *store)
{
    for (size_t i = 0; store->values != NULL && i < OPENED; i++)
        close_slot(&store->values->slots[i]);
}

void nv_opened_done(struct nv_store *store)
{
    nv_opened_forget(store);
    free(store->values);
    store->values = NULL;
}

static struct nv_opened *least_used(struct nv_values *values)
{
    struct nv_opened *least = &values->slots[0];
    for (size_t i = 1; i < OPENED; i++)
        if (values->slots[i].used_at < least->used_at)
            least = &values->slots[i];
    return least;
}

/* Closes the least used until what stays open fits. */
static void keep_within_limit(struct nv_values *values)
{
    for (;;) {
        size_t bytes = 0;
        struct nv_opened *least = NULL;
        for (size_t i = 0; i < OPENED; i++) {
            struct nv_opened *slot = &values->slots[i];
            bytes += slot->arena.used;
            if (slot->changeset != 0 && (least == NULL || slot->used_at < least->used_at))
                least = slot;
        }
        if (bytes <= OPENED_BYTES || least == NULL)
            return;
        close_slot(least);
    }
}

static enum nv_status copy_slice(struct nv_arena *arena, struct nv_slice *slice)
{
    uint8_t *copy = nv_arena_alloc(arena, slice->size + 1);
    if (copy == NULL)
        return NV_NO_MEMORY;
    if (slice->size > 0)
        memcpy(copy, slice->data, slice->size);
    slice->data = copy;
    return NV_OK;
}

static enum nv_status open_row(struct nv_opened *opened, int64_t changeset, sqlite3_stmt *row, struct nv_error *error)
{
    opened->arena.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES;
    opened->log = (nv_log_number)sqlite3_column_int64(row, 0);
    struct nv_slice hash = nv_db_blob(row, 2);
    struct nv_changeset_parts parts = {.header = nv_db_blob(row, 3),
                                       .signature = nv_db_blob(row, 4),
                                       .compressed = sqlite3_column_int(row, 5) != 0,
                                       .body = nv_db_blob(row, 6)};
    if (hash.size != sizeof opened->hash.bytes)
        return nv_fail(error, NV_CORRUPT, "store: a changeset's hash is damaged; run `navette verify`");
    memcpy(opened->hash.bytes, hash.data, hash.size);
    if (copy_slice(&opened->arena, &parts.header) != NV_OK ||
        (!parts.compressed && copy_slice(&opened->arena, &parts.body) != NV_OK))
        return nv_no_memory(error);
    enum nv_status status = nv_header_decode(parts.header, &opened->arena, &opened->header, error);
    if (status == NV_OK)
        status = nv_body_open(&parts, &opened->header, &opened->arena, &opened->body, error);
    if (status == NV_REFUSED) {
        nv_fail_in(error, _("store: a changeset in the log is damaged (run `navette verify`)"));
        status = error == NULL ? NV_CORRUPT : (error->status = NV_CORRUPT);
    }
    if (status == NV_OK)
        opened->changeset = changeset;
    return status;
}

enum nv_status nv_opened_read_sealed(struct nv_store *store, int64_t changeset, struct nv_opened *ret_opened,
                                     struct nv_error *error)
{
    struct nv_opened opened = {0};
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_GET, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK && !row)
        status = nv_fail(error, NV_NOT_FOUND, "this changeset is not in the log");
    if (status == NV_OK)
        status = open_row(&opened, changeset, statement, error);
    sqlite3_reset(statement);
    if (status == NV_OK)
        *ret_opened = opened;
    else
        nv_arena_done(&opened.arena);
    return status;
}

/* What was merged is not taken for nothing by a program that cannot read it. */
static bool was_read(const struct nv_store *store, const struct nv_opened *opened)
{
    const struct nv_log *log = nv_log_by_number(store, opened->log);
    return log != NULL && opened->header.seq <= log->applied_seq && nv_opened_is_keyless(opened);
}

enum nv_status nv_opened_read(struct nv_store *store, int64_t changeset, struct nv_opened *ret_opened,
                              struct nv_error *error)
{
    struct nv_opened opened;
    enum nv_status status = nv_opened_read_sealed(store, changeset, &opened, error);
    if (status != NV_OK)
        return status;
    status = nv_unbox(store, &opened, error);
    if (status == NV_OK && store->opener == NULL && was_read(store, &opened))
        status = nv_fail(error, NV_NOT_YET,
                         "this needs the site's keys, to read what is sealed: run it as the user whose keys they are");
    if (status == NV_OK)
        *ret_opened = opened;
    else
        nv_arena_done(&opened.arena);
    return status;
}

enum nv_status nv_opened_by_number(struct nv_store *store, int64_t changeset, const struct nv_opened **ret_opened,
                                   struct nv_error *error)
{
    struct nv_values *values = values_of(store);
    if (values == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < OPENED; i++) {
        if (values->slots[i].changeset != changeset)
            continue;
        values->slots[i].used_at = ++values->clock;
        *ret_opened = &values->slots[i];
        return NV_OK;
    }
    keep_within_limit(values);
    struct nv_opened *slot = least_used(values);
    close_slot(slot);
    enum nv_status status = nv_opened_read(store, changeset, slot, error);
    if (status != NV_OK)
        return status;
    slot->used_at = ++values->clock;
    *ret_opened = slot;
    return NV_OK;
}

enum nv_status nv_opened_at(struct nv_store *store, nv_log_number log, uint64_t seq,
                            const struct nv_opened **ret_opened, struct nv_error *error)
{
    struct nv_values *values = values_of(store);
    if (values == NULL)
        return nv_no_memory(error);
    if (values->current != NULL && values->current->log == log && values->current->header.seq == seq) {
        *ret_opened = values->current;
        return NV_OK;
    }
    for (size_t i = 0; i < OPENED; i++) {
        if (values->slots[i].changeset == 0 || values->slots[i].log != log || values->slots[i].header.seq != seq)
            continue;
        values->slots[i].used_at = ++values->clock;
        *ret_opened = &values->slots[i];
        return NV_OK;
    }
    int64_t changeset;
    enum nv_status status = nv_changeset_at(store, log, seq, &changeset, NULL, error);
    return status == NV_OK ? nv_opened_by_number(store, changeset, ret_opened, error) : status;
}

enum nv_status nv_opened_op(struct nv_store *store, struct nv_dot dot, struct nv_arena *arena, struct nv_op *ret_op,
                            struct nv_hash *ret_hash, struct nv_error *error)
{
    const struct nv_opened *opened;
    enum nv_status status = nv_opened_at(store, dot.log, dot.seq, &opened, error);
    if (status != NV_OK)
        return status;
    if (dot.index >= opened->body.count)
        return nv_fail(error, NV_CORRUPT, "store: a version names an op that is not there; run `navette rebuild`");
    if (opened->body.entries[dot.index].is_redacted || opened->body.entries[dot.index].is_keyless)
        return nv_fail(error, NV_NOT_FOUND, "this op's body was redacted, or cannot be read");
    if (ret_hash != NULL)
        *ret_hash = opened->hash;
    return nv_op_decode(opened->body.entries[dot.index].op, arena, ret_op, error);
}

enum nv_status nv_opened_record(const struct nv_opened *opened, uint32_t place, struct nv_arena *arena,
                                struct nv_op *ret_op, bool *ret_has, struct nv_error *error)
{
    const struct nv_entry *entry = &opened->body.entries[place];
    enum nv_status status = entry->is_redacted ? NV_REFUSED : nv_op_decode(entry->op, arena, ret_op, error);
    *ret_has = status == NV_OK && (ret_op->kind == NV_OP_PUT || ret_op->kind == NV_OP_DELETE);
    return status == NV_NO_MEMORY ? status : NV_OK;
}

int64_t nv_opened_number(const struct nv_store *store, const struct nv_opened *opened)
{
    return opened->changeset != 0 ? opened->changeset : nv_store_newest(store) + 1;
}

const struct nv_value *nv_op_value(const struct nv_op *op, unsigned field)
{
    nv_fields bit = (nv_fields)1 << field;
    if ((op->fields & bit) == 0)
        return NULL;
    return &op->values[__builtin_popcountll(op->fields & (bit - 1))];
}
