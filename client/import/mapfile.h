/* A map file says which header of somebody's spreadsheet is which column: lines `Header = column`. A column of `-`
 * leaves the header out, and `* = -` all headers that are in neither the map nor the table. Lines that begin with # are
 * for people. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct nv_map_line {
    uint64_t line;
    struct nv_slice header, column; /* within the map's text, trimmed */
    bool is_used;
};

struct nv_map {
    struct nv_buffer text;
    struct nv_map_line *lines;
    size_t count;
    bool ignores_others;
};

enum nv_status nv_map_read(const char *path, struct nv_map *ret_map, struct nv_error *error);
void nv_map_done(struct nv_map *map);

/* The line for a header, NULL where there is none. */
struct nv_map_line *nv_map_find(const struct nv_map *map, struct nv_slice header);
