#include "store/capture/putback.h"

#include "store/capture/localop.h"

enum nv_status nv_put_back(struct nv_merge *merge, struct nv_table_access *access, const struct nv_touched *touched,
                           struct nv_error *error)
{
    struct nv_op *op = nv_arena_alloc(&merge->arena, sizeof *op);
    nv_fields fields = 0, changed;
    bool is_deleted = !merge->row.there && touched->last != NULL && touched->last->what == 'D';
    enum nv_status status = NV_OK;
    if (op == NULL)
        return nv_no_memory(error);
    op->table = touched->table;
    op->key = touched->key;
    if (merge->row.there)
        status = nv_local_fields(merge, access->table, touched, &fields, error);
    for (nv_fields rest = fields; status == NV_OK && rest != 0; rest &= rest - 1) {
        unsigned field = (unsigned)__builtin_ctzll(rest);
        status = nv_merge_quarantine(merge, op, (int)field, "right", &merge->row.values[field], error);
    }
    if (status == NV_OK && is_deleted)
        status = nv_merge_quarantine(merge, op, -1, "right", NULL, error);
    merge->op = NULL;
    if (status != NV_OK || (fields == 0 && merge->row.there))
        return status;
    return nv_merge_show(merge, access, touched->key, nv_all_fields(access->table), &changed, error);
}

enum nv_status nv_leave_out(struct nv_merge *merge, struct nv_op *op, unsigned field, const char *reason,
                            struct nv_error *error)
{
    nv_fields bit = (nv_fields)1 << field;
    size_t place = (size_t)__builtin_popcountll(op->fields & (bit - 1));
    enum nv_status status = nv_merge_quarantine(merge, op, (int)field, reason, &op->values[place], error);
    op->value_count--;
    op->fields &= ~bit;
    memmove(&op->values[place], &op->values[place + 1], (op->value_count - place) * sizeof op->values[0]);
    memmove(&op->ages[place], &op->ages[place + 1], (op->value_count - place) * sizeof op->ages[0]);
    return status;
}

enum nv_status nv_leave_out_scope(struct nv_merge *merge, const struct nv_table *table, struct nv_op *op,
                                  nv_fields *left_out, struct nv_error *error)
{
    nv_fields bit = (nv_fields)1 << table->scope_place;
    if (table->declared != NV_DECLARED_COLUMN || op->kind != NV_OP_PUT || !op->has_home || (op->fields & bit) == 0)
        return NV_OK;
    *left_out |= bit;
    return nv_leave_out(merge, op, table->scope_place, "home", error);
}
