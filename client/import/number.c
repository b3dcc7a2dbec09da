#include "client/import/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/tables/fold.h"

enum { NUMBER_TEXT = 48 };

/* A number taken apart: its sign, and its digits before and after the decimal mark. */
struct number {
    bool is_negative;
    char whole[NUMBER_TEXT], fraction[NUMBER_TEXT];
};

/* The text without blanks, which people put between thousands, and without a currency's sign at its end. */
static bool squeeze(struct nv_slice cell, char ret_text[NUMBER_TEXT])
{
    size_t size = 0;
    if (cell.size > 3 && memcmp(cell.data + cell.size - 3, "€", 3) == 0)
        cell.size -= 3;
    for (size_t at = 0; at < cell.size;) {
        size_t blank = nv_blank_at(cell.data + at, cell.size - at);
        if (blank == 0 && size + 1 == NUMBER_TEXT)
            return false;
        if (blank == 0)
            ret_text[size++] = (char)cell.data[at];
        at += blank == 0 ? 1 : blank;
    }
    ret_text[size] = '\0';
    return true;
}

bool nv_is_shortened(struct nv_slice cell)
{
    char text[NUMBER_TEXT];
    if (!squeeze(cell, text))
        return false;
    const char *at = text + strspn(text, "0123456789");
    if (at == text)
        return false;
    if (*at == ',' || *at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    if (*at != 'E' && *at != 'e')
        return false;
    at++;
    at += *at == '+' || *at == '-';
    return *at != '\0' && strspn(at, "0123456789") == strlen(at);
}

/* The decimal mark: the last of a comma and a point, unless it stands several times, as between thousands. */
static const char *decimal_mark(const char *text)
{
    const char *comma = strrchr(text, ','), *point = strrchr(text, '.');
    const char *last = comma == NULL || (point != NULL && point > comma) ? point : comma;
    return last == NULL || strchr(text, *last) != last ? NULL : last;
}

/* Digits up to `end`, with one kind of mark between thousands at most: then all groups but the first have three. */
static bool take_whole(const char *text, const char *end, char ret_whole[NUMBER_TEXT])
{
    size_t size = 0, in_group = 0;
    char mark = '\0';
    for (const char *at = text; at < end; at++) {
        if (isdigit((unsigned char)*at) != 0) {
            ret_whole[size++] = *at;
            in_group++;
            continue;
        }
        bool is_first = mark == '\0';
        if ((*at != ',' && *at != '.') || (!is_first && (*at != mark || in_group != 3)) ||
            (is_first && (in_group == 0 || in_group > 3)))
            return false;
        mark = *at;
        in_group = 0;
    }
    ret_whole[size] = '\0';
    return size > 0 && (mark == '\0' || (in_group == 3 && *end != mark));
}

static bool take_apart(struct nv_slice cell, struct number *ret_number)
{
    char text[NUMBER_TEXT];
    if (!squeeze(cell, text))
        return false;
    const char *at = text;
    ret_number->is_negative = *at == '-';
    at += *at == '-' || *at == '+';
    const char *mark = decimal_mark(at), *end = mark != NULL ? mark : at + strlen(at);
    if (!take_whole(at, end, ret_number->whole))
        return false;
    strcpy(ret_number->fraction, mark == NULL ? "" : mark + 1);
    return mark == NULL ||
           (mark[1] != '\0' && strspn(ret_number->fraction, "0123456789") == strlen(ret_number->fraction));
}

static bool join(const struct number *number, const char *fraction, int64_t *ret_integer)
{
    char digits[2 * NUMBER_TEXT + 2];
    strcpy(digits, number->is_negative ? "-" : "");
    strcat(digits, number->whole);
    strcat(digits, fraction);
    errno = 0;
    *ret_integer = strtoll(digits, NULL, 10);
    return errno == 0;
}

static void set_integer(struct nv_value *value, int64_t integer)
{
    *value = (struct nv_value){.type = NV_INTEGER, .integer = integer};
}

enum nv_problem nv_read_whole(struct nv_slice cell, struct nv_value *value)
{
    struct number number;
    int64_t integer;
    if (nv_is_shortened(cell))
        return NV_SHORTENED;
    /* Three zeros after the mark may be thousands, so that they are nobody's guess. */
    if (!take_apart(cell, &number) || strlen(number.fraction) > 2 ||
        strspn(number.fraction, "0") != strlen(number.fraction) || !join(&number, "", &integer))
        return NV_NOT_WHOLE;
    set_integer(value, integer);
    return NV_NO_PROBLEM;
}

enum nv_problem nv_read_cents(struct nv_slice euros, struct nv_value *value)
{
    struct number number;
    int64_t integer;
    if (nv_is_shortened(euros))
        return NV_SHORTENED;
    if (!take_apart(euros, &number) || strlen(number.fraction) > 2)
        return NV_BAD_NUMBER;
    strncat(number.fraction, "00", 2 - strlen(number.fraction));
    if (!join(&number, number.fraction, &integer))
        return NV_BAD_NUMBER;
    set_integer(value, integer);
    return NV_NO_PROBLEM;
}

enum nv_problem nv_read_decimal(struct nv_slice cell, struct nv_value *value)
{
    struct number number;
    char digits[2 * NUMBER_TEXT + 3];
    if (!take_apart(cell, &number))
        return NV_BAD_NUMBER;
    strcpy(digits, number.is_negative ? "-" : "");
    strcat(digits, number.whole);
    if (number.fraction[0] != '\0') {
        strcat(digits, ".");
        strcat(digits, number.fraction);
    }
    *value = (struct nv_value){.type = NV_REAL, .real = strtod(digits, NULL)};
    return NV_NO_PROBLEM;
}
