#include "store/schema/again.h"

#include <string.h>

#include "store/db.h"

static const char *copy_text(sqlite3_stmt *row, struct nv_arena *arena)
{
    size_t size = (size_t)sqlite3_column_bytes(row, 0);
    char *copy = nv_arena_alloc(arena, size + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, sqlite3_column_text(row, 0), size);
    copy[size] = '\0';
    return copy;
}

/* The tokens by which the object of that name was made, from after its name on. *ret_there is false where there is
 * none. */
static enum nv_status read_published(sqlite3 *db, const char *type, const char *name, struct nv_arena *arena,
                                     struct nv_tokens *ret_tokens, bool *ret_unique, bool *ret_there,
                                     struct nv_error *error)
{
    sqlite3_stmt *find =
        nv_db_prepare(db, "SELECT sql FROM main.sqlite_schema WHERE type = ?1 AND name = ?2 COLLATE NOCASE", error);
    if (find == NULL)
        return error->status;
    sqlite3_bind_text(find, 1, type, -1, SQLITE_STATIC);
    sqlite3_bind_text(find, 2, name, -1, SQLITE_STATIC);
    enum nv_status status = nv_db_step(find, ret_there, error);
    if (status == NV_OK && *ret_there) {
        const char *sql = copy_text(find, arena);
        status = sql == NULL ? nv_no_memory(error) : nv_tokens_read(sql, arena, ret_tokens, error);
    }
    sqlite3_finalize(find);
    if (status != NV_OK || !*ret_there)
        return status;
    bool is_unique = nv_token_is(&ret_tokens->items[1], "UNIQUE");
    size_t start = is_unique ? 4 : 3;
    if (ret_unique != NULL)
        *ret_unique = is_unique;
    ret_tokens->items += start;
    ret_tokens->count -= start;
    return NV_OK;
}

static enum nv_status judge_table_again(const struct nv_sql_statement *statement, const struct nv_sql_table *published,
                                        const struct nv_sql_table *file, struct nv_error *error)
{
    bool is_alike =
        published->constraint_count == file->constraint_count &&
        nv_tokens_same(published->options.tokens, published->options.count, file->options.tokens, file->options.count);
    for (size_t i = 0; i < file->column_count; i++) {
        const struct nv_sql_part *column = &file->columns[i];
        bool is_there = i < published->column_count;
        if (is_there &&
            nv_tokens_same(column->tokens, column->count, published->columns[i].tokens, published->columns[i].count))
            continue;
        if (is_there)
            return nv_fail(error, NV_REFUSED,
                           "line %u: table %.64s: column %.*s differs from the column that was published in its place: "
                           "leave the CREATE TABLE as it was published, and write ALTER TABLE %.64s ADD COLUMN for "
                           "what is new",
                           statement->line, statement->name, (int)column->tokens[0].size, column->tokens[0].text,
                           statement->name);
        return nv_fail(error, NV_REFUSED,
                       "line %u: table %.64s: column %.*s was not published with it: leave the CREATE TABLE as it was "
                       "published, and write ALTER TABLE %.64s ADD COLUMN for what is new",
                       statement->line, statement->name, (int)column->tokens[0].size, column->tokens[0].text,
                       statement->name);
    }
    for (size_t i = 0; is_alike && i < file->constraint_count; i++)
        is_alike = nv_tokens_same(published->constraints[i].tokens, published->constraints[i].count,
                                  file->constraints[i].tokens, file->constraints[i].count);
    if (!is_alike)
        return nv_fail(error, NV_REFUSED,
                       "line %u: table %.64s: its key, its constraints or its options differ from what was published, "
                       "and sites that wrote by those cannot follow: make a new table under another name",
                       statement->line, statement->name);
    return NV_OK;
}

static enum nv_status judge_create_table(sqlite3 *db, const struct nv_sql_statement *statement, struct nv_arena *arena,
                                         bool *ret_known, struct nv_error *error)
{
    struct nv_tokens published;
    struct nv_sql_table old, new;
    enum nv_status status = read_published(db, "table", statement->name, arena, &published, NULL, ret_known, error);
    if (status != NV_OK || !*ret_known)
        return status;
    status = nv_sql_table_read(published.items, published.count, arena, &old);
    if (status == NV_OK)
        status = nv_sql_table_read(statement->tokens + statement->definition,
                                   statement->token_count - statement->definition, arena, &new);
    if (status == NV_NO_MEMORY)
        return nv_no_memory(error);
    if (status != NV_OK)
        return nv_fail(error, NV_REFUSED, "line %u: table %.64s: this CREATE TABLE cannot be read", statement->line,
                       statement->name);
    return judge_table_again(statement, &old, &new, error);
}

static enum nv_status judge_whole(sqlite3 *db, const struct nv_sql_statement *statement, struct nv_arena *arena,
                                  const char *type, bool *ret_known, struct nv_error *error)
{
    struct nv_tokens published;
    bool is_unique;
    enum nv_status status = read_published(db, type, statement->name, arena, &published, &is_unique, ret_known, error);
    if (status != NV_OK || !*ret_known)
        return status;
    if (is_unique != statement->is_unique ||
        !nv_tokens_same(published.items, published.count, statement->tokens + statement->definition,
                        statement->token_count - statement->definition))
        return nv_fail(error, NV_REFUSED,
                       "line %u: %s %.64s was published and reads otherwise: what is published stays; give this one "
                       "another name",
                       statement->line, type, statement->name);
    return NV_OK;
}

static enum nv_status judge_add_column(sqlite3 *db, const struct nv_sql_statement *statement, struct nv_arena *arena,
                                       bool *ret_known, struct nv_error *error)
{
    struct nv_tokens published;
    struct nv_sql_table table;
    const struct nv_token *column = statement->tokens + statement->definition;
    const char *name = nv_token_name(column, arena);
    enum nv_status status = read_published(db, "table", statement->name, arena, &published, NULL, ret_known, error);
    if (status != NV_OK || !*ret_known)
        return status;
    *ret_known = false;
    if (name == NULL || nv_sql_table_read(published.items, published.count, arena, &table) != NV_OK)
        return nv_no_memory(error); /* what is published was read before */
    for (size_t i = 0; i < table.column_count; i++) {
        if (!nv_token_names(&table.columns[i].tokens[0], name))
            continue;
        *ret_known = true;
        if (!nv_tokens_same(table.columns[i].tokens, table.columns[i].count, column,
                            statement->token_count - statement->definition))
            return nv_fail(error, NV_REFUSED,
                           "line %u: column %.64s of table %.64s was published and reads otherwise: what is published "
                           "stays; give this one another name",
                           statement->line, name, statement->name);
    }
    return NV_OK;
}

enum nv_status nv_statement_again(sqlite3 *db, const struct nv_sql_statement *statement, struct nv_arena *arena,
                                  bool *ret_known, struct nv_error *error)
{
    *ret_known = false;
    switch (statement->kind) {
    case NV_STATEMENT_CREATE_TABLE:
        return judge_create_table(db, statement, arena, ret_known, error);
    case NV_STATEMENT_CREATE_INDEX:
        return judge_whole(db, statement, arena, "index", ret_known, error);
    case NV_STATEMENT_CREATE_VIEW:
        return judge_whole(db, statement, arena, "view", ret_known, error);
    case NV_STATEMENT_ADD_COLUMN:
        return judge_add_column(db, statement, arena, ret_known, error);
    case NV_STATEMENT_INSERT:
        break;
    }
    return NV_OK;
}
