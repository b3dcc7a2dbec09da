#include "store/capture/making.h"

#include <assert.h>
#include <stdlib.h>

#include "store/trust/boxing.h"

enum { CHANGESET_BYTES = 512 << 10 /* a changeset is closed once its ops are that long */ };

enum nv_status nv_making_init(struct nv_making *making, struct nv_store *store, struct nv_wall_ms now,
                              struct nv_sealed *sealed, struct nv_error *error)
{
    *making = (struct nv_making){.store = store, .now = now, .sealed = sealed};
    nv_merge_init(&making->merge, store, now, NULL);
    making->ops_arena.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES;
    making->current.body.entries = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *making->current.body.entries);
    making->ops = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *making->ops);
    making->record_hashes = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *making->record_hashes);
    if (making->current.body.entries == NULL || making->ops == NULL || making->record_hashes == NULL)
        return nv_no_memory(error);
    return NV_OK;
}

void nv_making_done(struct nv_making *making)
{
    nv_opened_forget_current(making->store);
    nv_merge_done(&making->merge);
    nv_vector_done(&making->context);
    nv_arena_done(&making->ops_arena);
    free(making->current.body.entries);
    free(making->ops);
    free(making->record_hashes);
}

/* Where the next changeset will stand: what its ops' dots and context are. */
static enum nv_status begin_next(struct nv_making *making, struct nv_error *error)
{
    const struct nv_log *authority = nv_authority_log(making->store);
    nv_arena_reset(&making->ops_arena);
    making->bytes = 0;
    making->current.log = making->log->number;
    making->current.header.seq = making->log->has_seq + 1;
    making->current.body.count = 0;
    making->merge.log = making->log->number;
    making->merge.seq = making->log->has_seq + 1;
    making->merge.writer = making->store->identity.site;
    making->merge.authority_seq = authority == NULL ? 0 : authority->applied_seq;
    making->merge.context = &making->context;
    if (nv_logs_applied(making->store, making->log->id.scope, &making->context) != NV_OK)
        return nv_no_memory(error);
    return nv_opened_set_current(making->store, &making->current, error);
}

enum nv_status nv_making_begin(struct nv_making *making, struct nv_scope_id scope, struct nv_error *error)
{
    assert(making->log == NULL);
    struct nv_log_id id = {making->store->identity.site, making->store->identity.epoch, scope};
    enum nv_status status = nv_log_intern(making->store, &id, &making->log, error);
    return status == NV_OK ? begin_next(making, error) : status;
}

bool nv_making_takes(const struct nv_making *making, const struct nv_op *op)
{
    bool is_boxed = nv_scope_is_sealed(making->log->id.scope);
    size_t most = is_boxed ? NV_LIMIT_BOXED_OP_BYTES : NV_LIMIT_OP_BYTES;
    return making->merge.bytes.size <= most && op->except_count <= NV_LIMIT_EXCEPTS;
}

/* How many ops a changeset of that scope has room for. */
static size_t most_ops(const struct nv_making *making)
{
    return nv_scope_is_sealed(making->log->id.scope) ? (size_t)NV_BOXED_OPS : (size_t)NV_LIMIT_CHANGESET_OPS;
}

enum nv_status nv_making_add(struct nv_making *making, const struct nv_op *op, struct nv_error *error)
{
    struct nv_buffer *bytes = &making->merge.bytes;
    uint8_t *copy = nv_arena_alloc(&making->ops_arena, bytes->size);
    if (copy == NULL)
        return nv_no_memory(error);
    memcpy(copy, bytes->data, bytes->size);
    size_t index = making->current.body.count++;
    making->current.body.entries[index] = (struct nv_entry){.op = {copy, bytes->size}};
    making->record_hashes[index] = nv_record_hash(op->table, op->key);
    making->bytes += bytes->size;
    return NV_OK;
}

static enum nv_status seal(struct nv_making *making, struct nv_error *error)
{
    size_t count = making->current.body.count;
    nv_log_number log;
    uint64_t seq;
    for (size_t i = 0; i < count; i++)
        making->ops[i] = making->current.body.entries[i].op;
    enum nv_status status =
        nv_log_append_sealed(making->store, &making->log->id, making->ops, count, making->record_hashes,
                             making->store->signer, making->now, &log, &seq, error);
    if (status != NV_OK)
        return status;
    making->log->applied_seq = making->log->has_seq;
    making->log->applied_hash = making->log->has_hash;
    making->sealed->changesets++;
    making->sealed->ops += count;
    return NV_OK;
}

enum nv_status nv_making_room(struct nv_making *making, size_t ops, struct nv_error *error)
{
    if (making->current.body.count + ops <= most_ops(making))
        return NV_OK;
    enum nv_status status = seal(making, error);
    return status == NV_OK ? begin_next(making, error) : status;
}

enum nv_status nv_making_close_full(struct nv_making *making, struct nv_error *error)
{
    if (making->bytes < CHANGESET_BYTES && making->current.body.count < most_ops(making))
        return NV_OK;
    enum nv_status status = seal(making, error);
    return status == NV_OK ? begin_next(making, error) : status;
}

enum nv_status nv_making_end(struct nv_making *making, struct nv_error *error)
{
    enum nv_status status = making->current.body.count > 0 ? seal(making, error) : NV_OK;
    nv_opened_forget_current(making->store);
    making->current.body.count = 0;
    making->log = NULL;
    return status;
}
