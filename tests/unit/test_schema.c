/* Schemas: how they are taken, how they grow, and how they come to be the same at every site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "store/internal.h"

#define NETWORK(table) "INSERT INTO navette_table(name, scope) VALUES ('" table "', 'network');"

/* ---- tables that are here already ---- */

static void test_a_table_that_is_here_is_adopted_with_its_rows(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a); INSERT INTO t VALUES ('1', 'hub')");
    nv_pair_sql(&pair->school,
                "CREATE TABLE T([id] text not null primary key, a); INSERT INTO t VALUES ('2', 'school')");
    nv_pair_publish(pair, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a);" NETWORK("t"));
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT * FROM t ORDER BY id", "1|hub\n2|school\n");
    nv_pair_check_text(pair->school.tool, "SELECT * FROM t ORDER BY id", "1|hub\n2|school\n");
}

struct misfit {
    const char *here;
    const char *word; /* in what `status` is told */
};

static void test_a_table_that_does_not_fit_is_missing_until_it_is_mended(void **state)
{
    struct nv_pair *pair = *state;
    static const char published[] =
        "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER NOT NULL DEFAULT 0 CHECK (a >= "
        "0), b TEXT);" NETWORK("t");
    static const struct misfit misfits[] = {
        {"CREATE TABLE t(id TEXT NOT NULL, a INTEGER, b TEXT)", "column id"},
        {"CREATE TABLE t(id TEXT NOT NULL, a INTEGER, b TEXT NOT NULL, PRIMARY KEY(id, b))", "column b"},
        {"CREATE TABLE t(id TEXT NOT NULL, a INTEGER, b TEXT, c TEXT NOT NULL, PRIMARY KEY(id, c))", "key of table t"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a TEXT, b TEXT)", "column a"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER, b TEXT NOT NULL DEFAULT '')", "column b"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER)", "ADD COLUMN"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER, b TEXT, c NOT NULL)", "column c"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER, b TEXT CHECK (b <> ''))", "CHECK"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER CHECK (a >= 1), b TEXT)", "CHECK"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER, b AS ('x'))", "column b"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER, b TEXT) STRICT", "column"},
        {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INTEGER, b TEXT UNIQUE)", "UNIQUE"},
        {"CREATE VIEW t AS SELECT 1", "not in the store"},
    };
    nv_pair_sql(&pair->school, misfits[0].here);
    nv_pair_publish(pair, published);
    nv_pair_sql(&pair->hub, "INSERT INTO t(id, b) VALUES ('1', 'one')");
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 2);
    const struct nv_table *table = nv_store_table(pair->school.store, "t");
    char trouble[NV_TROUBLE_TEXT];
    struct nv_error error;
    assert_non_null(table);
    assert_true(table->missing);
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        nv_pair_sql(&pair->school, "DROP TABLE t");
        nv_pair_sql(&pair->school, misfits[i].here);
        nv_pair_must(nv_store_table_trouble(pair->school.store, table, trouble, &error), &error);
        if (strstr(trouble, misfits[i].word) == NULL || strstr(trouble, "t") == NULL)
            fail_msg("%s: this was said of it: %s", misfits[i].here, trouble);
    }
    /* A column more, a CHECK less and another order of columns do no harm; then all that waited arrives. */
    nv_pair_sql(&pair->school, "DROP VIEW t; CREATE TABLE t(own, b TEXT, id TEXT NOT NULL PRIMARY KEY, a INTEGER)");
    nv_pair_seal(&pair->school);
    table = nv_store_table(pair->school.store, "t");
    nv_pair_must(nv_store_table_trouble(pair->school.store, table, trouble, &error), &error);
    assert_string_equal(trouble, "");
    assert_false(table->missing);
    nv_pair_sql(&pair->hub, "UPDATE t SET a = 5");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT id, a, b FROM t", "1|5|one\n");
}

static void test_the_authority_refuses_what_does_not_fit_its_own_store(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->hub, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a REAL)");
    nv_pair_check_refused(
        pair, &(struct nv_pair_refused){"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a TEXT);" NETWORK("t"),
                                        {"already", "column a", "table t"}});
}

/* ---- later schema files ---- */

static const char first_file[] =
    "-- What a school keeps.\n"
    "CREATE TABLE IF NOT EXISTS person (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT '', -- said aloud\n"
    "  visits INTEGER DEFAULT 0 CHECK (visits >= 0), seen TEXT, FOREIGN KEY (seen) REFERENCES place(id));\n"
    "CREATE TABLE place(id TEXT NOT NULL PRIMARY KEY, kind) WITHOUT ROWID;\n"
    "CREATE TABLE scratch(anything); CREATE INDEX person_by_name ON person(name, lower(seen));\n"
    "CREATE VIEW names AS SELECT name FROM person;\n"
    "INSERT INTO navette_table(name, scope) VALUES ('person', 'network'), ('place', 'network');\n"
    "INSERT INTO navette_column(table_name, name, rule, quiet, label_fr) VALUES ('person', 'visits', 'max', 0, "
    "'Venues'),\n"
    "  ('person', 'seen', 'max', 1, NULL);\n";

static void check_summary(struct nv_pair *pair, const char *sql, const char *expected)
{
    struct nv_buffer summary = {0};
    struct nv_error error;
    nv_pair_must(nv_schema_apply(pair->hub.store, &pair->authority, sql, false, nv_pair_now, &summary, &error), &error);
    assert_string_equal((const char *)summary.data, expected);
    nv_buffer_done(&summary);
}

static const char manifest[] = "SELECT t.number, t.name, c.field, c.name, c.rule, c.quiet, c.label_fr, c.published "
                               "FROM navette_table AS t LEFT JOIN navette_column AS c ON c.table_name = t.name "
                               "ORDER BY 1, 3";

static void test_a_schema_is_published_and_grows(void **state)
{
    struct nv_pair *pair = *state;
    check_summary(pair, first_file,
                  "person: a new table, of scope network, 3 columns beside its key\n"
                  "place: a new table, of scope network, 1 column beside its key\n"
                  "scratch: made at every site, and not kept in step: navette_table does not name it\n"
                  "person_by_name: a new index\n"
                  "names: a new view\n");
    static const char nothing[] = "nothing to publish: all of it is published already\n";
    check_summary(pair, first_file, nothing);
    check_summary(
        pair,
        "create table PERSON([id] text not null primary key, \"name\" TEXT NOT NULL DEFAULT '', visits INTEGER "
        "DEFAULT 0 /* none */ CHECK(visits>=0), seen TEXT, FOREIGN KEY(seen) REFERENCES place(id));"
        "CREATE INDEX IF NOT EXISTS person_by_name ON person(name,lower(seen))",
        nothing);
    static const char second_file[] = "ALTER TABLE person ADD COLUMN town TEXT NOT NULL DEFAULT 'none';"
                                      "ALTER TABLE place ADD name TEXT; ALTER TABLE scratch ADD COLUMN more;"
                                      "INSERT INTO navette_column(table_name, name, rule, label_fr) VALUES "
                                      "('person', 'town', 'min', 'Ville'), ('person', 'visits', 'max', 'Visites'), "
                                      "('person', 'seen', NULL, NULL);";
    check_summary(pair, second_file, "person: 1 new column\nplace: 1 new column\n");
    check_summary(pair, second_file, nothing);
    check_summary(pair, first_file, "person: new labels\n");
    /* Schema files of different times, in any order, on top of one another. */
    static const char expected[] = "1|person|0|name|last|0|NULL|4\n1|person|1|visits|max|0|Venues|4\n"
                                   "1|person|2|seen|max|1|NULL|4\n1|person|3|town|min|0|Ville|5\n2|place|0|kind|last|0|"
                                   "NULL|4\n2|place|1|name|last|0|NULL|5\n";
    nv_pair_check_text(pair->hub.tool, manifest, expected);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 3);
    nv_pair_check_text(pair->school.tool, manifest, expected);
    nv_pair_check_text(pair->school.tool, "SELECT name FROM pragma_table_info('scratch')", "anything\nmore\n");
    const struct nv_table *person = nv_store_table(pair->school.store, "person");
    assert_int_equal(person->fields[1].rule, NV_RULE_MAX);
    assert_true(person->fields[1].has_check);
    assert_false(person->fields[0].has_check);
    assert_true(person->fields[0].type.not_null);
    assert_int_equal(person->fields[3].published, 5);
}

static void test_what_is_published_stays(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, first_file);
    static const struct nv_pair_refused changes[] = {
        {"CREATE TABLE person(id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x');",
         {"line 1", "table person", "column name", "differs"}},
        {"CREATE TABLE person(id TEXT NOT NULL PRIMARY KEY, visits INTEGER);", {"person", "visits", "ADD COLUMN"}},
        {"CREATE TABLE person(id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT '', visits INTEGER DEFAULT 0 "
         "CHECK "
         "(visits >= 0), seen TEXT, town TEXT, FOREIGN KEY (seen) REFERENCES place(id));",
         {"person", "town", "ADD COLUMN"}},
        {"CREATE TABLE person(id TEXT NOT NULL PRIMARY KEY);", {"table person", "constraints"}},
        {"CREATE TABLE place(id TEXT NOT NULL PRIMARY KEY, kind);", {"table place", "options"}},
        {"CREATE INDEX person_by_name ON person(seen);", {"index person_by_name", "another name"}},
        {"CREATE VIEW names AS SELECT 1;", {"view names", "another name"}},
        {"CREATE UNIQUE INDEX one_name ON person(name);", {"table person", "column name", "UNIQUE"}},
        {"ALTER TABLE person ADD COLUMN seen INTEGER;", {"column seen", "table person"}},
        {"ALTER TABLE person ADD COLUMN email TEXT CHECK (email <> name);", {"table person", "several"}},
        {"INSERT INTO navette_table(name, scope) VALUES ('person', 'site');",
         {"table person", "scope network", "stay"}},
        {"INSERT INTO navette_table(name, writers) VALUES ('person', 'home');",
         {"table person", "writers scope", "stay"}},
        {"INSERT INTO navette_column(table_name, name, rule) VALUES ('person', 'visits', 'min');",
         {"column visits", "rule max", "stay"}},
        {"INSERT INTO navette_column(table_name, name, quiet) VALUES ('person', 'seen', 0);",
         {"column seen", "quiet", "stay"}},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        nv_pair_check_refused(pair, &changes[i]);
}

static void test_a_dry_run_changes_nothing(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_buffer summary = {0};
    struct nv_error error;
    char *before = nv_pair_text(pair->hub.tool, nv_pair_everything);
    nv_pair_must(nv_schema_apply(pair->hub.store, &pair->authority, first_file, true, nv_pair_now, &summary, &error),
                 &error);
    assert_non_null(strstr((const char *)summary.data, "person: a new table"));
    nv_pair_check_text(pair->hub.tool, nv_pair_everything, before);
    assert_null(nv_store_table(pair->hub.store, "person"));
    nv_pair_publish(pair, first_file);
    assert_non_null(nv_store_table(pair->hub.store, "person"));
    nv_buffer_done(&summary);
    free(before);
}

static void test_a_table_is_tracked_later(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a)");
    nv_pair_sql(&pair->hub, "INSERT INTO t VALUES ('1', 'before')");
    check_summary(pair, NETWORK("t"), "t: a new table, of scope network, 1 column beside its key\n");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_check_text(pair->school.tool, "SELECT * FROM t", "1|before\n");
}

/* ---- what other sites take ---- */

static void take_op(struct nv_pair *pair, const struct nv_schema_op *op, enum nv_status expected, const char *word)
{
    struct nv_buffer bytes = {0};
    struct nv_error error = {0};
    nv_schema_encode(op, nv_pair_now, &bytes);
    assert_false(bytes.failed);
    nv_pair_must(nv_begin(pair->school.store, &error), &error);
    char *before = nv_pair_text(nv_store_db(pair->school.store), nv_pair_everything);
    enum nv_status status = nv_schema_take(pair->school.store, 9, nv_buffer_slice(&bytes), &error);
    if (status != expected || (word != NULL && strstr(error.text, word) == NULL))
        fail_msg("%s where %s was expected: %s", nv_status_text(status), nv_status_text(expected), error.text);
    if (status != NV_OK)
        nv_pair_check_text(nv_store_db(pair->school.store), nv_pair_everything, before);
    nv_rollback(pair->school.store);
    nv_buffer_done(&bytes);
    free(before);
}

/* Whoever holds the authority's key cannot make a site run what no schema file may hold. */
static void test_an_op_is_judged_where_it_arrives(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a, b);" NETWORK("t"));
    nv_pair_deliver(&pair->hub, &pair->school);
    static const char *const statements[] = {"DROP TABLE t",
                                             "DELETE FROM navette_member",
                                             "CREATE TABLE x(a); DROP TABLE t",
                                             "CREATE TEMP VIEW x AS SELECT 1",
                                             "INSERT INTO navette_table(name) VALUES ('x')",
                                             "CREATE TABLE navette_x(a)",
                                             "PRAGMA user_version = 9",
                                             ";",
                                             "CREATE TABLE u(a",
                                             "CREATE UNIQUE INDEX u ON t(a)",
                                             "ALTER TABLE t ADD COLUMN unnumbered"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        take_op(pair, &(struct nv_schema_op){.statement_count = 1, .statements = &statements[i]}, NV_REFUSED, NULL);

    static const char *const create[] = {"CREATE TABLE u(id TEXT NOT NULL PRIMARY KEY, a, b)"};
    static const struct nv_schema_column columns[] = {{.field = 0, .name = "a"}, {.field = 1, .name = "b"}};
    static const struct nv_schema_column swapped[] = {{.field = 1, .name = "a"}, {.field = 0, .name = "b"}};
    static const struct nv_schema_column twice[] = {{.field = 0, .name = "a"}, {.field = 1, .name = "A"}};
    static const struct nv_schema_column key[] = {{.field = 0, .name = "a"}, {.field = 1, .name = "id"}};
    static const struct nv_schema_column ruled[] = {{.field = 0, .name = "a", .rule = NV_RULE_MIN}};
    static const struct nv_schema_column extra[] = {{.field = 2, .name = "a"}};
    const struct nv_schema_table u = {
        .number = 2, .name = "u", .scope = "network", .writers = "scope", .column_count = 2, .columns = columns};
    struct nv_schema_table table = u;
    struct nv_schema_op op = {.statement_count = 1, .statements = create, .table_count = 1, .tables = &table};
    take_op(pair, &op, NV_OK, NULL);
    table.scope = "region";
    take_op(pair, &op, NV_NOT_YET, "newer software");
    table = u;
    table.writers = "nobody";
    take_op(pair, &op, NV_NOT_YET, "newer software");
    table = u;
    table.scope = "column:a";
    take_op(pair, &op, NV_REFUSED, "a TEXT");
    table = u;
    table.name = "t";
    take_op(pair, &op, NV_REFUSED, "twice");
    table = u;
    table.number = 1;
    take_op(pair, &op, NV_REFUSED, "stay");
    table = u;
    table.column_count = 1;
    take_op(pair, &op, NV_REFUSED, "no number");
    const struct nv_schema_column *const wrong[] = {swapped, twice, key};
    for (size_t i = 0; i < 3; i++) {
        table = u;
        table.columns = wrong[i];
        take_op(pair, &op, NV_REFUSED, "table u");
    }
    op.statement_count = 0;
    table = (struct nv_schema_table){
        .number = 1, .name = "t", .scope = "network", .writers = "scope", .column_count = 1, .columns = ruled};
    take_op(pair, &op, NV_REFUSED, "stay");
    table.columns = extra;
    take_op(pair, &op, NV_REFUSED, "a number already");
}

/* What somebody made here under the name of an index or a view does not stop the log. */
static void test_names_that_are_taken_here(void **state)
{
    struct nv_pair *pair = *state;
    nv_pair_sql(&pair->school,
                "CREATE TABLE names(x); CREATE TABLE other(id); CREATE INDEX person_by_name ON other(id);"
                "CREATE TABLE scratch(a, more)");
    nv_pair_publish(pair, first_file);
    nv_pair_publish(pair, "ALTER TABLE scratch ADD COLUMN more; ALTER TABLE person ADD COLUMN town;");
    nv_pair_sql(&pair->hub, "INSERT INTO person(id, town) VALUES ('1', 'Pantin')");
    nv_pair_seal(&pair->hub);
    assert_int_equal(nv_pair_deliver(&pair->hub, &pair->school), 3);
    nv_pair_check_text(pair->school.tool, "SELECT id, town FROM person", "1|Pantin\n");
    /* The same after the store was opened anew. */
    struct nv_error error;
    nv_store_close(pair->school.store);
    nv_pair_must(nv_store_open(pair->school.path, &pair->school.store, &error), &error);
    const struct nv_table *person = nv_store_table(pair->school.store, "person");
    assert_int_equal(person->field_count, 4);
    assert_false(person->missing);
}

/* Damaged files are refused or, where the damage means nothing, taken; nothing else happens. */
static void test_files_with_random_damage(void **state)
{
    struct nv_pair *pair = *state;
    static const char damage[] = "\"'`[]();,.-/*x0 \n\xc3";
    unsigned seed = 20260105;
    char *before = nv_pair_text(pair->hub.tool, nv_pair_everything);
    size_t taken = 0;
    for (int round = 0; round < 1500; round++) {
        char sql[sizeof first_file + 8];
        struct nv_error error = {0};
        strcpy(sql, first_file);
        for (int i = rand_r(&seed) % 3; i >= 0; i--) {
            size_t place = (size_t)rand_r(&seed) % strlen(sql);
            if (rand_r(&seed) % 2 == 0)
                memmove(sql + place, sql + place + 1, strlen(sql + place));
            else
                sql[place] = damage[(size_t)rand_r(&seed) % (sizeof damage - 1)];
        }
        enum nv_status status =
            nv_schema_apply(pair->hub.store, &pair->authority, sql, true, nv_pair_now, NULL, &error);
        if (status != NV_OK && (status != NV_REFUSED || error.text[0] == '\0'))
            fail_msg("%s: %s: %s", nv_status_text(status), error.text, sql);
        taken += status == NV_OK;
    }
    assert_in_range(taken, 10, 1490);
    nv_pair_check_text(pair->hub.tool, nv_pair_everything, before);
    nv_pair_publish(pair, first_file);
    free(before);
}

/* ---- CHECKs ---- */

static const char checked[] =
    "CREATE TABLE \"che ck\"(id TEXT NOT NULL PRIMARY KEY,"
    " a INTEGER NOT NULL DEFAULT 7 CHECK (a BETWEEN 0 AND 10 AND a <> 5) CHECK (\"che ck\".a <> 6),"
    " b TEXT DEFAULT 'x' CHECK (length(b) < 4 -- short\n), c REAL CHECK (c IS NULL OR (c > 0.5 AND c < '9')),"
    " d CHECK (typeof(d) IN ('null', 'blob', 'text')), e TEXT COLLATE NOCASE CHECK (e IN ('yes', 'no')),"
    " \"check\" TEXT, f TEXT, CONSTRAINT named CHECK (CASE WHEN [f] LIKE 'q%' THEN 0 ELSE 1 END),"
    " CHECK (CAST(\"check\" AS INTEGER) < 100));" NETWORK("che ck");

static struct nv_value integer(int64_t number)
{
    return (struct nv_value){.type = NV_INTEGER, .integer = number};
}

static struct nv_value text(const char *bytes)
{
    return (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)bytes, strlen(bytes)}};
}

static void check_value(struct nv_pair *pair, const char *column, struct nv_value value, bool expected)
{
    const struct nv_table *table = nv_store_table(pair->school.store, "che ck");
    struct nv_error error;
    bool accepts = !expected;
    unsigned field = 0;
    while (strcmp(table->fields[field].name, column) != 0)
        field++;
    assert_true(table->fields[field].has_check);
    nv_pair_must(nv_check_accepts(pair->school.store, table, field, &value, &accepts, &error), &error);
    if (accepts != expected)
        fail_msg("column %s %s a value that it should not", column, accepts ? "accepts" : "refuses");
}

static void test_checks_are_asked_of_sqlite(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    nv_pair_publish(pair, checked);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_must(nv_begin(pair->school.store, &error), &error);
    for (int turn = 0; turn < 3; turn++)
        for (int64_t i = -200; i < 200; i++)
            check_value(pair, "a", integer(i), i >= 0 && i <= 10 && i != 5 && i != 6);
    check_value(pair, "b", text("abc"), true);
    check_value(pair, "b", text("abcd"), false);
    check_value(pair, "b", text("ééé"), true);
    check_value(pair, "b", (struct nv_value){.type = NV_NULL}, true);
    check_value(pair, "c", (struct nv_value){.type = NV_REAL, .real = 8.5}, true);
    check_value(pair, "c", (struct nv_value){.type = NV_REAL, .real = 10.5}, false);
    check_value(pair, "c", (struct nv_value){.type = NV_NULL}, true);
    /* Values with the same bytes in another storage class, asked one after the other. */
    check_value(pair, "d", integer(1), false);
    check_value(pair, "d", (struct nv_value){.type = NV_REAL, .real = 5e-324}, false);
    check_value(pair, "d", (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)"\1\0\0\0\0\0\0\0", 8}}, true);
    check_value(pair, "d", (struct nv_value){.type = NV_BLOB, .bytes = {(const uint8_t *)"\1\0\0\0\0\0\0\0", 8}}, true);
    check_value(pair, "d", integer(1), false);
    check_value(pair, "d", (struct nv_value){.type = NV_NULL}, true);
    check_value(pair, "d", (struct nv_value){.type = NV_BLOB, .bytes = {(const uint8_t *)"\0", 1}}, true);
    check_value(pair, "b", text("a text that is longer than what is kept of what was asked"), false);
    check_value(pair, "d", text("a text that is longer than what is kept of what was asked"), true);
    check_value(pair, "e", text("YES"), true);
    check_value(pair, "e", text("maybe"), false);
    check_value(pair, "f", text("quay"), false);
    check_value(pair, "f", text("kay"), true);
    check_value(pair, "check", text("99"), true);
    check_value(pair, "check", text("100"), false);
    /* None of it touched the transaction that it was asked in. */
    assert_int_equal(sqlite3_get_autocommit(nv_store_db(pair->school.store)), 0);
    nv_pair_must(nv_commit(pair->school.store, &error), &error);
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM \"che ck\"", "0\n");
    /* A CHECK that comes later is asked too. */
    nv_pair_publish(pair, "ALTER TABLE \"che ck\" ADD COLUMN g CHECK (g <> 'never')");
    nv_pair_deliver(&pair->hub, &pair->school);
    check_value(pair, "g", text("never"), false);
    check_value(pair, "g", text("ever"), true);
    check_value(pair, "a", integer(5), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_table_that_is_here_is_adopted_with_its_rows, nv_pair_setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_table_that_does_not_fit_is_missing_until_it_is_mended, nv_pair_setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_the_authority_refuses_what_does_not_fit_its_own_store, nv_pair_setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_schema_is_published_and_grows, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_published_stays, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_dry_run_changes_nothing, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_table_is_tracked_later, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_an_op_is_judged_where_it_arrives, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_names_that_are_taken_here, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_files_with_random_damage, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_checks_are_asked_of_sqlite, nv_pair_setup, nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
