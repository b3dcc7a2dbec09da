#include "client/tables/cell.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "client/language.h"
#include "client/output.h"
#include "client/tables/fold.h"
#include "client/utf8.h"

bool nv_day_write(unsigned year, unsigned month, unsigned day, char ret_text[NV_DAY_TEXT])
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && is_leap ? 1 : 0))
        return false;
    snprintf(ret_text, NV_DAY_TEXT, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
    return true;
}

static void append(struct nv_buffer *text, const char *string)
{
    nv_buffer_append(text, string, strlen(string));
}

static void append_hex(struct nv_buffer *text, char letter, struct nv_slice bytes)
{
    char digits[3];
    nv_buffer_append_byte(text, (uint8_t)letter);
    append(text, "'");
    for (size_t i = 0; i < bytes.size; i++) {
        nv_hex(bytes.data + i, 1, digits);
        append(text, digits);
    }
    append(text, "'");
}

static bool is_plain_text(struct nv_slice bytes)
{
    return bytes.size == 0 || (memchr(bytes.data, 0, bytes.size) == NULL && nv_utf8_is_valid(bytes));
}

void nv_cell_show_stored(const struct nv_value *value, struct nv_buffer *text)
{
    switch (value->type) {
    case NV_NULL:
        break;
    case NV_INTEGER:
    case NV_REAL:
        nv_show_value(text, value);
        break;
    case NV_TEXT:
        if (is_plain_text(value->bytes))
            nv_buffer_append(text, value->bytes.data, value->bytes.size);
        else
            append_hex(text, 't', value->bytes);
        break;
    case NV_BLOB:
        append_hex(text, 'x', value->bytes);
        break;
    }
}

static const char *label_of(const struct nv_sheet_column *column, struct nv_slice code)
{
    for (size_t i = 0; i < column->choice_count; i++)
        if (strlen(column->choices[i].code) == code.size && memcmp(column->choices[i].code, code.data, code.size) == 0)
            return nv_choice_title(&column->choices[i]);
    return NULL;
}

static bool show_french_day(struct nv_slice stored, struct nv_buffer *text)
{
    char day[NV_DAY_TEXT], again[NV_DAY_TEXT], french[40];
    unsigned y, m, d;
    if (!nv_is_french() || stored.size != NV_DAY_TEXT - 1)
        return false;
    memcpy(day, stored.data, stored.size);
    day[stored.size] = '\0';
    if (sscanf(day, "%4u-%2u-%2u", &y, &m, &d) != 3 || !nv_day_write(y, m, d, again) || strcmp(day, again) != 0)
        return false;
    snprintf(french, sizeof french, "%02u/%02u/%04u", d, m, y);
    append(text, french);
    return true;
}

static void show_euros(int64_t cents, struct nv_buffer *text)
{
    char euros[40];
    uint64_t size = cents < 0 ? 0 - (uint64_t)cents : (uint64_t)cents;
    snprintf(euros, sizeof euros, "%s%llu%c%02llu", cents < 0 ? "-" : "", (unsigned long long)(size / 100),
             nv_is_french() ? ',' : '.', (unsigned long long)(size % 100));
    append(text, euros);
}

static void show_real(const struct nv_value *value, struct nv_buffer *text)
{
    size_t begin = text->size;
    nv_show_value(text, value);
    for (size_t i = begin; nv_is_french() && i < text->size; i++)
        if (text->data[i] == '.')
            text->data[i] = ',';
}

void nv_cell_show(const struct nv_sheet_column *column, const struct nv_value *value, struct nv_buffer *text)
{
    const char *label = value->type == NV_TEXT ? label_of(column, value->bytes) : NULL;
    if (label != NULL)
        append(text, label);
    else if (column->kind == NV_CENTS && value->type == NV_INTEGER)
        show_euros(value->integer, text);
    else if (value->type == NV_REAL)
        show_real(value, text);
    else if (column->kind != NV_DATE || value->type != NV_TEXT || !show_french_day(value->bytes, text))
        nv_cell_show_stored(value, text);
}

/* ---- CSV ---- */

/* Apostrophes, then what makes a formula: one apostrophe more or less is then always the guard, and no text is lost. */
static bool is_formula_after(struct nv_slice cell, size_t apostrophes_min)
{
    size_t at = 0;
    while (at < cell.size && cell.data[at] == '\'')
        at++;
    return at >= apostrophes_min && at < cell.size && strchr("=+-@\t\r", cell.data[at]) != NULL && cell.data[at] != 0;
}

bool nv_is_guarded(struct nv_slice cell)
{
    return is_formula_after(cell, 1);
}

bool nv_needs_guard(struct nv_slice cell)
{
    return is_formula_after(cell, 0);
}

void nv_csv_cell(struct nv_buffer *line, struct nv_slice cell, char separator)
{
    struct nv_slice trimmed = nv_trim(cell);
    bool needs_quotes = trimmed.size != cell.size;
    for (size_t i = 0; i < cell.size; i++)
        needs_quotes |=
            cell.data[i] == '"' || cell.data[i] == '\n' || cell.data[i] == '\r' || cell.data[i] == separator;
    if (!needs_quotes) {
        nv_buffer_append(line, cell.data, cell.size);
        return;
    }
    append(line, "\"");
    for (size_t i = 0; i < cell.size; i++) {
        nv_buffer_append_byte(line, cell.data[i]);
        if (cell.data[i] == '"')
            nv_buffer_append_byte(line, '"');
    }
    append(line, "\"");
}
