/* Protobuf's own form, field by field and without a copy, for what must be read fast: changesets, bodies and ops.
 * Internal to wire/.
 *
 * Stricter than protobuf asks (PROTOCOL.md, "Canonical form"): numbers in their shortest form, no groups. The readers
 * on top of it hold the fields to ascending order and refuse a field that states its default, so that the bytes that a
 * signature covers have one meaning and a meaning has one form.
 */
#pragma once

#include "base/buffer.h"

enum nv_form_type { NV_FORM_VARINT = 0, NV_FORM_FIXED64 = 1, NV_FORM_BYTES = 2, NV_FORM_FIXED32 = 5 };

struct nv_field {
    uint32_t number;
    enum nv_form_type type;
    uint64_t value;        /* of all but NV_FORM_BYTES */
    struct nv_slice bytes; /* of NV_FORM_BYTES: within the bytes that are read */
};

/* Takes one field; false where the bytes are no field. */
bool nv_take_field(struct nv_reader *reader, struct nv_field *ret_field);

/* Appends a field; a value of 0 and no bytes are the defaults, which are left out. */
void nv_append_number_field(struct nv_buffer *buffer, uint32_t number, uint64_t value);
void nv_append_fixed64_field(struct nv_buffer *buffer, uint32_t number, uint64_t value);
void nv_append_bytes_field(struct nv_buffer *buffer, uint32_t number, struct nv_slice bytes);

/* Appends the start of a bytes field whose `size` bytes the caller appends next. */
void nv_append_field_start(struct nv_buffer *buffer, uint32_t number, size_t size);

/* Makes what was appended since `start` the content of a bytes field; takes it away where it is empty. */
void nv_append_field_around(struct nv_buffer *buffer, uint32_t number, size_t start);
size_t nv_varint_size(uint64_t value);

uint64_t nv_zigzag(int64_t value);
int64_t nv_unzigzag(uint64_t value);
