#include "core/meaning.h"

/* The fields of put `me` that no other put covers. */
static nv_fields uncovered_fields(const struct nv_retained_op *ops, size_t count, size_t me)
{
    nv_fields fields = ops[me].fields;
    for (size_t i = 0; i < count && fields != 0; i++)
        if (i != me && ops[i].op->kind == NV_OP_PUT)
            fields &= ~nv_cover_fields(&ops[i].cover, ops[me].cover.dot, fields & ops[i].fields);
    return fields;
}

static bool is_live(const struct nv_retained_op *ops, size_t count, size_t me)
{
    for (size_t i = 0; i < count; i++)
        if (i != me && nv_cover_includes(&ops[i].cover, ops[me].cover.dot))
            return false;
    return true;
}

static enum nv_status add_marks(struct nv_record *record, const struct nv_retained_op *deletion)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < record->sibling_count; i++) {
        nv_fields fields = 0;
        struct nv_dot dot = record->siblings[i].dot;
        bool is_first_of_dot = true;
        for (size_t j = 0; j < record->sibling_count; j++) {
            if (nv_dot_compare(record->siblings[j].dot, dot) != 0)
                continue;
            is_first_of_dot = is_first_of_dot && j >= i;
            fields |= record->siblings[j].fields;
        }
        fields = nv_cover_fields(&deletion->cover, dot, fields);
        if (is_first_of_dot && fields != 0)
            status = nv_record_add_mark(record, (struct nv_mark){deletion->cover.dot, dot, fields});
    }
    return status;
}

enum nv_status nv_meaning(const struct nv_retained_op *ops, size_t count, struct nv_record *record)
{
    nv_record_clear(record);
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (ops[i].op->kind != NV_OP_PUT)
            continue;
        nv_record_name_home(record, ops[i].op->has_home ? ops[i].op->home : ops[i].writer);
        status = nv_record_add_put(record, ops[i].cover.dot, ops[i].op, uncovered_fields(ops, count, i));
    }
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (ops[i].op->kind != NV_OP_DELETE || !is_live(ops, count, i))
            continue;
        status = nv_record_add_delete(record, (struct nv_live_delete){ops[i].cover.dot, ops[i].op->time});
        if (status == NV_OK)
            status = add_marks(record, &ops[i]);
    }
    nv_record_sort(record);
    return status;
}
