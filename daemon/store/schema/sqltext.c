#include "store/schema/sqltext.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_in_word(char c)
{
    return begins_word(c) || is_digit(c) || c == '$';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- tokens ---- */

/* The end of a comment at `at`, or `at` where there is none; NULL where it is never closed. */
static const char *skip_comment(const char *at)
{
    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        return end == NULL ? NULL : end + 2;
    }
    return at;
}

/* The end of what begins with a quotation mark; a doubled mark inside stands for itself. NULL where it has no end. */
static const char *skip_quoted(const char *at)
{
    char mark = *at == '[' ? ']' : *at;
    for (at++; *at != '\0'; at++) {
        if (*at != mark)
            continue;
        if (mark == ']' || at[1] != mark)
            return at + 1;
        at++;
    }
    return NULL;
}

static const char *skip_number(const char *at)
{
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        at += 2;
    while (is_in_word(*at) || *at == '.' || ((*at == '+' || *at == '-') && lower(at[-1]) == 'e' && is_digit(at[1])))
        at++;
    return at;
}

static const char *skip_word(const char *at)
{
    while (is_in_word(*at))
        at++;
    return at;
}

/* The kind of the token at `at`, and its end; NULL where it has none. */
static const char *skip_token(const char *at, enum nv_token_kind *ret_kind)
{
    if ((at[0] == 'x' || at[0] == 'X') && at[1] == '\'') {
        *ret_kind = NV_TOKEN_BLOB;
        return skip_quoted(at + 1);
    }
    if (at[0] == '\'') {
        *ret_kind = NV_TOKEN_STRING;
        return skip_quoted(at);
    }
    if (at[0] == '"' || at[0] == '[' || at[0] == '`') {
        *ret_kind = NV_TOKEN_QUOTED;
        return skip_quoted(at);
    }
    if (is_digit(at[0]) || (at[0] == '.' && is_digit(at[1]))) {
        *ret_kind = NV_TOKEN_NUMBER;
        return skip_number(at);
    }
    if (begins_word(at[0])) {
        *ret_kind = NV_TOKEN_WORD;
        return skip_word(at);
    }
    if (at[0] == '?' || ((at[0] == ':' || at[0] == '@' || at[0] == '$') && is_in_word(at[1]))) {
        *ret_kind = NV_TOKEN_VARIABLE;
        return skip_word(at + 1);
    }
    *ret_kind = NV_TOKEN_SIGN;
    return at + 1;
}

static unsigned lines_between(const char *from, const char *to)
{
    unsigned lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

/* Reads the next token; false at the end of the text. */
static bool next_token(const char **at, unsigned *line, struct nv_token *ret_token, bool *ret_endless)
{
    const char *here = *at, *begun;
    do {
        begun = here;
        while (is_space(*here))
            here++;
        const char *after = skip_comment(here);
        *line += lines_between(begun, after == NULL ? here : after);
        *ret_endless = after == NULL;
        if (after == NULL)
            return false;
        here = after;
    } while (here != begun);
    if (*here == '\0')
        return false;
    *ret_token = (struct nv_token){.text = here, .line = *line};
    const char *end = skip_token(here, &ret_token->kind);
    *ret_endless = end == NULL;
    if (end == NULL)
        return false;
    ret_token->size = (size_t)(end - here);
    *line += lines_between(here, end);
    *at = end;
    return true;
}

enum nv_status nv_tokens_read(const char *sql, struct nv_arena *arena, struct nv_tokens *ret_tokens,
                              struct nv_error *error)
{
    struct nv_token token, *items = NULL;
    for (size_t count = 0, pass = 0; pass < 2; pass++) {
        const char *at = sql;
        unsigned line = 1;
        bool is_endless = false;
        count = 0;
        while (next_token(&at, &line, &token, &is_endless)) {
            if (items != NULL)
                items[count] = token;
            count++;
        }
        if (is_endless)
            return nv_fail(error, NV_REFUSED,
                           "line %u: a string, a quoted name or a comment begins here and never ends", line);
        if (items == NULL)
            items = nv_arena_alloc(arena, (count + 1) * sizeof *items);
        if (items == NULL)
            return nv_no_memory(error);
        *ret_tokens = (struct nv_tokens){items, count};
    }
    return NV_OK;
}

static bool same_letters(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool nv_token_is(const struct nv_token *token, const char *word)
{
    return (token->kind == NV_TOKEN_WORD || token->kind == NV_TOKEN_SIGN) && strlen(word) == token->size &&
           same_letters(token->text, word, token->size);
}

bool nv_token_is_name(const struct nv_token *token)
{
    return token->kind == NV_TOKEN_WORD || token->kind == NV_TOKEN_QUOTED || token->kind == NV_TOKEN_STRING;
}

/* Walks the letters of a name or string with its quotes taken away; '\0' at the end. */
struct letters {
    const char *at, *end;
    char mark; /* '\0': bare */
};

static struct letters letters_of(const struct nv_token *token)
{
    if (token->kind != NV_TOKEN_QUOTED && token->kind != NV_TOKEN_STRING)
        return (struct letters){token->text, token->text + token->size, '\0'};
    return (struct letters){token->text + 1, token->text + token->size - 1,
                            token->text[0] == '[' ? '\0' : token->text[0]};
}

static char next_letter(struct letters *letters)
{
    if (letters->at == letters->end)
        return '\0';
    char letter = *letters->at++;
    if (letter == letters->mark && letters->mark != '\0')
        letters->at++; /* doubled */
    return letter;
}

static bool same_name(const struct nv_token *a, const struct nv_token *b)
{
    struct letters x = letters_of(a), y = letters_of(b);
    for (char c;;) {
        c = next_letter(&x);
        if (lower(c) != lower(next_letter(&y)))
            return false;
        if (c == '\0')
            return true;
    }
}

bool nv_token_names(const struct nv_token *token, const char *name)
{
    struct nv_token other = {.kind = NV_TOKEN_WORD, .text = name, .size = strlen(name)};
    return nv_token_is_name(token) && same_name(token, &other);
}

char *nv_token_name(const struct nv_token *token, struct nv_arena *arena)
{
    struct letters letters = letters_of(token);
    char *name = nv_arena_alloc(arena, token->size + 1), *at = name;
    if (name == NULL)
        return NULL;
    do
        *at = next_letter(&letters);
    while (*at++ != '\0');
    return name;
}

bool nv_tokens_same(const struct nv_token *a, size_t a_count, const struct nv_token *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        bool are_names = (a[i].kind == NV_TOKEN_WORD || a[i].kind == NV_TOKEN_QUOTED) &&
                         (b[i].kind == NV_TOKEN_WORD || b[i].kind == NV_TOKEN_QUOTED);
        if (are_names
                ? !same_name(&a[i], &b[i])
                : a[i].kind != b[i].kind || a[i].size != b[i].size || memcmp(a[i].text, b[i].text, a[i].size) != 0)
            return false;
    }
    return true;
}

size_t nv_tokens_after_group(const struct nv_token *items, size_t count, size_t open)
{
    size_t depth = 0;
    for (size_t i = open; i < count; i++) {
        if (nv_token_is(&items[i], "("))
            depth++;
        else if (nv_token_is(&items[i], ")") && --depth == 0)
            return i + 1;
    }
    return count;
}

/* ---- CREATE TABLE ---- */

static bool begins_constraint(const struct nv_token *token)
{
    static const char *const words[] = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (nv_token_is(token, words[i]))
            return true;
    return false;
}

static size_t count_parts(struct nv_sql_part body)
{
    size_t parts = 1;
    for (size_t i = 0; i < body.count;) {
        parts += nv_token_is(&body.tokens[i], ",");
        i = nv_token_is(&body.tokens[i], "(") ? nv_tokens_after_group(body.tokens, body.count, i) : i + 1;
    }
    return parts;
}

static void add_part(struct nv_sql_table *table, const struct nv_token *tokens, size_t count)
{
    struct nv_sql_part part = {tokens, count};
    if (count > 0 && begins_constraint(&tokens[0]))
        table->constraints[table->constraint_count++] = part;
    else if (count > 0)
        table->columns[table->column_count++] = part;
}

enum nv_status nv_sql_table_read(const struct nv_token *items, size_t count, struct nv_arena *arena,
                                 struct nv_sql_table *ret_table)
{
    if (count == 0 || !nv_token_is(&items[0], "("))
        return NV_REFUSED;
    size_t after = nv_tokens_after_group(items, count, 0);
    if (!nv_token_is(&items[after - 1], ")"))
        return NV_REFUSED;
    struct nv_sql_table table = {.body = {items + 1, after - 2}, .options = {items + after, count - after}};
    size_t parts = count_parts(table.body);
    table.columns = nv_arena_alloc(arena, parts * sizeof *table.columns);
    table.constraints = nv_arena_alloc(arena, parts * sizeof *table.constraints);
    if (table.columns == NULL || table.constraints == NULL)
        return NV_NO_MEMORY;
    size_t begun = 0;
    for (size_t i = 0; i < table.body.count;) {
        if (nv_token_is(&table.body.tokens[i], ",")) {
            add_part(&table, table.body.tokens + begun, i - begun);
            begun = i + 1;
        }
        i = nv_token_is(&table.body.tokens[i], "(") ? nv_tokens_after_group(table.body.tokens, table.body.count, i)
                                                    : i + 1;
    }
    add_part(&table, table.body.tokens + begun, table.body.count - begun);
    for (size_t i = 0; i < table.options.count; i++)
        table.is_strict = table.is_strict || nv_token_is(&table.options.tokens[i], "STRICT");
    *ret_table = table;
    return NV_OK;
}

bool nv_sql_check_next(struct nv_sql_part part, size_t *at, struct nv_sql_part *ret_expression)
{
    while (*at < part.count) {
        size_t here = *at;
        bool is_group = nv_token_is(&part.tokens[here], "(");
        bool is_check = here > 0 && is_group && nv_token_is(&part.tokens[here - 1], "CHECK");
        *at = is_group ? nv_tokens_after_group(part.tokens, part.count, here) : here + 1;
        if (!is_check || !nv_token_is(&part.tokens[*at - 1], ")"))
            continue;
        *ret_expression = (struct nv_sql_part){part.tokens + here + 1, *at - here - 2};
        return true;
    }
    return false;
}
