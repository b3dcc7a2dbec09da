/* navette get, list, history: records as people read them. */
#include <string.h>

#include "client/command.h"
#include "client/conflicts.h"
#include "client/history.h"
#include "client/language.h"
#include "client/records.h"
#include "client/sites.h"
#include "store/care.h"
#include "store/db.h"
#include "store/trust/rights.h"

enum { LIST_BATCH = 200, LIST_CELL = 40 };

static void append_columns(sqlite3_str *sql, const struct nv_table *table)
{
    nv_sql_key_columns(sql, table);
    for (size_t i = 0; i < table->field_count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", table->fields[i].name);
    sqlite3_str_appendf(sql, " FROM main.\"%w\"", table->name);
}

/* The fields of a statement's row, which follow the key's columns. */
static json_t *fields_json(sqlite3_stmt *statement, const struct nv_table *table)
{
    json_t *fields = json_object();
    for (size_t i = 0; i < table->field_count; i++) {
        struct nv_value value = nv_db_value(statement, (int)(table->key_count + i));
        if (json_object_set_new(fields, table->fields[i].name, nv_json_value(&value)) != 0) {
            json_decref(fields);
            return NULL;
        }
    }
    return fields;
}

/* ---- get ---- */

static sqlite3_stmt *prepare_get(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                 struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(store));
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, table);
    nv_sql_where_key(sql, table, 1);
    sqlite3_stmt *statement = nv_prepare_built(store, sql, error);
    if (statement != NULL)
        nv_bind_key(statement, 1, key);
    return statement;
}

static enum nv_status print_record(sqlite3_stmt *statement, const struct nv_table *table, struct nv_error *error)
{
    struct nv_grid grid = {.columns = 3};
    for (size_t i = 0; i < table->key_count + table->field_count; i++) {
        const struct nv_column *field = i < table->key_count ? NULL : &table->fields[i - table->key_count];
        const char *label = field == NULL ? NULL : nv_label(field);
        struct nv_value value = nv_db_value(statement, (int)i);
        nv_grid_cell(&grid, field == NULL ? table->keys[i] : field->name);
        nv_grid_cell(&grid, label == NULL ? "" : label);
        nv_grid_value(&grid, &value, SIZE_MAX);
    }
    enum nv_status status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    return status;
}

static enum nv_status print_record_json(struct nv_store *store, sqlite3_stmt *statement, const struct nv_table *table,
                                        struct nv_slice key, struct nv_error *error)
{
    struct nv_buffer key_text = {0};
    json_t *conflicts = NULL;
    enum nv_status status = nv_conflicts_json(store, table, key, &conflicts, error);
    nv_key_text_at(statement, 0, table, &key_text);
    if (status == NV_OK)
        status = nv_print_json(json_pack("{s:s, s:o, s:o, s:o}", "table", table->name, "key",
                                         nv_json_text((const char *)key_text.data), "fields",
                                         fields_json(statement, table), "conflicts", conflicts),
                               error);
    nv_buffer_done(&key_text);
    return status;
}

enum nv_status nv_command_get(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *table = NULL;
    struct nv_buffer key = {0};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_find_table(store, call->words[0], &table, error);
    if (status == NV_OK)
        status = nv_key_from_text(table, call->words[1], &key, error);
    if (status == NV_OK) {
        statement = prepare_get(store, table, nv_buffer_slice(&key), error);
        status = statement == NULL ? error->status : nv_db_step(statement, &row, error);
    }
    if (status == NV_OK && !row)
        status = nv_fail(error, NV_NOT_FOUND, "%s has no record with that key", table->name);
    if (status == NV_OK && call->json) {
        status = print_record_json(store, statement, table, nv_buffer_slice(&key), error);
    } else if (status == NV_OK) {
        size_t open;
        status = print_record(statement, table, error);
        if (status == NV_OK)
            status = nv_conflicts_print(store, table, nv_buffer_slice(&key), &open, error);
    }
    sqlite3_finalize(statement);
    nv_buffer_done(&key);
    nv_store_close(store);
    return status;
}

/* ---- list ---- */

static sqlite3_stmt *prepare_list(struct nv_store *store, const struct nv_table *table,
                                  const struct nv_assignments *filters, int64_t limit, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(store));
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, table);
    for (size_t i = 0; i < filters->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\" IS ?%d", i == 0 ? " WHERE " : " AND ", filters->items[i].column, (int)i + 1);
    sqlite3_str_appendall(sql, " ORDER BY ");
    nv_sql_key_columns(sql, table);
    sqlite3_str_appendf(sql, " LIMIT %lld", (long long)limit);
    sqlite3_stmt *statement = nv_prepare_built(store, sql, error);
    for (size_t i = 0; statement != NULL && i < filters->count; i++)
        nv_assignment_bind(statement, (int)i + 1, &filters->items[i]);
    return statement;
}

/* Rows go out in batches, so that a long table needs no more memory than a short one. */
static enum nv_status print_rows(sqlite3_stmt *statement, const struct nv_table *table, struct nv_error *error)
{
    struct nv_grid grid = {.columns = table->key_count + table->field_count};
    bool row;
    enum nv_status status;
    for (size_t i = 0; i < grid.columns; i++)
        nv_grid_cell(&grid, i < table->key_count ? table->keys[i] : table->fields[i - table->key_count].name);
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        for (size_t i = 0; i < grid.columns; i++) {
            struct nv_value value = nv_db_value(statement, (int)i);
            nv_grid_value(&grid, &value, LIST_CELL);
        }
        if (grid.cell_count >= LIST_BATCH * grid.columns)
            status = nv_grid_print(&grid, 0, error);
        if (status != NV_OK)
            break;
    }
    if (status == NV_OK)
        status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    return status;
}

static enum nv_status print_row_json(sqlite3_stmt *statement, const struct nv_table *table, bool is_first,
                                     struct nv_error *error)
{
    struct nv_buffer key_text = {0};
    nv_key_text_at(statement, 0, table, &key_text);
    json_t *json = json_pack("{s:o, s:o}", "key", nv_json_text((const char *)key_text.data), "fields",
                             fields_json(statement, table));
    nv_buffer_done(&key_text);
    fputs(is_first ? "" : ",", stdout);
    return nv_print_json(json, error);
}

static enum nv_status print_rows_json(sqlite3_stmt *statement, const struct nv_table *table, struct nv_error *error)
{
    bool row, is_first = true;
    enum nv_status status;
    fputs("[", stdout);
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        status = print_row_json(statement, table, is_first, error);
        if (status != NV_OK)
            return status;
        is_first = false;
    }
    if (status == NV_OK)
        puts("]");
    return status;
}

enum nv_status nv_command_list(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *table = NULL;
    struct nv_assignments filters = {0};
    sqlite3_stmt *statement = NULL;
    int64_t limit;
    enum nv_status status = nv_option_number(call, "--limit", 1, INT64_MAX, -1, &limit, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_find_table(store, call->words[0], &table, error);
    if (status == NV_OK)
        status = nv_assignments_read(table, call->words + 1, call->word_count - 1, &filters, error);
    if (status == NV_OK) {
        statement = prepare_list(store, table, &filters, limit, error);
        status = statement == NULL ? error->status
                 : call->json      ? print_rows_json(statement, table, error)
                                   : print_rows(statement, table, error);
    }
    sqlite3_finalize(statement);
    nv_assignments_done(&filters);
    nv_store_close(store);
    return status;
}

/* ---- history ---- */

struct telling {
    const struct nv_store *store;
    size_t told;
};

static bool tell_text(const struct nv_history_entry *entry, void *context)
{
    struct telling *telling = context;
    char site[NV_SITE_TEXT];
    struct nv_buffer time = {0};
    telling->told++;
    nv_show_time(&time, entry->time);
    nv_site_name(telling->store, entry->site, site);
    printf("%.*s  ", entry->is_redacted ? 19 : (int)time.size,
           entry->is_redacted || time.failed ? "-------------------" : (const char *)time.data);
    nv_buffer_done(&time);
    nv_print_string(site);
    if (!nv_scope_id_equal(entry->scope, NV_SCOPE_NETWORK)) {
        char scope[NV_SCOPE_TEXT];
        nv_scope_name(telling->store, entry->scope, scope);
        fputs(_("  in "), stdout);
        nv_print_string(scope);
    }
    printf("  %s", entry->is_redacted ? _("removed") : entry->kind == NV_OP_PUT ? "" : _(nv_op_kind_name(entry->kind)));
    for (size_t i = 0, n = 0; !entry->is_redacted && i < entry->table->field_count; i++) {
        if (entry->op->kind != NV_OP_PUT || (entry->op->fields >> i & 1) == 0)
            continue;
        printf("%s%s=", n == 0 ? "" : "  ", entry->table->fields[i].name);
        nv_print_value(&entry->op->values[n++]);
    }
    putchar('\n');
    return true;
}

static enum nv_status print_history(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                    size_t *ret_told, struct nv_error *error)
{
    struct telling telling = {.store = store};
    enum nv_status status = nv_store_history(store, table->name, key, tell_text, &telling, error);
    *ret_told = telling.told;
    return status;
}

enum nv_status nv_command_history(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *table = NULL;
    struct nv_buffer key = {0};
    json_t *list = NULL;
    size_t told = 0;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_find_table(store, call->words[0], &table, error);
    if (status == NV_OK)
        status = nv_key_from_text(table, call->words[1], &key, error);
    if (status == NV_OK && call->json) {
        status = nv_history_json(store, table, nv_buffer_slice(&key), &list, error);
        told = json_array_size(list);
    } else if (status == NV_OK) {
        status = print_history(store, table, nv_buffer_slice(&key), &told, error);
    }
    if (status == NV_OK && told == 0)
        status = nv_fail(error, NV_NOT_FOUND, "nothing was ever sealed of a record with that key in %s", table->name);
    if (status == NV_OK && call->json)
        status = nv_print_json(json_incref(list), error);
    json_decref(list);
    nv_buffer_done(&key);
    nv_store_close(store);
    return status;
}
