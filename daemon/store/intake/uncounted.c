#include "store/intake/uncounted.h"

#include "store/log/beyond.h"
#include "store/merge/derive.h"

static const char reason[] = "not counted";

void nv_uncounted_init(struct nv_uncounted *uncounted, struct nv_merge *merge)
{
    *uncounted = (struct nv_uncounted){.merge = merge};
}

void nv_uncounted_done(struct nv_uncounted *uncounted)
{
    nv_touched_done(&uncounted->records);
}

/* What a person wrote here and nobody has taken: kept, never dropped in silence. */
static enum nv_status list_own(struct nv_merge *merge, const struct nv_op *op, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    if (op->kind == NV_OP_DELETE)
        return nv_merge_quarantine(merge, op, -1, reason, NULL, error);
    size_t place = 0;
    for (nv_fields rest = op->fields; status == NV_OK && rest != 0; rest &= rest - 1, place++)
        status = nv_merge_quarantine(merge, op, __builtin_ctzll(rest), reason, &op->values[place], error);
    return status;
}

static enum nv_status note_changeset(struct nv_uncounted *uncounted, const struct nv_log *log, uint64_t seq,
                                     struct nv_error *error)
{
    struct nv_store *store = uncounted->merge->store;
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    bool is_own = nv_site_id_compare(log->id.site, store->identity.site) == 0;
    const struct nv_opened *opened;
    enum nv_status status = nv_opened_at(store, log->number, seq, &opened, error);
    for (size_t i = 0; status == NV_OK && i < opened->body.count; i++) {
        struct nv_op op;
        bool has_record;
        nv_arena_reset(&arena);
        status = nv_opened_record(opened, (uint32_t)i, &arena, &op, &has_record, error);
        if (status != NV_OK || !has_record)
            continue;
        if (nv_touched_get(&uncounted->records, op.table, op.key, true) == NULL)
            status = nv_no_memory(error);
        else if (is_own)
            status = list_own(uncounted->merge, &op, error);
    }
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_uncounted_put_back(struct nv_uncounted *uncounted, struct nv_log *log, uint64_t seq,
                                     struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (uint64_t at = seq + 1; status == NV_OK && at <= log->applied_seq; at++)
        status = note_changeset(uncounted, log, at, error);
    return status == NV_OK ? nv_beyond_put_back(uncounted->merge->store, log, seq, error) : status;
}

enum nv_status nv_uncounted_finish(struct nv_uncounted *uncounted, struct nv_error *error)
{
    struct nv_merge *merge = uncounted->merge;
    enum nv_status status = uncounted->records.count > 0 ? nv_guard(merge->store, error) : NV_OK;
    for (size_t i = 0; status == NV_OK && i < uncounted->records.count; i++) {
        const struct nv_touched *record = uncounted->records.records[i];
        const struct nv_table_access *access = nv_access(merge->store, record->table);
        if (access != NULL && !access->table->missing)
            status = nv_derive_again(merge, record->table, record->key, NULL, error);
    }
    return status;
}
