/* Changesets of our own: where they stand, what they build on, what is in boxes; signed, and appended. */
#include <stdlib.h>

#include "store/log/state.h"
#include "store/trust/boxing.h"

/* The heads that differ from the log's last context; all of them where the header's context stands whole. */
static size_t list_context(const struct nv_store *store, const struct nv_log *log, const struct nv_vector *context,
                           bool absolute, struct nv_far_head *heads)
{
    size_t count = 0;
    for (size_t i = 0; i < context->count; i++) {
        const struct nv_head *head = &context->heads[i];
        const struct nv_head *before = nv_vector_find(&log->context, head->log);
        if (head->log == log->number || (!absolute && before != NULL && before->seq == head->seq))
            continue;
        const struct nv_log *other = nv_log_by_number(store, head->log);
        heads[count++] = (struct nv_far_head){.site = other->id.site,
                                              .epoch = other->id.epoch,
                                              .scope = log->id.scope,
                                              .seq = head->seq,
                                              .pin = head->pin};
    }
    if (count > 1)
        qsort(heads, count, sizeof *heads, nv_order_far_heads);
    return count;
}

static void drop_own(struct nv_vector *vector, nv_log_number own)
{
    size_t kept = 0;
    for (size_t i = 0; i < vector->count; i++)
        if (vector->heads[i].log != own)
            vector->heads[kept++] = vector->heads[i];
    vector->count = kept;
}

/* When it was sealed, as far as a header can say it: a clock that is out of its mind keeps nothing from being sealed.
 */
static struct nv_wall_ms sealed_at(struct nv_wall_ms now)
{
    if (now.ms < 0)
        return (struct nv_wall_ms){0};
    return now.ms > NV_LIMIT_TIME_MS ? (struct nv_wall_ms){NV_LIMIT_TIME_MS} : now;
}

/* A changeset of our own in the making. */
struct making {
    struct nv_store *store;
    struct nv_log *log;
    struct nv_vector context;
    struct nv_far_head *heads;
    struct nv_header header;
    struct nv_seed seed;
    struct nv_boxed boxed; /* where ops are sealed there */
    const struct nv_slice *ops;
    size_t op_count;
    const uint32_t *record_hashes;
    struct nv_buffer scratch;
};

/* Where it will stand, and what it builds on. */
static enum nv_status begin(struct making *making, const struct nv_log_id *log_id, struct nv_wall_ms now,
                            struct nv_error *error)
{
    struct nv_store *store = making->store;
    bool is_authority = nv_scope_id_equal(log_id->scope, NV_SCOPE_AUTHORITY);
    enum nv_status status = nv_log_intern(store, log_id, &making->log, error);
    if (status != NV_OK)
        return status;
    const struct nv_log *log = making->log, *authority = nv_authority_log(store);
    if (!is_authority && nv_logs_applied(store, log_id->scope, &making->context) != NV_OK)
        return nv_no_memory(error);
    making->heads = calloc(making->context.count + 1, sizeof *making->heads);
    if (making->heads == NULL)
        return nv_no_memory(error);
    struct nv_header *header = &making->header;
    *header = (struct nv_header){.format = NV_FORMAT,
                                 .log = *log_id,
                                 .seq = log->has_seq + 1,
                                 .previous = log->has_hash,
                                 .sealed = sealed_at(now)};
    header->absolute = log->has_seq % NV_LIMIT_ABSOLUTE_CONTEXT_EVERY == 0;
    header->context_count = list_context(store, log, &making->context, header->absolute, making->heads);
    header->context = making->heads;
    if (!is_authority && authority != NULL) {
        header->authority_seq = authority->applied_seq;
        header->authority_pin = nv_pin_of(&authority->applied_hash);
    }
    nv_seed_make(&making->seed);
    return NV_OK;
}

/* The ops in their boxes, and the grant behind them that the changeset may need. */
static enum nv_status box(struct making *making, const struct nv_scope_readers *readers, struct nv_error *error)
{
    return nv_box_ops(making->store, making->log, making->header.seq, &making->seed, making->ops, making->op_count,
                      readers, &making->boxed, error);
}

/* What is in the log now, looked through for grants: the one of its own, and answers to others. */
static enum nv_status note_grants(struct making *making, int64_t changeset, struct nv_wall_ms now,
                                  struct nv_error *error)
{
    struct nv_body body = {.count = making->op_count};
    body.entries = calloc(body.count + 1, sizeof *body.entries);
    if (body.entries == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < body.count; i++)
        body.entries[i].op = making->ops[i];
    const struct nv_granting granting = {
        making->log->number, making->header.seq, changeset, &making->context, &body, NULL};
    enum nv_status status = nv_grants_note(making->store, &granting, now, error);
    free(body.entries);
    return status == NV_OK ? nv_boxed_note(making->store, making->log, &making->boxed, error) : status;
}

static enum nv_status sign_and_append(struct making *making, const struct nv_sign_key *key, int64_t *ret_changeset,
                                      struct nv_error *error)
{
    struct nv_store *store = making->store;
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    enum nv_status status = nv_changeset_seal_from(&making->seed, &making->header, making->ops, making->op_count, key,
                                                   &store->identity.network, &making->scratch, &parts, &hash, error);
    if (status != NV_OK)
        return status;
    drop_own(&making->context, making->log->number);
    return nv_log_append(store, making->log, &making->header, &hash, &parts, &making->context, making->record_hashes,
                         ret_changeset, error);
}

/* One op more than the caller knows of: a grant is found by no record. */
static enum nv_status take_boxed(struct making *making, uint32_t **ret_hashes, struct nv_error *error)
{
    if (making->record_hashes != NULL) {
        *ret_hashes = calloc(making->boxed.count + 1, sizeof **ret_hashes);
        if (*ret_hashes == NULL)
            return nv_no_memory(error);
        memcpy(*ret_hashes, making->record_hashes, making->op_count * sizeof **ret_hashes);
        making->record_hashes = *ret_hashes;
    }
    making->ops = making->boxed.ops;
    making->op_count = making->boxed.count;
    return NV_OK;
}

enum nv_status nv_log_append_for(struct nv_store *store, const struct nv_log_id *log_id,
                                 const struct nv_scope_readers *readers, const struct nv_slice *ops, size_t op_count,
                                 const uint32_t *record_hashes, const struct nv_sign_key *key, struct nv_wall_ms now,
                                 nv_log_number *ret_log, uint64_t *ret_seq, struct nv_error *error)
{
    struct making making = {.store = store, .ops = ops, .op_count = op_count, .record_hashes = record_hashes};
    uint32_t *hashes = NULL;
    int64_t changeset;
    enum nv_status status = begin(&making, log_id, now, error);
    if (status == NV_OK && readers != NULL)
        status = box(&making, readers, error);
    if (status == NV_OK && readers != NULL)
        status = take_boxed(&making, &hashes, error);
    if (status == NV_OK)
        status = sign_and_append(&making, key, &changeset, error);
    if (status == NV_OK && readers != NULL)
        status = note_grants(&making, changeset, now, error);
    if (status == NV_OK) {
        *ret_log = making.log->number;
        *ret_seq = making.header.seq;
    }
    free(hashes);
    free(making.heads);
    nv_boxed_done(&making.boxed);
    nv_buffer_done(&making.scratch);
    nv_vector_done(&making.context);
    return status;
}

enum nv_status nv_log_append_sealed(struct nv_store *store, const struct nv_log_id *log_id, const struct nv_slice *ops,
                                    size_t op_count, const uint32_t *record_hashes, const struct nv_sign_key *key,
                                    struct nv_wall_ms now, nv_log_number *ret_log, uint64_t *ret_seq,
                                    struct nv_error *error)
{
    if (!nv_scope_is_sealed(log_id->scope))
        return nv_log_append_for(store, log_id, NULL, ops, op_count, record_hashes, key, now, ret_log, ret_seq, error);
    struct nv_scope_readers readers;
    enum nv_status status = nv_readers_of(store, log_id->scope, &readers, error);
    if (status != NV_OK)
        return status;
    status =
        nv_log_append_for(store, log_id, &readers, ops, op_count, record_hashes, key, now, ret_log, ret_seq, error);
    nv_readers_done(&readers);
    return status;
}
