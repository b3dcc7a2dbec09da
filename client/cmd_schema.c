/* navette schema apply, schema show: the tables that are kept in step. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "client/command.h"
#include "client/language.h"
#include "client/records.h"
#include "client/words.h"
#include "store/schema.h"

/* ---- apply ---- */

static enum nv_status read_sql(const char *path, struct nv_buffer *sql, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return nv_fail(error, NV_REFUSED, "%s cannot be read: %s", path, strerror(errno));
    uint8_t block[4096];
    for (size_t size; (size = fread(block, 1, sizeof block, file)) > 0 && sql->size <= NV_LIMIT_SQL_BYTES;)
        nv_buffer_append(sql, block, size);
    if (ferror(file) != 0)
        status = nv_fail(error, NV_REFUSED, "%s cannot be read: %s", path, strerror(errno));
    else if (sql->size > NV_LIMIT_SQL_BYTES)
        status = nv_fail(error, NV_REFUSED, "%s is too long for a schema: at most %u bytes", path, NV_LIMIT_SQL_BYTES);
    else if (sql->size > 0 && memchr(sql->data, 0, sql->size) != NULL)
        status = nv_fail(error, NV_REFUSED, "%s is not SQL text: it holds a NUL byte", path);
    nv_buffer_append_byte(sql, '\0');
    if (status == NV_OK && sql->failed)
        status = nv_fail(error, NV_NO_MEMORY, "out of memory");
    if (file != stdin)
        fclose(file);
    return status;
}

/* The summary's lines, one a table. */
static enum nv_status print_summary(const struct nv_call *call, bool is_trial, struct nv_buffer *summary,
                                    struct nv_error *error)
{
    nv_buffer_append_byte(summary, '\0');
    if (summary->failed)
        return is_trial
                   ? nv_no_memory(error)
                   : nv_fail(error, NV_NO_MEMORY, "out of memory: the schema was published, but cannot be told of");
    char *line = (char *)summary->data;
    if (call->json) {
        json_t *lines = json_array();
        for (char *rest = NULL, *at = strtok_r(line, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest))
            json_array_append_new(lines, nv_json_text(at));
        return nv_print_json(json_pack("{s:b, s:o}", "published", (int)!is_trial, "summary", lines), error);
    }
    for (char *rest = NULL, *at = strtok_r(line, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        nv_print_string(at);
        putchar('\n');
    }
    puts(is_trial ? _("It would be published as it is; nothing was changed.") : _("Published."));
    return NV_OK;
}

enum nv_status nv_command_schema_apply(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_sign_key authority = {0};
    struct nv_buffer sql = {0}, summary = {0};
    bool is_trial = nv_option(call, "--dry-run") != NULL;
    enum nv_status status = read_sql(call->words[0], &sql, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_home_authority(&call->home, &authority, error);
    if (status == NV_OK)
        status = nv_schema_apply(store, &authority, (const char *)sql.data, is_trial, nv_wall_now(), &summary, error);
    if (status == NV_OK)
        status = print_summary(call, is_trial, &summary, error);
    nv_buffer_done(&sql);
    nv_buffer_done(&summary);
    nv_store_close(store);
    nv_wipe(&authority, sizeof authority);
    return status;
}

/* ---- show ---- */

static const char *affinity_name(enum nv_affinity affinity)
{
    switch (affinity) {
    case NV_AFFINITY_BLOB:
        return "BLOB";
    case NV_AFFINITY_TEXT:
        return "TEXT";
    case NV_AFFINITY_NUMERIC:
        return "NUMERIC";
    case NV_AFFINITY_INTEGER:
        return "INTEGER";
    case NV_AFFINITY_REAL:
        return "REAL";
    }
    return "?";
}

static enum nv_status print_table(const struct nv_table *table, struct nv_error *error)
{
    struct nv_grid grid = {.columns = 4};
    if (table->missing)
        nv_say(_("%s  (scope %s, writers %s; not in the store now)"), table->name, table->scope, table->writers);
    else
        nv_say(_("%s  (scope %s, writers %s)"), table->name, table->scope, table->writers);
    for (size_t i = 0; i < table->key_count + table->field_count; i++) {
        const struct nv_column *field = i < table->key_count ? NULL : &table->fields[i - table->key_count];
        const char *label = field == NULL ? NULL : nv_label(field);
        nv_grid_cell(&grid, field == NULL ? table->keys[i] : field->name);
        nv_grid_cell(&grid, affinity_name(field == NULL ? table->key_types[i].affinity : field->type.affinity));
        nv_grid_cell(&grid, field == NULL ? _("key") : nv_rule_name(field->rule));
        nv_grid_cell(&grid, label != NULL ? label : "");
    }
    enum nv_status status = nv_grid_print(&grid, 2, error);
    nv_grid_done(&grid);
    return status;
}

static json_t *table_json(const struct nv_table *table)
{
    json_t *key = json_array(), *fields = json_array();
    for (size_t i = 0; i < table->key_count; i++)
        json_array_append_new(key, json_pack("{s:o, s:s}", "name", nv_json_text(table->keys[i]), "type",
                                             affinity_name(table->key_types[i].affinity)));
    for (size_t i = 0; i < table->field_count; i++) {
        const struct nv_column *field = &table->fields[i];
        json_array_append_new(
            fields, json_pack("{s:o, s:s, s:b, s:s, s:b, s:o, s:o}", "name", nv_json_text(field->name), "type",
                              affinity_name(field->type.affinity), "not_null", (int)field->type.not_null, "rule",
                              nv_rule_name(field->rule), "quiet", (int)field->quiet, "label_fr",
                              nv_json_text(field->label_fr), "label_en", nv_json_text(field->label_en)));
    }
    return json_pack("{s:o, s:s, s:s, s:b, s:o, s:o}", "name", nv_json_text(table->name), "scope", table->scope,
                     "writers", table->writers, "missing", (int)table->missing, "key", key, "fields", fields);
}

enum nv_status nv_command_schema_show(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *const *tables;
    size_t count = 0;
    json_t *list = json_array();
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        nv_store_tables(store, &tables, &count);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (call->json)
            json_array_append_new(list, table_json(tables[i]));
        else
            status = print_table(tables[i], error);
    }
    if (status == NV_OK && call->json)
        status = nv_print_json(list, error);
    else
        json_decref(list);
    if (status == NV_OK && !call->json && count == 0)
        puts(_("No table is kept in step here yet."));
    nv_store_close(store);
    return status;
}
