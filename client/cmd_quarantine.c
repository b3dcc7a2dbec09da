/* navette quarantine: what was written and stands in no row, here or by another site's hand. */
#include <string.h>

#include "client/command.h"
#include "client/language.h"
#include "client/records.h"
#include "store/care.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/trust/rights.h"

enum { VALUE_CHARACTERS = 60 };
enum column { TABLE, KEY, FIELD, REASON, VALUE, SCOPE, COUNT, FIRST_MS, LAST_MS };

/* Reasons as the store keeps them, and for people. */
static const char *const reasons[][2] = {
    {"right", N_("written here without the right to: put back")},
    {"home", N_("only the site that made the record may write this")},
    {"scope", N_("the table does not belong where it was written")},
    {"value", N_("the column does not take this value")},
    {"key", N_("the table does not take this key")},
    {"table", N_("the table was not published when it was written")},
    {"too long", N_("longer than one change may be")},
    {"conflicts", N_("the record has too many open conflicts")},
    {"move", N_("the record could not be made where it was to go")},
    {"not counted", N_("this site's right was taken before others had it")},
};

static const char *say_reason(const char *reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i][0], reason) == 0)
            return _(reasons[i][1]);
    return reason;
}

/* One entry, in the words of its table, as far as that is known here. */
struct entry {
    const char *table, *field, *reason;
    struct nv_buffer key;
    char scope[NV_SCOPE_TEXT]; /* "" where it was written here */
    struct nv_value value;
    int64_t count;
    struct nv_wall_ms first, last;
};

static void read_entry(const struct nv_store *store, sqlite3_stmt *row, struct entry *entry)
{
    const struct nv_table *table = nv_table_by_number(store, (uint32_t)sqlite3_column_int64(row, TABLE));
    int field = sqlite3_column_int(row, FIELD);
    struct nv_slice scope = nv_db_blob(row, SCOPE);
    nv_buffer_clear(&entry->key);
    entry->table = table == NULL ? "?" : table->name;
    entry->field = table == NULL || field < 0 || (size_t)field >= table->field_count ? NULL : table->fields[field].name;
    entry->reason = (const char *)sqlite3_column_text(row, REASON);
    entry->value = nv_db_value(row, VALUE);
    entry->count = sqlite3_column_int64(row, COUNT);
    entry->first = (struct nv_wall_ms){sqlite3_column_int64(row, FIRST_MS)};
    entry->last = (struct nv_wall_ms){sqlite3_column_int64(row, LAST_MS)};
    entry->scope[0] = '\0';
    if (scope.size == sizeof(struct nv_scope_id)) {
        struct nv_scope_id id;
        memcpy(id.bytes, scope.data, sizeof id.bytes);
        nv_scope_name(store, id, entry->scope);
    }
    if (table != NULL)
        nv_key_to_text(table, nv_db_blob(row, KEY), &entry->key);
    else
        nv_buffer_append(&entry->key, "?", 2);
}

static json_t *entry_json(const struct entry *entry)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I}", "table", nv_json_text(entry->table), "key",
                     nv_json_text((const char *)entry->key.data), "field", nv_json_text(entry->field), "reason",
                     entry->reason, "value", nv_json_value(&entry->value), "scope",
                     nv_json_text(entry->scope[0] == '\0' ? NULL : entry->scope), "count", (json_int_t)entry->count,
                     "first_ms", (json_int_t)entry->first.ms, "last_ms", (json_int_t)entry->last.ms);
}

static void entry_line(struct nv_grid *grid, const struct entry *entry)
{
    nv_grid_cell(grid, entry->table);
    nv_grid_cell(grid, (const char *)entry->key.data);
    nv_grid_cell(grid, entry->field == NULL ? "-" : entry->field);
    nv_grid_value(grid, &entry->value, VALUE_CHARACTERS);
    nv_grid_number(grid, (uint64_t)entry->count);
    nv_grid_time(grid, entry->last);
    nv_grid_cell(grid, say_reason(entry->reason));
}

static void heading(struct nv_grid *grid)
{
    static const char *const headings[] = {N_("TABLE"), N_("KEY"),  N_("FIELD"), N_("VALUE"),
                                           N_("TIMES"), N_("LAST"), N_("WHY")};
    grid->columns = sizeof headings / sizeof *headings;
    for (size_t i = 0; i < grid->columns; i++)
        nv_grid_cell(grid, _(headings[i]));
}

static enum nv_status list(struct nv_store *store, struct nv_grid *grid, json_t *json, size_t *ret_count,
                           struct nv_error *error)
{
    struct entry entry = {0};
    sqlite3_stmt *rows =
        nv_db_prepare(nv_store_db(store),
                      "SELECT tbl, key, field, reason, value, s.id, count, first_ms, last_ms FROM navette_quarantine "
                      "AS q LEFT JOIN navette_scope AS s ON s.number = q.scope ORDER BY tbl, key, field, first_ms",
                      error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool row;
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        read_entry(store, rows, &entry);
        (*ret_count)++;
        if (entry.key.failed || (json != NULL && json_array_append_new(json, entry_json(&entry)) != 0))
            status = nv_fail(error, NV_NO_MEMORY, "out of memory: what is set aside could not be listed");
        else if (json == NULL)
            entry_line(grid, &entry);
    }
    nv_buffer_done(&entry.key);
    sqlite3_finalize(rows);
    return status;
}

enum nv_status nv_command_quarantine(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_grid grid = {0};
    json_t *json = call->json ? json_array() : NULL;
    size_t count = 0;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    heading(&grid);
    if (status == NV_OK)
        status = list(store, &grid, json, &count, error);
    if (status == NV_OK && call->json)
        status = nv_print_json(json_incref(json), error);
    else if (status == NV_OK && count == 0)
        puts(_("Nothing is set aside."));
    else if (status == NV_OK)
        status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    json_decref(json);
    nv_store_close(store);
    return status;
}
