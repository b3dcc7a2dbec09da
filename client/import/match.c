/* Which record a line is about, and which records it references. */
#include <string.h>

#include "client/import/import.h"
#include "client/language.h"
#include "client/records.h"
#include "store/db.h"

static bool no_memory(struct nv_error *error)
{
    nv_no_memory(error);
    return false;
}

void nv_import_sql_value(sqlite3_str *sql, const struct nv_sheet_column *column, int place)
{
    if (column->type.not_null && column->otherwise != NULL && !column->is_key)
        sqlite3_str_appendf(sql, "ifnull(?%d, %s)", place, column->otherwise);
    else
        sqlite3_str_appendf(sql, "?%d", place);
}

static bool copy_value(struct nv_arena *arena, const struct nv_value *value, struct nv_value *ret_copy)
{
    *ret_copy = *value;
    if (value->type != NV_TEXT && value->type != NV_BLOB)
        return true;
    uint8_t *bytes = nv_arena_alloc(arena, value->bytes.size + 1);
    if (bytes == NULL)
        return false;
    if (value->bytes.size > 0)
        memcpy(bytes, value->bytes.data, value->bytes.size);
    ret_copy->bytes.data = bytes;
    return true;
}

/* ---- the record itself ---- */

static sqlite3_str *begin_select(struct nv_import *import)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(import->store));
    for (size_t i = 0; i < sheet->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "SELECT " : ", ", sheet->columns[i].name);
    sqlite3_str_appendf(sql, " FROM main.\"%w\"", sheet->table->name);
    return sql;
}

static bool prepare(struct nv_import *import, sqlite3_str *sql, sqlite3_stmt **ret_statement, struct nv_error *error)
{
    *ret_statement = nv_prepare_built(import->store, sql, error);
    return *ret_statement != NULL;
}

/* Keeps the row that the statement stands on: its values and its key. */
static bool keep_row(struct nv_import *import, sqlite3_stmt *statement, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    import->is_found = true;
    import->stored = nv_arena_alloc(&import->arena, sheet->count * sizeof *import->stored);
    if (import->stored == NULL)
        return no_memory(error);
    for (size_t i = 0; i < sheet->count; i++) {
        struct nv_value value = nv_db_value(statement, (int)i);
        if (!copy_value(&import->arena, &value, &import->stored[i]))
            return no_memory(error);
        if (sheet->columns[i].is_key)
            nv_value_encode(&import->key, &value);
    }
    return !import->key.failed || no_memory(error);
}

/* The record with the key that the line tells. A key cell that is no value of its column is looked for as it stands:
 * what is in the store already is taken as it is. */
static bool find_by_key(struct nv_import *import, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    bool row = false;
    if (import->by_key == NULL) {
        sqlite3_str *sql = begin_select(import);
        nv_sql_where_key(sql, sheet->table, 1);
        if (!prepare(import, sql, &import->by_key, error))
            return false;
    }
    for (size_t i = 0; i < sheet->table->key_count; i++) {
        struct nv_value value = import->told[i].reading.value;
        if (value.type == NV_NULL)
            value = (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)"", 0}};
        nv_db_bind_value(import->by_key, (int)i + 1, &value);
    }
    bool done = nv_db_step(import->by_key, &row, error) == NV_OK && (!row || keep_row(import, import->by_key, error));
    sqlite3_reset(import->by_key);
    return done;
}

/* "Identifiant", then the columns that the records are known by. */
static bool refuse_untold(struct nv_import *import, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    struct nv_buffer names = {0};
    for (size_t i = 0; i < sheet->count; i++) {
        const char *title = nv_sheet_title(&sheet->columns[i]);
        if (!sheet->columns[i].is_telling)
            continue;
        nv_buffer_append(&names, ", ", names.size == 0 ? 0 : 2);
        nv_buffer_append(&names, title, strlen(title));
    }
    nv_buffer_append_byte(&names, '\0');
    bool done = names.failed
                    ? no_memory(error)
                    : nv_import_refuse(import, SIZE_MAX, NV_NOT_TOLD, error,
                                       "nothing says which record this is: the file needs the column %s, or all of: %s",
                                       nv_sheet_title(&sheet->columns[0]), (const char *)names.data);
    nv_buffer_done(&names);
    return done;
}

static bool prepare_by_telling(struct nv_import *import, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    const char *before = " WHERE";
    sqlite3_str *sql = begin_select(import);
    for (size_t i = 0; i < sheet->count; i++) {
        if (!sheet->columns[i].is_telling)
            continue;
        sqlite3_str_appendf(sql, "%s \"%w\" IS ", before, sheet->columns[i].name);
        nv_import_sql_value(sql, &sheet->columns[i], (int)i + 1);
        before = " AND";
    }
    sqlite3_str_appendall(sql, " LIMIT 2");
    return prepare(import, sql, &import->by_telling, error);
}

/* A line that cannot be matched is told all that is wrong with it at once. */
static bool refuse_cells(struct nv_import *import, struct nv_error *error)
{
    for (size_t i = 0; i < import->mapping.sheet.count; i++)
        if (import->told[i].reading.problem != NV_NO_PROBLEM && !nv_import_refuse_cell(import, i, error))
            return false;
    return true;
}

/* Whether the line tells all columns that the records are known by, and something in one of them. */
static bool tells_enough(const struct nv_import *import, bool *ret_has_problem)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    bool is_given = true, is_filled = false;
    for (size_t i = 0; i < sheet->count; i++) {
        if (!sheet->columns[i].is_telling)
            continue;
        is_given &= import->told[i].is_given;
        is_filled |= import->told[i].reading.value.type != NV_NULL;
        *ret_has_problem |= import->told[i].reading.problem != NV_NO_PROBLEM;
    }
    return is_given && is_filled;
}

/* The record that the columns tell which its table's records are known by: none, one, or too many. */
static bool find_by_telling(struct nv_import *import, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    bool row = false, another = false, has_problem = false;
    if (!tells_enough(import, &has_problem) && !has_problem)
        return refuse_untold(import, error);
    if (has_problem)
        return refuse_cells(import, error);
    if (import->by_telling == NULL && !prepare_by_telling(import, error))
        return false;
    for (size_t i = 0; i < sheet->count; i++)
        if (sheet->columns[i].is_telling)
            nv_db_bind_value(import->by_telling, (int)i + 1, &import->told[i].reading.value);
    bool done = nv_db_step(import->by_telling, &row, error) == NV_OK &&
                (!row || (keep_row(import, import->by_telling, error) &&
                          nv_db_step(import->by_telling, &another, error) == NV_OK));
    sqlite3_reset(import->by_telling);
    if (done && another)
        return nv_import_refuse(
            import, SIZE_MAX, NV_SEVERAL, error,
            "several records are known by what this line says: give the %s of the one that is meant",
            nv_sheet_title(&sheet->columns[0]));
    return done;
}

static bool check_key_size(struct nv_import *import, struct nv_error *error)
{
    struct nv_buffer key = {0};
    for (size_t i = 0; i < import->mapping.sheet.table->key_count; i++)
        nv_value_encode(&key, &import->told[i].reading.value);
    bool is_long = key.size > NV_LIMIT_KEY_BYTES, failed = key.failed;
    nv_buffer_done(&key);
    if (!failed && is_long)
        return nv_import_refuse(import, import->told[0].cell, NV_TOO_LONG, error, "this is too long for a key");
    return !failed || no_memory(error);
}

bool nv_import_find(struct nv_import *import, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    bool has_key = true;
    for (size_t i = 0; i < sheet->table->key_count; i++)
        has_key &=
            import->told[i].is_given && (import->told[i].reading.value.type != NV_NULL || sheet->table->key_count > 1);
    if (!has_key && sheet->makes_keys && sheet->has_telling)
        return find_by_telling(import, error);
    for (size_t i = 0; i < sheet->table->key_count; i++)
        if (!import->told[i].is_given)
            return nv_import_refuse(import, SIZE_MAX, NV_NOT_TOLD, error,
                                    "nothing says which record this is: the file needs the column %s",
                                    nv_sheet_title(&sheet->columns[i]));
    if (!check_key_size(import, error) || import->refused.size > 0)
        return import->refused.size > 0;
    if (!find_by_key(import, error))
        return false;
    for (size_t i = 0; !import->is_found && i < sheet->table->key_count; i++)
        if (import->told[i].reading.problem == NV_NO_PROBLEM && import->told[i].reading.value.type == NV_NULL)
            import->told[i].reading.problem = NV_NO_KEY;
    return true;
}

/* ---- what it references ---- */

static bool prepare_parent(struct nv_import *import, size_t column, const struct nv_described *described,
                           struct nv_error *error)
{
    struct nv_lookup *lookup = &import->parents[column];
    const struct nv_sheet *parent = &import->mapping.parents[column];
    if (lookup->statement != NULL && memcmp(lookup->columns, described->given, sizeof lookup->columns) == 0)
        return true;
    sqlite3_finalize(lookup->statement);
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(import->store));
    sqlite3_str_appendf(sql, "SELECT \"%w\" FROM main.\"%w\" WHERE TRUE", parent->table->keys[0], parent->table->name);
    for (size_t i = 0; i < parent->count; i++)
        if (described->given[i])
            sqlite3_str_appendf(sql, " AND \"%w\" = ?%d", parent->columns[i].name, (int)i + 1);
    sqlite3_str_appendall(sql, " LIMIT 2");
    memcpy(lookup->columns, described->given, sizeof lookup->columns);
    return prepare(import, sql, &lookup->statement, error);
}

bool nv_import_find_parent(struct nv_import *import, size_t column, const struct nv_described *described,
                           struct nv_reading *ret_reading, struct nv_error *error)
{
    bool row = false, another = false;
    if (!prepare_parent(import, column, described, error))
        return false;
    sqlite3_stmt *statement = import->parents[column].statement;
    for (size_t i = 0; i < import->mapping.parents[column].count; i++)
        if (described->given[i])
            nv_db_bind_value(statement, (int)i + 1, &described->values[i]);
    *ret_reading = (struct nv_reading){.problem = NV_NO_PARENT};
    bool done = nv_db_step(statement, &row, error) == NV_OK;
    if (done && row) {
        struct nv_value key = nv_db_value(statement, 0);
        done = copy_value(&import->arena, &key, &ret_reading->value) || no_memory(error);
        done = done && nv_db_step(statement, &another, error) == NV_OK;
        ret_reading->problem = another ? NV_SEVERAL_PARENTS : NV_NO_PROBLEM;
    }
    sqlite3_reset(statement);
    return done;
}

bool nv_import_parent_exists(struct nv_import *import, size_t column, bool *ret_exists, struct nv_error *error)
{
    const struct nv_table *parent = import->mapping.sheet.columns[column].parent;
    sqlite3_stmt **statement = &import->exist[column];
    if (*statement == NULL)
        *statement = nv_db_preparef(nv_store_db(import->store), error, "SELECT 1 FROM main.\"%w\" WHERE \"%w\" = ?1",
                                    parent->name, parent->keys[0]);
    if (*statement == NULL)
        return false;
    nv_db_bind_value(*statement, 1, &import->told[column].reading.value);
    bool done = nv_db_step(*statement, ret_exists, error) == NV_OK;
    sqlite3_reset(*statement);
    return done;
}
