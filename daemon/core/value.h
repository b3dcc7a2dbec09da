/* Values as SQLite has them: NULL, 64-bit integer, 64-bit real, text, blob; and their one encoding.
 *
 * Two values are equal when storage class and bits are: 1 and 1.0 are two values, 0.0 and -0.0 are two values. The
 * encoding (PROTOCOL.md, "Values") is one tag byte and, by tag: nothing; a zigzag varint; 8 bytes of the IEEE 754 bits,
 * least significant first; a varint length and that many bytes (text, blob). It is canonical: equal values, equal
 * bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum nv_value_type { NV_NULL = 0, NV_INTEGER = 1, NV_REAL = 2, NV_TEXT = 3, NV_BLOB = 4 };

struct nv_value {
    enum nv_value_type type;
    union {
        int64_t integer;
        double real;
        struct nv_slice bytes; /* text (UTF-8 where honest; any bytes are kept, NUL too) and blob; not owned */
    };
};

void nv_value_encode(struct nv_buffer *buffer, const struct nv_value *value);

/* False where the bytes are no value: an unknown tag, too short, an over-long varint, a NaN (SQLite has none). */
bool nv_value_decode(struct nv_reader *reader, struct nv_value *ret_value);

bool nv_value_equal(const struct nv_value *a, const struct nv_value *b);

/* SQLite's order (datatype3.html, 4.1): NULL, numbers, text, blobs; text and blobs by memcmp. Where numbers are equal,
 * the integer comes before the real and -0.0 before 0.0, so that only equal values compare as 0. */
int nv_value_compare(const struct nv_value *a, const struct nv_value *b);
