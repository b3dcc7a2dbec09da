#include "core/value.h"

#include <math.h>
#include <string.h>

static uint64_t bits_of(double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return bits;
}

void nv_value_encode(struct nv_buffer *buffer, const struct nv_value *value)
{
    nv_buffer_append_byte(buffer, (uint8_t)value->type);
    switch (value->type) {
    case NV_NULL:
        break;
    case NV_INTEGER: {
        uint64_t u = (uint64_t)value->integer;
        nv_buffer_append_varint(buffer, u << 1 ^ (value->integer < 0 ? UINT64_MAX : 0));
        break;
    }
    case NV_REAL: {
        uint64_t bits = bits_of(value->real);
        uint8_t bytes[8];
        for (size_t i = 0; i < 8; i++)
            bytes[i] = (uint8_t)(bits >> (8 * i));
        nv_buffer_append(buffer, bytes, sizeof bytes);
        break;
    }
    case NV_TEXT:
    case NV_BLOB:
        nv_buffer_append_varint(buffer, value->bytes.size);
        nv_buffer_append(buffer, value->bytes.data, value->bytes.size);
        break;
    }
}

bool nv_value_decode(struct nv_reader *reader, struct nv_value *ret_value)
{
    struct nv_reader ahead = *reader;
    uint8_t tag;
    if (!nv_take_byte(&ahead, &tag))
        return false;
    struct nv_value value = {.type = (enum nv_value_type)tag};
    switch (tag) {
    case NV_NULL:
        break;
    case NV_INTEGER: {
        uint64_t u;
        if (!nv_take_varint(&ahead, &u))
            return false;
        value.integer = (int64_t)(u >> 1 ^ (~(u & 1) + 1));
        break;
    }
    case NV_REAL: {
        struct nv_slice bytes;
        if (!nv_take_bytes(&ahead, 8, &bytes))
            return false;
        uint64_t bits = 0;
        for (size_t i = 0; i < 8; i++)
            bits |= (uint64_t)bytes.data[i] << (8 * i);
        memcpy(&value.real, &bits, sizeof bits);
        if (isnan(value.real))
            return false;
        break;
    }
    case NV_TEXT:
    case NV_BLOB: {
        uint64_t size;
        if (!nv_take_varint(&ahead, &size) || size > nv_reader_left(&ahead) ||
            !nv_take_bytes(&ahead, (size_t)size, &value.bytes))
            return false;
        break;
    }
    default:
        return false;
    }
    *reader = ahead;
    *ret_value = value;
    return true;
}

bool nv_value_equal(const struct nv_value *a, const struct nv_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case NV_NULL:
        return true;
    case NV_INTEGER:
        return a->integer == b->integer;
    case NV_REAL:
        return bits_of(a->real) == bits_of(b->real);
    case NV_TEXT:
    case NV_BLOB:
        return nv_slice_equal(a->bytes, b->bytes);
    }
    return false;
}

/* An integer against a real, exactly: a double cannot hold every 64-bit integer. */
static int compare_integer_with_real(int64_t i, double r)
{
    if (r >= 9223372036854775808.0)
        return -1;
    if (r < -9223372036854775808.0)
        return 1;
    int64_t whole = (int64_t)r;
    if (i != whole)
        return i < whole ? -1 : 1;
    double rest = r - (double)whole;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

static int compare_numbers(const struct nv_value *a, const struct nv_value *b)
{
    if (a->type == NV_INTEGER && b->type == NV_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    if (a->type == NV_REAL && b->type == NV_REAL) {
        if (a->real < b->real || a->real > b->real)
            return a->real < b->real ? -1 : 1;
        return signbit(b->real) - signbit(a->real) == 0 ? 0 : signbit(a->real) ? -1 : 1;
    }
    int order = a->type == NV_INTEGER ? compare_integer_with_real(a->integer, b->real)
                                      : -compare_integer_with_real(b->integer, a->real);
    if (order != 0)
        return order;
    return a->type == NV_INTEGER ? -1 : 1;
}

static int class_of(enum nv_value_type type)
{
    switch (type) {
    case NV_NULL:
        return 0;
    case NV_INTEGER:
    case NV_REAL:
        return 1;
    case NV_TEXT:
        return 2;
    case NV_BLOB:
        return 3;
    }
    return 4;
}

int nv_value_compare(const struct nv_value *a, const struct nv_value *b)
{
    int a_class = class_of(a->type), b_class = class_of(b->type);
    if (a_class != b_class)
        return a_class < b_class ? -1 : 1;
    if (a_class == 0)
        return 0;
    if (a_class == 1)
        return compare_numbers(a, b);
    return nv_slice_compare(a->bytes, b->bytes);
}
