#include "core/record.h"

#include <assert.h>
#include <stdlib.h>

#include "base/planted.h"

void nv_record_done(struct nv_record *record)
{
    free(record->siblings);
    free(record->deletes);
    free(record->marks);
    *record = (struct nv_record){0};
}

void nv_record_clear(struct nv_record *record)
{
    record->has_home = false;
    record->home = (struct nv_site_id){{0}};
    record->sibling_count = record->delete_count = record->mark_count = 0;
}

static enum nv_status reserve(void **items, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity)
        return NV_OK;
    size_t wanted = *capacity < 4 ? 4 : *capacity * 2;
    void *grown = realloc(*items, wanted * item_size);
    if (grown == NULL)
        return NV_NO_MEMORY;
    *items = grown;
    *capacity = wanted;
    return NV_OK;
}

enum nv_status nv_record_add_sibling(struct nv_record *record, struct nv_sibling sibling)
{
    void *items = record->siblings;
    enum nv_status status = reserve(&items, &record->sibling_capacity, record->sibling_count, sizeof sibling);
    record->siblings = items;
    if (status == NV_OK)
        record->siblings[record->sibling_count++] = sibling;
    return status;
}

enum nv_status nv_record_add_delete(struct nv_record *record, struct nv_live_delete deletion)
{
    void *items = record->deletes;
    enum nv_status status = reserve(&items, &record->delete_capacity, record->delete_count, sizeof deletion);
    record->deletes = items;
    if (status == NV_OK)
        record->deletes[record->delete_count++] = deletion;
    return status;
}

enum nv_status nv_record_add_mark(struct nv_record *record, struct nv_mark mark)
{
    void *items = record->marks;
    enum nv_status status = reserve(&items, &record->mark_capacity, record->mark_count, sizeof mark);
    record->marks = items;
    if (status == NV_OK)
        record->marks[record->mark_count++] = mark;
    return status;
}

static int order_siblings(const void *a, const void *b)
{
    const struct nv_sibling *x = a, *y = b;
    int order = nv_dot_compare(x->dot, y->dot);
    return order != 0 ? order : (x->time.ms > y->time.ms) - (x->time.ms < y->time.ms);
}

static int order_deletes(const void *a, const void *b)
{
    return nv_dot_compare(((const struct nv_live_delete *)a)->dot, ((const struct nv_live_delete *)b)->dot);
}

static int order_marks(const void *a, const void *b)
{
    const struct nv_mark *x = a, *y = b;
    int order = nv_dot_compare(x->by, y->by);
    return order != 0 ? order : nv_dot_compare(x->dot, y->dot);
}

void nv_record_sort(struct nv_record *record)
{
    if (record->sibling_count > 1)
        qsort(record->siblings, record->sibling_count, sizeof *record->siblings, order_siblings);
    if (record->delete_count > 1)
        qsort(record->deletes, record->delete_count, sizeof *record->deletes, order_deletes);
    if (record->mark_count > 1)
        qsort(record->marks, record->mark_count, sizeof *record->marks, order_marks);
}

bool nv_cover_includes(const struct nv_cover *cover, struct nv_dot dot)
{
    if (NV_PLANTED(OPS_COVER_EACH_OTHER) && dot.log == cover->dot.log && dot.seq == cover->dot.seq)
        return dot.index < cover->dot.index;
    if (dot.log == cover->dot.log)
        return dot.seq < cover->dot.seq;
    return nv_vector_seq(cover->vector, dot.log) >= dot.seq;
}

nv_fields nv_cover_fields(const struct nv_cover *cover, struct nv_dot dot, nv_fields fields)
{
    if (!nv_cover_includes(cover, dot))
        return 0;
    if (NV_PLANTED(FORGET_SIBLING) && dot.log == cover->dot.log)
        return fields;
    for (size_t i = 0; i < cover->except_count; i++)
        if (nv_dot_compare(cover->excepts[i].dot, dot) == 0)
            fields &= NV_PLANTED(BARE_EXCEPT) ? 0 : ~cover->excepts[i].fields;
    return fields;
}

static void drop_marks_by(struct nv_record *record, struct nv_dot deletion)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->mark_count; i++)
        if (nv_dot_compare(record->marks[i].by, deletion) != 0)
            record->marks[kept++] = record->marks[i];
    record->mark_count = kept;
}

static void drop_covered_deletes(struct nv_record *record, const struct nv_cover *cover)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->delete_count; i++) {
        if (nv_cover_includes(cover, record->deletes[i].dot))
            drop_marks_by(record, record->deletes[i].dot);
        else
            record->deletes[kept++] = record->deletes[i];
    }
    record->delete_count = kept;
}

static void drop_covered_siblings(struct nv_record *record, const struct nv_cover *cover, nv_fields fields)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->sibling_count; i++) {
        struct nv_sibling sibling = record->siblings[i];
        sibling.fields &= ~nv_cover_fields(cover, sibling.dot, fields);
        if (sibling.fields != 0)
            record->siblings[kept++] = sibling;
    }
    record->sibling_count = kept;
    kept = 0;
    for (size_t i = 0; i < record->mark_count; i++) {
        struct nv_mark mark = record->marks[i];
        mark.fields &= ~nv_cover_fields(cover, mark.dot, fields);
        if (mark.fields != 0)
            record->marks[kept++] = mark;
    }
    record->mark_count = kept;
}

void nv_record_name_home(struct nv_record *record, struct nv_site_id home)
{
    if (record->has_home && (NV_PLANTED(HOME_BY_ARRIVAL) || nv_site_id_compare(record->home, home) <= 0))
        return;
    record->has_home = true;
    record->home = home;
}

enum nv_status nv_record_add_put(struct nv_record *record, struct nv_dot dot, const struct nv_op *op, nv_fields fields)
{
    uint64_t age_of[NV_LIMIT_FIELDS] = {0};
    size_t place = 0;
    for (unsigned field = 0; field < NV_LIMIT_FIELDS; field++)
        if (op->fields >> field & 1)
            age_of[field] = op->ages[place++];
    while (fields != 0) {
        uint64_t age = age_of[__builtin_ctzll(fields)];
        nv_fields alike = 0;
        for (unsigned field = 0; field < NV_LIMIT_FIELDS; field++)
            if ((fields >> field & 1) && age_of[field] == age)
                alike |= (nv_fields)1 << field;
        struct nv_wall_ms time = {op->time.ms - (int64_t)age};
        enum nv_status status =
            nv_record_add_sibling(record, (struct nv_sibling){.dot = dot, .time = time, .fields = alike});
        if (status != NV_OK)
            return status;
        fields &= ~alike;
    }
    return NV_OK;
}

enum nv_status nv_record_put(struct nv_record *record, const struct nv_cover *cover, const struct nv_op *op,
                             nv_fields fields, struct nv_site_id writer)
{
    assert(op->kind == NV_OP_PUT && (fields & ~op->fields) == 0);
    drop_covered_deletes(record, cover);
    drop_covered_siblings(record, cover, fields);
    enum nv_status status = nv_record_add_put(record, cover->dot, op, fields);
    if (status != NV_OK)
        return status;
    nv_record_name_home(record, op->has_home ? op->home : writer);
    nv_record_sort(record);
    return NV_OK;
}

enum nv_status nv_record_delete(struct nv_record *record, const struct nv_cover *cover, const struct nv_op *op)
{
    assert(op->kind == NV_OP_DELETE);
    drop_covered_deletes(record, cover);
    if (NV_PLANTED(DELETE_DROPS_SIBLINGS))
        drop_covered_siblings(record, cover, UINT64_MAX);
    enum nv_status status = nv_record_add_delete(record, (struct nv_live_delete){.dot = cover->dot, .time = op->time});
    for (size_t i = 0; status == NV_OK && i < record->sibling_count; i++) {
        const struct nv_sibling *sibling = &record->siblings[i];
        nv_fields seen = nv_cover_fields(cover, sibling->dot, sibling->fields);
        if (seen == 0)
            continue;
        struct nv_mark *last = record->mark_count == 0 ? NULL : &record->marks[record->mark_count - 1];
        if (last != NULL && nv_dot_compare(last->by, cover->dot) == 0 && nv_dot_compare(last->dot, sibling->dot) == 0)
            last->fields |= seen;
        else
            status =
                nv_record_add_mark(record, (struct nv_mark){.by = cover->dot, .dot = sibling->dot, .fields = seen});
    }
    nv_record_sort(record);
    return status;
}

bool nv_record_shown(const struct nv_record *record)
{
    for (size_t i = 0; i < record->sibling_count; i++) {
        nv_fields unmarked = record->siblings[i].fields;
        for (size_t j = 0; j < record->mark_count; j++)
            if (nv_dot_compare(record->marks[j].dot, record->siblings[i].dot) == 0)
                unmarked &= ~record->marks[j].fields;
        if (unmarked != 0)
            return true;
    }
    return false;
}

nv_fields nv_record_fields(const struct nv_record *record)
{
    nv_fields fields = 0;
    for (size_t i = 0; i < record->sibling_count; i++)
        fields |= record->siblings[i].fields;
    return fields;
}

nv_fields nv_record_contested(const struct nv_record *record)
{
    nv_fields once = 0, twice = 0;
    for (size_t i = 0; i < record->sibling_count; i++) {
        twice |= once & record->siblings[i].fields;
        once |= record->siblings[i].fields;
    }
    return twice;
}

static bool siblings_equal(const struct nv_record *a, const struct nv_record *b)
{
    if (a->sibling_count != b->sibling_count)
        return false;
    for (size_t i = 0; i < a->sibling_count; i++)
        if (order_siblings(&a->siblings[i], &b->siblings[i]) != 0 || a->siblings[i].fields != b->siblings[i].fields)
            return false;
    return true;
}

static bool deletes_equal(const struct nv_record *a, const struct nv_record *b)
{
    if (a->delete_count != b->delete_count || a->mark_count != b->mark_count)
        return false;
    for (size_t i = 0; i < a->delete_count; i++)
        if (order_deletes(&a->deletes[i], &b->deletes[i]) != 0 || a->deletes[i].time.ms != b->deletes[i].time.ms)
            return false;
    for (size_t i = 0; i < a->mark_count; i++)
        if (order_marks(&a->marks[i], &b->marks[i]) != 0 || a->marks[i].fields != b->marks[i].fields)
            return false;
    return true;
}

bool nv_record_equal(const struct nv_record *a, const struct nv_record *b)
{
    if (a->has_home != b->has_home || (a->has_home && nv_site_id_compare(a->home, b->home) != 0))
        return false;
    return siblings_equal(a, b) && deletes_equal(a, b);
}
