/* What a schema may not hold, and the words that say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define BY_COLUMN(columns, name)                                                                                       \
    "CREATE TABLE bad(" columns "); INSERT INTO navette_table(name, scope) VALUES ('bad', 'column:" name "');"
#define BY_PARENT(columns, name)                                                                                       \
    "CREATE TABLE bad(" columns "); INSERT INTO navette_table(name, scope) VALUES ('bad', 'parent:" name "');"
#define NETWORK(table) "INSERT INTO navette_table(name, scope) VALUES ('" table "', 'network');"

static const struct nv_pair_refused refused[] = {
    /* keys */
    {"CREATE TABLE bad(a TEXT);" NETWORK("bad"), {"table bad", "PRIMARY KEY", "id TEXT NOT NULL", "randomblob"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY);" NETWORK("bad"), {"table bad", "beside its key", "add one"}},
    {"CREATE TABLE bad(id INTEGER PRIMARY KEY, a);" NETWORK("bad"), {"table bad", "column id", "TEXT", "julianday"}},
    {"CREATE TABLE bad(id INTEGER PRIMARY KEY AUTOINCREMENT, a);" NETWORK("bad"), {"table bad", "column id", "TEXT"}},
    {"CREATE TABLE bad(id INT NOT NULL PRIMARY KEY, a);" NETWORK("bad"), {"table bad", "column id", "TEXT"}},
    {"CREATE TABLE bad(id REAL NOT NULL PRIMARY KEY, a);" NETWORK("bad"), {"table bad", "column id", "REAL", "TEXT"}},
    {"CREATE TABLE bad(id DECIMAL(9) NOT NULL, b TEXT NOT NULL, PRIMARY KEY(b, id));" NETWORK("bad"),
     {"table bad", "column id", "DECIMAL(9)", "TEXT"}},
    {"CREATE TABLE bad(id TEXT PRIMARY KEY, a);" NETWORK("bad"), {"table bad", "column id", "TEXT NOT NULL"}},
    {"CREATE TABLE bad(id TEXT NOT NULL, b TEXT, PRIMARY KEY(id, b));" NETWORK("bad"),
     {"table bad", "column b", "NOT NULL"}},
    {"CREATE TABLE bad(id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY);" NETWORK("bad"),
     {"column id", "NOCASE", "BINARY"}},
    {"CREATE TABLE bad(id TEXT NOT NULL, PRIMARY KEY(id COLLATE RTRIM));" NETWORK("bad"),
     {"column id", "RTRIM", "BINARY"}},
    {"CREATE TABLE bad(a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL, d TEXT NOT NULL, e TEXT NOT NULL, f TEXT NOT "
     "NULL, g TEXT NOT NULL, h TEXT NOT NULL, i TEXT NOT NULL, PRIMARY KEY(a, b, c, d, e, f, g, h, i));" NETWORK("bad"),
     {"table bad", "9 columns", "8"}},
    /* rules of a table over several rows or columns */
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b UNIQUE);" NETWORK("bad"), {"table bad", "column b", "UNIQUE"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b, c, UNIQUE(c, b));" NETWORK("bad"),
     {"table bad", "column c", "UNIQUE"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b); CREATE UNIQUE INDEX i ON bad(b) WHERE b > 1;" NETWORK("bad"),
     {"table bad", "column b", "UNIQUE"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b); CREATE UNIQUE INDEX i ON bad(lower(b));" NETWORK("bad"),
     {"table bad", "an expression", "UNIQUE"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY ON CONFLICT REPLACE);" NETWORK("bad"),
     {"table bad", "ON CONFLICT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b, c, CHECK (b < c));" NETWORK("bad"),
     {"table bad", "CHECK", "b"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b < \"C\"), c);" NETWORK("bad"),
     {"table bad", "several"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b, length, CHECK (length(b) < [length]));" NETWORK("bad"),
     {"table bad", "several"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b, CHECK (bad.b = bad.id));" NETWORK("bad"),
     {"table bad", "several"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 14));" NETWORK("bad"),
     {"column id", "in the key"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (1 = 1));" NETWORK("bad"),
     {"table bad", "names no column"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b < date('now')));" NETWORK("bad"), {"column b", "date"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b < CURRENT_DATE));" NETWORK("bad"),
     {"b", "CURRENT_DATE"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b <> rowid));" NETWORK("bad"), {"column b", "rowid"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b IN (\"x\")));" NETWORK("bad"),
     {"column b", "single quotes"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b < random()));" NETWORK("bad"), {"column b", "random"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b COLLATE NOCASE = 'x'));" NETWORK("bad"),
     {"b", "COLLATE"}},
    /* fields */
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b AS (1));" NETWORK("bad"),
     {"table bad", "column b", "generated"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b TEXT GENERATED ALWAYS AS (id || 'x') STORED);" NETWORK("bad"),
     {"table bad", "column b", "generated", "view"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b TEXT NOT NULL);" NETWORK("bad"),
     {"column b", "NOT NULL", "DEFAULT ''"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b INT NOT NULL DEFAULT NULL);" NETWORK("bad"),
     {"column b", "DEFAULT 0"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b DEFAULT CURRENT_TIMESTAMP);" NETWORK("bad"),
     {"column b", "constant"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b DEFAULT (random()));" NETWORK("bad"), {"column b", "constant"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b DEFAULT \"x\");" NETWORK("bad"), {"column b", "single quotes"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b DEFAULT 1 CHECK (b > 1));" NETWORK("bad"),
     {"column b", "DEFAULT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b CHECK (b IS NOT NULL));" NETWORK("bad"),
     {"column b", "DEFAULT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b INT DEFAULT 'x') STRICT;" NETWORK("bad"),
     {"column b", "DEFAULT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, v); INSERT INTO navette_table(name, scope) VALUES ('bad', "
     "'parent:v');",
     {"table bad", "column v", "REFERENCES"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK(
         "bad") "INSERT INTO navette_column(table_name, name, label_fr) VALUES ('bad', 'b', printf('%0300d', 1));",
     {"column b", "label"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK("bad") "INSERT INTO navette_column(table_name, name) "
                                                                         "VALUES ('bad', 'B');",
     {"column B", "table bad"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK("bad") "INSERT INTO navette_column(table_name, name) "
                                                                         "VALUES ('BAD', 'b');",
     {"table BAD", "navette_table does not"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b, CHECK (random() > 0));" NETWORK("bad"),
     {"table bad", "random"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b, CHECK (b > 0 AND unknown(b)));" NETWORK("bad"), {"unknown"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b TEXT DEFAULT 5 CHECK (length(b) > 3));" NETWORK("bad"),
     {"column b", "DEFAULT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b BLOB NOT NULL);" NETWORK("bad"), {"column b", "NOT NULL"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b REAL NOT NULL);" NETWORK("bad"), {"column b", "DEFAULT 0"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b INT DEFAULT 1.5) STRICT;" NETWORK("bad"),
     {"column b", "DEFAULT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b TEXT COLLATE mine);" NETWORK("bad"), {"line 1", "mine"}},
    /* what is no table */
    {NETWORK("bad"), {"table bad", "CREATE TABLE"}},
    {"CREATE VIEW bad AS SELECT 1;" NETWORK("bad"), {"table bad", "view"}},
    {"CREATE TABLE Bad(id TEXT NOT NULL PRIMARY KEY, a);" NETWORK("bad"), {"table bad", "Bad", "alike"}},
    /* what is said of tables */
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY); INSERT INTO navette_table(name, scope) VALUES ('bad', "
     "'group/x');",
     {"table bad", "group/x", "'network'"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, v); INSERT INTO navette_table(name, scope) VALUES ('bad', "
     "'column:v');",
     {"table bad", "column v", "v TEXT"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY); INSERT INTO navette_table(name, scope) VALUES ('bad', "
     "'netwrok');",
     {"table bad", "netwrok", "'column:NAME'", "'parent:COLUMN'"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY);"
     "INSERT INTO navette_table(name, scope, writers) VALUES ('bad', 'network', 'all');",
     {"table bad", "all", "'scope'", "'home'"}},
    /* who says who reads it */
    {BY_COLUMN("id TEXT NOT NULL PRIMARY KEY, a", "v"), {"table bad", "column:v", "add it"}},
    {BY_COLUMN("v TEXT NOT NULL PRIMARY KEY, a", "v"), {"table bad", "column:v", "beside its key"}},
    {BY_COLUMN("id TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT ''", "v"), {"table bad", "column v", "NOT NULL"}},
    {BY_COLUMN("id TEXT NOT NULL PRIMARY KEY, v TEXT DEFAULT 'network'", "v"), {"table bad", "column v", "DEFAULT"}},
    {BY_COLUMN("id TEXT NOT NULL PRIMARY KEY, v INTEGER", "v"), {"table bad", "column v", "v TEXT"}},
    {BY_COLUMN("id TEXT NOT NULL PRIMARY KEY, v TEXT", ""), {"table bad", "no scope column:"}},
    {BY_PARENT("id TEXT NOT NULL PRIMARY KEY, a", "v"), {"table bad", "parent:v", "add it"}},
    {"CREATE TABLE other(id TEXT NOT NULL PRIMARY KEY, a);" BY_PARENT(
         "id TEXT NOT NULL PRIMARY KEY, v TEXT REFERENCES other", "v"),
     {"table bad", "column v", "navette_table"}},
    {"CREATE TABLE other(id TEXT NOT NULL PRIMARY KEY, a);" NETWORK("other")
         BY_PARENT("id TEXT NOT NULL PRIMARY KEY, v TEXT REFERENCES other(a)", "v"),
     {"table bad", "column v", "by its key"}},
    {"CREATE TABLE other(id TEXT NOT NULL PRIMARY KEY, a);" NETWORK("other")
         BY_PARENT("id TEXT NOT NULL PRIMARY KEY, v TEXT, w TEXT, FOREIGN KEY (v, w) REFERENCES other(id, a)", "v"),
     {"table bad", "column v", "by its key"}},
    {"CREATE TABLE other(id TEXT NOT NULL PRIMARY KEY, a); CREATE TABLE third(id TEXT NOT NULL PRIMARY KEY, "
     "a);" NETWORK("other") NETWORK("third")
         BY_PARENT("id TEXT NOT NULL PRIMARY KEY, v TEXT REFERENCES other, FOREIGN KEY (v) "
                   "REFERENCES third(id)",
                   "v"),
     {"table bad", "column v", "one tracked table"}},
    {"CREATE TABLE other(a TEXT NOT NULL, b TEXT NOT NULL, c, PRIMARY KEY (a, b));" NETWORK("other")
         BY_PARENT("id TEXT NOT NULL PRIMARY KEY, v TEXT REFERENCES other", "v"),
     {"table bad", "other", "2 columns"}},
    {BY_PARENT("id TEXT NOT NULL PRIMARY KEY, v TEXT REFERENCES bad", "v"), {"table bad", "follows itself"}},
    {"CREATE TABLE other(id TEXT NOT NULL PRIMARY KEY, a TEXT REFERENCES bad);"
     "INSERT INTO navette_table(name, scope) VALUES ('other', 'parent:a');" BY_PARENT(
         "id TEXT NOT NULL PRIMARY KEY, v TEXT REFERENCES other", "v"),
     {"follows itself", "ring"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK(
         "bad") "INSERT INTO navette_column(table_name, name, rule) "
                "VALUES ('bad', 'b', 'least');",
     {"column b", "table bad", "least", "last, home, min or max"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK("bad") "INSERT INTO navette_column(table_name, name) "
                                                                         "VALUES ('bad', 'c');",
     {"column c", "table bad"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK("bad") "INSERT INTO navette_column(table_name, name) "
                                                                         "VALUES ('bad', 'id');",
     {"column id", "table bad", "in the key"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b); INSERT INTO navette_column(table_name, name) VALUES ('bad', "
     "'b');",
     {"table bad", "navette_table does not"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK(
         "bad") "INSERT INTO navette_column(table_name, name, quiet) "
                "VALUES ('bad', 'b', 2);",
     {"line 1", "quiet"}},
    {NETWORK("bad") NETWORK("bad"), {"line 1", "navette_table.name"}},
    {"INSERT INTO navette_table(name, number) VALUES ('bad', 7);", {"line 1", "number"}},
    /* names */
    {"CREATE TABLE navette_bad(id TEXT);", {"line 1", "navette_bad"}},
    {"\n\nCREATE VIEW \"Navette_x\" AS SELECT 1;", {"line 3", "Navette_x"}},
    {"CREATE INDEX i ON navette_meta(name);", {"line 1", "navette_meta"}},
    {"ALTER TABLE navette_meta ADD COLUMN bad;", {"line 1", "navette_meta"}},
    {"CREATE TABLE main.bad(id TEXT);", {"line 1", "main."}},
    {"CREATE TABLE b123456789_123456789_123456789_123456789_123456789_123456789_1234(id TEXT NOT NULL PRIMARY "
     "KEY);" NETWORK("b123456789_123456789_123456789_123456789_123456789_123456789_1234"),
     {"table b123456789_", "64 bytes"}},
    {"CREATE TABLE bad(id TEXT NOT NULL PRIMARY KEY, "
     "b123456789_123456789_123456789_123456789_123456789_123456789_1234);" NETWORK("bad"),
     {"table bad", "column b123456789_", "64 bytes"}},
    /* statements */
    {"CREATE TABLE x(a); /* never\nclosed", {"line 1", "never ends"}},
    {"CREATE TABLE x(a);\nCREATE TABLE y(a 'x", {"line 2", "never ends"}},
    {"CREATE TABLE x(a,);", {"line 1", "syntax error"}},
    {"CREATE TABLE sqlite_bad(id TEXT);", {"line 1", "sqlite_bad"}},
    {"CREATE TABLE 5(id TEXT);", {"line 1", "CREATE TABLE"}},
    {"CREATE INDEX ON x(a);", {"line 1"}},
    {"CREATE UNIQUE TABLE x(a);", {"line 1", "CREATE UNIQUE"}},
    {"CREATE;", {"line 1", "CREATE"}},
    {"ALTER VIEW x ADD COLUMN y;", {"line 1", "ALTER VIEW"}},
    {"ALTER TABLE main.x ADD COLUMN y;", {"line 1"}},
    {"CREATE INDEX main.i ON x(a);", {"line 1"}},
    {"CREATE TABLE x(a); CREATE INDEX i ON main.x(a);", {"line 1"}},
    {"CREATE TEMP TABLE x(a);", {"line 1", "CREATE TEMP TABLE"}},
    {"CREATE VIRTUAL TABLE x USING fts5(a);", {"line 1", "CREATE VIRTUAL TABLE"}},
    {"CREATE TABLE x AS SELECT 1;", {"line 1", "AS"}},
    {"CREATE TRIGGER x AFTER INSERT ON y BEGIN DELETE FROM y; END;", {"line 1", "CREATE TRIGGER x"}},
    {"DROP TABLE x;", {"line 1", "DROP TABLE x"}},
    {"ALTER TABLE x RENAME TO y;", {"line 1", "table x", "added"}},
    {"ALTER TABLE x DROP COLUMN y;", {"line 1", "table x", "added"}},
    {"ALTER TABLE nowhere ADD COLUMN y;", {"line 1", "nowhere"}},
    {"PRAGMA writable_schema = 1;", {"line 1", "PRAGMA writable_schema"}},
    {"ATTACH 'x.db' AS x;", {"line 1", "ATTACH"}},
    {"INSERT INTO other VALUES (1);", {"line 1", "INSERT INTO other"}},
    {"INSERT INTO main.navette_table(name) VALUES ('x');", {"line 1", "INSERT INTO main"}},
    {"INSERT OR REPLACE INTO navette_table(name) VALUES ('x');", {"line 1", "INSERT OR REPLACE"}},
    {"INSERT INTO navette_meta VALUES ('network', 'x');", {"line 1", "INSERT INTO navette_meta"}},
    {"WITH x AS (SELECT 1) INSERT INTO navette_table(name) SELECT * FROM x;", {"line 1", "WITH"}},
    {"UPDATE navette_table SET scope = 'site';", {"line 1", "UPDATE navette_table SET"}},
    {"SELECT 1;", {"line 1", "SELECT"}},
    {"BEGIN;", {"line 1", "BEGIN"}},
};

static void test_what_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        nv_pair_check_refused(*state, &refused[i]);
}

static void test_too_many_columns(void **state)
{
    char sql[4096] = "CREATE TABLE wide(id TEXT NOT NULL PRIMARY KEY";
    for (int i = 0; i < NV_LIMIT_FIELDS; i++)
        sprintf(sql + strlen(sql), ", c%d", i);
    size_t end = strlen(sql);
    strcpy(sql + end, ", one_more);" NETWORK("wide"));
    nv_pair_check_refused(*state, &(struct nv_pair_refused){sql, {"table wide", "65", "64"}});
    strcpy(sql + end, ");" NETWORK("wide"));
    nv_pair_publish(*state, sql);
    nv_pair_check_refused(
        *state, &(struct nv_pair_refused){"ALTER TABLE wide ADD COLUMN one_more;", {"table wide", "65", "64"}});
}

static void test_labels_have_a_length(void **state)
{
    static const char *const columns[] = {"label_fr", "label_en"};
    char sql[1024], label[NV_LIMIT_LABEL_BYTES + 2] = {0};
    memset(label, 'x', NV_LIMIT_LABEL_BYTES + 1);
    for (size_t i = 0; i < 2; i++) {
        snprintf(sql, sizeof sql,
                 "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK(
                     "t") "INSERT INTO navette_column(table_name, name, %s) VALUES ('t', 'b', '%s')",
                 columns[i], label);
        nv_pair_check_refused(*state, &(struct nv_pair_refused){sql, {"column b", "label", "256"}});
    }
    label[NV_LIMIT_LABEL_BYTES] = '\0';
    snprintf(sql, sizeof sql,
             "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, b);" NETWORK(
                 "t") "INSERT INTO navette_column(table_name, name, label_fr, label_en) VALUES ('t', 'b', '%s', '%s')",
             label, label);
    nv_pair_publish(*state, sql);
}

static void test_too_much_at_once(void **state)
{
    char *sql = malloc(NV_LIMIT_SQL_BYTES + 100);
    strcpy(sql, "CREATE TABLE t(a); --");
    size_t size = strlen(sql);
    memset(sql + size, 'x', NV_LIMIT_SQL_BYTES + 1 - size);
    sql[NV_LIMIT_SQL_BYTES + 1] = '\0';
    nv_pair_check_refused(*state, &(struct nv_pair_refused){sql, {"1048576"}});
    size = 0;
    for (unsigned i = 0; i <= NV_LIMIT_STATEMENTS; i++)
        size += (size_t)sprintf(sql + size, "CREATE TABLE t%u(a);", i);
    nv_pair_check_refused(*state, &(struct nv_pair_refused){sql, {"4096"}});
    free(sql);
}

static void test_only_the_authority_publishes(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    static const char sql[] = "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY);" NETWORK("t");
    assert_int_equal(nv_schema_apply(pair->hub.store, &pair->hub.sign, sql, false, nv_pair_now, NULL, &error),
                     NV_REFUSED);
    assert_non_null(strstr(error.text, "authority"));
    assert_null(nv_store_table(pair->hub.store, "t"));
}

static void test_triggers_that_write_tracked_tables(void **state)
{
    struct nv_pair *pair = *state;
    static const char *const writes[] = {"INSERT INTO t VALUES (NEW.id, 1)",
                                         "INSERT OR IGNORE INTO \"T\" VALUES (NEW.id, 1)",
                                         "UPDATE t SET a = 1",
                                         "UPDATE OR REPLACE [t] SET a = 1",
                                         "DELETE FROM t",
                                         "REPLACE INTO t SELECT id, 1 FROM log"};
    nv_pair_sql(&pair->hub, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a); CREATE TABLE log(id)");
    static const char sql[] = "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a);" NETWORK("t");
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        char trigger[200];
        snprintf(trigger, sizeof trigger, "CREATE TRIGGER counts AFTER INSERT ON log BEGIN SELECT 1; %s; END",
                 writes[i]);
        nv_pair_sql(&pair->hub, trigger);
        nv_pair_check_refused(pair,
                              &(struct nv_pair_refused){sql, {"table t", "trigger counts", "DROP TRIGGER counts"}});
        nv_pair_sql(&pair->hub, "DROP TRIGGER counts");
    }
    nv_pair_sql(&pair->hub, "CREATE TRIGGER notes AFTER DELETE ON t BEGIN INSERT INTO log SELECT id FROM t; END");
    nv_pair_publish(pair, sql);
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 't'",
                       "5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_refused, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_too_many_columns, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_labels_have_a_length, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_too_much_at_once, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_only_the_authority_publishes, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_triggers_that_write_tracked_tables, nv_pair_setup, nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
