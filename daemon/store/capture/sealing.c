#include "store/capture/sealing.h"

#include <stdlib.h>

#include "store/capture/localop.h"
#include "store/capture/making.h"
#include "store/capture/putback.h"
#include "store/ingest.h"
#include "store/merge/namesakes.h"
#include "store/scopes/placing.h"
#include "store/scopes/unplaced.h"
#include "store/statements.h"
#include "store/trust/rights.h"

enum {
    SLICE_ROWS = 2000,     /* pending rows read at once */
    SLICE_BYTES = 2 << 20, /* and their bytes */
};

/* Whether any site would take the key; if not it is listed, and the row stays here, unsealed. */
static enum nv_status judge_key(struct nv_making *making, const struct nv_table *table, const struct nv_op *op,
                                bool *ret_good, struct nv_error *error)
{
    bool fits = op->key.size <= NV_LIMIT_KEY_BYTES;
    *ret_good = fits && nv_merge_takes_key(table, op->key);
    return *ret_good ? NV_OK : nv_merge_quarantine(&making->merge, op, -1, fits ? "key" : "too long", NULL, error);
}

static enum nv_status leave_out_longest(struct nv_merge *merge, struct nv_op *op, nv_fields *left_out,
                                        struct nv_error *error)
{
    size_t place = 0, size = 0;
    unsigned longest = 0;
    for (nv_fields rest = op->fields; rest != 0; rest &= rest - 1, place++) {
        const struct nv_value *value = &op->values[place];
        if (place > 0 && (value->type < NV_TEXT || value->bytes.size <= size))
            continue;
        size = value->type < NV_TEXT ? 0 : value->bytes.size;
        longest = (unsigned)__builtin_ctzll(rest);
    }
    *left_out |= (nv_fields)1 << longest;
    return nv_leave_out(merge, op, longest, "too long", error);
}

/* Encodes the op into the merge's bytes. Values that no op could carry are left out and listed. */
static enum nv_status encode(struct nv_making *making, struct nv_op *op, nv_fields *left_out, struct nv_error *error)
{
    struct nv_buffer *bytes = &making->merge.bytes;
    for (;;) {
        nv_buffer_clear(bytes);
        nv_op_encode(op, bytes);
        if (bytes->failed)
            return nv_no_memory(error);
        if (nv_making_takes(making, op) || op->value_count == 0)
            return NV_OK;
        enum nv_status status = leave_out_longest(&making->merge, op, left_out, error);
        if (status != NV_OK)
            return status;
    }
}

/* A row that had gone without a DELETE is there again. */
static enum nv_status forget_missing(struct nv_making *making, const struct nv_touched *touched, struct nv_error *error)
{
    if (!making->merge.version.has_row || !making->merge.row.there || touched->first == NULL ||
        touched->first->what != 'I')
        return NV_OK;
    sqlite3_stmt *statement = nv_statement(making->store, NV_SQL_MISSING_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, touched->table);
    nv_db_bind_slice(statement, 2, touched->key);
    return nv_db_run(statement, error);
}

/* What cannot be sealed is put back. */
static enum nv_status show_again(struct nv_merge *merge, struct nv_table_access *access, const struct nv_op *op,
                                 nv_fields left_out, struct nv_error *error)
{
    nv_fields changed;
    merge->op = NULL;
    return nv_merge_show(merge, access, op->key, left_out, &changed, error);
}

/* There are more values that the writer cannot have seen than an op may say: it is not sealed. */
static enum nv_status refuse_excepts(struct nv_merge *merge, struct nv_table_access *access, const struct nv_op *op,
                                     nv_fields left_out, struct nv_error *error)
{
    merge->op = NULL;
    enum nv_status status = nv_merge_quarantine(merge, op, -1, "conflicts", NULL, error);
    return status == NV_OK ? show_again(merge, access, op, left_out, error) : status;
}

/* Whether the home says who reads a record that is there: it may be of another scope. */
static bool says_who_reads(const struct nv_table *table, const struct nv_op *op)
{
    return table->declared == NV_DECLARED_COLUMN && op->kind == NV_OP_PUT && (op->fields >> table->scope_place & 1);
}

/* Makes the op of the record at hand, and merges it. */
static enum nv_status seal_change(struct nv_making *making, struct nv_table_access *access,
                                  const struct nv_touched *touched, struct nv_op *op, struct nv_error *error)
{
    struct nv_merge *merge = &making->merge;
    bool any = false, is_good = false, was_there = merge->version.has_row;
    nv_fields left_out = 0;
    enum nv_status status = forget_missing(making, touched, error);
    if (status == NV_OK)
        status = nv_local_op(merge, access, touched, op, &any, error);
    if (status == NV_OK && any)
        status = judge_key(making, access->table, op, &is_good, error);
    if (status != NV_OK || !is_good)
        return status;
    status = nv_leave_out_scope(merge, access->table, op, &left_out, error);
    if (status == NV_OK && left_out != 0 && op->value_count == 0)
        return show_again(merge, access, op, left_out, error);
    if (status == NV_OK)
        status = encode(making, op, &left_out, error);
    if (status == NV_OK && op->except_count > NV_LIMIT_EXCEPTS)
        return refuse_excepts(merge, access, op, left_out, error);
    if (status == NV_OK)
        status = nv_making_add(making, op, error);
    if (status == NV_OK)
        status = nv_merge_own(merge, access, (uint32_t)making->current.body.count - 1, op, left_out, error);
    if (status == NV_OK && was_there && says_who_reads(access->table, op))
        status = nv_unplaced_list(making->store, op->table, op->key, making->now, error);
    return status == NV_OK ? nv_making_close_full(making, error) : status;
}

/* The record that the row shows or showed, with its version and its row. *ret_any false: nobody knew of one, nor is
 * there one now. A new one gets its scope. */
static enum nv_status load_record(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                  bool *ret_any, struct nv_error *error)
{
    bool found;
    nv_arena_reset(&merge->arena);
    enum nv_status status = nv_merge_find_shown(merge, access->table, key, error);
    if (status == NV_OK)
        status = nv_row_read(merge->store, access, key, &merge->row, error);
    *ret_any = merge->scope != 0 || merge->row.there;
    if (status != NV_OK || merge->scope != 0 || !*ret_any)
        return status;
    status = nv_scope_of_new(merge, access->table, key, error);
    if (status == NV_OK && merge->namesakes.count > 0)
        status = nv_namesakes_load(merge, access->table, key, &found, error);
    return status;
}

/* Seals one record, if the changeset in the making is of its scope, or none is begun. *ret_left: it is of another one.
 */
static enum nv_status seal_record(struct nv_making *making, const struct nv_touched *touched, struct nv_op *op,
                                  bool *ret_left, struct nv_error *error)
{
    struct nv_table_access *access = nv_access(making->store, touched->table);
    bool any = false;
    *ret_left = false;
    if (access == NULL || access->table->missing)
        return NV_OK;
    enum nv_status status = load_record(&making->merge, access, touched->key, &any, error);
    if (status != NV_OK || !any)
        return status;
    if (!nv_scope_may_write(making->store, making->merge.scope))
        return nv_put_back(&making->merge, access, touched, error);
    const struct nv_numbered_scope *scope = nv_scope_numbered(making->store, making->merge.scope);
    if (making->log == NULL)
        status = nv_making_begin(making, scope->id, error);
    *ret_left = status == NV_OK && !nv_scope_id_equal(scope->id, making->log->id.scope);
    return status == NV_OK && !*ret_left ? seal_change(making, access, touched, op, error) : status;
}

/* Seals those of the records that are of one scope, that of the first one; the others stay in the list. */
static enum nv_status seal_scope(struct nv_making *making, const struct nv_touched **records, size_t *count,
                                 struct nv_op *op, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    size_t left = 0;
    for (size_t i = 0; status == NV_OK && i < *count; i++) {
        bool is_left;
        status = seal_record(making, records[i], op, &is_left, error);
        if (is_left)
            records[left++] = records[i];
    }
    *count = left;
    return status == NV_OK ? nv_making_end(making, error) : status;
}

enum nv_status nv_seal_records(struct nv_store *store, struct nv_touched_set *set, struct nv_wall_ms now,
                               struct nv_sealed *sealed, struct nv_error *error)
{
    struct nv_making making;
    size_t left = set->count;
    if (left == 0)
        return NV_OK;
    struct nv_op *op = malloc(sizeof *op);
    const struct nv_touched **records = malloc(left * sizeof *records);
    enum nv_status status = nv_making_init(&making, store, now, sealed, error);
    if (status == NV_OK && (op == NULL || records == NULL))
        status = nv_no_memory(error);
    for (size_t i = 0; status == NV_OK && i < left; i++)
        records[i] = set->records[i];
    while (status == NV_OK && left > 0)
        status = seal_scope(&making, records, &left, op, error);
    free(records);
    free(op);
    nv_making_done(&making);
    return status;
}

enum nv_status nv_seal_ready(struct nv_store *store, struct nv_error *error)
{
    if (store->signer == NULL)
        return nv_fail(error, NV_NOT_YET, "the site's signing key is not loaded");
    const struct nv_member *self = store->identity.has_network ? nv_store_member(store, store->identity.site) : NULL;
    if (self == NULL && store->identity.has_network && nv_store_site_name(store, store->identity.site) != NULL)
        return nv_fail(error, NV_NOT_YET,
                       "this site was taken out of the network: what is written here is kept, and goes out once it is "
                       "invited anew and joins");
    if (self == NULL)
        return nv_fail(error, NV_NOT_YET, "this site is in no network yet: run `navette join INVITATION`");
    /* Nobody would take what is signed with keys that were replaced, as on a machine that was lost and is found. */
    if (memcmp(self->sign_key.bytes, store->signer->public_key.bytes, sizeof self->sign_key.bytes) != 0)
        return nv_fail(error, NV_NOT_YET, "this site was certified with other keys than are here");
    return NV_OK;
}

enum nv_status nv_seal_is_due(struct nv_store *store, bool *ret_any, struct nv_error *error)
{
    uint64_t rows;
    enum nv_status status = nv_store_pending(store, &rows, error);
    *ret_any = status == NV_OK && rows > 0;
    return status == NV_OK && !*ret_any ? nv_intents_are_due(store, ret_any, error) : status;
}

/* Answers to conflicts, with all that is pending on their records: an answer is sealed together with the write that it
 * belongs to. */
static enum nv_status take_answers(struct nv_store *store, struct nv_touched_set *set, struct nv_error *error)
{
    bool more;
    enum nv_status status = nv_intents_take(store, set, error);
    for (size_t i = 0; status == NV_OK && set->count > 0 && i < store->table_count; i++)
        if (!store->tables[i]->missing)
            status = nv_pending_take(store, &store->access[i], set, true, 0, 0, &more, error);
    return status;
}

/* Takes a slice of what is pending on the tables that have so many ancestors. */
static enum nv_status take_generation(struct nv_store *store, unsigned depth, struct nv_touched_set *set, bool *ret_any,
                                      bool *ret_more, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    *ret_any = false;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++) {
        bool more = false;
        if (store->tables[i]->depth != depth)
            continue;
        *ret_any = true;
        if (!store->tables[i]->missing)
            status = nv_pending_take(store, &store->access[i], set, false, SLICE_ROWS, SLICE_BYTES, &more, error);
        *ret_more = *ret_more || more;
    }
    return status;
}

enum nv_status nv_seal_slice(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                             struct nv_error *error)
{
    struct nv_touched_set set = {0};
    bool any = true;
    enum nv_status status = take_answers(store, &set, error);
    sealed->more = false;
    /* Children find their parents sealed. */
    for (unsigned depth = 0; status == NV_OK && any && !sealed->more; depth++)
        status = take_generation(store, depth, &set, &any, &sealed->more, error);
    if (status == NV_OK && set.count > 0)
        status = nv_seal_records(store, &set, now, sealed, error);
    nv_touched_done(&set);
    return status;
}
