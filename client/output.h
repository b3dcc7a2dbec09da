/* What the command prints: text for people, which no value can turn against their terminal, or JSON for programs. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/ident.h"
#include "core/value.h"

/* Appends bytes as a terminal can safely show them: control characters, marks that turn the direction of writing and
 * bytes that are not UTF-8 are written as escapes. */
void nv_show_bytes(struct nv_buffer *text, struct nv_slice bytes);
void nv_show_value(struct nv_buffer *text, const struct nv_value *value);

/* Prints the same to stdout. */
void nv_print_value(const struct nv_value *value);
void nv_print_string(const char *string);

/* The time in this machine's time zone. */
void nv_show_time(struct nv_buffer *text, struct nv_wall_ms time);

/* Text is a string, {"text_hex": "…"} where it is not UTF-8; a blob {"blob": "…"}; an infinite real {"real": "inf"}. */
json_t *nv_json_value(const struct nv_value *value);
json_t *nv_json_text(const char *text); /* JSON's null where `text` is NULL */
json_t *nv_json_hex(const uint8_t *bytes, size_t size);

/* Prints one line of JSON and gives `json` back; NULL counts as lost memory. */
enum nv_status nv_print_json(json_t *json, struct nv_error *error);

/* Lines of cells below one another. A zeroed struct with `columns` set is an empty grid. */
enum { NV_GRID_COLUMNS = NV_LIMIT_FIELDS + NV_LIMIT_KEY_COLUMNS };

struct nv_grid {
    size_t columns;
    size_t cell_count;
    size_t widths[NV_GRID_COLUMNS]; /* set by the first print: later ones go on in the same columns */
    bool has_widths;
    struct nv_buffer cells; /* each with a final NUL */
};

void nv_grid_cell(struct nv_grid *grid, const char *string); /* escaped */
void nv_grid_number(struct nv_grid *grid, uint64_t number);
void nv_grid_time(struct nv_grid *grid, struct nv_wall_ms time);
void nv_grid_value(struct nv_grid *grid, const struct nv_value *value, size_t characters_max);

/* Prints the lines with `indent` spaces before each, and empties the grid. */
enum nv_status nv_grid_print(struct nv_grid *grid, size_t indent, struct nv_error *error);
void nv_grid_done(struct nv_grid *grid);

/* A progress bar on stderr, where that is a terminal. */
void nv_progress(uint64_t done, uint64_t total);
void nv_progress_end(void);
