/* SQL as text: tokens, names, and a CREATE TABLE taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "store/schema/sqltext.h"

static struct nv_arena arena = {.limit = 1 << 20};

static int empty_arena(void **state)
{
    (void)state;
    nv_arena_done(&arena);
    arena.limit = 1 << 20;
    return 0;
}

static struct nv_tokens tokens_of(const char *sql)
{
    struct nv_tokens tokens;
    struct nv_error error;
    if (nv_tokens_read(sql, &arena, &tokens, &error) != NV_OK)
        fail_msg("%s: %s", sql, error.text);
    return tokens;
}

static void every_kind_of_token_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        enum nv_token_kind kind;
    } alone[] = {
        {"select", NV_TOKEN_WORD},    {"_x", NV_TOKEN_WORD},        {"élève", NV_TOKEN_WORD},
        {"a$1", NV_TOKEN_WORD},       {"x", NV_TOKEN_WORD},         {"\"a \"\"b\"\"\"", NV_TOKEN_QUOTED},
        {"[a ]", NV_TOKEN_QUOTED},    {"`a``b`", NV_TOKEN_QUOTED},  {"'it''s'", NV_TOKEN_STRING},
        {"x'00ff'", NV_TOKEN_BLOB},   {"X'00'", NV_TOKEN_BLOB},     {"1", NV_TOKEN_NUMBER},
        {"1.5e-3", NV_TOKEN_NUMBER},  {"2E+7", NV_TOKEN_NUMBER},    {".5", NV_TOKEN_NUMBER},
        {"0x1F", NV_TOKEN_NUMBER},    {"0X1f", NV_TOKEN_NUMBER},    {"?", NV_TOKEN_VARIABLE},
        {"?12", NV_TOKEN_VARIABLE},   {":name", NV_TOKEN_VARIABLE}, {"@name", NV_TOKEN_VARIABLE},
        {"$name", NV_TOKEN_VARIABLE}, {":", NV_TOKEN_SIGN},         {"@", NV_TOKEN_SIGN},
        {"$", NV_TOKEN_SIGN},         {".", NV_TOKEN_SIGN},         {"-", NV_TOKEN_SIGN},
        {"/", NV_TOKEN_SIGN},         {";", NV_TOKEN_SIGN},         {"{", NV_TOKEN_SIGN},
    };
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        char around[100];
        snprintf(around, sizeof around, " /* before */ %s -- behind", alone[i].sql);
        struct nv_tokens tokens = tokens_of(around);
        if (tokens.count != 1 || tokens.items[0].kind != alone[i].kind ||
            tokens.items[0].size != strlen(alone[i].sql) ||
            memcmp(tokens.items[0].text, alone[i].sql, tokens.items[0].size) != 0)
            fail_msg("%s", alone[i].sql);
    }
}

static void tokens_end_where_sqlite_ends_them(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        size_t count;
    } texts[] = {{"", 0},      {" \t\r\n\f", 0}, {"--only a comment", 0}, {"1-1", 3},  {"1e", 1},
                 {"a.b", 3},   {"'a''b'", 1},    {"'a' 'b'", 2},          {"[a]]", 2}, {"a--b\nc", 2},
                 {"x 'a'", 2}, {"1 e-1", 4},     {"a/*b*/c", 2},          {"??", 2}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (tokens_of(texts[i].sql).count != texts[i].count)
            fail_msg("%s: %zu tokens", texts[i].sql, tokens_of(texts[i].sql).count);
}

static void lines_are_counted_in_all_that_has_several(void **state)
{
    (void)state;
    struct nv_tokens tokens = tokens_of("a\n'b\nc' /* d\n */ e\n--f\ng");
    static const unsigned lines[] = {1, 2, 4, 6};
    assert_int_equal(tokens.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(tokens.items[i].line, lines[i]);
}

static void what_never_ends_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const endless[] = {"a\n'b", "a\n\"b", "a\n[b", "a\n`b", "a\n/* b", "a\nx'b", "a\n'b''"};
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        struct nv_tokens tokens;
        struct nv_error error;
        assert_int_equal(nv_tokens_read(endless[i], &arena, &tokens, &error), NV_REFUSED);
        assert_non_null(strstr(error.text, "line 2"));
    }
}

static bool same(const char *a, const char *b)
{
    struct nv_tokens x = tokens_of(a), y = tokens_of(b);
    return nv_tokens_same(x.items, x.count, y.items, y.count);
}

static void names_are_the_same_whatever_their_case_and_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool is_same;
    } pairs[] = {
        {"CHECK (a > 1)", "check(A>1)", true},
        {"a", "\"A\"", true},
        {"[a b]", "`A B`", true},
        {"\"a\"\"b\"", "`a\"b`", true},
        {"[a`b]", "`a``b`", true},
        {"a", "ab", false},
        {"a", "'a'", false},
        {"'a'", "'A'", false},
        {"'a'", "'a'", true},
        {"1", "1.0", false},
        {"1", "2", false},
        {"x'00'", "X'00'", false},
        {"a b", "a", false},
        {"a", "1", false},
        {"ÉA", "Éa", true},
        {"(a)", "[a]", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (same(pairs[i].a, pairs[i].b) != pairs[i].is_same || same(pairs[i].b, pairs[i].a) != pairs[i].is_same)
            fail_msg("%s and %s", pairs[i].a, pairs[i].b);
        assert_true(same(pairs[i].a, pairs[i].a));
    }
}

static void a_name_comes_out_of_its_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *name;
        bool may_be_name;
    } names[] = {
        {"abc", "abc", true},    {"\"a\"\"b\"", "a\"b", true}, {"[a\"\"b]", "a\"\"b", true}, {"`a``b`", "a`b", true},
        {"'a''b'", "a'b", true}, {"\"\"", "", true},           {"12", "12", false},          {"(", "(", false}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct nv_tokens tokens = tokens_of(names[i].sql);
        assert_string_equal(nv_token_name(&tokens.items[0], &arena), names[i].name);
        assert_int_equal(nv_token_is_name(&tokens.items[0]), names[i].may_be_name);
        assert_int_equal(nv_token_names(&tokens.items[0], names[i].name), names[i].may_be_name);
        assert_false(nv_token_names(&tokens.items[0], "another"));
    }
    struct nv_tokens quoted = tokens_of("\"check\" check");
    assert_false(nv_token_is(&quoted.items[0], "CHECK"));
    assert_true(nv_token_is(&quoted.items[1], "CHECK"));
}

static void a_table_falls_into_columns_and_constraints(void **state)
{
    (void)state;
    struct nv_tokens tokens =
        tokens_of("(a TEXT DEFAULT (1, 2), \"primary\" INT CHECK (b IN (1, 2)), PRIMARY KEY (a, b),"
                  " Constraint c UNIQUE (b), foreign key(a) REFERENCES x(y), check (a > 1))"
                  " WITHOUT ROWID, strict");
    struct nv_sql_table table;
    assert_int_equal(nv_sql_table_read(tokens.items, tokens.count, &arena, &table), NV_OK);
    assert_int_equal(table.column_count, 2);
    assert_int_equal(table.constraint_count, 4);
    assert_true(table.is_strict);
    assert_true(nv_token_names(&table.columns[1].tokens[0], "primary"));
    struct nv_sql_part expression;
    size_t at = 0;
    assert_true(nv_sql_check_next(table.body, &at, &expression));
    assert_true(nv_token_is(&expression.tokens[0], "b"));
    assert_int_equal(expression.count, 7);
    assert_true(nv_sql_check_next(table.body, &at, &expression));
    assert_int_equal(expression.count, 3);
    assert_false(nv_sql_check_next(table.body, &at, &expression));

    tokens = tokens_of("(a, , b,) x");
    assert_int_equal(nv_sql_table_read(tokens.items, tokens.count, &arena, &table), NV_OK);
    assert_int_equal(table.column_count, 2);
    assert_false(table.is_strict);
}

static void what_is_no_table_is_told_so(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "AS SELECT 1", "(a", "(a, (b"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct nv_tokens tokens = tokens_of(texts[i]);
        struct nv_sql_table table;
        if (nv_sql_table_read(tokens.items, tokens.count, &arena, &table) != NV_REFUSED)
            fail_msg("%s", texts[i]);
    }
    struct nv_tokens open = tokens_of("a CHECK (b > 1");
    struct nv_sql_part expression;
    size_t at = 0;
    assert_false(nv_sql_check_next((struct nv_sql_part){open.items, open.count}, &at, &expression));
    assert_int_equal(nv_tokens_after_group(open.items, open.count, 2), open.count);
}

#define TEST(name) cmocka_unit_test_teardown(name, empty_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_token_is_known),
        TEST(tokens_end_where_sqlite_ends_them),
        TEST(lines_are_counted_in_all_that_has_several),
        TEST(what_never_ends_is_refused_with_its_line),
        TEST(names_are_the_same_whatever_their_case_and_quotes),
        TEST(a_name_comes_out_of_its_quotes),
        TEST(a_table_falls_into_columns_and_constraints),
        TEST(what_is_no_table_is_told_so),
    };
    return cmocka_run_group_tests_name("SQL as text", tests, NULL, NULL);
}
