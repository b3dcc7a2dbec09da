#include "client/import/value.h"

#include <ctype.h>
#include <string.h>

#include "client/import/number.h"
#include "client/tables/cell.h"
#include "client/tables/fold.h"

static bool set_text(struct nv_arena *arena, struct nv_reading *reading, const char *text, size_t size)
{
    uint8_t *copy = nv_arena_alloc(arena, size + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text, size);
    reading->value = (struct nv_value){.type = NV_TEXT, .bytes = {copy, size}};
    return true;
}

/* ---- dates ---- */

/* Takes up to `digits_max` digits; *ret_digits says how many there were. */
static unsigned take_digits(const char **at, size_t digits_max, size_t *ret_digits)
{
    unsigned number = 0;
    for (*ret_digits = 0; *ret_digits < digits_max && isdigit((unsigned char)**at) != 0; (*at)++, (*ret_digits)++)
        number = number * 10 + (unsigned)(**at - '0');
    return number;
}

/* Midnight, which spreadsheets add to a day. */
static bool is_no_time(const char *text)
{
    static const char *const ends[] = {"", " 00:00", " 00:00:00", " 0:00", " 0:00:00", "T00:00:00", "T00:00:00Z"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(text, ends[i]) == 0)
            return true;
    return false;
}

static bool read_date(struct nv_slice cell, struct nv_arena *arena, struct nv_reading *reading)
{
    char text[32], day_text[NV_DAY_TEXT];
    size_t sizes[3];
    unsigned parts[3];
    reading->problem = NV_BAD_DATE;
    if (cell.size >= sizeof text)
        return true;
    memcpy(text, cell.data, cell.size);
    text[cell.size] = '\0';
    const char *at = text;
    char between = '\0';
    for (size_t i = 0; i < 3; i++) {
        parts[i] = take_digits(&at, 4, &sizes[i]);
        if (i == 0)
            between = *at;
        if (sizes[i] == 0 || (i < 2 && (*at++ != between || strchr("/-.", between) == NULL)))
            return true;
    }
    if (!is_no_time(at))
        return true;
    bool is_iso = sizes[0] == 4 && between == '-' && sizes[1] == 2 && sizes[2] == 2;
    if (!is_iso && (sizes[0] > 2 || sizes[1] > 2 || sizes[2] == 3 || sizes[2] == 1))
        return true;
    unsigned year = is_iso ? parts[0] : parts[2];
    reading->problem = NV_SHORT_YEAR;
    if (!is_iso && sizes[2] == 2)
        return true;
    reading->problem = NV_NO_SUCH_DAY;
    if (!nv_day_write(year, parts[1], is_iso ? parts[2] : parts[0], day_text))
        return true;
    reading->problem = NV_NO_PROBLEM;
    return set_text(arena, reading, day_text, sizeof day_text - 1);
}

/* ---- codes ---- */

/* The check digit of a SIRET or SIREN: Luhn's sum. */
static bool has_right_key(const char *digits, size_t size)
{
    unsigned luhn = 0, plain = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)(digits[i] - '0'), doubled = (size - i) % 2 == 0 ? 2 * digit : digit;
        luhn += doubled > 9 ? doubled - 9 : doubled;
        plain += digit;
    }
    /* La Poste has more places than such keys: the sum of their digits is a multiple of 5. */
    return luhn % 10 == 0 || (size == 14 && memcmp(digits, "356000000", 9) == 0 && plain % 5 == 0);
}

/* A key that the store made for a record whose code nobody told. */
static bool is_made_key(const char *text, size_t size)
{
    return size == 32 && strspn(text, "0123456789abcdef") == size;
}

static bool is_commune(const char *text)
{
    return isdigit((unsigned char)text[0]) != 0 &&
           (isdigit((unsigned char)text[1]) != 0 || (text[0] == '2' && (text[1] == 'A' || text[1] == 'B'))) &&
           strspn(text + 2, "0123456789") == 3;
}

/* How long the code is, and how long it is at the least when its zeros are lost: what is shorter is something else (a
 * SIREN where a SIRET belongs). */
static size_t code_size(enum nv_kind kind, size_t *ret_least)
{
    *ret_least = kind == NV_SIRET ? 10 : kind == NV_COMMUNE ? 4 : 6;
    return kind == NV_SIRET ? 14 : kind == NV_COMMUNE ? 5 : 9;
}

/* The code without blanks, and with the zeros that it lacks before it; *ret_has_zeros_back says whether it lacked any.
 * False where it is too long for a code. */
enum { CODE_TEXT = 48 };
static bool squeeze_code(enum nv_kind kind, struct nv_slice cell, char ret_code[CODE_TEXT], bool *ret_has_zeros_back)
{
    size_t size = 0, least, wanted = code_size(kind, &least);
    for (size_t at = 0; at < cell.size;) {
        size_t blank = nv_blank_at(cell.data + at, cell.size - at);
        if (blank == 0 && size + 1 >= CODE_TEXT)
            return false;
        if (blank == 0)
            ret_code[size++] = (char)cell.data[at];
        at += blank == 0 ? 1 : blank;
    }
    ret_code[size] = '\0';
    *ret_has_zeros_back = size >= least && size < wanted && strspn(ret_code, "0123456789") == size;
    if (*ret_has_zeros_back) {
        memmove(ret_code + (wanted - size), ret_code, size + 1);
        memset(ret_code, '0', wanted - size);
    }
    return true;
}

static bool read_code(const struct nv_sheet_column *column, struct nv_slice cell, struct nv_arena *arena,
                      struct nv_reading *reading)
{
    char code[CODE_TEXT];
    size_t least, wanted = code_size(column->kind, &least);
    reading->problem = NV_BAD_CODE;
    if (!squeeze_code(column->kind, cell, code, &reading->has_zeros_back))
        return true;
    size_t size = strlen(code);
    if (column->kind == NV_COMMUNE && size == wanted)
        code[1] = (char)toupper((unsigned char)code[1]);
    bool is_right =
        size == wanted && (column->kind == NV_COMMUNE ? is_commune(code) : strspn(code, "0123456789") == size);
    if (!is_right && !(column->kind == NV_SIRET && is_made_key(code, size))) {
        reading->problem = nv_is_shortened(cell) ? NV_SHORTENED : NV_BAD_CODE;
        return true;
    }
    reading->problem = NV_NO_PROBLEM;
    reading->has_wrong_key =
        is_right && (column->kind == NV_SIRET || column->kind == NV_SIREN) && !has_right_key(code, size);
    return set_text(arena, reading, code, size);
}

/* ---- lists ---- */

static void read_choice(const struct nv_sheet_column *column, struct nv_slice cell, struct nv_reading *reading)
{
    for (int pass = 0; pass < 4; pass++)
        for (size_t i = 0; i < column->choice_count; i++) {
            const struct nv_choice *choice = &column->choices[i];
            const char *name = pass < 2 ? choice->code : pass == 2 ? choice->label_fr : choice->label_en;
            bool is_it =
                name != NULL && (pass == 0 ? strlen(name) == cell.size && memcmp(name, cell.data, cell.size) == 0
                                           : nv_fold_equal(cell, name));
            if (!is_it)
                continue;
            reading->value.bytes = (struct nv_slice){(const uint8_t *)choice->code, strlen(choice->code)};
            return;
        }
    reading->problem = NV_UNKNOWN_CHOICE;
}

bool nv_value_read(const struct nv_sheet_column *column, struct nv_slice cell, bool is_stored_form,
                   struct nv_arena *arena, struct nv_reading *ret_reading)
{
    enum nv_affinity affinity = column->type.affinity;
    *ret_reading = (struct nv_reading){.value = {.type = cell.size == 0 ? NV_NULL : NV_TEXT, .bytes = cell}};
    if (cell.size == 0)
        return true;
    if (column->choice_count > 0)
        read_choice(column, cell, ret_reading);
    else if (column->kind == NV_DATE)
        return read_date(cell, arena, ret_reading);
    else if (column->kind == NV_CENTS && !is_stored_form)
        ret_reading->problem = nv_read_cents(cell, &ret_reading->value);
    else if (column->kind != NV_PLAIN && column->kind != NV_CENTS)
        return read_code(column, cell, arena, ret_reading);
    else if (affinity == NV_AFFINITY_INTEGER)
        ret_reading->problem = nv_read_whole(cell, &ret_reading->value);
    else if (affinity == NV_AFFINITY_REAL || affinity == NV_AFFINITY_NUMERIC)
        ret_reading->problem = nv_read_decimal(cell, &ret_reading->value);
    return true;
}
