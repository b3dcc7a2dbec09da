#include "core/accept.h"

#include <math.h>
#include <string.h>

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool contains(const char *text, const char *upper_word)
{
    size_t size = strlen(upper_word);
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < size && upper(text[i]) == upper_word[i])
            i++;
        if (i == size)
            return true;
    }
    return false;
}

enum nv_affinity nv_affinity_of(const char *declared_type)
{
    if (declared_type == NULL || *declared_type == '\0')
        return NV_AFFINITY_BLOB;
    if (contains(declared_type, "INT"))
        return NV_AFFINITY_INTEGER;
    if (contains(declared_type, "CHAR") || contains(declared_type, "CLOB") || contains(declared_type, "TEXT"))
        return NV_AFFINITY_TEXT;
    if (contains(declared_type, "BLOB"))
        return NV_AFFINITY_BLOB;
    if (contains(declared_type, "REAL") || contains(declared_type, "FLOA") || contains(declared_type, "DOUB"))
        return NV_AFFINITY_REAL;
    return NV_AFFINITY_NUMERIC;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct nv_slice text, size_t *at)
{
    size_t first = *at;
    while (*at < text.size && is_digit(text.data[*at]))
        ++*at;
    return *at - first;
}

bool nv_text_is_number(struct nv_slice text)
{
    size_t at = 0;
    while (at < text.size && is_space(text.data[at]))
        at++;
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+'))
        at++;
    size_t digits = skip_digits(text, &at);
    if (at < text.size && text.data[at] == '.') {
        at++;
        digits += skip_digits(text, &at);
    }
    if (digits == 0)
        return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.size && (text.data[at] == '-' || text.data[at] == '+'))
            at++;
        if (skip_digits(text, &at) == 0)
            return false;
    }
    while (at < text.size && is_space(text.data[at]))
        at++;
    return at == text.size;
}

/* INTEGER and NUMERIC store a real that is a whole number of a certain size as an integer. */
static bool becomes_integer(double real)
{
    if (real < -9223372036854775808.0 || real >= 9223372036854775808.0)
        return false;
    int64_t whole = (int64_t)real;
    return (double)whole == real && whole > INT64_MIN && whole < INT64_MAX;
}

bool nv_column_accepts(const struct nv_column_type *column, const struct nv_value *value)
{
    switch (value->type) {
    case NV_NULL:
        return !column->not_null;
    case NV_INTEGER:
        return column->affinity != NV_AFFINITY_TEXT && column->affinity != NV_AFFINITY_REAL &&
               (!column->strict || column->any_type || column->affinity == NV_AFFINITY_INTEGER);
    case NV_REAL:
        if (column->any_type)
            return true;
        if (column->affinity == NV_AFFINITY_REAL) /* it keeps whole numbers as integers, and those have no -0 */
            return value->real != 0.0 || !signbit(value->real);
        if (column->strict || column->affinity == NV_AFFINITY_TEXT)
            return false;
        return column->affinity == NV_AFFINITY_BLOB || !becomes_integer(value->real);
    case NV_TEXT:
        if (column->affinity == NV_AFFINITY_TEXT || column->any_type)
            return true;
        return !column->strict && (column->affinity == NV_AFFINITY_BLOB || !nv_text_is_number(value->bytes));
    case NV_BLOB:
        return !column->strict || column->any_type || column->affinity == NV_AFFINITY_BLOB;
    }
    return false;
}
