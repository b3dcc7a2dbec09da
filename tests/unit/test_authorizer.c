/* What the SQL of a schema may do to a store: SQLite itself is asked at every action. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "store/db.h"
#include "store/schema/authorizer.h"

/* A store with tables of its site, and the manifest of a schema file that is being read. */
static const char before[] =
    "CREATE TABLE mine(a, b); INSERT INTO mine VALUES (1, 2); CREATE INDEX mine_a ON mine(a);"
    "CREATE VIEW seen AS SELECT a FROM mine; CREATE TABLE navette_meta(name PRIMARY KEY, value);"
    "CREATE TABLE navette_table(name, scope); CREATE TEMP TABLE navette_table(name, scope);"
    "CREATE TEMP TABLE navette_column(table_name, name); CREATE TEMP TABLE other(a);"
    "CREATE TRIGGER mine_t AFTER INSERT ON mine BEGIN SELECT 1; END";

static const char everything[] =
    "SELECT type, name, sql FROM main.sqlite_schema UNION ALL SELECT a, b, 0 FROM mine UNION "
    "ALL SELECT name, value, 1 FROM navette_meta UNION ALL SELECT name, scope, 2 FROM "
    "main.navette_table UNION ALL SELECT 'version', user_version, 3 FROM pragma_user_version";

static sqlite3 *open_one(void)
{
    sqlite3 *db = NULL;
    struct nv_error error;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    if (nv_db_exec(db, before, &error) != NV_OK)
        fail_msg("%s", error.text);
    return db;
}

static char *all_of(sqlite3 *db)
{
    sqlite3_stmt *statement;
    sqlite3_str *text = sqlite3_str_new(NULL);
    assert_int_equal(sqlite3_prepare_v2(db, everything, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < 3; i++)
            sqlite3_str_appendf(text, "%s|", (const char *)sqlite3_column_text(statement, i));
    sqlite3_finalize(statement);
    return sqlite3_str_finish(text);
}

static void a_schema_makes_tables_indexes_views_and_columns(void **state)
{
    (void)state;
    static const char *const allowed[] = {
        "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER DEFAULT 1 CHECK (abs(a) > 0)) WITHOUT ROWID",
        "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a ANY REFERENCES mine(a)) STRICT",
        "CREATE INDEX i ON mine(b) WHERE a > 1",
        "CREATE UNIQUE INDEX i ON mine(lower(b))",
        "CREATE VIEW v AS SELECT count(*) AS n FROM mine JOIN seen USING (a)",
        "ALTER TABLE mine ADD COLUMN c TEXT NOT NULL DEFAULT '' CHECK (length(c) < 9)",
        "INSERT INTO navette_table VALUES ('t', 'network')",
        "INSERT INTO navette_column SELECT 't', 'a' UNION SELECT 't', 'b'",
    };
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        sqlite3 *db = open_one();
        struct nv_error error;
        if (nv_run_authorized(db, allowed[i], &error) != NV_OK)
            fail_msg("%s: %s", allowed[i], error.text);
        sqlite3_close(db);
    }
}

static void a_schema_does_nothing_else(void **state)
{
    (void)state;
    static const char *const denied[] = {
        "CREATE TABLE navette_mine(a)",
        "CREATE TABLE Navette_Mine(a)",
        "CREATE VIEW navette_view AS SELECT 1",
        "CREATE INDEX navette_index ON mine(a)",
        "CREATE INDEX i ON navette_meta(value)",
        "CREATE TEMP TABLE t(a)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE INDEX temp.i ON other(a)",
        "CREATE TABLE temp.t(a)",
        "CREATE TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM mine; END",
        "CREATE TEMP TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM mine; END",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "ALTER TABLE navette_meta ADD COLUMN c",
        "ALTER TABLE other ADD COLUMN c",
        "DROP TABLE mine",
        "DROP INDEX mine_a",
        "DROP VIEW seen",
        "DROP TRIGGER mine_t",
        "INSERT INTO mine VALUES (3, 4)",
        "INSERT INTO main.navette_table VALUES ('t', 'network')",
        "INSERT INTO navette_meta VALUES ('network', x'00')",
        "INSERT INTO other VALUES (1)",
        "UPDATE mine SET a = 2",
        "UPDATE navette_meta SET value = 1",
        "DELETE FROM mine",
        "DELETE FROM navette_table",
        "REPLACE INTO mine VALUES (1, 2)",
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = 1",
        "PRAGMA trusted_schema = 1",
        "ATTACH ':memory:' AS another",
        "DETACH another",
        "BEGIN",
        "SAVEPOINT s",
        "ANALYZE",
    };
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        sqlite3 *db = open_one();
        struct nv_error error;
        char *was = all_of(db);
        if (nv_run_authorized(db, denied[i], &error) == NV_OK)
            fail_msg("%s", denied[i]);
        char *is = all_of(db);
        assert_string_equal(was, is);
        assert_int_equal(sqlite3_get_autocommit(db), 1);
        sqlite3_free(was);
        sqlite3_free(is);
        sqlite3_close(db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_makes_tables_indexes_views_and_columns),
        cmocka_unit_test(a_schema_does_nothing_else),
    };
    return cmocka_run_group_tests_name("authorizer", tests, NULL, NULL);
}
