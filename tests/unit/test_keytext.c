/* Keys as people write them: every key has a text and comes back from it, and what a person types is read as SQLite
 * would store it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "store/care.h"
#include "store/db.h"

static struct nv_table table_of(size_t count, enum nv_affinity affinity)
{
    struct nv_table table = {.number = 1, .name = "thing", .key_count = count};
    for (size_t i = 0; i < count; i++) {
        table.keys[i][0] = (char)('a' + i);
        table.key_types[i] = (struct nv_column_type){.affinity = affinity, .not_null = true};
    }
    return table;
}

static struct nv_value text_value(const char *bytes, size_t size)
{
    return (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)bytes, size}};
}

static void encode(const struct nv_value *values, size_t count, struct nv_buffer *key)
{
    nv_buffer_clear(key);
    for (size_t i = 0; i < count; i++)
        nv_value_encode(key, &values[i]);
}

/* The key's text is `expected` (where given), and reads back as the key. */
static void check_round_trip(enum nv_affinity affinity, const struct nv_value *values, size_t count,
                             const char *expected)
{
    struct nv_table table = table_of(count, affinity);
    struct nv_buffer key = {0}, text = {0}, back = {0};
    struct nv_error error = {0};
    encode(values, count, &key);
    nv_key_to_text(&table, nv_buffer_slice(&key), &text);
    assert_false(text.failed);
    if (expected != NULL)
        assert_string_equal((const char *)text.data, expected);
    assert_int_equal(nv_key_from_text(&table, (const char *)text.data, &back, &error), NV_OK);
    assert_true(nv_slice_equal(nv_buffer_slice(&key), nv_buffer_slice(&back)));
    nv_buffer_done(&key);
    nv_buffer_done(&text);
    nv_buffer_done(&back);
}

static void check_text(const char *bytes, size_t size, const char *expected)
{
    struct nv_value value = text_value(bytes, size);
    check_round_trip(NV_AFFINITY_TEXT, &value, 1, expected);
}

static void test_one_column(void **state)
{
    (void)state;
    check_text("35600000000048", 14, "35600000000048");
    check_text("", 0, "");
    check_text("a/b\\c", 5, "a/b\\c");
    check_text("\\x", 2, "\\\\x");
    check_text("x'00'", 5, "\\x'00'");
    check_text("t''", 3, "\\t''");
    check_text("x'", 2, "x'");
    check_text("é", 2, "é");
    check_text("a\0b", 3, "t'610062'");
    check_text("\x1b[2J", 4, "t'1b5b324a'");
    check_text("\xff", 1, "t'ff'");
    check_text("\xed\xa0\x80", 3, "t'eda080'");
    struct nv_value blob = {.type = NV_BLOB, .bytes = {(const uint8_t *)"\x00\xff", 2}};
    check_round_trip(NV_AFFINITY_BLOB, &blob, 1, "x'00ff'");
    blob.bytes.size = 0;
    check_round_trip(NV_AFFINITY_TEXT, &blob, 1, "x''");
}

/* What a terminal or a reader of UTF-8 could take for something else is written in hexadecimal. */
static void test_texts_that_no_line_can_carry(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text; /* NULL: as it is */
    } texts[] = {{"\x1f", "t'1f'"},
                 {"\x7f", "t'7f'"},
                 {"\xc2\x85", "t'c285'"},
                 {"\xc2\xa0", NULL},
                 {"\xc1\x81", "t'c181'"},
                 {"\xc3", "t'c3'"},
                 {"\xc3x", "t'c378'"},
                 {"\xe0\x9f\xbf", "t'e09fbf'"},
                 {"\xed\x9f\xbf", NULL},
                 {"\xed\xbf\xbf", "t'edbfbf'"},
                 {"\xee\x80\x80", NULL},
                 {"\xf0\x8f\xbf\xbf", "t'f08fbfbf'"},
                 {"\xf0\x9f\x98\x80", NULL},
                 {"\xf4\x8f\xbf\xbf", NULL},
                 {"\xf4\x90\x80\x80", "t'f4908080'"},
                 {"\xf8\x88\x80\x80\x80", "t'f888808080'"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(texts[i].bytes, strlen(texts[i].bytes), texts[i].text == NULL ? texts[i].bytes : texts[i].text);
}

static void test_reals_in_as_few_digits_as_they_need(void **state)
{
    (void)state;
    static const struct {
        double real;
        const char *text;
    } reals[] = {{0.1 + 0.2, "0.30000000000000004"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0.1, "0.1"},
                 {-2, "-2.0"},
                 {1e300, "1e+300"},
                 {123456789012345680.0, "1.2345678901234568e+17"}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        struct nv_value value = {.type = NV_REAL, .real = reals[i].real};
        check_round_trip(NV_AFFINITY_REAL, &value, 1, reals[i].text);
    }
}

static void test_several_columns(void **state)
{
    (void)state;
    struct nv_value plain[] = {text_value("one", 3), text_value("two", 3)};
    check_round_trip(NV_AFFINITY_TEXT, plain, 2, "one/two");
    struct nv_value slashes[] = {text_value("a/b", 3), text_value("\\", 1), text_value("", 0)};
    check_round_trip(NV_AFFINITY_TEXT, slashes, 3, "a\\/b/\\\\/");
    struct nv_value forms[] = {text_value("x'00'", 5), {.type = NV_BLOB, .bytes = {(const uint8_t *)"\x01", 1}}};
    check_round_trip(NV_AFFINITY_TEXT, forms, 2, "\\x'00'/x'01'");
    struct nv_value slashed_form[] = {text_value("x'/'", 4), text_value("/", 1)};
    check_round_trip(NV_AFFINITY_TEXT, slashed_form, 2, NULL);
    struct nv_value numbers[] = {{.type = NV_INTEGER, .integer = INT64_MIN}, {.type = NV_INTEGER, .integer = 7}};
    check_round_trip(NV_AFFINITY_INTEGER, numbers, 2, "-9223372036854775808/7");
    struct nv_value reals[] = {{.type = NV_REAL, .real = 0.1}, {.type = NV_REAL, .real = 3}};
    check_round_trip(NV_AFFINITY_REAL, reals, 2, "0.1/3.0");
    struct nv_table table = table_of(2, NV_AFFINITY_TEXT);
    struct nv_value trailing[] = {text_value("a", 1), text_value("\\", 1)};
    struct nv_buffer key = {0}, typed = {0};
    encode(trailing, 2, &key);
    assert_int_equal(nv_key_from_text(&table, "a/\\", &typed, NULL),
                     NV_OK); /* one that stands before nothing is itself */
    assert_true(nv_slice_equal(nv_buffer_slice(&key), nv_buffer_slice(&typed)));
    nv_buffer_done(&key);
    nv_buffer_done(&typed);
}

/* Random texts of bytes that mean something here, in keys of one to three columns. */
static void test_random_round_trips(void **state)
{
    (void)state;
    static const char alphabet[] = "\\/x't'n'0a\xc3\xa9\n";
    unsigned seed = 20240501;
    for (int round = 0; round < 20000; round++) {
        char bytes[3][6];
        struct nv_value values[3];
        size_t count = 1 + (size_t)rand_r(&seed) % 3;
        for (size_t i = 0; i < count; i++) {
            size_t size = (size_t)rand_r(&seed) % sizeof bytes[i];
            for (size_t k = 0; k < size; k++)
                bytes[i][k] = alphabet[(size_t)rand_r(&seed) % sizeof alphabet];
            values[i] = text_value(bytes[i], size);
            values[i].type = rand_r(&seed) % 8 == 0 ? NV_BLOB : NV_TEXT;
        }
        check_round_trip(NV_AFFINITY_TEXT, values, count, NULL);
    }
}

/* What a column of that type holds after the text was inserted is what the key says. */
static void check_as_sqlite(sqlite3 *db, const char *type, enum nv_affinity affinity, const char *text)
{
    struct nv_table table = table_of(1, affinity);
    struct nv_buffer key = {0}, stored = {0};
    struct nv_error error = {0};
    bool row;
    assert_int_equal(nv_db_execf(db, &error, "CREATE TEMP TABLE one(v %s); INSERT INTO one VALUES (%Q)", type, text),
                     NV_OK);
    sqlite3_stmt *statement = nv_db_prepare(db, "SELECT v FROM one", &error);
    assert_non_null(statement);
    assert_int_equal(nv_db_step(statement, &row, &error), NV_OK);
    struct nv_value value = nv_db_value(statement, 0);
    encode(&value, 1, &stored);
    assert_int_equal(nv_key_from_text(&table, text, &key, &error), NV_OK);
    if (!nv_slice_equal(nv_buffer_slice(&key), nv_buffer_slice(&stored)))
        fail_msg("%s in a column of type %s is read as another value than SQLite stores", text, type);
    sqlite3_finalize(statement);
    assert_int_equal(nv_db_exec(db, "DROP TABLE one", &error), NV_OK);
    nv_buffer_done(&key);
    nv_buffer_done(&stored);
}

static void test_numbers_as_sqlite_stores_them(void **state)
{
    (void)state;
    static const char *const texts[] = {"12",
                                        "012",
                                        "-0",
                                        "-0.0",
                                        "+7",
                                        "1.0",
                                        "1.5",
                                        "1e3",
                                        " 12 ",
                                        "12a",
                                        "",
                                        "0x1",
                                        "9e999",
                                        "1e15",
                                        "abc",
                                        ".5",
                                        "5.",
                                        "1e-3",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "-9223372036854775808",
                                        "4503599627370497.0",
                                        "9007199254740993",
                                        "-9223372036854775809",
                                        "1e18"};
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_as_sqlite(db, "TEXT", NV_AFFINITY_TEXT, texts[i]);
        check_as_sqlite(db, "", NV_AFFINITY_BLOB, texts[i]);
        check_as_sqlite(db, "INTEGER", NV_AFFINITY_INTEGER, texts[i]);
        check_as_sqlite(db, "NUMERIC", NV_AFFINITY_NUMERIC, texts[i]);
        check_as_sqlite(db, "REAL", NV_AFFINITY_REAL, texts[i]);
    }
    sqlite3_close(db);
}

static void test_a_number_without_a_type(void **state)
{
    (void)state;
    struct nv_table table = table_of(1, NV_AFFINITY_BLOB);
    struct nv_value twelve = {.type = NV_INTEGER, .integer = 12};
    struct nv_buffer key = {0}, expected = {0};
    struct nv_error error = {0};
    nv_value_encode(&expected, &twelve);
    assert_int_equal(nv_key_from_text(&table, "n'12'", &key, &error), NV_OK);
    assert_true(nv_slice_equal(nv_buffer_slice(&key), nv_buffer_slice(&expected)));
    nv_buffer_done(&key);
    nv_buffer_done(&expected);
    struct nv_value text_of_twelve = text_value("12", 2);
    check_round_trip(NV_AFFINITY_BLOB, &twelve, 1, "n'12'");
    check_round_trip(NV_AFFINITY_BLOB, &text_of_twelve, 1, "12");
}

static void check_refused(size_t columns, const char *text)
{
    struct nv_table table = table_of(columns, NV_AFFINITY_TEXT);
    struct nv_buffer key = {0};
    struct nv_error error = {0};
    assert_int_equal(nv_key_from_text(&table, text, &key, &error), NV_REFUSED);
    assert_true(strlen(error.text) > 20);
    assert_int_equal(key.size, 0);
    nv_buffer_done(&key);
}

static void test_refused(void **state)
{
    (void)state;
    check_refused(2, "one");
    check_refused(2, "one/two/three");
    check_refused(1, "x'0'");
    check_refused(1, "x'0g'");
    check_refused(1, "n'twelve'");
    check_refused(2, "one/t'zz'");
    struct nv_table wide = table_of(NV_LIMIT_KEY_COLUMNS, NV_AFFINITY_TEXT);
    for (size_t i = 0; i < NV_LIMIT_KEY_COLUMNS; i++)
        memset(wide.keys[i], 'a' + (int)i, NV_LIMIT_NAME);
    struct nv_buffer key = {0};
    struct nv_error error = {0};
    assert_int_equal(nv_key_from_text(&wide, "one", &key, &error), NV_REFUSED);
    assert_non_null(strstr(error.text, "8 columns"));
    char *text = malloc(NV_LIMIT_KEY_BYTES + 2);
    assert_non_null(text);
    memset(text, 'k', NV_LIMIT_KEY_BYTES + 1);
    text[NV_LIMIT_KEY_BYTES + 1] = '\0';
    check_refused(1, text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_column),
        cmocka_unit_test(test_texts_that_no_line_can_carry),
        cmocka_unit_test(test_reals_in_as_few_digits_as_they_need),
        cmocka_unit_test(test_several_columns),
        cmocka_unit_test(test_random_round_trips),
        cmocka_unit_test(test_numbers_as_sqlite_stores_them),
        cmocka_unit_test(test_a_number_without_a_type),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
