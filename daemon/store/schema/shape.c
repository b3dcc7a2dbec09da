#include "store/schema/shape.h"

#include <string.h>

#include "store/db.h"

/* A copy of a text column of the current row; "" for NULL. NULL where memory ran out. */
static const char *copy_column(sqlite3_stmt *row, int column, struct nv_arena *arena)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    char *copy = nv_arena_alloc(arena, size + 1);
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static sqlite3_stmt *prepare_for(sqlite3 *db, const char *sql, const char *name, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(db, sql, error);
    if (statement != NULL)
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    return statement;
}

/* ---- its text ---- */

/* Takes "CREATE TABLE name (…)" apart; where the place of "(" is known by what comes before it. */
static enum nv_status read_text(struct nv_shape *shape, const char *sql, struct nv_arena *arena, struct nv_error *error)
{
    struct nv_tokens tokens;
    enum nv_status status = nv_tokens_read(sql, arena, &tokens, error);
    if (status != NV_OK)
        return status;
    if (tokens.count > 1 && nv_token_is(&tokens.items[1], "VIRTUAL")) {
        shape->kind = NV_SHAPE_VIRTUAL;
        return NV_OK;
    }
    status = tokens.count < 4 ? NV_REFUSED : nv_sql_table_read(tokens.items + 3, tokens.count - 3, arena, &shape->text);
    if (status == NV_NO_MEMORY)
        return nv_no_memory(error);
    if (status != NV_OK)
        return nv_fail(error, NV_REFUSED, "table %.64s: its CREATE TABLE cannot be read", shape->name);
    shape->is_strict = shape->text.is_strict;
    for (size_t i = 0; i + 1 < shape->text.body.count; i++)
        if (nv_token_is(&shape->text.body.tokens[i], "ON") && nv_token_is(&shape->text.body.tokens[i + 1], "CONFLICT"))
            shape->has_conflict_clause = true;
    return NV_OK;
}

static enum nv_status find(sqlite3 *db, const char *name, struct nv_arena *arena, struct nv_shape *shape,
                           struct nv_error *error)
{
    sqlite3_stmt *statement = prepare_for(db,
                                          "SELECT type, name, sql FROM main.sqlite_schema "
                                          "WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
                                          name, error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK && row) {
        shape->kind = sqlite3_column_text(statement, 0)[0] == 'v' ? NV_SHAPE_VIEW : NV_SHAPE_TABLE;
        shape->name = copy_column(statement, 1, arena);
        const char *sql = copy_column(statement, 2, arena);
        if (shape->name == NULL || sql == NULL)
            status = nv_no_memory(error);
        else if (shape->kind == NV_SHAPE_TABLE)
            status = read_text(shape, sql, arena, error);
    }
    sqlite3_finalize(statement);
    return status;
}

/* ---- its columns ---- */

static struct nv_column_type stored_type(const struct nv_shape_column *column, bool is_strict)
{
    struct nv_column_type stored = {.affinity = nv_affinity_of(column->type), .not_null = column->not_null};
    stored.strict = is_strict;
    stored.any_type = is_strict && sqlite3_stricmp(column->type, "ANY") == 0;
    if (stored.any_type)
        stored.affinity = NV_AFFINITY_BLOB;
    return stored;
}

static enum nv_status read_column(sqlite3 *db, sqlite3_stmt *row, struct nv_arena *arena, struct nv_shape *shape,
                                  struct nv_error *error)
{
    struct nv_shape_column *column = &shape->columns[shape->column_count];
    const char *collation = NULL;
    bool has_default = sqlite3_column_type(row, 3) != SQLITE_NULL;
    *column = (struct nv_shape_column){
        .name = copy_column(row, 0, arena),
        .type = copy_column(row, 1, arena),
        .not_null = sqlite3_column_int(row, 2) != 0,
        .fallback = has_default ? copy_column(row, 3, arena) : NULL,
        .key = (unsigned)sqlite3_column_int(row, 4),
        .is_generated = sqlite3_column_int(row, 5) > 1,
    };
    if (column->name == NULL || column->type == NULL || (has_default && column->fallback == NULL))
        return nv_no_memory(error);
    int result =
        sqlite3_table_column_metadata(db, "main", shape->name, column->name, NULL, &collation, NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return nv_db_fail(db, result, shape->name, error);
    static const char *const known[] = {"BINARY", "NOCASE", "RTRIM"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (sqlite3_stricmp(collation, known[i]) == 0)
            column->collation = known[i];
    column->stored = stored_type(column, shape->is_strict);
    shape->key_count += column->key > 0;
    shape->column_count++;
    return NV_OK;
}

static enum nv_status read_columns(sqlite3 *db, struct nv_arena *arena, struct nv_shape *shape, struct nv_error *error)
{
    sqlite3_stmt *statement =
        prepare_for(db, "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main')",
                    shape->name, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status;
    bool row;
    size_t room = shape->text.column_count;
    shape->columns = nv_arena_alloc(arena, (room + 1) * sizeof *shape->columns);
    if (shape->columns == NULL)
        status = nv_no_memory(error);
    else
        while ((status = nv_db_step(statement, &row, error)) == NV_OK && row && shape->column_count < room)
            if ((status = read_column(db, statement, arena, shape, error)) != NV_OK)
                break;
    sqlite3_finalize(statement);
    return status;
}

const struct nv_shape_column *nv_shape_column(const struct nv_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->column_count; i++)
        if (sqlite3_stricmp(shape->columns[i].name, name) == 0)
            return &shape->columns[i];
    return NULL;
}

const struct nv_shape_column *nv_shape_key(const struct nv_shape *shape, unsigned place)
{
    for (size_t i = 0; i < shape->column_count; i++)
        if (shape->columns[i].key == place)
            return &shape->columns[i];
    return NULL;
}

/* ---- its unique indexes ---- */

static enum nv_status first_text(sqlite3 *db, const char *sql, const char *name, struct nv_arena *arena,
                                 const char **ret_text, struct nv_error *error)
{
    sqlite3_stmt *statement = prepare_for(db, sql, name, error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    *ret_text = NULL;
    if (status == NV_OK && row && (*ret_text = copy_column(statement, 0, arena)) == NULL)
        status = nv_no_memory(error);
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status read_indexes(sqlite3 *db, struct nv_arena *arena, struct nv_shape *shape, struct nv_error *error)
{
    enum nv_status status =
        first_text(db,
                   "SELECT coalesce(c.name, 'an expression') FROM pragma_index_list(?1, 'main') AS i, "
                   "pragma_index_info(i.name, 'main') AS c "
                   "WHERE i.\"unique\" AND i.origin <> 'pk' AND c.seqno = 0",
                   shape->name, arena, &shape->unique, error);
    if (status == NV_OK)
        status = first_text(db,
                            "SELECT c.coll FROM pragma_index_list(?1, 'main') AS i, "
                            "pragma_index_xinfo(i.name, 'main') AS c "
                            "WHERE i.origin = 'pk' AND c.key AND c.coll <> 'BINARY' COLLATE NOCASE",
                            shape->name, arena, &shape->key_collation, error);
    return status;
}

/* ---- its CHECKs ---- */

bool nv_is_rowid_word(const struct nv_token *token)
{
    return nv_token_names(token, "rowid") || nv_token_names(token, "oid") || nv_token_names(token, "_rowid_");
}

static bool is_one_of(const struct nv_token *token, const char *const *words)
{
    for (; *words != NULL; words++)
        if (nv_token_is(token, *words))
            return true;
    return false;
}

/* What gives the same answer at every site, whatever its clock, its settings and its version of SQLite. */
static bool is_allowed_word(const struct nv_sql_part *expression, size_t at)
{
    static const char *const functions[] = {
        "length",  "substr",   "lower",  "upper",  "trim", "ltrim",   "rtrim", "abs", "round", "typeof", "instr",
        "replace", "coalesce", "ifnull", "nullif", "hex",  "unicode", "min",   "max", "like",  "glob",   NULL};
    static const char *const keywords[] = {"AND",     "OR",   "NOT",   "IN",       "IS",   "NULL", "BETWEEN", "LIKE",
                                           "GLOB",    "CASE", "WHEN",  "THEN",     "ELSE", "END",  "ESCAPE",  "ISNULL",
                                           "NOTNULL", "TRUE", "FALSE", "DISTINCT", "FROM", "CAST", "AS",      NULL};
    const struct nv_token *tokens = expression->tokens;
    bool is_called = at + 1 < expression->count && nv_token_is(&tokens[at + 1], "(");
    if (is_called && is_one_of(&tokens[at], functions))
        return true;
    if (at > 0 && nv_token_is(&tokens[at - 1], "AS")) /* the type of a CAST */
        return true;
    return is_one_of(&tokens[at], keywords);
}

static size_t column_place(const struct nv_shape *shape, const struct nv_token *token)
{
    size_t i = 0;
    while (i < shape->column_count && !nv_token_names(token, shape->columns[i].name))
        i++;
    return i;
}

static void look_at_word(const struct nv_shape *shape, struct nv_shape_check *check, size_t at)
{
    const struct nv_sql_part *expression = &check->expression;
    const struct nv_token *token = &expression->tokens[at];
    bool is_bare = token->kind == NV_TOKEN_WORD;
    if (token->kind == NV_TOKEN_VARIABLE)
        check->foreign = token;
    if (!is_bare && token->kind != NV_TOKEN_QUOTED)
        return;
    if (at + 1 < expression->count && nv_token_is(&token[1], ".")) /* "table." before a column */
        return;
    size_t place = column_place(shape, token);
    bool is_called = at + 1 < expression->count && nv_token_is(&token[1], "(");
    if (is_bare && (place == shape->column_count || is_called) && is_allowed_word(expression, at))
        return;
    if (place == shape->column_count || is_called) {
        check->foreign = token;
    } else if (check->named == 0 || check->column != place) {
        check->column = check->named == 0 ? place : check->column;
        check->named++;
    }
}

static enum nv_status add_check(struct nv_shape *shape, struct nv_sql_part expression, struct nv_arena *arena,
                                struct nv_error *error)
{
    if (shape->checks == NULL)
        shape->checks = nv_arena_alloc(arena, (shape->text.body.count / 2 + 1) * sizeof *shape->checks);
    if (shape->checks == NULL)
        return nv_no_memory(error);
    struct nv_shape_check *check = &shape->checks[shape->check_count++];
    *check = (struct nv_shape_check){.expression = expression};
    for (size_t i = 0; check->foreign == NULL && i < expression.count; i++)
        look_at_word(shape, check, i);
    return NV_OK;
}

static enum nv_status read_checks(struct nv_arena *arena, struct nv_shape *shape, struct nv_error *error)
{
    struct nv_sql_part expression;
    enum nv_status status = NV_OK;
    for (size_t at = 0; status == NV_OK && nv_sql_check_next(shape->text.body, &at, &expression);)
        status = add_check(shape, expression, arena, error);
    return status;
}

enum nv_status nv_shape_read(sqlite3 *db, const char *name, struct nv_arena *arena, struct nv_shape *ret_shape,
                             struct nv_error *error)
{
    struct nv_shape shape = {.kind = NV_SHAPE_NONE};
    enum nv_status status = find(db, name, arena, &shape, error);
    if (status == NV_OK && shape.kind == NV_SHAPE_TABLE) {
        status = read_columns(db, arena, &shape, error);
        if (status == NV_OK)
            status = read_indexes(db, arena, &shape, error);
        if (status == NV_OK)
            status = read_checks(arena, &shape, error);
    }
    if (status == NV_OK)
        *ret_shape = shape;
    return status;
}
