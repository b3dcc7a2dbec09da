/* A growing run of bytes.
 *
 * Appending never reports an error: a failed allocation marks the buffer as failed, appends nothing more, and the
 * caller looks once at the end. A zeroed struct is an empty buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nv_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
};

/* Bytes that somebody else owns. `data` may be NULL where `size` is 0. */
struct nv_slice {
    const uint8_t *data;
    size_t size;
};

void nv_buffer_done(struct nv_buffer *buffer);
void nv_buffer_clear(struct nv_buffer *buffer); /* empties it, keeps the memory, forgets a failure */
void nv_buffer_append(struct nv_buffer *buffer, const void *data, size_t size);
void nv_buffer_append_byte(struct nv_buffer *buffer, uint8_t byte);
void nv_buffer_append_varint(struct nv_buffer *buffer, uint64_t value); /* LEB128, as protobuf's varint */

/* Room for `size` further bytes, which count as appended; NULL where memory ran out. */
uint8_t *nv_buffer_extend(struct nv_buffer *buffer, size_t size);

struct nv_slice nv_buffer_slice(const struct nv_buffer *buffer);
bool nv_slice_equal(struct nv_slice a, struct nv_slice b);
int nv_slice_compare(struct nv_slice a, struct nv_slice b); /* memcmp order, the shorter first */

/* A reader over a slice: every take returns false, and takes nothing, where the bytes end too early. The small ones are
 * inline: each value of each op goes through them. */
struct nv_reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct nv_reader nv_reader_of(struct nv_slice slice);
bool nv_take_long_varint(struct nv_reader *reader, uint64_t *ret_value); /* nv_take_varint is what to call */

static inline size_t nv_reader_left(const struct nv_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline bool nv_take_byte(struct nv_reader *reader, uint8_t *ret_byte)
{
    if (reader->at == reader->end)
        return false;
    *ret_byte = *reader->at++;
    return true;
}

/* Refuses numbers of over 64 bits and over-long forms. */
static inline bool nv_take_varint(struct nv_reader *reader, uint64_t *ret_value)
{
    if (reader->at == reader->end || *reader->at >= 0x80)
        return nv_take_long_varint(reader, ret_value);
    *ret_value = *reader->at++;
    return true;
}

static inline bool nv_take_bytes(struct nv_reader *reader, size_t size, struct nv_slice *ret_bytes)
{
    if (nv_reader_left(reader) < size)
        return false;
    *ret_bytes = (struct nv_slice){.data = reader->at, .size = size};
    reader->at += size;
    return true;
}
