/* Writing ops, in the one form that op.c reads. */
#include <assert.h>

#include "wire/changeset.h"
#include "wire/form.h"

static struct nv_slice slice_of(const void *bytes, size_t size)
{
    return (struct nv_slice){.data = bytes, .size = size};
}

static void append_dot_fields(const struct nv_far_dot *dot, struct nv_buffer *buffer)
{
    nv_append_bytes_field(buffer, 1, slice_of(dot->site.bytes, sizeof dot->site.bytes));
    nv_append_fixed64_field(buffer, 2, dot->epoch);
    nv_append_number_field(buffer, 3, dot->seq);
    nv_append_number_field(buffer, 4, dot->index);
}

static void append_except(const struct nv_except *except, struct nv_buffer *buffer)
{
    size_t start = buffer->size;
    append_dot_fields(&except->dot, buffer);
    nv_append_field_around(buffer, 1, start);
    nv_append_number_field(buffer, 2, except->fields);
    nv_append_field_around(buffer, 9, start);
}

static void append_values(const struct nv_op *op, struct nv_buffer *buffer)
{
    nv_append_number_field(buffer, 5, op->fields);
    size_t start = buffer->size;
    for (size_t i = 0; i < op->value_count; i++)
        nv_value_encode(buffer, &op->values[i]);
    nv_append_field_around(buffer, 6, start);
    uint64_t any = 0;
    for (size_t i = 0; i < op->value_count; i++)
        any |= op->ages[i];
    start = buffer->size;
    for (size_t i = 0; any != 0 && i < op->value_count; i++)
        nv_buffer_append_varint(buffer, op->ages[i]);
    nv_append_field_around(buffer, 7, start);
    if (op->has_home)
        nv_append_bytes_field(buffer, 8, slice_of(op->home.bytes, sizeof op->home.bytes));
}

void nv_op_encode(const struct nv_op *op, struct nv_buffer *buffer)
{
    assert(op->kind >= NV_OP_PUT && op->kind <= NV_OP_SEALED);
    nv_append_number_field(buffer, 1, op->kind);
    if (op->kind == NV_OP_SEALED) {
        nv_append_number_field(buffer, 11, op->key_number);
        nv_append_bytes_field(buffer, 12, op->box);
        return;
    }
    if (op->kind != NV_OP_REDACT) {
        nv_append_number_field(buffer, 2, op->table);
        nv_append_bytes_field(buffer, 3, op->key);
    }
    nv_append_number_field(buffer, 4, nv_zigzag(op->time.ms));
    if (op->kind == NV_OP_PUT)
        append_values(op, buffer);
    for (size_t i = 0; op->kind != NV_OP_REDACT && i < op->except_count; i++)
        append_except(&op->excepts[i], buffer);
    for (size_t i = 0; op->kind == NV_OP_REDACT && i < op->name_count; i++) {
        size_t start = buffer->size;
        append_dot_fields(&op->names[i], buffer);
        nv_append_field_around(buffer, 10, start);
    }
}
