#include "client/tables/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/language.h"
#include "client/tables/fold.h"
#include "store/db.h"

/* ---- what the schema says in views ---- */

/* A view of that name with these columns; a schema may have a thing of its own under the name, or none. */
static enum nv_status has_view(struct nv_store *store, const char *name, const char *columns, int64_t column_count,
                               bool *ret_has, struct nv_error *error)
{
    int64_t found = 0;
    char *sql = sqlite3_mprintf("SELECT count(*) FROM pragma_table_info(%Q, 'main') WHERE name IN (%s) AND EXISTS "
                                "(SELECT 1 FROM main.sqlite_master WHERE type = 'view' AND name = %Q)",
                                name, columns, name);
    if (sql == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_db_integer(nv_store_db(store), sql, 0, &found, error);
    sqlite3_free(sql);
    *ret_has = found == column_count;
    return status;
}

/* Copies a column of a statement's row into *text, over what stood there; NULL stays NULL. */
static enum nv_status copy_text(sqlite3_stmt *row, int column, char **text, struct nv_error *error)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    char *copy = value == NULL ? NULL : strdup(value);
    if (value != NULL && copy == NULL)
        return nv_no_memory(error);
    free(*text);
    *text = copy;
    return NV_OK;
}

static struct nv_sheet_column *column_named(struct nv_sheet *sheet, const char *name)
{
    for (size_t i = 0; name != NULL && i < sheet->count; i++)
        if (sqlite3_stricmp(sheet->columns[i].name, name) == 0)
            return &sheet->columns[i];
    return NULL;
}

/* `column` NULL: the label of the table itself. */
static enum nv_status take_label(struct nv_sheet *sheet, struct nv_sheet_column *column, sqlite3_stmt *row,
                                 struct nv_error *error)
{
    enum nv_status status = copy_text(row, 1, column == NULL ? &sheet->label_fr : &column->label_fr, error);
    if (status == NV_OK)
        status = copy_text(row, 2, column == NULL ? &sheet->label_en : &column->label_en, error);
    return status;
}

static enum nv_status take_choice(struct nv_sheet *sheet, struct nv_sheet_column *column, sqlite3_stmt *row,
                                  struct nv_error *error)
{
    (void)sheet;
    struct nv_choice *grown = realloc(column->choices, (column->choice_count + 1) * sizeof *grown);
    if (grown == NULL)
        return nv_no_memory(error);
    column->choices = grown;
    struct nv_choice *choice = &grown[column->choice_count++];
    *choice = (struct nv_choice){0};
    enum nv_status status = copy_text(row, 1, &choice->code, error);
    if (status == NV_OK)
        status = copy_text(row, 2, &choice->label_fr, error);
    if (status == NV_OK)
        status = copy_text(row, 3, &choice->label_en, error);
    return status;
}

static enum nv_status take_kind(struct nv_sheet *sheet, struct nv_sheet_column *column, sqlite3_stmt *row,
                                struct nv_error *error)
{
    static const struct {
        const char *word;
        enum nv_kind kind;
    } kinds[] = {{"date", NV_DATE},       {"siret", NV_SIRET}, {"siren", NV_SIREN},
                 {"commune", NV_COMMUNE}, {"epci", NV_EPCI},   {"cents", NV_CENTS}};
    (void)sheet;
    (void)error;
    const char *word = (const char *)sqlite3_column_text(row, 1);
    for (size_t i = 0; word != NULL && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].word, word) == 0)
            column->kind = kinds[i].kind;
    return NV_OK;
}

static enum nv_status take_telling(struct nv_sheet *sheet, struct nv_sheet_column *column, sqlite3_stmt *row,
                                   struct nv_error *error)
{
    (void)row;
    (void)error;
    column->is_telling = sheet->has_telling = true;
    return NV_OK;
}

/* The views: which columns each has, and what is asked of it. ?1 is the table, ?2 "table."; the first result is the
 * column's name. */
static const struct {
    const char *name, *columns;
    int64_t column_count;
    const char *sql;
    enum nv_status (*take)(struct nv_sheet *sheet, struct nv_sheet_column *column, sqlite3_stmt *row,
                           struct nv_error *error);
} views[] = {
    {"label", "'table_name', 'column_name', 'label_fr', 'label_en'", 4,
     "SELECT column_name, label_fr, label_en FROM main.label WHERE table_name = ?1 AND ?2 IS NOT NULL", take_label},
    {"choice", "'field', 'code', 'label_fr', 'label_en'", 4,
     "SELECT substr(field, length(?2) + 1), code, label_fr, label_en FROM main.choice "
     "WHERE substr(field, 1, length(?2)) = ?2 AND ?1 IS NOT NULL AND code IS NOT NULL",
     take_choice},
    {"format", "'field', 'kind'", 2,
     "SELECT substr(field, length(?2) + 1), kind FROM main.format "
     "WHERE substr(field, 1, length(?2)) = ?2 AND ?1 IS NOT NULL",
     take_kind},
    {"known_by", "'table_name', 'column_name'", 2,
     "SELECT column_name FROM main.known_by WHERE table_name = ?1 AND ?2 IS NOT NULL", take_telling},
};

static enum nv_status read_view(struct nv_store *store, struct nv_sheet *sheet, size_t view, struct nv_error *error)
{
    bool row = false;
    enum nv_status status =
        has_view(store, views[view].name, views[view].columns, views[view].column_count, &row, error);
    if (status != NV_OK || !row)
        return status;
    char dotted[NV_LIMIT_NAME + 2];
    snprintf(dotted, sizeof dotted, "%s.", sheet->table->name);
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(store), views[view].sql, error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_text(rows, 1, sheet->table->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, dotted, -1, SQLITE_STATIC);
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        const char *name = (const char *)sqlite3_column_text(rows, 0);
        struct nv_sheet_column *column = column_named(sheet, name);
        bool is_of_table = views[view].take == take_label && name != NULL && name[0] == '\0';
        if (column != NULL || is_of_table)
            status = views[view].take(sheet, column, rows, error);
    }
    sqlite3_finalize(rows);
    return status;
}

/* ---- what the table itself says ---- */

static enum nv_status read_defaults(struct nv_store *store, struct nv_sheet *sheet, struct nv_error *error)
{
    bool row;
    enum nv_status status = NV_OK;
    sqlite3_stmt *rows = nv_db_preparef(
        nv_store_db(store), error, "SELECT name, dflt_value FROM pragma_table_info(%Q, 'main')", sheet->table->name);
    if (rows == NULL)
        return error->status;
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        struct nv_sheet_column *column = column_named(sheet, (const char *)sqlite3_column_text(rows, 0));
        if (column != NULL)
            status = copy_text(rows, 1, &column->otherwise, error);
    }
    sqlite3_finalize(rows);
    return status;
}

/* A column that alone references a table in step, by that table's key of one column. */
static enum nv_status read_parents(struct nv_store *store, struct nv_sheet *sheet, struct nv_error *error)
{
    bool row;
    enum nv_status status = NV_OK;
    sqlite3_stmt *rows = nv_db_preparef(
        nv_store_db(store), error,
        "SELECT k.\"from\", k.\"table\", k.\"to\" FROM pragma_foreign_key_list(%Q, 'main') AS k WHERE 1 = "
        "(SELECT count(*) FROM pragma_foreign_key_list(%Q, 'main') AS o WHERE o.id = k.id)",
        sheet->table->name, sheet->table->name);
    if (rows == NULL)
        return error->status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        struct nv_sheet_column *column = column_named(sheet, (const char *)sqlite3_column_text(rows, 0));
        const char *name = (const char *)sqlite3_column_text(rows, 1);
        const char *to = (const char *)sqlite3_column_text(rows, 2);
        const struct nv_table *parent = name == NULL ? NULL : nv_store_table(store, name);
        if (column != NULL && parent != NULL && !parent->missing && parent->key_count == 1 &&
            (to == NULL || sqlite3_stricmp(to, parent->keys[0]) == 0))
            column->parent = parent;
    }
    sqlite3_finalize(rows);
    return status;
}

static enum nv_status name_columns(struct nv_sheet *sheet, struct nv_error *error)
{
    const struct nv_table *table = sheet->table;
    sheet->count = table->key_count + table->field_count;
    sheet->columns = calloc(sheet->count, sizeof *sheet->columns);
    if (sheet->columns == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < sheet->count; i++) {
        struct nv_sheet_column *column = &sheet->columns[i];
        const struct nv_column *field = i < table->key_count ? NULL : &table->fields[i - table->key_count];
        column->is_key = field == NULL;
        column->name = field == NULL ? table->keys[i] : field->name;
        column->type = field == NULL ? table->key_types[i] : field->type;
        if (field == NULL)
            continue;
        column->label_fr = field->label_fr == NULL ? NULL : strdup(field->label_fr);
        column->label_en = field->label_en == NULL ? NULL : strdup(field->label_en);
        if ((column->label_fr == NULL) != (field->label_fr == NULL) ||
            (column->label_en == NULL) != (field->label_en == NULL))
            return nv_no_memory(error);
    }
    return NV_OK;
}

enum nv_status nv_sheet_open(struct nv_store *store, const struct nv_table *table, struct nv_sheet *ret_sheet,
                             struct nv_error *error)
{
    struct nv_sheet sheet = {.table = table};
    enum nv_status status = name_columns(&sheet, error);
    for (size_t i = 0; status == NV_OK && i < sizeof views / sizeof *views; i++)
        status = read_view(store, &sheet, i, error);
    if (status == NV_OK)
        status = read_defaults(store, &sheet, error);
    if (status == NV_OK)
        status = read_parents(store, &sheet, error);
    if (status != NV_OK) {
        nv_sheet_done(&sheet);
        return status;
    }
    sheet.makes_keys = table->key_count == 1 && sheet.columns[0].otherwise != NULL;
    *ret_sheet = sheet;
    return NV_OK;
}

void nv_sheet_done(struct nv_sheet *sheet)
{
    for (size_t i = 0; sheet->columns != NULL && i < sheet->count; i++) {
        struct nv_sheet_column *column = &sheet->columns[i];
        for (size_t k = 0; k < column->choice_count; k++) {
            free(column->choices[k].code);
            free(column->choices[k].label_fr);
            free(column->choices[k].label_en);
        }
        free(column->choices);
        free(column->label_fr);
        free(column->label_en);
        free(column->otherwise);
    }
    free(sheet->columns);
    free(sheet->label_fr);
    free(sheet->label_en);
    *sheet = (struct nv_sheet){0};
}

/* ---- names ---- */

static const char *title(const char *label_fr, const char *label_en, const char *name)
{
    const char *first = nv_is_french() ? label_fr : label_en, *second = nv_is_french() ? label_en : label_fr;
    return first != NULL ? first : second != NULL ? second : name;
}

const char *nv_sheet_name(const struct nv_sheet *sheet)
{
    return title(sheet->label_fr, sheet->label_en, sheet->table->name);
}

const char *nv_sheet_title(const struct nv_sheet_column *column)
{
    return title(column->label_fr, column->label_en, column->name);
}

const char *nv_choice_title(const struct nv_choice *choice)
{
    return title(choice->label_fr, choice->label_en, choice->code);
}

size_t nv_sheet_find(const struct nv_sheet *sheet, struct nv_slice header)
{
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < sheet->count; i++) {
            const struct nv_sheet_column *column = &sheet->columns[i];
            const char *name = pass == 0                       ? column->name
                               : (pass == 1) == nv_is_french() ? column->label_fr
                                                               : column->label_en;
            if (name != NULL && nv_fold_equal(header, name))
                return i;
        }
    return sheet->count;
}

bool nv_sheet_hides_key(const struct nv_sheet *sheet)
{
    return sheet->makes_keys && sheet->has_telling && sheet->columns[0].kind == NV_PLAIN;
}
