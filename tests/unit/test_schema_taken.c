/* What a schema may hold: each is published at the hub, taken at the school, and a row travels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define NETWORK "INSERT INTO navette_table(name, scope) VALUES ('t', 'network');"

/* A table t, a row that the hub writes, and what the school shows of it. */
static const struct {
    const char *sql, *write, *shown;
} taken[] = {
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a ANY, b ANY DEFAULT 5) STRICT;",
     "INSERT INTO t(id, a) VALUES ('1', x'00')", "1|blob|5\n"},
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a TEXT, b INT DEFAULT 5) STRICT, WITHOUT ROWID;",
     "INSERT INTO t(id, a) VALUES ('1', 'x')", "1|text|5\n"},
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a DEFAULT TRUE, b DEFAULT FALSE);", "INSERT INTO t(id) VALUES ('1')",
     "1|integer|0\n"},
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a DEFAULT NULL, b DEFAULT (1 + 1));",
     "INSERT INTO t(id) VALUES ('1')", "1|null|2\n"},
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a DEFAULT -1.5, b DEFAULT x'61');", "INSERT INTO t(id) VALUES ('1')",
     "1|real|a\n"},
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a TEXT COLLATE NOCASE DEFAULT 'it''s', b TEXT COLLATE RTRIM);",
     "INSERT INTO t(id, b) VALUES ('1', 'b')", "1|text|b\n"},
    {"CREATE TABLE t(id INT NOT NULL, \"my a\" TEXT, a, b, PRIMARY KEY (id, \"my a\"), CHECK (b <> 3)) WITHOUT ROWID;",
     "INSERT INTO t VALUES (1, 'x', 2.5, 'b')", "1|real|b\n"},
    {"CREATE TABLE t(\"id\" TEXT NOT NULL, k INT NOT NULL, a REAL, b CHECK (b IS NULL OR typeof(b) IN ('text', "
     "'null')), "
     "PRIMARY KEY (\"id\", k));",
     "INSERT INTO t(id, k, a, b) VALUES ('1', 2, 1.5, 'b')", "1|real|b\n"},
    {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER CHECK (CASE WHEN a > 0 THEN a < 9 ELSE 1 END), "
     "b TEXT CHECK (b LIKE 'x%' OR b GLOB 'y*' OR b BETWEEN 'a' AND 'c'));",
     "INSERT INTO t(id, a, b) VALUES ('1', 3, 'xyz')", "1|integer|xyz\n"},
    {"CREATE TABLE t(id BLOB NOT NULL PRIMARY KEY, a, b REFERENCES t(id) ON DELETE CASCADE);",
     "INSERT INTO t(id, a, b) VALUES (x'31', 1, x'32')", "1|integer|2\n"},
    {"CREATE TABLE t(id TEXT NOT NULL CONSTRAINT k PRIMARY KEY, a TEXT CONSTRAINT c CHECK (length(a) < 5), b);"
     "CREATE INDEX i ON t(a) WHERE b > 1; CREATE VIEW v AS SELECT count(*) FROM t;",
     "INSERT INTO t(id, a, b) VALUES ('1', 'x', 2)", "1|text|2\n"},
    {"CREATE TABLE IF NOT EXISTS t(id TEXT NOT NULL PRIMARY KEY, a, b);", "INSERT INTO t VALUES ('1', 2.5, 'b')",
     "1|real|b\n"},
};

static void check_one(struct nv_pair *pair, size_t i)
{
    struct nv_error error;
    char sql[1000];
    sqlite3_snprintf(sizeof sql, sql, "%s%s", taken[i].sql, NETWORK);
    enum nv_status status = nv_schema_apply(pair->hub.store, &pair->authority, sql, false, nv_pair_now, NULL, &error);
    if (status != NV_OK)
        fail_msg("%s: %s", taken[i].sql, error.text);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, taken[i].write);
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    char *shown = nv_pair_text(pair->school.tool, "SELECT id, typeof(a), b FROM t");
    if (strcmp(shown, taken[i].shown) != 0)
        fail_msg("%s: %s", taken[i].sql, shown);
    free(shown);
    /* The same file once more is nothing new. */
    char *before = nv_pair_text(pair->hub.tool, nv_pair_everything);
    nv_pair_publish(pair, sql);
    nv_pair_check_text(pair->hub.tool, nv_pair_everything, before);
    free(before);
}

static void what_a_schema_may_hold_travels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        void *pair = NULL;
        assert_int_equal(nv_pair_setup(&pair), 0);
        check_one(pair, i);
        assert_int_equal(nv_pair_teardown(&pair), 0);
    }
}

static void labels_may_change_and_nothing_else_is_published_by_it(void **state)
{
    struct nv_pair *pair = *state;
    static const struct {
        const char *say, *labels;
    } changes[] = {
        {"label_fr) VALUES ('t', 'a', 'Nom')", "Nom|NULL\n"},
        {"label_en) VALUES ('t', 'a', 'Name')", "Nom|Name\n"},
        {"label_en) VALUES ('t', 'a', 'Name')", "Nom|Name\n"},
        {"label_fr) VALUES ('t', 'a', 'Le nom')", "Le nom|Name\n"},
        {"rule) VALUES ('t', 'a', 'last')", "Le nom|Name\n"},
    };
    nv_pair_publish(pair, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a, b);" NETWORK);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char sql[200];
        sqlite3_snprintf(sizeof sql, sql, "INSERT INTO navette_column(table_name, name, %s", changes[i].say);
        nv_pair_publish(pair, sql);
        nv_pair_deliver(&pair->hub, &pair->school);
        nv_pair_check_text(pair->school.tool, "SELECT label_fr, label_en FROM navette_column WHERE name = 'a'",
                           changes[i].labels);
    }
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_changeset", "7\n"); /* three of them of labels */
}

/* A table that a school has for itself is its own; indexes on it may be what they like. */
static void tables_that_nobody_shares_are_made_alike(void **state)
{
    struct nv_pair *pair = *state;
    static const char sql[] = "CREATE TABLE own(a, b UNIQUE); CREATE UNIQUE INDEX own_a ON own(a);"
                              "CREATE VIEW all_own AS SELECT * FROM own;";
    nv_pair_publish(pair, sql);
    nv_pair_publish(pair, sql);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->school, "INSERT INTO own VALUES (1, 2)");
    nv_pair_check_text(pair->school.tool, "SELECT * FROM all_own", "1|2\n");
    nv_pair_check_refused(pair, &(struct nv_pair_refused){"CREATE INDEX own_a ON own(a);", {"own_a"}});
    nv_pair_check_refused(pair,
                          &(struct nv_pair_refused){"CREATE UNIQUE INDEX own_a ON own(b);", {"own_a", "another name"}});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_pair_setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_schema_may_hold_travels),
        TEST(labels_may_change_and_nothing_else_is_published_by_it),
        TEST(tables_that_nobody_shares_are_made_alike),
    };
    return cmocka_run_group_tests_name("schemas", tests, NULL, NULL);
}
