#include "store/schema/trackable.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/catalogue.h"
#include "store/db.h"
#include "wire/authority.h"

/* Every refusal names the table first, and ends with what to write instead. */
static enum nv_status refuse_table(struct nv_error *error, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum nv_status refuse_table(struct nv_error *error, const char *name, const char *format, ...)
{
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, _(format), arguments);
    va_end(arguments);
    return nv_fail(error, NV_REFUSED, "table %.64s: %s", name, text);
}

static bool is_binary(const struct nv_shape_column *column)
{
    return column->collation != NULL && strcmp(column->collation, "BINARY") == 0;
}

/* ---- the key ---- */

static enum nv_status check_key_column(const struct nv_shape *shape, const struct nv_shape_column *column,
                                       const char *name, struct nv_error *error)
{
    enum nv_affinity affinity = column->stored.affinity;
    if (affinity == NV_AFFINITY_REAL || affinity == NV_AFFINITY_NUMERIC)
        return refuse_table(
            error, name,
            "column %.64s is in the key and holds numbers (%.64s) that two sites may write in two ways: declare "
            "it TEXT",
            column->name, column->type);
    if (affinity == NV_AFFINITY_INTEGER && shape->key_count == 1)
        return refuse_table(
            error, name,
            "its key, column %.64s, is a number, and two sites would give the same number to two records: make "
            "it %.64s TEXT NOT NULL PRIMARY KEY DEFAULT %s",
            column->name, column->name, NV_KEY_DEFAULT);
    if (!column->not_null)
        return refuse_table(
            error, name,
            "its key, column %.64s, may be NULL, and rows without a key cannot be told apart: write %.64s TEXT "
            "NOT NULL",
            column->name, column->name);
    if (!is_binary(column))
        return refuse_table(
            error, name,
            "its key, column %.64s, is compared by %s, so that two keys may be one here and two elsewhere: take "
            "its COLLATE away, which leaves BINARY",
            column->name, column->collation == NULL ? _("a collation of its own") : column->collation);
    return NV_OK;
}

static enum nv_status check_key(const struct nv_shape *shape, const char *name, struct nv_error *error)
{
    if (shape->key_count == 0)
        return refuse_table(
            error, name,
            "it has no PRIMARY KEY, so that a row has no name which all sites know it by: add a column such as "
            "id TEXT NOT NULL PRIMARY KEY DEFAULT %s",
            NV_KEY_DEFAULT);
    if (shape->key_count > NV_LIMIT_KEY_COLUMNS)
        return refuse_table(error, name,
                            "its PRIMARY KEY has %zu columns and may have %d: give it a key of one column, id",
                            shape->key_count, NV_LIMIT_KEY_COLUMNS);
    for (unsigned place = 1; place <= shape->key_count; place++) {
        const struct nv_shape_column *column = nv_shape_key(shape, place);
        enum nv_status status = check_key_column(shape, column, name, error);
        if (status != NV_OK)
            return status;
    }
    if (shape->key_collation != NULL)
        return refuse_table(
            error, name,
            "its PRIMARY KEY, with column %.64s, is compared by %.64s: take the COLLATE away, which leaves "
            "BINARY",
            nv_shape_key(shape, 1)->name, shape->key_collation);
    return NV_OK;
}

/* ---- the CHECKs ---- */

/* A CHECK with something in it that is no column and none of the functions that answer alike everywhere. */
static enum nv_status refuse_foreign(const struct nv_shape_check *check, const struct nv_shape_column *column,
                                     const char *name, struct nv_error *error)
{
    int size = (int)check->foreign->size;
    const char *text = check->foreign->text;
    if (check->foreign->kind == NV_TOKEN_QUOTED && check->named == 0)
        return refuse_table(error, name, "a CHECK says %.*s, which is no column: write text in single quotes", size,
                            text);
    if (check->foreign->kind == NV_TOKEN_QUOTED)
        return refuse_table(error, name,
                            "a CHECK of column %.64s says %.*s, which is no column: write text in single quotes",
                            column->name, size, text);
    if (check->named == 0)
        return refuse_table(
            error, name,
            "a CHECK uses %.*s, which may answer differently at two sites: keep to comparisons, IN, BETWEEN, LIKE, "
            "GLOB, CASE and length, substr, lower, upper, trim, abs, round, typeof, instr, replace, coalesce, ifnull, "
            "nullif, hex, unicode, min, max",
            size, text);
    return refuse_table(
        error, name,
        "a CHECK of column %.64s uses %.*s, which may answer differently at two sites: keep to comparisons, IN, "
        "BETWEEN, LIKE, GLOB, CASE and length, substr, lower, upper, trim, abs, round, typeof, instr, replace, "
        "coalesce, ifnull, nullif, hex, unicode, min, max",
        column->name, size, text);
}

static enum nv_status check_checks(const struct nv_shape *shape, const char *name, struct nv_error *error)
{
    for (size_t i = 0; i < shape->check_count; i++) {
        const struct nv_shape_check *check = &shape->checks[i];
        const struct nv_shape_column *column = &shape->columns[check->named == 0 ? 0 : check->column];
        if (check->foreign != NULL)
            return refuse_foreign(check, column, name, error);
        if (check->named == 0)
            return refuse_table(error, name, "a CHECK names no column: take it away");
        if (check->named > 1)
            return refuse_table(
                error, name,
                "a CHECK names several columns, %.64s among them, and two sites may each write one of them: "
                "split it into a CHECK for each column, or take it away and look at it in a view",
                column->name);
        if (column->key > 0)
            return refuse_table(
                error, name,
                "a CHECK names column %.64s, which is in the key: a record cannot be refused for its name; take "
                "it away",
                column->name);
    }
    return NV_OK;
}

/* ---- the fields ---- */

/* Literals and arithmetic between them: the same value whenever and wherever it is computed. */
static enum nv_status is_constant(const char *sql, struct nv_arena *arena, bool *ret_constant, struct nv_error *error)
{
    struct nv_tokens tokens;
    enum nv_status status = nv_tokens_read(sql, arena, &tokens, error);
    *ret_constant = status == NV_OK;
    for (size_t i = 0; status == NV_OK && i < tokens.count; i++) {
        const struct nv_token *token = &tokens.items[i];
        bool is_word = token->kind == NV_TOKEN_WORD && !nv_token_is(token, "NULL") && !nv_token_is(token, "TRUE") &&
                       !nv_token_is(token, "FALSE");
        if (is_word || token->kind == NV_TOKEN_QUOTED || token->kind == NV_TOKEN_VARIABLE)
            *ret_constant = false;
    }
    return status;
}

static const char *affinity_name(const struct nv_column_type *type)
{
    if (type->any_type)
        return "ANY";
    switch (type->affinity) {
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
    return "BLOB";
}

void nv_shape_column_sql(const struct nv_shape *shape, const struct nv_shape_column *column, sqlite3_str *sql)
{
    sqlite3_str_appendf(sql, "\"%w\" %s", column->name, affinity_name(&column->stored));
    assert(column->collation != NULL); /* SQLite ran the statement that names it */
    if (!is_binary(column))
        sqlite3_str_appendf(sql, " COLLATE %s", column->collation);
    if (column->not_null)
        sqlite3_str_appendall(sql, " NOT NULL");
    if (column->fallback != NULL)
        sqlite3_str_appendf(sql, " DEFAULT (%s)", column->fallback);
    for (size_t i = 0; i < shape->check_count; i++) {
        const struct nv_shape_check *check = &shape->checks[i];
        if (check->named != 1 || &shape->columns[check->column] != column || check->expression.count == 0)
            continue;
        const struct nv_token *first = &check->expression.tokens[0];
        const struct nv_token *last = &check->expression.tokens[check->expression.count - 1];
        /* A line end, where the expression ends in a comment that goes as far as that. */
        sqlite3_str_appendf(sql, " CHECK (%.*s\n)", (int)(last->text + last->size - first->text), first->text);
    }
}

/* Asks SQLite whether the column takes its own default. */
static enum nv_status try_default(const struct nv_shape *shape, const struct nv_shape_column *column, const char *name,
                                  bool *ret_takes, struct nv_error *error)
{
    sqlite3 *db = NULL;
    int result = sqlite3_open(":memory:", &db);
    sqlite3_str *sql = sqlite3_str_new(db);
    sqlite3_str_appendf(sql, "CREATE TABLE \"%w\"(", name);
    nv_shape_column_sql(shape, column, sql);
    sqlite3_str_appendf(sql, ")%s", shape->is_strict ? " STRICT" : "");
    char *text = sqlite3_str_finish(sql);
    enum nv_status status = NV_OK;
    if (result != SQLITE_OK || text == NULL)
        status = nv_no_memory(error);
    if (status == NV_OK)
        status = nv_db_exec(db, text, error);
    if (status == NV_OK) {
        status = nv_db_execf(db, error, "INSERT INTO \"%w\" DEFAULT VALUES", name);
        *ret_takes = status == NV_OK;
        if (status == NV_REFUSED)
            status = NV_OK;
    }
    sqlite3_free(text);
    sqlite3_close(db);
    return status;
}

static enum nv_status check_field(const struct nv_shape *shape, const struct nv_shape_column *column, const char *name,
                                  struct nv_error *error)
{
    struct nv_arena arena = {.limit = 16u << 20};
    bool is_constant_default = true, takes = true;
    enum nv_status status =
        column->fallback == NULL ? NV_OK : is_constant(column->fallback, &arena, &is_constant_default, error);
    nv_arena_done(&arena);
    if (status != NV_OK)
        return status;
    if (column->is_generated)
        return refuse_table(error, name,
                            "column %.64s is generated: each site can compute it for itself; put it into a view",
                            column->name);
    if (!is_constant_default)
        return refuse_table(
            error, name,
            "the DEFAULT of column %.64s is no constant, so that each site would show another value: write a "
            "number, a text in single quotes or NULL, or take it away and set it with the other values",
            column->name);
    status = try_default(shape, column, name, &takes, error);
    if (status != NV_OK || takes)
        return status;
    if (column->not_null && (column->fallback == NULL || sqlite3_stricmp(column->fallback, "NULL") == 0))
        return refuse_table(
            error, name,
            "column %.64s is NOT NULL and has no DEFAULT to show while nobody wrote it: add one, such as "
            "DEFAULT %s",
            column->name,
            column->stored.affinity == NV_AFFINITY_TEXT || column->stored.affinity == NV_AFFINITY_BLOB ? "''" : "0");
    return refuse_table(
        error, name,
        "the DEFAULT of column %.64s (NULL where it has none) is refused by its own type, NOT NULL or CHECK, and "
        "is what a row shows while nobody wrote it: give it a DEFAULT that they accept",
        column->name);
}

static enum nv_status check_fields(const struct nv_shape *shape, const char *name, struct nv_error *error)
{
    size_t fields = shape->column_count - shape->key_count;
    if (fields == 0)
        return refuse_table(error, name,
                            "it has no column beside its key, and a record is what its columns hold: add one, such as "
                            "since TEXT");
    if (fields > NV_LIMIT_FIELDS)
        return refuse_table(error, name, "it has %zu columns beside its key and may have %d: split it into two tables",
                            fields, NV_LIMIT_FIELDS);
    for (size_t i = 0; i < shape->column_count; i++) {
        const struct nv_shape_column *column = &shape->columns[i];
        if (!nv_name_is_good(column->name))
            return refuse_table(error, name,
                                "the name of column %.64s has over %d bytes or characters that no name may have",
                                column->name, NV_LIMIT_NAME);
        enum nv_status status = column->key > 0 ? NV_OK : check_field(shape, column, name, error);
        if (status != NV_OK)
            return status;
    }
    return NV_OK;
}

enum nv_status nv_trackable(const struct nv_shape *shape, const char *name, struct nv_error *error)
{
    switch (shape->kind) {
    case NV_SHAPE_TABLE:
        break;
    case NV_SHAPE_NONE:
        return refuse_table(error, name,
                            "navette_table names it, and no CREATE TABLE makes it: add one, or mend the name");
    case NV_SHAPE_VIEW:
        return refuse_table(error, name,
                            "it is a view, and only tables are kept in step: take it out of navette_table");
    case NV_SHAPE_VIRTUAL:
        return refuse_table(error, name,
                            "it is a virtual table, and only plain ones are kept in step: track the table that it "
                            "is made from");
    }
    enum nv_status status = check_key(shape, name, error);
    if (status == NV_OK && shape->unique != NULL)
        return refuse_table(
            error, name,
            "column %.64s is UNIQUE beside the key: two sites may each write the same value and neither can be "
            "refused: take the UNIQUE away, or make it the key",
            shape->unique);
    if (status == NV_OK && shape->has_conflict_clause)
        return refuse_table(error, name,
                            "it has an ON CONFLICT clause, which would change or drop rows that other sites wrote: "
                            "take it away and say it in the statement that writes (INSERT OR REPLACE ...)");
    if (status == NV_OK)
        status = check_checks(shape, name, error);
    return status == NV_OK ? check_fields(shape, name, error) : status;
}

/* ---- the table that is here ---- */

static bool has_check(const struct nv_shape *shape, const struct nv_shape_check *wanted)
{
    for (size_t i = 0; i < shape->check_count; i++)
        if (nv_tokens_same(shape->checks[i].expression.tokens, shape->checks[i].expression.count,
                           wanted->expression.tokens, wanted->expression.count))
            return true;
    return false;
}

static bool column_differs(const struct nv_shape_column *published, const struct nv_shape *here, const char *name,
                           char *ret_text, size_t capacity)
{
    const struct nv_shape_column *column = nv_shape_column(here, published->name);
    int length = 0;
    if (column == NULL)
        length =
            snprintf(ret_text, capacity, _("table %.64s has no column %.64s here: add it with ALTER TABLE ADD COLUMN"),
                     name, published->name);
    else if (column->is_generated || column->key != published->key || (column->key > 0 && !is_binary(column)))
        length = snprintf(ret_text, capacity,
                          _("column %.64s of table %.64s is not in the key here as it was published: rename the table, "
                            "make it anew with that key, and copy its rows into it"),
                          published->name, name);
    else if (column->stored.affinity != published->stored.affinity ||
             column->stored.any_type != published->stored.any_type ||
             (column->stored.strict && !published->stored.strict) || (column->not_null && !published->not_null))
        length = snprintf(ret_text, capacity,
                          published->not_null
                              ? _("column %.64s of table %.64s refuses or changes values here that it was published to "
                                  "take: rebuild the table with %.64s NOT NULL")
                              : _("column %.64s of table %.64s refuses or changes values here that it was published to "
                                  "take: rebuild the table with %.64s and without NOT NULL"),
                          published->name, name, affinity_name(&published->stored));
    return length > 0;
}

bool nv_shape_differs(const struct nv_shape *published, const struct nv_shape *here, const char *name, char *ret_text,
                      size_t capacity)
{
    if (here->kind != NV_SHAPE_TABLE) {
        snprintf(ret_text, capacity, _("table %.64s is not in the store: a tool may be rebuilding it; else restore it"),
                 name);
        return true;
    }
    for (size_t i = 0; i < published->column_count; i++)
        if (column_differs(&published->columns[i], here, name, ret_text, capacity))
            return true;
    if (here->key_count != published->key_count) {
        snprintf(ret_text, capacity,
                 _("the key of table %.64s has another column here: rebuild it as it was published"), name);
        return true;
    }
    for (size_t i = 0; i < here->column_count; i++) {
        const struct nv_shape_column *column = &here->columns[i];
        if (nv_shape_column(published, column->name) == NULL && column->not_null && column->fallback == NULL) {
            snprintf(ret_text, capacity,
                     _("column %.64s of table %.64s is this site's own and NOT NULL: give it a DEFAULT"), column->name,
                     name);
            return true;
        }
    }
    if (here->unique != NULL) {
        snprintf(
            ret_text, capacity,
            _("table %.64s has a UNIQUE index on %.64s here, which would refuse rows of other sites: drop that index"),
            name, here->unique);
        return true;
    }
    for (size_t i = 0; i < here->check_count; i++)
        if (!has_check(published, &here->checks[i])) {
            snprintf(
                ret_text, capacity,
                _("table %.64s has a CHECK here that was not published, and would refuse rows of other sites: rebuild "
                  "the table without it"),
                name);
            return true;
        }
    return false;
}
