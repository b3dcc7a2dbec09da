/* What differs between a line and its record is written, and noted for who wants it back. */
#include <stdlib.h>
#include <string.h>

#include "client/import/import.h"
#include "client/language.h"
#include "client/records.h"
#include "client/tables/cell.h"
#include "store/db.h"

/* ---- what differs ---- */

/* Whether the cell is what an export writes for the stored value: then nobody changed it, whatever it would be read as
 * (an unknown word in a list, a day that is none). */
static bool shows(const struct nv_sheet_column *column, const struct nv_told *told, const struct nv_value *stored)
{
    struct nv_buffer text = {0};
    if (told->is_from_parent)
        return false;
    nv_cell_show(column, stored, &text);
    bool is_same = !text.failed && nv_slice_equal(nv_buffer_slice(&text), told->raw);
    if (!is_same) {
        nv_buffer_clear(&text);
        nv_cell_show_stored(stored, &text);
        is_same = !text.failed && column->kind != NV_CENTS && nv_slice_equal(nv_buffer_slice(&text), told->raw);
    }
    nv_buffer_done(&text);
    return is_same;
}

/* Whether the line changes this column of the record that was found. */
static bool differs(const struct nv_import *import, size_t column)
{
    const struct nv_sheet_column *of = &import->mapping.sheet.columns[column];
    const struct nv_told *told = &import->told[column];
    const struct nv_value *stored = &import->stored[column];
    if (!told->is_given || of->is_key || (told->reading.value.type == NV_NULL && of->type.not_null))
        return false;
    return !nv_value_equal(&told->reading.value, stored) && !shows(of, told, stored);
}

/* Refuses the cells that are wrong and count: those of a new record, and those that would change one. */
static bool check_values(struct nv_import *import, bool changes[NV_SHEET_COLUMNS], struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    for (size_t i = 0; i < sheet->count; i++) {
        struct nv_told *told = &import->told[i];
        /* Where the record that the line references is not found, there is no key to compare with. */
        bool has_no_parent = told->reading.problem == NV_NO_PARENT || told->reading.problem == NV_SEVERAL_PARENTS;
        changes[i] = import->is_found ? has_no_parent || differs(import, i) : told->is_given;
        if (!changes[i])
            continue;
        bool exists = true;
        if (told->reading.problem == NV_NO_PROBLEM && sheet->columns[i].parent != NULL &&
            told->reading.value.type != NV_NULL && !nv_import_parent_exists(import, i, &exists, error))
            return false;
        if (!exists)
            told->reading.problem = NV_NO_PARENT;
        if (told->reading.problem != NV_NO_PROBLEM && !nv_import_refuse_cell(import, i, error))
            return false;
    }
    return true;
}

/* ---- several lines on one record ---- */

static bool find_earlier(struct nv_import *import, int64_t *ret_line, struct nv_error *error)
{
    bool row = false;
    nv_db_bind_slice(import->seen, 1, nv_buffer_slice(&import->key));
    bool done = nv_db_step(import->seen, &row, error) == NV_OK;
    *ret_line = row ? sqlite3_column_int64(import->seen, 0) : 0;
    sqlite3_reset(import->seen);
    return done;
}

static bool note_seen(struct nv_import *import, struct nv_error *error)
{
    nv_db_bind_slice(import->see, 1, nv_buffer_slice(&import->key));
    sqlite3_bind_int64(import->see, 2, (sqlite3_int64)import->record->line);
    return nv_db_run(import->see, error) == NV_OK;
}

/* ---- writing ---- */

/* The cell whose column a CHECK that failed begins with; SIZE_MAX where it cannot be told. */
static size_t find_checked(const struct nv_import *import, const char *message, const char **ret_check)
{
    static const char begins[] = "CHECK constraint failed: ";
    const struct nv_sheet *sheet = &import->mapping.sheet;
    if (strncmp(message, begins, sizeof begins - 1) != 0)
        return SIZE_MAX;
    *ret_check = message + sizeof begins - 1;
    size_t size = strcspn(*ret_check, " ");
    for (size_t i = 0; i < sheet->count; i++)
        if (strlen(sheet->columns[i].name) == size && strncmp(sheet->columns[i].name, *ret_check, size) == 0)
            return import->mapping.own[i];
    return SIZE_MAX;
}

/* A table may refuse what its columns take (a CHECK, a trigger of the site's own): that is the line's fault, as long as
 * the transaction stands. SQLite's words name columns and no values. */
static bool explain(struct nv_import *import, enum nv_status status, struct nv_error *error)
{
    sqlite3 *db = nv_store_db(import->store);
    const char *check = NULL;
    if (status != NV_REFUSED || sqlite3_get_autocommit(db) != 0)
        return status == NV_OK;
    *error = (struct nv_error){0}; /* it is told of the line, and not of the command */
    size_t cell = find_checked(import, sqlite3_errmsg(db), &check);
    if (cell != SIZE_MAX)
        return nv_import_refuse(import, cell, NV_TABLE_REFUSES, error, "the column takes no such value: %s", check);
    return nv_import_refuse(import, SIZE_MAX, NV_TABLE_REFUSES, error, "the table does not take this: %s",
                            sqlite3_errmsg(db));
}

static bool prepare_insert(struct nv_import *import, bool has_key, sqlite3_stmt **ret_statement, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(import->store));
    sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\"", sheet->table->name);
    const char *before = "(";
    for (size_t i = 0; i < sheet->count; i++) {
        if (!import->told[i].is_given || (sheet->columns[i].is_key && !has_key))
            continue;
        sqlite3_str_appendf(sql, "%s\"%w\"", before, sheet->columns[i].name);
        before = ", ";
    }
    before = ") VALUES (";
    for (size_t i = 0; i < sheet->count; i++) {
        if (!import->told[i].is_given || (sheet->columns[i].is_key && !has_key))
            continue;
        sqlite3_str_appendall(sql, before);
        nv_import_sql_value(sql, &sheet->columns[i], (int)i + 1);
        before = ", ";
    }
    for (size_t i = 0; i < sheet->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? ") RETURNING " : ", ", sheet->columns[i].name);
    *ret_statement = nv_prepare_built(import->store, sql, error);
    return *ret_statement != NULL;
}

/* The new record's key and fields, as they stand in the row that INSERT returned. */
static bool note_made(struct nv_import *import, sqlite3_stmt *row, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    struct nv_buffer made = {0};
    for (size_t i = 0; i < sheet->count; i++) {
        struct nv_value value = nv_db_value(row, (int)i);
        nv_value_encode(sheet->columns[i].is_key ? &import->key : &made, &value);
    }
    bool done = !made.failed && !import->key.failed;
    if (done) {
        sqlite3_bind_int64(import->note_record, 1, import->number);
        nv_db_bind_slice(import->note_record, 2, nv_buffer_slice(&import->key));
        nv_db_bind_slice(import->note_record, 3, nv_buffer_slice(&made));
        done = nv_db_run(import->note_record, error) == NV_OK;
    } else {
        nv_no_memory(error);
    }
    nv_buffer_done(&made);
    return done;
}

static bool insert(struct nv_import *import, struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    bool has_key = import->told[0].is_given && import->told[0].reading.value.type != NV_NULL, row;
    sqlite3_stmt **statement = has_key ? &import->insert : &import->insert_keyless;
    if (*statement == NULL && !prepare_insert(import, has_key, statement, error))
        return false;
    for (size_t i = 0; i < sheet->count; i++)
        if (import->told[i].is_given && (has_key || !sheet->columns[i].is_key))
            nv_db_bind_value(*statement, (int)i + 1, &import->told[i].reading.value);
    enum nv_status status = nv_db_step(*statement, &row, error);
    if (status != NV_OK)
        return explain(import, status, error);
    bool done = note_made(import, *statement, error) && nv_db_run(*statement, error) == NV_OK;
    sqlite3_reset(*statement);
    import->report.created++;
    return done && note_seen(import, error);
}

static bool prepare_update(struct nv_import *import, const bool changes[NV_SHEET_COLUMNS], struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    const char *before = " SET ";
    if (import->update.statement != NULL && memcmp(import->update.columns, changes, sizeof import->update.columns) == 0)
        return true;
    sqlite3_finalize(import->update.statement);
    sqlite3_str *sql = sqlite3_str_new(nv_store_db(import->store));
    sqlite3_str_appendf(sql, "UPDATE main.\"%w\"", sheet->table->name);
    for (size_t i = 0; i < sheet->count; i++) {
        if (!changes[i])
            continue;
        sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", before, sheet->columns[i].name, (int)i + 1);
        before = ", ";
    }
    nv_sql_where_key(sql, sheet->table, (int)sheet->count + 1);
    memcpy(import->update.columns, changes, sizeof import->update.columns);
    import->update.statement = nv_prepare_built(import->store, sql, error);
    return import->update.statement != NULL;
}

static bool note_changed(struct nv_import *import, size_t column, struct nv_error *error)
{
    sqlite3_bind_int64(import->note_cell, 1, import->number);
    nv_db_bind_slice(import->note_cell, 2, nv_buffer_slice(&import->key));
    sqlite3_bind_text(import->note_cell, 3, import->mapping.sheet.columns[column].name, -1, SQLITE_STATIC);
    nv_db_bind_value(import->note_cell, 4, &import->stored[column]);
    nv_db_bind_value(import->note_cell, 5, &import->told[column].reading.value);
    return nv_db_run(import->note_cell, error) == NV_OK;
}

static bool update(struct nv_import *import, const bool changes[NV_SHEET_COLUMNS], uint64_t fields,
                   struct nv_error *error)
{
    const struct nv_sheet *sheet = &import->mapping.sheet;
    if (!prepare_update(import, changes, error))
        return false;
    for (size_t i = 0; i < sheet->count; i++)
        if (changes[i])
            nv_db_bind_value(import->update.statement, (int)i + 1, &import->told[i].reading.value);
    nv_bind_key(import->update.statement, (int)sheet->count + 1, nv_buffer_slice(&import->key));
    enum nv_status status = nv_db_run(import->update.statement, error);
    if (status != NV_OK)
        return explain(import, status, error);
    for (size_t i = 0; i < sheet->count; i++)
        if (changes[i] && !note_changed(import, i, error))
            return false;
    import->report.changed++;
    import->report.fields += fields;
    return note_seen(import, error);
}

/* What was made of cells in silence is told, of lines that are taken. */
static void count_mended(struct nv_import *import)
{
    bool has_wrong_key = false;
    for (size_t i = 0; i < import->mapping.sheet.count; i++) {
        import->report.zeros[i] += import->told[i].reading.has_zeros_back;
        has_wrong_key |= import->told[i].reading.has_wrong_key;
    }
    enum { SHOWN = sizeof import->report.first_wrong / sizeof *import->report.first_wrong };
    if (has_wrong_key && import->report.wrong_keys++ < SHOWN)
        import->report.first_wrong[import->report.wrong_keys - 1] = import->record->line;
}

bool nv_import_write_line(struct nv_import *import, struct nv_error *error)
{
    bool changes[NV_SHEET_COLUMNS] = {false};
    uint64_t fields = 0;
    int64_t earlier = 0;
    if (!check_values(import, changes, error))
        return false;
    if (import->refused.size > 0)
        return true;
    for (size_t i = 0; i < import->mapping.sheet.count; i++)
        fields += changes[i];
    if (import->is_found && !find_earlier(import, &earlier, error))
        return false;
    if (earlier > 0 && fields > 0)
        return nv_import_refuse(import, SIZE_MAX, NV_TOLD_TWICE, error,
                                "line %llu says something else of the same record", (unsigned long long)earlier);
    bool done = true;
    if (!import->is_found)
        done = insert(import, error);
    else if (fields > 0)
        done = update(import, changes, fields, error);
    else
        done = (earlier > 0 || note_seen(import, error));
    if (done && import->refused.size == 0) {
        import->report.same += import->is_found && fields == 0;
        count_mended(import);
    }
    return done;
}
