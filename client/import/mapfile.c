#include "client/import/mapfile.h"

#include <stdlib.h>
#include <string.h>

#include "client/import/file.h"
#include "client/import/limits.h"
#include "client/tables/fold.h"

static bool is_text(struct nv_slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

/* A header may hold an equals sign, a column none: the last one divides. */
static enum nv_status take_line(const char *path, struct nv_map *map, struct nv_slice line, uint64_t number,
                                struct nv_error *error)
{
    line = nv_trim(line);
    if (line.size == 0 || line.data[0] == '#')
        return NV_OK;
    const uint8_t *equals = memrchr(line.data, '=', line.size);
    if (equals == NULL)
        return nv_fail(error, NV_REFUSED, "%s, line %llu: write `Header = column`, or `Header = -` to leave it out",
                       path, (unsigned long long)number);
    size_t before = (size_t)(equals - line.data);
    struct nv_map_line taken = {.line = number,
                                .header = nv_trim((struct nv_slice){line.data, before}),
                                .column = nv_trim((struct nv_slice){equals + 1, line.size - before - 1})};
    if (taken.header.size == 0 || taken.column.size == 0)
        return nv_fail(error, NV_REFUSED, "%s, line %llu: one side of the equals sign is empty", path,
                       (unsigned long long)number);
    if (nv_map_find(map, taken.header) != NULL)
        return nv_fail(error, NV_REFUSED, "%s, line %llu: this header stands in the map already", path,
                       (unsigned long long)number);
    if (is_text(taken.header, "*") && is_text(taken.column, "-")) {
        map->ignores_others = true;
        return NV_OK;
    }
    struct nv_map_line *grown = realloc(map->lines, (map->count + 1) * sizeof *grown);
    if (grown == NULL)
        return nv_no_memory(error);
    map->lines = grown;
    map->lines[map->count++] = taken;
    return NV_OK;
}

enum nv_status nv_map_read(const char *path, struct nv_map *ret_map, struct nv_error *error)
{
    struct nv_map map = {0};
    bool converted;
    uint64_t number = 1;
    enum nv_status status = nv_import_read_file(path, &map.text, &converted, error);
    if (status == NV_OK && map.text.size > NV_IMPORT_MAP_BYTES)
        status = nv_fail(error, NV_REFUSED, "%s is too long for a map: at most %u bytes", path, NV_IMPORT_MAP_BYTES);
    for (size_t at = 0; status == NV_OK && at < map.text.size; number++) {
        const uint8_t *begin = map.text.data + at, *end = memchr(begin, '\n', map.text.size - at);
        size_t size = end == NULL ? map.text.size - at : (size_t)(end - begin);
        status = take_line(path, &map, (struct nv_slice){begin, size}, number, error);
        at += size + 1;
    }
    if (status != NV_OK)
        nv_map_done(&map);
    else
        *ret_map = map;
    return status;
}

void nv_map_done(struct nv_map *map)
{
    nv_buffer_done(&map->text);
    free(map->lines);
    *map = (struct nv_map){0};
}

struct nv_map_line *nv_map_find(const struct nv_map *map, struct nv_slice header)
{
    struct nv_buffer wanted = {0}, folded = {0};
    struct nv_map_line *found = NULL;
    nv_fold(header, &wanted);
    for (size_t i = 0; found == NULL && i < map->count; i++) {
        nv_buffer_clear(&folded);
        nv_fold(map->lines[i].header, &folded);
        if (!wanted.failed && !folded.failed && nv_slice_equal(nv_buffer_slice(&wanted), nv_buffer_slice(&folded)))
            found = &map->lines[i];
    }
    nv_buffer_done(&wanted);
    nv_buffer_done(&folded);
    return found;
}
