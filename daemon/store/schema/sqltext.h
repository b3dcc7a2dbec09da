/* SQL as text: just enough of it to take a schema file apart. What SQLite itself can tell is asked of SQLite.
 * Internal to store/. Source: sqlite.org/syntaxdiagrams.html, sqlite.org/lang_keywords.html. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"

enum nv_token_kind {
    NV_TOKEN_WORD,   /* a keyword or a bare name */
    NV_TOKEN_QUOTED, /* "name", [name] or `name` */
    NV_TOKEN_STRING, /* 'text' */
    NV_TOKEN_BLOB,   /* x'00' */
    NV_TOKEN_NUMBER,
    NV_TOKEN_VARIABLE, /* ?1, :name, @name, $name */
    NV_TOKEN_SIGN,     /* anything else, one character each */
};

struct nv_token {
    enum nv_token_kind kind;
    const char *text; /* within the SQL; not NUL-terminated */
    size_t size;
    unsigned line; /* from 1 */
};

/* The tokens of a text; comments and white space are gone. */
struct nv_tokens {
    struct nv_token *items;
    size_t count;
};

/* Takes a text apart. NV_REFUSED where a string, a quoted name or a comment has no end. */
enum nv_status nv_tokens_read(const char *sql, struct nv_arena *arena, struct nv_tokens *ret_tokens,
                              struct nv_error *error);

/* Whether it is this keyword or sign (case does not matter). False for a quoted name. */
bool nv_token_is(const struct nv_token *token, const char *word);

/* Whether it may stand for a name, bare or quoted; SQLite takes 'text' for one too, where only a name can stand. */
bool nv_token_is_name(const struct nv_token *token);

/* Whether it is this name, with its quotes taken away; case does not matter, as SQLite has it. */
bool nv_token_names(const struct nv_token *token, const char *name);

/* The name without its quotes, in `arena`; NULL where memory ran out. */
char *nv_token_name(const struct nv_token *token, struct nv_arena *arena);

/* Whether the two runs of tokens mean the same SQL: names and keywords whatever their case and quotes. */
bool nv_tokens_same(const struct nv_token *a, size_t a_count, const struct nv_token *b, size_t b_count);

/* The place after the parenthesis that closes the one at `open`; `count` where none does. */
size_t nv_tokens_after_group(const struct nv_token *items, size_t count, size_t open);

/* ---- statements ---- */

enum nv_statement_kind {
    NV_STATEMENT_CREATE_TABLE,
    NV_STATEMENT_CREATE_INDEX,
    NV_STATEMENT_CREATE_VIEW,
    NV_STATEMENT_ADD_COLUMN,
    NV_STATEMENT_INSERT, /* into navette_table or navette_column */
};

/* One statement that a schema may hold. */
struct nv_sql_statement {
    enum nv_statement_kind kind;
    const char *text;  /* in the arena, without what stands around it */
    const char *name;  /* of the table, index or view */
    const char *table; /* of an index: the one that it is on */
    bool is_unique;    /* an index that is */
    struct nv_token *tokens;
    size_t token_count;
    size_t definition; /* the place of the token after what names it: "(", ON, AS, or the column's name */
    unsigned line;
};

/* Takes the next statement from `tokens`, from the place `*at` on; *ret_found is false at the end. NV_REFUSED, with the
 * line, where it is none that a schema may hold. */
enum nv_status nv_sql_statement_take(const struct nv_tokens *tokens, size_t *at, struct nv_arena *arena,
                                     struct nv_sql_statement *ret_statement, bool *ret_found, struct nv_error *error);

/* ---- CREATE TABLE taken apart ---- */

struct nv_sql_part {
    const struct nv_token *tokens;
    size_t count;
};

struct nv_sql_table {
    struct nv_sql_part *columns;
    size_t column_count;
    struct nv_sql_part *constraints; /* of the table */
    size_t constraint_count;
    struct nv_sql_part options; /* after the last parenthesis: STRICT, WITHOUT ROWID */
    bool is_strict;
    struct nv_sql_part body; /* all between the parentheses */
};

/* Takes apart the tokens of a CREATE TABLE from its "(" on. NV_OK; NV_REFUSED where they are no such thing, or
 * NV_NO_MEMORY: the words are the caller's. */
enum nv_status nv_sql_table_read(const struct nv_token *items, size_t count, struct nv_arena *arena,
                                 struct nv_sql_table *ret_table);

/* The next CHECK's expression (between its parentheses) in a part of a table, from the place `*at` on. */
bool nv_sql_check_next(struct nv_sql_part part, size_t *at, struct nv_sql_part *ret_expression);
