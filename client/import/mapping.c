#include "client/import/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tables/fold.h"

enum nv_status nv_mapping_open(struct nv_store *store, const struct nv_table *table, struct nv_mapping *ret_mapping,
                               struct nv_error *error)
{
    struct nv_mapping mapping = {0};
    enum nv_status status = nv_sheet_open(store, table, &mapping.sheet, error);
    if (status == NV_OK) {
        mapping.parents = calloc(mapping.sheet.count, sizeof *mapping.parents);
        mapping.own = malloc(mapping.sheet.count * sizeof *mapping.own);
        if (mapping.parents == NULL || mapping.own == NULL)
            status = nv_no_memory(error);
    }
    for (size_t i = 0; status == NV_OK && i < mapping.sheet.count; i++) {
        mapping.own[i] = SIZE_MAX;
        if (mapping.sheet.columns[i].parent != NULL)
            status = nv_sheet_open(store, mapping.sheet.columns[i].parent, &mapping.parents[i], error);
    }
    if (status != NV_OK)
        nv_mapping_done(&mapping);
    else
        *ret_mapping = mapping;
    return status;
}

void nv_mapping_done(struct nv_mapping *mapping)
{
    for (size_t i = 0; mapping->parents != NULL && i < mapping->sheet.count; i++)
        nv_sheet_done(&mapping->parents[i]);
    for (size_t i = 0; i < mapping->source_count; i++)
        free(mapping->sources[i].title);
    free(mapping->parents);
    free(mapping->sources);
    free(mapping->own);
    nv_sheet_done(&mapping->sheet);
    *mapping = (struct nv_mapping){0};
}

/* ---- matching ---- */

static bool is_text(struct nv_slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

/* "Apprenant : Nom" or "learner.family_name". */
static bool find_in_parent(const struct nv_mapping *mapping, struct nv_slice header, struct nv_source *source)
{
    static const char marks[] = ":.";
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *mark = memchr(header.data, marks[i], header.size);
        if (mark == NULL)
            continue;
        size_t before = (size_t)(mark - header.data);
        struct nv_slice rest = {mark + 1, header.size - before - 1};
        size_t column = nv_sheet_find(&mapping->sheet, (struct nv_slice){header.data, before});
        if (column == mapping->sheet.count || mapping->parents[column].count == 0)
            continue;
        size_t parent_column = nv_sheet_find(&mapping->parents[column], rest);
        if (parent_column == mapping->parents[column].count)
            continue;
        source->target = NV_PARENT_COLUMN;
        source->column = column;
        source->parent_column = parent_column;
        return true;
    }
    return false;
}

static bool find_target(const struct nv_mapping *mapping, struct nv_slice name, struct nv_source *source)
{
    if (name.size == 0)
        return false;
    source->column = nv_sheet_find(&mapping->sheet, name);
    source->target = NV_OWN_COLUMN;
    return source->column < mapping->sheet.count || find_in_parent(mapping, name, source);
}

/* What a file of refused lines has in its last column, so that it can be mended and imported as it is. */
static bool is_for_mistakes(struct nv_slice header)
{
    return nv_fold_equal(header, "Erreur") || nv_fold_equal(header, "Error");
}

/* Sets where the cell goes: by the map, else by the table. *ret_known: false where nobody knows the header. */
static enum nv_status match_one(const struct nv_mapping *mapping, struct nv_slice header, struct nv_map *map,
                                const char *map_path, struct nv_source *source, bool *ret_known, struct nv_error *error)
{
    struct nv_map_line *line = map == NULL ? NULL : nv_map_find(map, header);
    *ret_known = true;
    source->target = NV_LEFT_OUT;
    if (line != NULL) {
        line->is_used = true;
        if (!is_text(line->column, "-") && !find_target(mapping, line->column, source))
            return nv_fail(error, NV_REFUSED, "%s, line %llu: %s has no column of that name", map_path,
                           (unsigned long long)line->line, mapping->sheet.table->name);
    } else if (!find_target(mapping, header, source)) {
        source->target = NV_LEFT_OUT;
        *ret_known = source->is_unnamed || (map != NULL && map->ignores_others) || is_for_mistakes(header);
    }
    source->is_stored_form =
        source->target == NV_OWN_COLUMN && is_text(header, mapping->sheet.columns[source->column].name);
    return NV_OK;
}

static const struct nv_source *same_target(const struct nv_mapping *mapping, const struct nv_source *source)
{
    for (const struct nv_source *other = mapping->sources; other < source; other++)
        if (source->target != NV_LEFT_OUT && other->target == source->target && other->column == source->column &&
            (source->target == NV_OWN_COLUMN || other->parent_column == source->parent_column))
            return other;
    return NULL;
}

static enum nv_status check_map_is_used(const struct nv_map *map, const char *map_path, struct nv_error *error)
{
    for (size_t i = 0; map != NULL && i < map->count; i++)
        if (!map->lines[i].is_used)
            return nv_fail(error, NV_REFUSED,
                           "%s, line %llu: the file has no such header: take the line out of the map", map_path,
                           (unsigned long long)map->lines[i].line);
    return NV_OK;
}

enum nv_status nv_mapping_match(struct nv_mapping *mapping, const struct nv_csv *csv, struct nv_map *map,
                                const char *map_path, struct nv_report *report, struct nv_error *error)
{
    const struct nv_csv_record *headers = &csv->records[0];
    mapping->sources = calloc(headers->count, sizeof *mapping->sources);
    if (mapping->sources == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < headers->count; i++) {
        struct nv_source *source = &mapping->sources[i];
        struct nv_slice header = nv_trim(nv_csv_cell_at(csv, headers, i));
        bool is_known, kept = true;
        mapping->source_count = i + 1;
        source->is_unnamed = header.size == 0;
        source->title = strndup((const char *)header.data, header.size);
        if (source->title == NULL)
            return nv_no_memory(error);
        enum nv_status status = match_one(mapping, header, map, map_path, source, &is_known, error);
        if (status != NV_OK)
            return status;
        const struct nv_source *other = same_target(mapping, source);
        if (!is_known)
            kept = nv_report_add(report, headers->line, i, NV_UNKNOWN_HEADER, "%s has no column of that name",
                                 mapping->sheet.table->name);
        else if (other != NULL)
            kept = nv_report_add(report, headers->line, i, NV_HEADER_TWICE,
                                 "this is the same column as cell %zu of the header line",
                                 (size_t)(other - mapping->sources) + 1);
        else if (source->target == NV_OWN_COLUMN)
            mapping->own[source->column] = i;
        if (!kept)
            return nv_no_memory(error);
    }
    return check_map_is_used(map, map_path, error);
}

bool nv_mapping_has_parent(const struct nv_mapping *mapping, size_t column)
{
    for (size_t i = 0; i < mapping->source_count; i++)
        if (mapping->sources[i].target == NV_PARENT_COLUMN && mapping->sources[i].column == column)
            return true;
    return false;
}

/* ---- telling it ---- */

void nv_mapping_show_known(const struct nv_mapping *mapping, struct nv_buffer *text)
{
    for (size_t i = 0; i < mapping->sheet.count; i++) {
        const char *title = nv_sheet_title(&mapping->sheet.columns[i]);
        nv_buffer_append(text, ", ", i == 0 ? 0 : 2);
        nv_buffer_append(text, title, strlen(title));
    }
}

enum nv_status nv_mapping_save(const struct nv_mapping *mapping, const char *path, struct nv_error *error)
{
    FILE *file = fopen(path, "wxe");
    if (file == NULL)
        return nv_fail(error, NV_REFUSED, "the map %s cannot be made: %s", path, strerror(errno));
    for (size_t i = 0; i < mapping->source_count; i++) {
        const struct nv_source *source = &mapping->sources[i];
        struct nv_buffer header = {0};
        if (source->is_unnamed)
            continue;
        /* A header of several lines is found by its words. */
        nv_fold((struct nv_slice){(const uint8_t *)source->title, strlen(source->title)}, &header);
        if (strpbrk(source->title, "\r\n") != NULL)
            fprintf(file, "%.*s", (int)header.size, (const char *)header.data);
        else
            fputs(source->title, file);
        nv_buffer_done(&header);
        if (source->target == NV_LEFT_OUT)
            fputs(" = -\n", file);
        else if (source->target == NV_OWN_COLUMN)
            fprintf(file, " = %s\n", mapping->sheet.columns[source->column].name);
        else
            fprintf(file, " = %s.%s\n", mapping->sheet.columns[source->column].name,
                    mapping->parents[source->column].columns[source->parent_column].name);
    }
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return nv_fail(error, NV_IO, "the map %s cannot be written: %s", path, strerror(errno));
    return NV_OK;
}
