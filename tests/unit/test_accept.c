/* A column accepts a value exactly where SQLite itself stores it as it is: asked of SQLite, value by value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "core/accept.h"
#include "dice.h"

static sqlite3 *open_database(void)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

static void execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return statement;
}

static void bind(sqlite3_stmt *statement, int place, const struct nv_value *value)
{
    switch (value->type) {
    case NV_NULL:
        sqlite3_bind_null(statement, place);
        break;
    case NV_INTEGER:
        sqlite3_bind_int64(statement, place, value->integer);
        break;
    case NV_REAL:
        sqlite3_bind_double(statement, place, value->real);
        break;
    case NV_TEXT:
        sqlite3_bind_text(statement, place, (const char *)value->bytes.data, (int)value->bytes.size, SQLITE_TRANSIENT);
        break;
    case NV_BLOB:
        sqlite3_bind_blob(statement, place, value->bytes.data, (int)value->bytes.size, SQLITE_TRANSIENT);
        break;
    }
}

static struct nv_value column(sqlite3_stmt *statement, int place)
{
    switch (sqlite3_column_type(statement, place)) {
    case SQLITE_INTEGER:
        return (struct nv_value){.type = NV_INTEGER, .integer = sqlite3_column_int64(statement, place)};
    case SQLITE_FLOAT:
        return (struct nv_value){.type = NV_REAL, .real = sqlite3_column_double(statement, place)};
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        bool is_text = sqlite3_column_type(statement, place) == SQLITE_TEXT;
        const void *data = sqlite3_column_blob(statement, place);
        size_t size = (size_t)sqlite3_column_bytes(statement, place);
        return (struct nv_value){.type = is_text ? NV_TEXT : NV_BLOB, .bytes = {data, size}};
    }
    default:
        return (struct nv_value){.type = NV_NULL};
    }
}

static void print_value(const struct nv_value *value)
{
    static const char *const names[] = {"NULL", "integer", "real", "text", "blob"};
    fprintf(stderr, "  %s ", names[value->type]);
    if (value->type == NV_INTEGER)
        fprintf(stderr, "%lld", (long long)value->integer);
    if (value->type == NV_REAL)
        fprintf(stderr, "%.17g", value->real);
    for (size_t i = 0; value->type >= NV_TEXT && i < value->bytes.size; i++)
        fprintf(stderr, "%02x ", value->bytes.data[i]);
    fprintf(stderr, "\n");
}

/* ---- columns ---- */

struct declared {
    const char *type;
    bool strict, any_type, not_null;
};

static const struct declared columns[] = {
    {.type = ""},
    {.type = "BLOB"},
    {.type = "TEXT"},
    {.type = "VARCHAR(10)"},
    {.type = "INTEGER"},
    {.type = "UNSIGNED BIG INT"},
    {.type = "REAL"},
    {.type = "DOUBLE PRECISION"},
    {.type = "NUMERIC"},
    {.type = "DECIMAL(10,5)"},
    {.type = "BOOLEAN"},
    {.type = "DATE"},
    {.type = "FLOATING POINT"},
    {.type = "ANY"},
    {.type = "INTEGER", .not_null = true},
    {.type = "TEXT", .not_null = true},
    {.type = "INT", .strict = true},
    {.type = "INTEGER", .strict = true},
    {.type = "REAL", .strict = true},
    {.type = "TEXT", .strict = true},
    {.type = "BLOB", .strict = true},
    {.type = "ANY", .strict = true, .any_type = true},
    {.type = "REAL", .strict = true, .not_null = true},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static sqlite3 *column_db;
static sqlite3_stmt *column_insert[COLUMNS], *column_select[COLUMNS];

static int set_up_columns(void **state)
{
    (void)state;
    column_db = open_database();
    for (size_t i = 0; i < COLUMNS; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "CREATE TABLE t%zu(v %s %s) %s", i, columns[i].type,
                 columns[i].not_null ? "NOT NULL" : "", columns[i].strict ? "STRICT" : "");
        execute(column_db, sql);
        snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO t%zu(rowid, v) VALUES (1, ?)", i);
        column_insert[i] = prepare(column_db, sql);
        snprintf(sql, sizeof sql, "SELECT v FROM t%zu", i);
        column_select[i] = prepare(column_db, sql);
    }
    return 0;
}

static int tear_down_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COLUMNS; i++) {
        sqlite3_finalize(column_insert[i]);
        sqlite3_finalize(column_select[i]);
    }
    return sqlite3_close(column_db);
}

static bool sqlite_keeps(size_t i, const struct nv_value *value)
{
    bind(column_insert[i], 1, value);
    int result = sqlite3_step(column_insert[i]);
    sqlite3_reset(column_insert[i]);
    if (result != SQLITE_DONE)
        return false;
    assert_int_equal(sqlite3_step(column_select[i]), SQLITE_ROW);
    struct nv_value stored = column(column_select[i], 0);
    bool keeps = nv_value_equal(&stored, value);
    sqlite3_reset(column_select[i]);
    return keeps;
}

static void check_columns(const struct nv_value *value)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        struct nv_column_type type = {
            .affinity = columns[i].any_type ? NV_AFFINITY_BLOB : nv_affinity_of(columns[i].type),
            .strict = columns[i].strict,
            .any_type = columns[i].any_type,
            .not_null = columns[i].not_null,
        };
        if (nv_column_accepts(&type, value) == sqlite_keeps(i, value))
            continue;
        print_value(value);
        fail_msg("column %s%s%s: SQLite %s this value as it is", columns[i].type, columns[i].strict ? " strict" : "",
                 columns[i].not_null ? " not null" : "", sqlite_keeps(i, value) ? "keeps" : "does not keep");
    }
}

static void check_random_columns(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    uint8_t bytes[NV_DICE_VALUE_BYTES];
    for (int i = 0; i < 50; i++) {
        struct nv_value value = nv_dice_value(&dice, bytes);
        check_columns(&value);
    }
}

static void a_column_accepts_what_sqlite_stores_as_it_is(void **state)
{
    (void)state;
    nv_dice_run("accept", 200, check_random_columns);
}

static void the_named_traps_are_refused(void **state)
{
    (void)state;
    struct nv_column_type integer = {.affinity = NV_AFFINITY_INTEGER}, real = {.affinity = NV_AFFINITY_REAL};
    struct nv_value leading_zero = {.type = NV_TEXT, .bytes = {(const uint8_t *)"012", 3}};
    struct nv_value minus_zero = {.type = NV_REAL, .real = -0.0};
    assert_false(nv_column_accepts(&integer, &leading_zero));
    assert_false(nv_column_accepts(&real, &minus_zero));
    check_columns(&leading_zero);
    check_columns(&minus_zero);
}

/* ---- text that is a number ---- */

static bool sqlite_makes_a_number(sqlite3_stmt *statement, struct nv_slice text)
{
    struct nv_value value = {.type = NV_TEXT, .bytes = text};
    bind(statement, 1, &value);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
    sqlite3_stmt *look = prepare(sqlite3_db_handle(statement), "SELECT typeof(v) FROM number");
    assert_int_equal(sqlite3_step(look), SQLITE_ROW);
    bool is_text = strcmp((const char *)sqlite3_column_text(look, 0), "text") == 0;
    sqlite3_finalize(look);
    return !is_text;
}

static void check_numbers(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    sqlite3 *db = open_database();
    execute(db, "CREATE TABLE number(v NUMERIC)");
    sqlite3_stmt *insert = prepare(db, "INSERT OR REPLACE INTO number(rowid, v) VALUES (1, ?)");
    uint8_t bytes[NV_DICE_VALUE_BYTES];
    for (int i = 0; i < 2000; i++) {
        struct nv_value value = nv_dice_value(&dice, bytes);
        if (value.type != NV_TEXT)
            continue;
        if (nv_text_is_number(value.bytes) != sqlite_makes_a_number(insert, value.bytes)) {
            print_value(&value);
            fail_msg("SQLite says otherwise whether this is a number");
        }
    }
    sqlite3_finalize(insert);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void text_is_a_number_where_sqlite_makes_it_one(void **state)
{
    (void)state;
    nv_dice_run("text is number", 40, check_numbers);
}

/* ---- affinity ---- */

/* What SQLite makes of probes that are cast to the type, which tells the five affinities apart. */
static enum nv_affinity affinity_by_sqlite(sqlite3 *db, const char *type)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT typeof(CAST(500 AS %s)), typeof(CAST('1.5' AS %s))", type, type);
    sqlite3_stmt *statement = prepare(db, sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *integer = (const char *)sqlite3_column_text(statement, 0);
    const char *fraction = (const char *)sqlite3_column_text(statement, 1);
    enum nv_affinity affinity = NV_AFFINITY_NUMERIC;
    if (strcmp(integer, "blob") == 0)
        affinity = NV_AFFINITY_BLOB;
    else if (strcmp(integer, "text") == 0)
        affinity = NV_AFFINITY_TEXT;
    else if (strcmp(integer, "real") == 0)
        affinity = NV_AFFINITY_REAL;
    else if (strcmp(fraction, "integer") == 0)
        affinity = NV_AFFINITY_INTEGER;
    sqlite3_finalize(statement);
    return affinity;
}

/* A declared type of pieces that look like the words of SQLite's rules, in any case. */
static void some_type(struct nv_dice *dice, char type[64])
{
    static const char *const pieces[] = {"INT",  "IN", "T",   "CHAR", "CLOB", "TEXT", "TEX", "BLOB", "REAL", "FLOA",
                                         "DOUB", "LE", "VAR", "NUM",  "DATE", "P",    "O",   "CHA",  "R",    "BLO"};
    size_t size = 0;
    for (size_t count = 1 + nv_dice_below(dice, 5); count > 0; count--) {
        const char *piece = pieces[nv_dice_below(dice, sizeof pieces / sizeof *pieces)];
        if (size > 0 && nv_dice_percent(dice, 20))
            type[size++] = ' ';
        for (; *piece != '\0'; piece++)
            type[size++] = nv_dice_percent(dice, 30) ? (char)(*piece + 'a' - 'A') : *piece;
    }
    type[size] = '\0';
}

/* Whether the type can be written in a CAST at all: some random words are SQL's own. */
static bool is_a_type_name(sqlite3 *db, const char *type)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT CAST(1 AS %s)", type);
    sqlite3_stmt *statement = NULL;
    bool is_good = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;
    sqlite3_finalize(statement);
    return is_good;
}

static void check_affinities(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    sqlite3 *db = open_database();
    int tried = 0;
    for (int i = 0; i < 500; i++) {
        char type[64];
        some_type(&dice, type);
        if (!is_a_type_name(db, type))
            continue;
        tried++;
        if (nv_affinity_of(type) != affinity_by_sqlite(db, type))
            fail_msg("SQLite gives the type '%s' another affinity", type);
    }
    assert_true(tried > 250);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void affinities_are_those_of_sqlite(void **state)
{
    (void)state;
    assert_int_equal(nv_affinity_of(NULL), NV_AFFINITY_BLOB);
    assert_int_equal(nv_affinity_of(""), NV_AFFINITY_BLOB);
    nv_dice_run("affinity", 10, check_affinities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_accepts_what_sqlite_stores_as_it_is),
        cmocka_unit_test(the_named_traps_are_refused),
        cmocka_unit_test(text_is_a_number_where_sqlite_makes_it_one),
        cmocka_unit_test(affinities_are_those_of_sqlite),
    };
    return cmocka_run_group_tests_name("accept", tests, set_up_columns, tear_down_columns);
}
