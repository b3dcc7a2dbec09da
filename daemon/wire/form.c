#include "wire/form.h"

#include <string.h>

static bool take_fixed(struct nv_reader *reader, size_t size, uint64_t *ret_value)
{
    struct nv_slice bytes;
    if (!nv_take_bytes(reader, size, &bytes))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)bytes.data[i] << (8 * i);
    *ret_value = value;
    return true;
}

bool nv_take_field(struct nv_reader *reader, struct nv_field *ret_field)
{
    struct nv_reader ahead = *reader;
    uint64_t tag, size;
    if (!nv_take_varint(&ahead, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return false;
    struct nv_field field = {.number = (uint32_t)(tag >> 3), .type = (enum nv_form_type)(tag & 7)};
    bool is_field = false;
    switch (tag & 7) {
    case NV_FORM_VARINT:
        is_field = nv_take_varint(&ahead, &field.value);
        break;
    case NV_FORM_FIXED64:
        is_field = take_fixed(&ahead, 8, &field.value);
        break;
    case NV_FORM_BYTES:
        is_field = nv_take_varint(&ahead, &size) && size <= nv_reader_left(&ahead) &&
                   nv_take_bytes(&ahead, (size_t)size, &field.bytes);
        break;
    case NV_FORM_FIXED32:
        is_field = take_fixed(&ahead, 4, &field.value);
        break;
    default:
        break;
    }
    if (!is_field)
        return false;
    *reader = ahead;
    *ret_field = field;
    return true;
}

static void append_tag(struct nv_buffer *buffer, uint32_t number, enum nv_form_type type)
{
    nv_buffer_append_varint(buffer, (uint64_t)number << 3 | (uint64_t)type);
}

void nv_append_number_field(struct nv_buffer *buffer, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    append_tag(buffer, number, NV_FORM_VARINT);
    nv_buffer_append_varint(buffer, value);
}

void nv_append_fixed64_field(struct nv_buffer *buffer, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    append_tag(buffer, number, NV_FORM_FIXED64);
    nv_buffer_append(buffer, bytes, sizeof bytes);
}

void nv_append_field_start(struct nv_buffer *buffer, uint32_t number, size_t size)
{
    append_tag(buffer, number, NV_FORM_BYTES);
    nv_buffer_append_varint(buffer, size);
}

void nv_append_bytes_field(struct nv_buffer *buffer, uint32_t number, struct nv_slice bytes)
{
    if (bytes.size == 0)
        return;
    nv_append_field_start(buffer, number, bytes.size);
    nv_buffer_append(buffer, bytes.data, bytes.size);
}

size_t nv_varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

void nv_append_field_around(struct nv_buffer *buffer, uint32_t number, size_t start)
{
    size_t size = buffer->size - start;
    if (buffer->failed || size == 0)
        return;
    /* The content's size is known only now: it moves up to make room for what stands before it. */
    size_t before = nv_varint_size((uint64_t)number << 3) + nv_varint_size(size);
    if (nv_buffer_extend(buffer, before) == NULL)
        return;
    memmove(buffer->data + start + before, buffer->data + start, size);
    buffer->size = start;
    nv_append_field_start(buffer, number, size);
    buffer->size += size;
}

uint64_t nv_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

int64_t nv_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (~(value & 1) + 1));
}
