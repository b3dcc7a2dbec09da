#include "store/capture/sealing.h"

#include <stdlib.h>

#include "store/capture/localop.h"
#include "store/ingest.h"
#include "store/log/opened.h"
#include "store/statements.h"
#include "store/trust/rights.h"

enum {
    SLICE_ROWS = 2000,          /* pending rows read at once */
    SLICE_BYTES = 2 << 20,      /* and their bytes */
    CHANGESET_BYTES = 512 << 10 /* a changeset is closed once its ops are that long */
};

/* A changeset in the making. Its ops stand in `ops_arena` until it is sealed, where the merge finds them by dot. */
struct draft {
    struct nv_store *store;
    struct nv_merge merge;
    struct nv_log *log;
    struct nv_vector context;
    struct nv_opened current;
    struct nv_arena ops_arena;
    struct nv_slice *ops;
    uint32_t *record_hashes;
    size_t bytes;
    struct nv_wall_ms now;
    struct nv_sealed *sealed;
};

static void draft_done(struct draft *draft)
{
    nv_opened_forget_current(draft->store);
    nv_merge_done(&draft->merge);
    nv_vector_done(&draft->context);
    nv_arena_done(&draft->ops_arena);
    free(draft->current.body.entries);
    free(draft->ops);
    free(draft->record_hashes);
}

/* Where the next changeset will stand: what its ops' dots and context are. */
static enum nv_status draft_begin(struct draft *draft, struct nv_error *error)
{
    const struct nv_log *authority = nv_authority_log(draft->store);
    nv_arena_reset(&draft->ops_arena);
    draft->bytes = 0;
    draft->current.log = draft->log->number;
    draft->current.header.seq = draft->log->has_seq + 1;
    draft->current.body.count = 0;
    draft->merge.log = draft->log->number;
    draft->merge.scope = draft->log->scope;
    draft->merge.seq = draft->log->has_seq + 1;
    draft->merge.writer = draft->store->identity.site;
    draft->merge.authority_seq = authority == NULL ? 0 : authority->applied_seq;
    draft->merge.context = &draft->context;
    if (nv_logs_applied(draft->store, draft->log->id.scope, &draft->context) != NV_OK)
        return nv_no_memory(error);
    return nv_opened_set_current(draft->store, &draft->current, error);
}

static enum nv_status draft_init(struct draft *draft, struct nv_store *store, struct nv_wall_ms now,
                                 struct nv_sealed *sealed, struct nv_error *error)
{
    *draft = (struct draft){.store = store, .now = now, .sealed = sealed};
    nv_merge_init(&draft->merge, store, now, NULL);
    draft->ops_arena.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES;
    draft->current.body.entries = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *draft->current.body.entries);
    draft->ops = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *draft->ops);
    draft->record_hashes = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *draft->record_hashes);
    if (draft->current.body.entries == NULL || draft->ops == NULL || draft->record_hashes == NULL)
        return nv_no_memory(error);
    struct nv_log_id id = {store->identity.site, store->identity.epoch, NV_SCOPE_NETWORK};
    enum nv_status status = nv_log_intern(store, &id, &draft->log, error);
    return status == NV_OK ? draft_begin(draft, error) : status;
}

static enum nv_status draft_close(struct draft *draft, struct nv_error *error)
{
    size_t count = draft->current.body.count;
    if (count == 0)
        return NV_OK;
    for (size_t i = 0; i < count; i++)
        draft->ops[i] = draft->current.body.entries[i].op;
    nv_log_number log;
    uint64_t seq;
    enum nv_status status = nv_log_append_sealed(draft->store, &draft->log->id, draft->ops, count, draft->record_hashes,
                                                 draft->store->signer, draft->now, &log, &seq, error);
    if (status != NV_OK)
        return status;
    draft->log->applied_seq = draft->log->has_seq;
    draft->log->applied_hash = draft->log->has_hash;
    draft->sealed->changesets++;
    draft->sealed->ops += count;
    return draft_begin(draft, error);
}

/* Whether any site would take the key; if not it is listed, and the row stays here, unsealed. */
static enum nv_status judge_key(struct draft *draft, const struct nv_table *table, const struct nv_op *op,
                                bool *ret_good, struct nv_error *error)
{
    bool fits = op->key.size <= NV_LIMIT_KEY_BYTES;
    *ret_good = fits && nv_merge_takes_key(table, op->key);
    return *ret_good ? NV_OK : nv_merge_quarantine(&draft->merge, op, -1, fits ? "key" : "too long", NULL, error);
}

static enum nv_status leave_out_longest(struct draft *draft, struct nv_op *op, nv_fields *left_out,
                                        struct nv_error *error)
{
    size_t place = 0, longest = 0, size = 0;
    unsigned field = 0;
    for (nv_fields rest = op->fields; rest != 0; rest &= rest - 1, place++) {
        const struct nv_value *value = &op->values[place];
        if (place > 0 && (value->type < NV_TEXT || value->bytes.size <= size))
            continue;
        longest = place;
        size = value->type < NV_TEXT ? 0 : value->bytes.size;
        field = (unsigned)__builtin_ctzll(rest);
    }
    enum nv_status status = nv_merge_quarantine(&draft->merge, op, (int)field, "too long", &op->values[longest], error);
    op->value_count--;
    op->fields &= ~((nv_fields)1 << field);
    *left_out |= (nv_fields)1 << field;
    memmove(&op->values[longest], &op->values[longest + 1], (op->value_count - longest) * sizeof op->values[0]);
    memmove(&op->ages[longest], &op->ages[longest + 1], (op->value_count - longest) * sizeof op->ages[0]);
    return status;
}

/* Encodes the op into the merge's bytes. Values that no op could carry are left out and listed. */
static enum nv_status encode(struct draft *draft, struct nv_op *op, nv_fields *ret_left_out, struct nv_error *error)
{
    struct nv_buffer *bytes = &draft->merge.bytes;
    *ret_left_out = 0;
    for (;;) {
        nv_buffer_clear(bytes);
        nv_op_encode(op, bytes);
        if (bytes->failed)
            return nv_no_memory(error);
        bool fits = bytes->size <= NV_LIMIT_OP_BYTES && op->except_count <= NV_LIMIT_EXCEPTS;
        if (fits || op->value_count == 0)
            return NV_OK;
        enum nv_status status = leave_out_longest(draft, op, ret_left_out, error);
        if (status != NV_OK)
            return status;
    }
}

/* Gives the op, as it was encoded, its place in the changeset. */
static enum nv_status draft_add(struct draft *draft, const struct nv_op *op, struct nv_error *error)
{
    struct nv_buffer *bytes = &draft->merge.bytes;
    uint8_t *copy = nv_arena_alloc(&draft->ops_arena, bytes->size);
    if (copy == NULL)
        return nv_no_memory(error);
    memcpy(copy, bytes->data, bytes->size);
    size_t index = draft->current.body.count++;
    draft->current.body.entries[index] = (struct nv_entry){.op = {copy, bytes->size}};
    draft->record_hashes[index] = nv_record_hash(op->table, op->key);
    draft->bytes += bytes->size;
    return NV_OK;
}

/* A row that had gone without a DELETE is there again. */
static enum nv_status forget_missing(struct draft *draft, const struct nv_touched *touched, struct nv_error *error)
{
    if (!draft->merge.version.has_row || !draft->merge.row.there || touched->first == NULL ||
        touched->first->what != 'I')
        return NV_OK;
    sqlite3_stmt *statement = nv_statement(draft->store, NV_SQL_MISSING_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, touched->table);
    nv_db_bind_slice(statement, 2, touched->key);
    return nv_db_run(statement, error);
}

/* There are more values that the writer cannot have seen than an op may say: it is not sealed, and a put is put back.
 */
static enum nv_status refuse_excepts(struct draft *draft, struct nv_table_access *access, const struct nv_op *op,
                                     nv_fields left_out, struct nv_error *error)
{
    nv_fields changed;
    draft->merge.op = NULL;
    enum nv_status status = nv_merge_quarantine(&draft->merge, op, -1, "conflicts", NULL, error);
    return status == NV_OK ? nv_merge_show(&draft->merge, access, op->key, left_out, &changed, error) : status;
}

static enum nv_status seal_record(struct draft *draft, const struct nv_touched *touched, struct nv_op *op,
                                  struct nv_error *error)
{
    struct nv_table_access *access = nv_access(draft->store, touched->table);
    if (access == NULL || access->table->missing)
        return NV_OK;
    nv_arena_reset(&draft->merge.arena);
    bool found, any = false, is_good = false;
    nv_fields left_out;
    enum nv_status status = nv_merge_load(&draft->merge, access, touched->key, &found, error);
    if (status == NV_OK)
        status = forget_missing(draft, touched, error);
    if (status == NV_OK)
        status = nv_local_op(&draft->merge, access, touched, op, &any, error);
    if (status == NV_OK && any)
        status = judge_key(draft, access->table, op, &is_good, error);
    if (status != NV_OK || !is_good)
        return status;
    status = encode(draft, op, &left_out, error);
    if (status == NV_OK && op->except_count > NV_LIMIT_EXCEPTS)
        return refuse_excepts(draft, access, op, left_out, error);
    if (status == NV_OK)
        status = draft_add(draft, op, error);
    if (status != NV_OK)
        return status;
    status = nv_merge_own(&draft->merge, access, (uint32_t)draft->current.body.count - 1, op, left_out, error);
    if (status == NV_OK && (draft->bytes >= CHANGESET_BYTES || draft->current.body.count == NV_LIMIT_CHANGESET_OPS))
        status = draft_close(draft, error);
    return status;
}

enum nv_status nv_seal_records(struct nv_store *store, struct nv_touched_set *set, struct nv_wall_ms now,
                               struct nv_sealed *sealed, struct nv_error *error)
{
    struct draft draft;
    struct nv_op *op = malloc(sizeof *op);
    enum nv_status status = draft_init(&draft, store, now, sealed, error);
    if (status == NV_OK && op == NULL)
        status = nv_no_memory(error);
    for (size_t i = 0; status == NV_OK && i < set->count; i++)
        status = seal_record(&draft, set->records[i], op, error);
    if (status == NV_OK)
        status = draft_close(&draft, error);
    free(op);
    draft_done(&draft);
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

enum nv_status nv_seal_slice(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                             struct nv_error *error)
{
    struct nv_touched_set set = {0};
    enum nv_status status = take_answers(store, &set, error);
    sealed->more = false;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++) {
        bool more = false;
        if (!store->tables[i]->missing)
            status = nv_pending_take(store, &store->access[i], &set, false, SLICE_ROWS, SLICE_BYTES, &more, error);
        sealed->more = sealed->more || more;
    }
    if (status == NV_OK && set.count > 0)
        status = nv_seal_records(store, &set, now, sealed, error);
    nv_touched_done(&set);
    return status;
}
