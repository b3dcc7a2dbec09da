#include "client/conflicts.h"

#include <string.h>

#include "base/hex.h"
#include "client/language.h"
#include "client/output.h"
#include "client/records.h"
#include "client/sites.h"
#include "client/words.h"
#include "store/db.h"
#include "store/trust/rights.h"

enum { VALUE_CHARACTERS = 400 };
enum column { TABLE_NAME, KEY_TEXT, KIND, SCOPE, FIELD, CHOICE, VALUE, SITE, TIME_MS, SHOWN };

static sqlite3_stmt *prepare(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                             struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_preparef(nv_store_db(store), error,
                                             "SELECT table_name, key_text, kind, s.id, field, choice, value, site, "
                                             "time_ms, shown FROM navette_open_conflict AS c "
                                             "LEFT JOIN navette_scope AS s ON s.number = c.scope%s "
                                             "ORDER BY table_name, key, c.scope, field, choice",
                                             table == NULL ? "" : " WHERE tbl = ?1 AND key = ?2");
    if (statement != NULL && table != NULL) {
        sqlite3_bind_int64(statement, 1, table->number);
        nv_db_bind_slice(statement, 2, key);
    }
    return statement;
}

static const char *text_at(sqlite3_stmt *statement, enum column column)
{
    return (const char *)sqlite3_column_text(statement, (int)column);
}

static void site_at(const struct nv_store *store, sqlite3_stmt *statement, char ret_text[NV_SITE_TEXT])
{
    struct nv_site_id site;
    const char *hex = text_at(statement, SITE);
    if (hex != NULL && nv_unhex(hex, site.bytes, sizeof site.bytes))
        nv_site_name(store, site, ret_text);
    else
        strcpy(ret_text, "?");
}

/* The scope whose record it is, where that is one; else, and where it is the network's, "". */
static void scope_at(const struct nv_store *store, sqlite3_stmt *statement, char ret_text[NV_SCOPE_TEXT])
{
    struct nv_scope_id scope;
    struct nv_slice id = nv_db_blob(statement, SCOPE);
    ret_text[0] = '\0';
    if (id.size != sizeof scope.bytes)
        return;
    memcpy(scope.bytes, id.data, sizeof scope.bytes);
    nv_scope_name(store, scope, ret_text);
}

/* Of several records with one key: the scope of one of them, by its name. */
static void record_at(const struct nv_store *store, sqlite3_stmt *statement, char ret_text[NV_SCOPE_TEXT])
{
    struct nv_scope_id scope;
    const char *hex = text_at(statement, VALUE);
    if (hex != NULL && nv_unhex(hex, scope.bytes, sizeof scope.bytes))
        nv_scope_name(store, scope, ret_text);
    else
        strcpy(ret_text, "?");
}

static bool is_of_scopes(sqlite3_stmt *statement)
{
    return strcmp(text_at(statement, KIND), "scopes") == 0;
}

/* ---- JSON ---- */

static bool is_text(const json_t *json, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(json, name));
    return value == NULL || text == NULL ? value == text : strcmp(value, text) == 0;
}

/* Whether the row is of another conflict than the one that was begun last. */
static bool is_new(const struct nv_store *store, const json_t *conflict, sqlite3_stmt *statement)
{
    char scope[NV_SCOPE_TEXT];
    scope_at(store, statement, scope);
    return conflict == NULL || !is_text(conflict, "table", text_at(statement, TABLE_NAME)) ||
           !is_text(conflict, "key", text_at(statement, KEY_TEXT)) ||
           !is_text(conflict, "kind", text_at(statement, KIND)) ||
           !is_text(conflict, "field", text_at(statement, FIELD)) ||
           !is_text(conflict, "scope", scope[0] == '\0' ? NULL : scope);
}

static json_t *begin_json(const struct nv_store *store, sqlite3_stmt *statement)
{
    char site[NV_SITE_TEXT], scope[NV_SCOPE_TEXT];
    scope_at(store, statement, scope);
    json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:[]}", "table", text_at(statement, TABLE_NAME), "key",
                             text_at(statement, KEY_TEXT), "kind", text_at(statement, KIND), "scope",
                             nv_json_text(scope[0] == '\0' ? NULL : scope), "field",
                             nv_json_text(text_at(statement, FIELD)), "values");
    if (json != NULL && strcmp(text_at(statement, KIND), "deleted") == 0) {
        site_at(store, statement, site);
        json_object_set_new(json, "deleted_by", nv_json_text(site));
        json_object_set_new(json, "deleted_ms", json_integer(sqlite3_column_int64(statement, TIME_MS)));
    }
    return json;
}

static int add_value_json(const struct nv_store *store, sqlite3_stmt *statement, json_t *conflict)
{
    char site[NV_SITE_TEXT], scope[NV_SCOPE_TEXT];
    struct nv_value value = nv_db_value(statement, VALUE);
    site_at(store, statement, site);
    record_at(store, statement, scope);
    return json_array_append_new(
        json_object_get(conflict, "values"),
        json_pack("{s:i, s:o, s:o, s:I, s:b}", "choice", sqlite3_column_int(statement, CHOICE), "value",
                  is_of_scopes(statement) ? nv_json_text(scope) : nv_json_value(&value), "site", nv_json_text(site),
                  "time_ms", (json_int_t)sqlite3_column_int64(statement, TIME_MS), "shown",
                  sqlite3_column_int(statement, SHOWN)));
}

enum nv_status nv_conflicts_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                 json_t **ret_list, struct nv_error *error)
{
    json_t *list = json_array(), *conflict = NULL;
    sqlite3_stmt *statement = prepare(store, table, key, error);
    enum nv_status status = statement == NULL ? error->status : NV_OK;
    bool row = false, lost = false;
    while (status == NV_OK && !lost && (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        if (is_new(store, conflict, statement)) {
            conflict = begin_json(store, statement);
            lost = json_array_append_new(list, conflict) != 0;
        }
        if (!lost && strcmp(text_at(statement, KIND), "deleted") != 0)
            lost = add_value_json(store, statement, conflict) != 0;
    }
    sqlite3_finalize(statement);
    if (status == NV_OK && lost)
        status = nv_fail(error, NV_NO_MEMORY, "out of memory: the conflicts could not be listed");
    if (status == NV_OK)
        *ret_list = list;
    else
        json_decref(list);
    return status;
}

/* ---- text ---- */

struct printing {
    const struct nv_store *store;
    struct nv_buffer table, key, kind, scope, field; /* of the conflict that is being printed, NUL-terminated */
    struct nv_grid grid;
    bool is_below_a_record;
    size_t open;
};

static void set_string(struct nv_buffer *buffer, const char *string)
{
    nv_buffer_clear(buffer);
    nv_buffer_append(buffer, string == NULL ? "" : string, string == NULL ? 1 : strlen(string) + 1);
}

static bool is_string(const struct nv_buffer *buffer, const char *string)
{
    return buffer->size > 0 && strcmp((const char *)buffer->data, string == NULL ? "" : string) == 0;
}

/* As an argument that a shell takes as it is. */
static void print_argument(const char *string)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-";
    if (string[0] != '\0' && strspn(string, plain) == strlen(string)) {
        fputs(string, stdout);
        return;
    }
    putchar('\'');
    for (const char *quote; (quote = strchr(string, '\'')) != NULL; string = quote + 1)
        printf("%.*s'\\''", (int)(quote - string), string);
    printf("%s'", string);
}

static void print_advice(const struct printing *printing)
{
    bool is_of_records = is_string(&printing->kind, "scopes");
    fputs(is_of_records ? "  navette rm " : "  navette resolve ", stdout);
    print_argument((const char *)printing->table.data);
    putchar(' ');
    print_argument((const char *)printing->key.data);
    if (is_of_records) {
        printf("   %s\n", _("(deletes the one that is shown: the next one is shown then)"));
        return;
    }
    if (is_string(&printing->kind, "deleted")) {
        printf(" - --take 1   %s\n", _("(keep the record; --take 2 deletes it)"));
        return;
    }
    putchar(' ');
    print_argument((const char *)printing->field.data);
    printf(" --take N   %s\n", _("(or --value V, --null)"));
}

static enum nv_status end_conflict(struct printing *printing, struct nv_error *error)
{
    if (printing->open == 0)
        return NV_OK;
    printing->grid.has_widths = false;
    memset(printing->grid.widths, 0, sizeof printing->grid.widths);
    enum nv_status status = nv_grid_print(&printing->grid, 2, error);
    print_advice(printing);
    return status;
}

static const char *label_of(const struct nv_store *store, const char *table_name, const char *field)
{
    const struct nv_table *table = nv_store_table(store, table_name);
    for (size_t i = 0; table != NULL && field != NULL && i < table->field_count; i++)
        if (strcmp(table->fields[i].name, field) == 0)
            return nv_label(&table->fields[i]);
    return NULL;
}

/* The conflict's first line: where it is, and about what. */
static void say_what(const struct printing *printing, sqlite3_stmt *statement, const char *table, const char *field)
{
    const char *key = (const char *)printing->key.data, *scope = (const char *)printing->scope.data;
    const char *label = label_of(printing->store, table, field);
    char what[NV_LIMIT_NAME + NV_LIMIT_LABEL_BYTES + 8];
    if (field == NULL)
        snprintf(what, sizeof what, "%s",
                 is_of_scopes(statement) ? _("several records, for different readers")
                                         : _("deleted at one site, written at another"));
    else if (label == NULL)
        snprintf(what, sizeof what, "%s", field);
    else
        snprintf(what, sizeof what, "%s (%s)", field, label);
    if (scope[0] == '\0' || strcmp(scope, "network") == 0)
        nv_say(_("%s %s: %s"), table, key, what);
    else
        nv_say(_("%s %s: %s in %s"), table, key, what, scope);
}

static enum nv_status begin_conflict(struct printing *printing, sqlite3_stmt *statement, struct nv_error *error)
{
    enum nv_status status = end_conflict(printing, error);
    const char *table = text_at(statement, TABLE_NAME), *field = text_at(statement, FIELD);
    char scope[NV_SCOPE_TEXT];
    scope_at(printing->store, statement, scope);
    set_string(&printing->table, table);
    set_string(&printing->key, text_at(statement, KEY_TEXT));
    set_string(&printing->field, field);
    set_string(&printing->kind, text_at(statement, KIND));
    set_string(&printing->scope, scope);
    if (printing->table.failed || printing->key.failed || printing->field.failed || printing->kind.failed ||
        printing->scope.failed)
        return nv_fail(error, NV_NO_MEMORY, "out of memory: the conflicts could not be listed");
    if (printing->open++ > 0 || printing->is_below_a_record)
        putchar('\n');
    say_what(printing, statement, table, field);
    return status;
}

static void add_line(struct printing *printing, sqlite3_stmt *statement)
{
    char site[NV_SITE_TEXT], scope[NV_SCOPE_TEXT];
    struct nv_value value = nv_db_value(statement, VALUE);
    struct nv_wall_ms time = {sqlite3_column_int64(statement, TIME_MS)};
    site_at(printing->store, statement, site);
    record_at(printing->store, statement, scope);
    if (is_of_scopes(statement)) {
        nv_grid_number(&printing->grid, (uint64_t)sqlite3_column_int64(statement, CHOICE));
        nv_grid_cell(&printing->grid, scope);
    } else if (is_string(&printing->kind, "values")) {
        nv_grid_number(&printing->grid, (uint64_t)sqlite3_column_int64(statement, CHOICE));
        nv_grid_value(&printing->grid, &value, VALUE_CHARACTERS);
    } else {
        nv_grid_cell(&printing->grid, _("deleted"));
        nv_grid_cell(&printing->grid, _("by"));
    }
    nv_grid_cell(&printing->grid, site);
    nv_grid_time(&printing->grid, time);
    nv_grid_cell(&printing->grid, sqlite3_column_int(statement, SHOWN) != 0 ? _("shown") : "");
}

enum nv_status nv_conflicts_print(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                                  size_t *ret_open, struct nv_error *error)
{
    struct printing printing = {.store = store, .grid = {.columns = 5}, .is_below_a_record = table != NULL};
    sqlite3_stmt *statement = prepare(store, table, key, error);
    enum nv_status status = statement == NULL ? error->status : NV_OK;
    bool row = false;
    while (status == NV_OK && (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        char scope[NV_SCOPE_TEXT];
        scope_at(store, statement, scope);
        bool is_same = is_string(&printing.table, text_at(statement, TABLE_NAME)) &&
                       is_string(&printing.key, text_at(statement, KEY_TEXT)) &&
                       is_string(&printing.kind, text_at(statement, KIND)) && is_string(&printing.scope, scope) &&
                       is_string(&printing.field, text_at(statement, FIELD));
        if (!is_same)
            status = begin_conflict(&printing, statement, error);
        if (status == NV_OK)
            add_line(&printing, statement);
    }
    if (status == NV_OK)
        status = end_conflict(&printing, error);
    if (status == NV_OK)
        *ret_open = printing.open;
    sqlite3_finalize(statement);
    nv_grid_done(&printing.grid);
    nv_buffer_done(&printing.table);
    nv_buffer_done(&printing.key);
    nv_buffer_done(&printing.field);
    nv_buffer_done(&printing.kind);
    nv_buffer_done(&printing.scope);
    return status;
}
