#include "client/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "client/utf8.h"

/* ---- text ---- */

static bool is_harmless(uint32_t code)
{
    bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
    bool turns_writing = code == 0x200e || code == 0x200f || code == 0x061c || (code >= 0x202a && code <= 0x202e) ||
                         (code >= 0x2066 && code <= 0x2069);
    return !is_control && !turns_writing;
}

static void append_string(struct nv_buffer *text, const char *string)
{
    nv_buffer_append(text, string, strlen(string));
}

void nv_show_bytes(struct nv_buffer *text, struct nv_slice bytes)
{
    size_t i = 0;
    while (i < bytes.size) {
        uint32_t code = 0;
        char escape[16];
        size_t size = nv_utf8_character(bytes.data + i, bytes.size - i, &code);
        if (size > 0 && is_harmless(code)) {
            nv_buffer_append(text, bytes.data + i, size);
        } else if (code == '\n' || code == '\t' || code == '\r') {
            append_string(text, code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r");
        } else {
            if (size == 0 || code < 0x80)
                snprintf(escape, sizeof escape, "\\x%02x", bytes.data[i]);
            else
                snprintf(escape, sizeof escape, "\\u{%x}", code);
            append_string(text, escape);
        }
        i += size == 0 ? 1 : size;
    }
}

static void show_real(struct nv_buffer *text, double real)
{
    char number[40];
    /* The shortest form that reads back as the same number. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, real);
        if (strtod(number, NULL) == real)
            break;
    }
    if (strspn(number, "-0123456789") == strlen(number))
        strcat(number, ".0");
    append_string(text, number);
}

void nv_show_value(struct nv_buffer *text, const struct nv_value *value)
{
    char number[32];
    switch (value->type) {
    case NV_NULL:
        append_string(text, "NULL");
        break;
    case NV_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)value->integer);
        append_string(text, number);
        break;
    case NV_REAL:
        show_real(text, value->real);
        break;
    case NV_TEXT:
        nv_show_bytes(text, value->bytes);
        break;
    case NV_BLOB:
        append_string(text, "x'");
        for (size_t i = 0; i < value->bytes.size; i++) {
            nv_hex(value->bytes.data + i, 1, number);
            append_string(text, number);
        }
        append_string(text, "'");
        break;
    }
}

void nv_print_value(const struct nv_value *value)
{
    struct nv_buffer text = {0};
    nv_show_value(&text, value);
    fwrite(text.data, 1, text.size, stdout);
    nv_buffer_done(&text);
}

void nv_print_string(const char *string)
{
    struct nv_value value = {.type = NV_TEXT, .bytes = {(const uint8_t *)string, strlen(string)}};
    nv_print_value(&value);
}

void nv_show_time(struct nv_buffer *text, struct nv_wall_ms time)
{
    time_t seconds = (time_t)(time.ms / 1000);
    struct tm parts;
    char shown[64] = "?";
    if (localtime_r(&seconds, &parts) != NULL && strftime(shown, sizeof shown, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        strcpy(shown, "?");
    append_string(text, shown);
}

/* ---- JSON ---- */

json_t *nv_json_hex(const uint8_t *bytes, size_t size)
{
    char *text = malloc(2 * size + 1);
    if (text == NULL)
        return NULL;
    nv_hex(bytes, size, text);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *json_bytes(struct nv_slice bytes)
{
    json_t *json = json_stringn(bytes.size == 0 ? "" : (const char *)bytes.data, bytes.size);
    return json != NULL ? json : json_pack("{s:o}", "text_hex", nv_json_hex(bytes.data, bytes.size));
}

json_t *nv_json_text(const char *text)
{
    return text == NULL ? json_null() : json_bytes((struct nv_slice){(const uint8_t *)text, strlen(text)});
}

json_t *nv_json_value(const struct nv_value *value)
{
    switch (value->type) {
    case NV_NULL:
        return json_null();
    case NV_INTEGER:
        return json_integer(value->integer);
    case NV_REAL:
        if (isinf(value->real))
            return json_pack("{s:s}", "real", value->real > 0 ? "inf" : "-inf");
        return json_real(value->real);
    case NV_TEXT:
        return json_bytes(value->bytes);
    case NV_BLOB:
        return json_pack("{s:o}", "blob", nv_json_hex(value->bytes.data, value->bytes.size));
    }
    return NULL;
}

enum nv_status nv_print_json(json_t *json, struct nv_error *error)
{
    if (json == NULL)
        return nv_fail(error, NV_NO_MEMORY, "out of memory: the answer could not be printed");
    int failed = json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    if (failed != 0 || putchar('\n') == EOF)
        return nv_fail(error, NV_IO, "the answer could not be written to standard output");
    return NV_OK;
}

/* ---- grids ---- */

static size_t characters_in(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text >> 6) != 2;
    return count;
}

static void end_cell(struct nv_grid *grid)
{
    nv_buffer_append_byte(&grid->cells, 0);
    grid->cell_count++;
}

void nv_grid_cell(struct nv_grid *grid, const char *string)
{
    nv_show_bytes(&grid->cells, (struct nv_slice){(const uint8_t *)string, strlen(string)});
    end_cell(grid);
}

void nv_grid_number(struct nv_grid *grid, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    nv_grid_cell(grid, text);
}

void nv_grid_time(struct nv_grid *grid, struct nv_wall_ms time)
{
    nv_show_time(&grid->cells, time);
    end_cell(grid);
}

void nv_grid_value(struct nv_grid *grid, const struct nv_value *value, size_t characters_max)
{
    struct nv_buffer text = {0};
    nv_show_value(&text, value);
    size_t end = 0, count = 0;
    for (; end < text.size; end++) {
        if (text.data[end] >> 6 != 2 && count++ == characters_max)
            break;
    }
    nv_buffer_append(&grid->cells, text.data, end);
    if (end < text.size)
        append_string(&grid->cells, "…");
    grid->cells.failed |= text.failed;
    nv_buffer_done(&text);
    end_cell(grid);
}

static void measure(struct nv_grid *grid)
{
    const char *cell = (const char *)grid->cells.data;
    for (size_t i = 0; i < grid->cell_count; i++, cell += strlen(cell) + 1) {
        size_t width = characters_in(cell);
        if (grid->widths[i % grid->columns] < width)
            grid->widths[i % grid->columns] = width;
    }
    grid->has_widths = true;
}

enum nv_status nv_grid_print(struct nv_grid *grid, size_t indent, struct nv_error *error)
{
    if (grid->cells.failed)
        return nv_fail(error, NV_NO_MEMORY, "out of memory: the answer could not be printed");
    if (!grid->has_widths)
        measure(grid);
    const char *cell = (const char *)grid->cells.data;
    size_t gap = 0;
    for (size_t i = 0; i < grid->cell_count; i++, cell += strlen(cell) + 1) {
        size_t column = i % grid->columns, width = characters_in(cell);
        gap += column == 0 ? indent : 0;
        if (width > 0) { /* so that no line ends in spaces */
            printf("%*s%s", (int)gap, "", cell);
            gap = 0;
        }
        gap += grid->widths[column] > width ? grid->widths[column] - width + 2 : 2;
        if (column + 1 == grid->columns) {
            putchar('\n');
            gap = 0;
        }
    }
    nv_buffer_clear(&grid->cells);
    grid->cell_count = 0;
    return NV_OK;
}

void nv_grid_done(struct nv_grid *grid)
{
    nv_buffer_done(&grid->cells);
}

/* ---- the rest ---- */

void nv_progress(uint64_t done, uint64_t total)
{
    enum { WIDTH = 40 };
    static const char bar[] = "########################################";
    if (isatty(STDERR_FILENO) == 0 || total == 0)
        return;
    int filled = done >= total ? WIDTH : (int)(done * WIDTH / total);
    fprintf(stderr, "\r[%.*s%*s] %llu / %llu", filled, bar, WIDTH - filled, "", (unsigned long long)done,
            (unsigned long long)total);
}

void nv_progress_end(void)
{
    if (isatty(STDERR_FILENO) != 0)
        fputs("\r\033[K", stderr);
}
