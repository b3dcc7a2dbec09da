#include "store/trust/tend.h"

#include <stdlib.h>

#include "store/scopes/numbers.h"
#include "store/trust/answers.h"
#include "store/trust/asks.h"

void nv_tending_add(struct nv_tending *tending)
{
    size_t before = tending->count == 0 ? 0 : tending->ends[tending->count - 1];
    if (tending->bytes.size > before)
        tending->ends[tending->count++] = tending->bytes.size;
}

bool nv_store_keys_wait(const struct nv_store *store, struct nv_wall_ms now)
{
    int64_t at = store->keys_at.ms;
    if (store->opener == NULL || at == INT64_MAX)
        return false;
    return now.ms >= at || at - now.ms > NV_ASK_AGAIN_MS; /* also where the clock was set back */
}

enum nv_status nv_keys_are_due(struct nv_store *store, struct nv_wall_ms now, bool *ret_due, struct nv_error *error)
{
    bool asked, lacking = false, due = false;
    *ret_due = false;
    if (!nv_store_keys_wait(store, now))
        return NV_OK;
    enum nv_status status = nv_asked_any(store, &asked, error);
    if (status == NV_OK)
        status = nv_asks_look(store, now, &lacking, &due, error);
    if (status != NV_OK)
        return status;
    *ret_due = asked || due;
    store->keys_at.ms = lacking || asked ? now.ms + NV_ASK_AGAIN_MS : INT64_MAX;
    return NV_OK;
}

/* One changeset of what there is to say. */
static enum nv_status append(struct nv_tending *tending, struct nv_sealed *sealed, struct nv_error *error)
{
    struct nv_store *store = tending->store;
    struct nv_log_id id = {store->identity.site, store->identity.epoch, tending->scope};
    struct nv_slice *ops = calloc(tending->count, sizeof *ops);
    const struct nv_log *before = nv_log_find(store, &id);
    bool is_merged = before == NULL || before->applied_seq == before->has_seq;
    nv_log_number number;
    uint64_t seq;
    if (ops == NULL)
        return nv_no_memory(error);
    for (size_t i = 0, start = 0; i < tending->count; start = tending->ends[i++])
        ops[i] = (struct nv_slice){tending->bytes.data + start, tending->ends[i] - start};
    enum nv_status status =
        nv_log_append_sealed(store, &id, ops, tending->count, NULL, store->signer, tending->now, &number, &seq, error);
    free(ops);
    if (status != NV_OK)
        return status;
    struct nv_log *log = nv_log_by_number(store, number);
    if (is_merged) {
        log->applied_seq = log->has_seq;
        log->applied_hash = log->has_hash;
    }
    sealed->changesets++;
    sealed->ops += tending->count;
    return NV_OK;
}

static enum nv_status tend_scope(struct nv_tending *tending, struct nv_sealed *sealed, struct nv_error *error)
{
    bool more = false;
    tending->count = 0;
    nv_buffer_clear(&tending->bytes);
    enum nv_status status = nv_answers_append(tending, &more, error);
    if (status == NV_OK)
        status = nv_asks_append(tending, error);
    if (status == NV_OK && tending->bytes.failed)
        status = nv_no_memory(error);
    if (status == NV_OK && tending->count > 0)
        status = append(tending, sealed, error);
    if (more)
        tending->store->keys_at.ms = INT64_MIN;
    return status;
}

enum nv_status nv_keys_tend(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed,
                            struct nv_error *error)
{
    struct nv_tending *tending = calloc(1, sizeof *tending);
    if (tending == NULL)
        return nv_no_memory(error);
    tending->store = store;
    tending->now = now;
    enum nv_status status = nv_asked_by_word(store, error);
    for (size_t i = 1; status == NV_OK && i <= nv_scope_number_count(store); i++) {
        const struct nv_numbered_scope *scope = nv_scope_numbered(store, (nv_scope_number)i);
        struct nv_scope_readers readers;
        if (scope->has_home || scope->is_leaving || !nv_scope_is_sealed(scope->id) ||
            !nv_right_reads(store, scope->id, store->identity.site, NV_POSITION_NOW))
            continue;
        tending->scope = scope->id;
        status = nv_readers_of(store, scope->id, &readers, error);
        tending->readers = &readers;
        if (status == NV_OK)
            status = tend_scope(tending, sealed, error);
        nv_readers_done(&readers);
    }
    nv_buffer_done(&tending->bytes);
    free(tending);
    return status;
}
