#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

void nv_buffer_done(struct nv_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct nv_buffer){0};
}

void nv_buffer_clear(struct nv_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

uint8_t *nv_buffer_extend(struct nv_buffer *buffer, size_t size)
{
    if (buffer->failed)
        return NULL;
    /* Also where no room is asked for: NULL is for memory that ran out. */
    if (buffer->data == NULL || size > buffer->capacity - buffer->size) {
        size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity;
        while (capacity - buffer->size < size) {
            if (capacity > SIZE_MAX / 2) {
                buffer->failed = true;
                return NULL;
            }
            capacity *= 2;
        }
        uint8_t *data = realloc(buffer->data, capacity);
        if (data == NULL) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    uint8_t *room = buffer->data + buffer->size;
    buffer->size += size;
    return room;
}

void nv_buffer_append(struct nv_buffer *buffer, const void *data, size_t size)
{
    uint8_t *room = nv_buffer_extend(buffer, size);
    if (room != NULL && size > 0)
        memcpy(room, data, size);
}

void nv_buffer_append_byte(struct nv_buffer *buffer, uint8_t byte)
{
    nv_buffer_append(buffer, &byte, 1);
}

void nv_buffer_append_varint(struct nv_buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    nv_buffer_append(buffer, bytes, size);
}

struct nv_slice nv_buffer_slice(const struct nv_buffer *buffer)
{
    return (struct nv_slice){.data = buffer->data, .size = buffer->size};
}

bool nv_slice_equal(struct nv_slice a, struct nv_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int nv_slice_compare(struct nv_slice a, struct nv_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

struct nv_reader nv_reader_of(struct nv_slice slice)
{
    if (slice.size == 0)
        return (struct nv_reader){0};
    return (struct nv_reader){.at = slice.data, .end = slice.data + slice.size};
}

bool nv_take_long_varint(struct nv_reader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;
    const uint8_t *at = reader->at;
    for (unsigned shift = 0;; shift += 7) { /* the tenth byte is the last one */
        if (at == reader->end)
            return false;
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (byte == 0 && shift > 0)
                return false;
            reader->at = at;
            *ret_value = value;
            return true;
        }
    }
}
