/* Keys as people write them (store/care.h). The written form names one key and no other:
 *   - of one column, the text itself; of several, the columns with '/' between;
 *   - x'…' a blob and t'…' a text that a terminal or a command line cannot carry, both by their bytes in hexadecimal;
 *     n'…' a number where the column's type does not say that it is one;
 *   - a backslash before a character takes away what it would mean. In the key of one column only the first character
 *     can mean something, so that keys with slashes stand as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "core/accept.h"
#include "store/care.h"

/* ---- to text ---- */

/* Whether the bytes are UTF-8 (RFC 3629) without control characters. */
static bool is_plain(struct nv_slice text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < text.size;) {
        uint8_t first = text.data[i];
        size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
        if (size == 0 || size > text.size - i)
            return false;
        uint32_t code = size == 1 ? first : first & (0x7fu >> size);
        for (size_t k = 1; k < size; k++) {
            if (text.data[i + k] >> 6 != 2)
                return false;
            code = code << 6 | (text.data[i + k] & 0x3fu);
        }
        if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code < 0x20 ||
            (code >= 0x7f && code < 0xa0))
            return false;
        i += size;
    }
    return true;
}

static bool has_form(struct nv_slice text, char letter)
{
    return text.size >= 3 && text.data[0] == (uint8_t)letter && text.data[1] == '\'' &&
           text.data[text.size - 1] == '\'';
}

static bool means_something(struct nv_slice text)
{
    return has_form(text, 'x') || has_form(text, 't') || has_form(text, 'n') || (text.size > 0 && text.data[0] == '\\');
}

static void append_hex(struct nv_buffer *buffer, char letter, struct nv_slice bytes)
{
    char digits[3];
    nv_buffer_append_byte(buffer, (uint8_t)letter);
    nv_buffer_append_byte(buffer, '\'');
    for (size_t i = 0; i < bytes.size; i++) {
        nv_hex(bytes.data + i, 1, digits);
        nv_buffer_append(buffer, digits, 2);
    }
    nv_buffer_append_byte(buffer, '\'');
}

static void append_text(struct nv_buffer *buffer, struct nv_slice text, bool is_alone)
{
    if (!is_plain(text)) {
        append_hex(buffer, 't', text);
        return;
    }
    if (means_something(text) && (is_alone || text.data[0] != '\\'))
        nv_buffer_append_byte(buffer, '\\');
    if (is_alone) {
        nv_buffer_append(buffer, text.data, text.size);
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '/' || text.data[i] == '\\')
            nv_buffer_append_byte(buffer, '\\');
        nv_buffer_append_byte(buffer, text.data[i]);
    }
}

static void append_real(struct nv_buffer *buffer, double real)
{
    char number[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, real);
        if (strtod(number, NULL) == real)
            break;
    }
    if (strspn(number, "-0123456789") == strlen(number))
        strcat(number, ".0");
    nv_buffer_append(buffer, number, strlen(number));
}

static void append_number(struct nv_buffer *buffer, const struct nv_value *value)
{
    char number[32];
    if (value->type == NV_REAL) {
        append_real(buffer, value->real);
        return;
    }
    snprintf(number, sizeof number, "%lld", (long long)value->integer);
    nv_buffer_append(buffer, number, strlen(number));
}

static bool is_numeric(const struct nv_column_type *type)
{
    return type->affinity == NV_AFFINITY_INTEGER || type->affinity == NV_AFFINITY_REAL ||
           type->affinity == NV_AFFINITY_NUMERIC;
}

static void append_value(struct nv_buffer *buffer, const struct nv_value *value, const struct nv_column_type *type,
                         bool is_alone)
{
    switch (value->type) {
    case NV_NULL: /* no key holds one: tracked keys are NOT NULL */
        break;
    case NV_INTEGER:
    case NV_REAL:
        if (!is_numeric(type))
            nv_buffer_append(buffer, "n'", 2);
        append_number(buffer, value);
        if (!is_numeric(type))
            nv_buffer_append_byte(buffer, '\'');
        break;
    case NV_TEXT:
        append_text(buffer, value->bytes, is_alone);
        break;
    case NV_BLOB:
        append_hex(buffer, 'x', value->bytes);
        break;
    }
}

void nv_key_to_text(const struct nv_table *table, struct nv_slice key, struct nv_buffer *ret_text)
{
    struct nv_value value;
    struct nv_reader reader = nv_reader_of(key);
    bool is_alone = nv_value_decode(&reader, &value) && nv_reader_left(&reader) == 0;
    reader = nv_reader_of(key);
    for (size_t i = 0; i < table->key_count && nv_value_decode(&reader, &value); i++) {
        if (i > 0)
            nv_buffer_append_byte(ret_text, '/');
        append_value(ret_text, &value, &table->key_types[i], is_alone);
    }
    nv_buffer_append_byte(ret_text, '\0');
}

/* ---- from text ---- */

/* One column as it was written: its bytes, and whether its first character was taken literally. */
struct part {
    struct nv_buffer bytes;
    bool is_literal;
};

/* The number that a column of a numeric type stores for this text (datatype3.html, section 3). */
static struct nv_value number_of(const char *text, enum nv_affinity affinity)
{
    struct nv_value value = {.type = NV_REAL, .real = strtod(text, NULL)};
    char *end;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    end += strspn(end, " \t\n\v\f\r");
    bool is_integer = *end == '\0' && errno == 0;
    if (affinity == NV_AFFINITY_REAL) {
        if (value.real == 0)
            value.real = 0; /* from text there is no negative zero */
        return value;
    }
    if (is_integer)
        return (struct nv_value){.type = NV_INTEGER, .integer = integer};
    /* A real that is a whole number is stored as an integer where that loses nothing. */
    if (value.real > -9223372036854775808.0 && value.real < 9223372036854775808.0 &&
        value.real == (double)(int64_t)value.real)
        return (struct nv_value){.type = NV_INTEGER, .integer = (int64_t)value.real};
    return value;
}

static bool take_hex(struct nv_slice form, struct nv_buffer *bytes)
{
    size_t digits = form.size - 3;
    if (digits == 0)
        return true;
    char *text = strndup((const char *)form.data + 2, digits);
    uint8_t *room = digits % 2 == 0 ? nv_buffer_extend(bytes, digits / 2) : NULL;
    bool good = text != NULL && room != NULL && nv_unhex(text, room, digits / 2);
    bytes->failed = bytes->failed || text == NULL;
    free(text);
    return good;
}

static bool encode_number(struct nv_slice text, enum nv_affinity affinity, struct nv_buffer *key)
{
    char *copy = strndup((const char *)text.data, text.size);
    if (copy != NULL) {
        struct nv_value value = number_of(copy, affinity);
        nv_value_encode(key, &value);
    }
    key->failed = key->failed || copy == NULL;
    free(copy);
    return copy != NULL;
}

/* Appends the value that the column stores for what was written. False where a form is broken, or (the key has failed)
 * where memory ran out. */
static bool encode_part(const struct part *part, const struct nv_column_type *type, struct nv_buffer *key)
{
    struct nv_slice text = nv_buffer_slice(&part->bytes);
    struct nv_value value = {.type = NV_TEXT, .bytes = text};
    struct nv_buffer bytes = {0};
    bool good = true;
    if (!part->is_literal && has_form(text, 'n')) {
        struct nv_slice number = {text.data + 2, text.size - 3};
        return nv_text_is_number(number) && encode_number(number, NV_AFFINITY_NUMERIC, key);
    }
    if (!part->is_literal && (has_form(text, 'x') || has_form(text, 't'))) {
        good = take_hex(text, &bytes);
        value.type = text.data[0] == 'x' ? NV_BLOB : NV_TEXT;
        value.bytes = nv_buffer_slice(&bytes);
        key->failed = key->failed || bytes.failed;
    }
    if (good && value.type == NV_TEXT && is_numeric(type) && nv_text_is_number(value.bytes))
        good = encode_number(value.bytes, type->affinity, key);
    else if (good)
        nv_value_encode(key, &value);
    nv_buffer_done(&bytes);
    return good;
}

/* Reads the next column; false where there is none. `*at` moves behind it, and behind its slash. */
static bool next_part(const char **at, bool is_alone, struct part *part)
{
    const char *text = *at;
    if (text == NULL)
        return false;
    nv_buffer_clear(&part->bytes);
    part->is_literal = text[0] == '\\';
    if (is_alone) {
        text += part->is_literal ? 1 : 0;
        nv_buffer_append(&part->bytes, text, strlen(text));
        *at = NULL;
        return true;
    }
    for (; *text != '\0' && *text != '/'; text++) {
        if (*text == '\\' && text[1] != '\0')
            text++;
        nv_buffer_append_byte(&part->bytes, (uint8_t)*text);
    }
    *at = *text == '/' ? text + 1 : NULL;
    return true;
}

static enum nv_status refuse_count(const struct nv_table *table, struct nv_error *error)
{
    char names[240] = "";
    for (size_t i = 0, used = 0; i < table->key_count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : "/", table->keys[i]);
    return nv_fail(error, NV_REFUSED, "a key of %s has %zu columns: write it as %s, with \\/ for a slash inside one",
                   table->name, table->key_count, names);
}

enum nv_status nv_key_from_text(const struct nv_table *table, const char *text, struct nv_buffer *ret_key,
                                struct nv_error *error)
{
    struct nv_buffer key = {0};
    struct part part = {0};
    size_t count = 0;
    enum nv_status status = NV_OK;
    while (status == NV_OK && next_part(&text, table->key_count == 1, &part)) {
        if (part.bytes.failed)
            status = nv_no_memory(error);
        else if (count == table->key_count)
            status = refuse_count(table, error);
        else if (!encode_part(&part, &table->key_types[count++], &key))
            status =
                nv_fail(error, NV_REFUSED,
                        "the key is not well formed: x'…' and t'…' take hexadecimal digits in pairs, n'…' a number; "
                        "a \\ before them makes them plain text");
        if (status == NV_OK && key.size > NV_LIMIT_KEY_BYTES)
            status = nv_fail(error, NV_REFUSED, "the key is too long: at most %d bytes", NV_LIMIT_KEY_BYTES);
    }
    if (status == NV_OK && count < table->key_count)
        status = refuse_count(table, error);
    if (status == NV_OK)
        nv_buffer_append(ret_key, key.data, key.size);
    if (key.failed || ret_key->failed)
        status = nv_no_memory(error);
    nv_buffer_done(&part.bytes);
    nv_buffer_done(&key);
    return status;
}
