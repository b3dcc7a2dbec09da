/* Which statements a schema may hold. Their text comes from elsewhere: whatever is not known to be harmless is refused
 * here, with its line, before SQLite sees it. */
#include <string.h>

#include "store/schema/sqltext.h"

struct cursor {
    const struct nv_token *items;
    size_t count, at;
};

static const struct nv_token nothing = {.kind = NV_TOKEN_SIGN, .text = ";", .size = 1};

static const struct nv_token *peek(const struct cursor *cursor)
{
    return cursor->at < cursor->count ? &cursor->items[cursor->at] : &nothing;
}

static bool take(struct cursor *cursor, const char *word)
{
    if (!nv_token_is(peek(cursor), word))
        return false;
    cursor->at++;
    return true;
}

static enum nv_status refuse(const struct cursor *cursor, struct nv_error *error)
{
    char words[80] = "";
    for (size_t i = 0; i < cursor->count && i < 3 && strlen(words) + cursor->items[i].size + 2 < sizeof words; i++) {
        if (cursor->items[i].kind != NV_TOKEN_WORD)
            break;
        if (i > 0)
            strcat(words, " ");
        strncat(words, cursor->items[i].text, cursor->items[i].size);
    }
    return nv_fail(
        error, NV_REFUSED,
        "line %u: `%s ...` is not for a schema, which every site applies unseen: it holds CREATE TABLE, CREATE "
        "INDEX, CREATE VIEW, ALTER TABLE ... ADD COLUMN, and INSERT INTO navette_table or navette_column; "
        "take it out",
        cursor->items[0].line, words);
}

static bool begins_with(const char *name, const char *start)
{
    for (; *start != '\0'; name++, start++)
        if ((*name | 0x20) != (*start | 0x20))
            return false;
    return true;
}

static enum nv_status take_name(struct cursor *cursor, struct nv_arena *arena, const char **ret_name,
                                struct nv_error *error)
{
    const struct nv_token *token = peek(cursor);
    if (!nv_token_is_name(token))
        return refuse(cursor, error);
    const char *name = nv_token_name(token, arena);
    if (name == NULL)
        return nv_no_memory(error);
    cursor->at++;
    if (nv_token_is(peek(cursor), "."))
        return nv_fail(error, NV_REFUSED,
                       "line %u: write the name alone, without the \"%.64s.\" before it: a schema is "
                       "for the store's own tables",
                       token->line, name);
    if (begins_with(name, "navette_") || begins_with(name, "sqlite_"))
        return nv_fail(error, NV_REFUSED,
                       "line %u: %.80s: names that begin with navette_ or sqlite_ are taken: choose another one",
                       token->line, name);
    *ret_name = name;
    return NV_OK;
}

static enum nv_status read_create(struct cursor *cursor, struct nv_arena *arena, struct nv_sql_statement *statement,
                                  struct nv_error *error)
{
    statement->is_unique = take(cursor, "UNIQUE");
    if (!statement->is_unique && take(cursor, "TABLE"))
        statement->kind = NV_STATEMENT_CREATE_TABLE;
    else if (!statement->is_unique && take(cursor, "VIEW"))
        statement->kind = NV_STATEMENT_CREATE_VIEW;
    else if (take(cursor, "INDEX"))
        statement->kind = NV_STATEMENT_CREATE_INDEX;
    else
        return refuse(cursor, error);
    if (take(cursor, "IF") && !(take(cursor, "NOT") && take(cursor, "EXISTS")))
        return refuse(cursor, error);
    enum nv_status status = take_name(cursor, arena, &statement->name, error);
    statement->definition = cursor->at;
    if (status == NV_OK && statement->kind == NV_STATEMENT_CREATE_INDEX)
        status = take(cursor, "ON") ? take_name(cursor, arena, &statement->table, error) : refuse(cursor, error);
    if (status == NV_OK && statement->kind == NV_STATEMENT_CREATE_TABLE && !nv_token_is(peek(cursor), "("))
        return nv_fail(error, NV_REFUSED,
                       "line %u: table %.64s: list its columns in parentheses: a schema carries no rows, so it has no "
                       "CREATE TABLE ... AS",
                       cursor->items[0].line, statement->name);
    return status;
}

static enum nv_status read_alter(struct cursor *cursor, struct nv_arena *arena, struct nv_sql_statement *statement,
                                 struct nv_error *error)
{
    statement->kind = NV_STATEMENT_ADD_COLUMN;
    if (!take(cursor, "TABLE"))
        return refuse(cursor, error);
    enum nv_status status = take_name(cursor, arena, &statement->name, error);
    if (status != NV_OK)
        return status;
    if (!take(cursor, "ADD"))
        return nv_fail(error, NV_REFUSED,
                       "line %u: table %.64s: columns can be added and nothing else: sites that have not heard yet go "
                       "on using what is there; leave the old column and add a new one",
                       cursor->items[0].line, statement->name);
    take(cursor, "COLUMN");
    statement->definition = cursor->at;
    return nv_token_is_name(peek(cursor)) ? NV_OK : refuse(cursor, error);
}

static enum nv_status read_insert(struct cursor *cursor, struct nv_sql_statement *statement, struct nv_error *error)
{
    statement->kind = NV_STATEMENT_INSERT;
    if (!take(cursor, "INTO"))
        return refuse(cursor, error);
    if (nv_token_names(peek(cursor), "navette_table"))
        statement->name = "navette_table";
    else if (nv_token_names(peek(cursor), "navette_column"))
        statement->name = "navette_column";
    else
        return refuse(cursor, error);
    cursor->at++;
    statement->definition = cursor->at;
    return nv_token_is(peek(cursor), ".") ? refuse(cursor, error) : NV_OK;
}

static const char *copy_text(const struct cursor *cursor, struct nv_arena *arena)
{
    const struct nv_token *last = &cursor->items[cursor->count - 1];
    size_t size = (size_t)(last->text + last->size - cursor->items[0].text);
    char *text = nv_arena_alloc(arena, size + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, cursor->items[0].text, size);
    text[size] = '\0';
    return text;
}

enum nv_status nv_sql_statement_take(const struct nv_tokens *tokens, size_t *at, struct nv_arena *arena,
                                     struct nv_sql_statement *ret_statement, bool *ret_found, struct nv_error *error)
{
    while (*at < tokens->count && nv_token_is(&tokens->items[*at], ";"))
        ++*at;
    struct cursor cursor = {.items = tokens->items + *at};
    while (*at < tokens->count && !nv_token_is(&tokens->items[*at], ";"))
        ++*at;
    cursor.count = (size_t)(tokens->items + *at - cursor.items);
    *ret_found = cursor.count > 0;
    if (!*ret_found)
        return NV_OK;
    struct nv_sql_statement statement = {.line = cursor.items[0].line, .text = copy_text(&cursor, arena)};
    if (statement.text == NULL)
        return nv_no_memory(error);
    enum nv_status status;
    if (take(&cursor, "CREATE"))
        status = read_create(&cursor, arena, &statement, error);
    else if (take(&cursor, "ALTER"))
        status = read_alter(&cursor, arena, &statement, error);
    else if (take(&cursor, "INSERT"))
        status = read_insert(&cursor, &statement, error);
    else
        status = refuse(&cursor, error);
    if (status != NV_OK)
        return status;
    statement.tokens = (struct nv_token *)cursor.items;
    statement.token_count = cursor.count;
    *ret_statement = statement;
    return NV_OK;
}
