/* Who changed which field when: store/care.h. */
#include "store/care.h"
#include "store/merge/derive.h"

static bool tell(const struct nv_opened *opened, const struct nv_log *log, uint32_t place, const struct nv_table *table,
                 const struct nv_op *op, bool (*each)(const struct nv_history_entry *entry, void *context),
                 void *context)
{
    struct nv_history_entry entry = {.kind = op->kind,
                                     .scope = log->id.scope,
                                     .site = log->id.site,
                                     .epoch = log->id.epoch,
                                     .seq = opened->header.seq,
                                     .index = place,
                                     .time = op->time,
                                     .table = table,
                                     .op = op};
    return each(&entry, context);
}

enum nv_status nv_store_history(struct nv_store *store, const char *table_name, struct nv_slice key,
                                bool (*each)(const struct nv_history_entry *entry, void *context), void *context,
                                struct nv_error *error)
{
    enum nv_status status = nv_ready(store, error);
    if (status != NV_OK)
        return status;
    const struct nv_table *table = nv_store_table(store, table_name);
    if (table == NULL)
        return nv_fail(error, NV_NOT_FOUND, "no table %s is synchronised: see `navette schema show`", table_name);
    struct nv_op_places places = {0};
    struct nv_arena arena = {.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES};
    status = nv_op_places_find(store, (struct nv_record_name){table->number, key, 0}, &places, error);
    for (size_t i = 0; status == NV_OK && i < places.count; i++) {
        const struct nv_opened *opened;
        nv_arena_reset(&arena);
        struct nv_op *op = nv_arena_alloc(&arena, sizeof *op);
        status =
            op == NULL ? nv_no_memory(error) : nv_opened_by_number(store, places.places[i].changeset, &opened, error);
        if (status == NV_OK)
            status = nv_op_decode(opened->body.entries[places.places[i].place].op, &arena, op, error);
        if (status == NV_OK &&
            !tell(opened, nv_log_by_number(store, opened->log), places.places[i].place, table, op, each, context))
            break;
    }
    nv_op_places_done(&places);
    nv_arena_done(&arena);
    return status;
}
