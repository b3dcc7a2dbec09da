/* Values: one encoding, which comes back bit by bit; and SQLite's order, asked of SQLite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "core/value.h"
#include "dice.h"

static struct nv_value integer(int64_t i)
{
    return (struct nv_value){.type = NV_INTEGER, .integer = i};
}

static struct nv_value real(double r)
{
    return (struct nv_value){.type = NV_REAL, .real = r};
}

static struct nv_value text(const char *bytes)
{
    return (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)bytes, strlen(bytes)}};
}

static void check_bytes(struct nv_value value, const char *expected, size_t size)
{
    struct nv_buffer buffer = {0};
    nv_value_encode(&buffer, &value);
    assert_int_equal(buffer.size, size);
    assert_memory_equal(buffer.data, expected, size);
    nv_buffer_done(&buffer);
}

static void the_encoding_is_the_one_of_the_protocol(void **state)
{
    (void)state;
    check_bytes((struct nv_value){.type = NV_NULL}, "\0", 1);
    check_bytes(integer(0), "\1\0", 2);
    check_bytes(integer(-1), "\1\1", 2);
    check_bytes(integer(64), "\1\x80\1", 3);
    check_bytes(integer(INT64_MIN), "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11);
    check_bytes(integer(INT64_MAX), "\1\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1", 11);
    check_bytes(real(1.5), "\2\0\0\0\0\0\0\xf8\x3f", 9);
    check_bytes(real(-0.0), "\2\0\0\0\0\0\0\0\x80", 9);
    check_bytes(text("hé"), "\3\3h\xc3\xa9", 5);
    check_bytes((struct nv_value){.type = NV_BLOB}, "\4\0", 2);
}

static void check_round_trip(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    struct nv_buffer buffer = {0};
    for (int i = 0; i < 200; i++) {
        uint8_t bytes[NV_DICE_VALUE_BYTES];
        struct nv_value value = nv_dice_value(&dice, bytes), back;
        nv_buffer_clear(&buffer);
        nv_value_encode(&buffer, &value);
        struct nv_reader reader = nv_reader_of(nv_buffer_slice(&buffer));
        assert_true(nv_value_decode(&reader, &back));
        assert_int_equal(nv_reader_left(&reader), 0);
        assert_true(nv_value_equal(&value, &back));
        for (size_t size = 0; size < buffer.size; size++) {
            reader = nv_reader_of((struct nv_slice){buffer.data, size});
            assert_false(nv_value_decode(&reader, &back));
            assert_int_equal(nv_reader_left(&reader), size);
        }
    }
    nv_buffer_done(&buffer);
}

static void values_come_back_and_cut_ones_do_not(void **state)
{
    (void)state;
    nv_dice_run("value round trip", 50, check_round_trip);
}

/* Any bytes that are read as a value are the bytes that this value is written as. */
static void check_canonical(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    struct nv_buffer buffer = {0};
    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[16];
        nv_dice_bytes(&dice, bytes, sizeof bytes);
        bytes[0] %= 6;
        if (nv_dice_percent(&dice, 50))
            memset(bytes + 1, nv_dice_percent(&dice, 50) ? 0x80 : 0xff, nv_dice_below(&dice, 12));
        struct nv_reader reader = nv_reader_of((struct nv_slice){bytes, sizeof bytes});
        struct nv_value value;
        if (!nv_value_decode(&reader, &value))
            continue;
        nv_buffer_clear(&buffer);
        nv_value_encode(&buffer, &value);
        assert_int_equal(buffer.size, sizeof bytes - nv_reader_left(&reader));
        assert_memory_equal(buffer.data, bytes, buffer.size);
    }
    nv_buffer_done(&buffer);
}

static void no_value_has_two_forms(void **state)
{
    (void)state;
    nv_dice_run("value form", 20, check_canonical);
}

static void check_refused(const char *bytes, size_t size)
{
    struct nv_reader reader = nv_reader_of((struct nv_slice){(const uint8_t *)bytes, size});
    struct nv_value value;
    assert_false(nv_value_decode(&reader, &value));
}

static void bytes_that_are_no_value_are_refused(void **state)
{
    (void)state;
    check_refused("\5", 1);
    check_refused("\xff", 1);
    check_refused("\1\x80\0", 3);                                  /* a longer form than needed */
    check_refused("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 11); /* over 64 bits */
    check_refused("\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11); /* a length beyond all memory */
    check_refused("\2\0\0\0\0\0\0\xf8\x7f", 9);                    /* a NaN */
    check_refused("\2\1\0\0\0\0\0\xf0\xff", 9);                    /* another one */
}

static void equality_is_class_and_bits(void **state)
{
    (void)state;
    struct nv_value one = integer(1), one_real = real(1.0), zero = real(0.0), minus_zero = real(-0.0);
    struct nv_value blob = {.type = NV_BLOB, .bytes = {(const uint8_t *)"a", 1}}, letter = text("a");
    assert_false(nv_value_equal(&one, &one_real));
    assert_false(nv_value_equal(&zero, &minus_zero));
    assert_false(nv_value_equal(&blob, &letter));
    assert_true(nv_value_compare(&one, &one_real) < 0);
    assert_true(nv_value_compare(&minus_zero, &zero) < 0);
}

/* ---- order ---- */

enum { ORDERED = 60 };

static void bind(sqlite3_stmt *statement, int place, const struct nv_value *value)
{
    if (value->type == NV_NULL)
        sqlite3_bind_null(statement, place);
    else if (value->type == NV_INTEGER)
        sqlite3_bind_int64(statement, place, value->integer);
    else if (value->type == NV_REAL)
        sqlite3_bind_double(statement, place, value->real);
    else if (value->type == NV_TEXT)
        sqlite3_bind_text(statement, place, (const char *)value->bytes.data, (int)value->bytes.size, SQLITE_TRANSIENT);
    else
        sqlite3_bind_blob(statement, place, value->bytes.data, (int)value->bytes.size, SQLITE_TRANSIENT);
}

/* The rank of each value in SQLite's ORDER BY; equal for SQLite, equal rank. */
static void rank_by_sqlite(const struct nv_value *values, int *ranks)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL, *select = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(i INTEGER PRIMARY KEY, v)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?, ?)", -1, &insert, NULL), SQLITE_OK);
    for (int i = 0; i < ORDERED; i++) {
        sqlite3_bind_int(insert, 1, i);
        bind(insert, 2, &values[i]);
        assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    const char *sql = "SELECT i, dense_rank() OVER (ORDER BY v) FROM t";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &select, NULL), SQLITE_OK);
    while (sqlite3_step(select) == SQLITE_ROW)
        ranks[sqlite3_column_int(select, 0)] = sqlite3_column_int(select, 1);
    sqlite3_finalize(select);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void check_order(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    static uint8_t bytes[ORDERED][NV_DICE_VALUE_BYTES];
    struct nv_value values[ORDERED];
    int ranks[ORDERED] = {0};
    for (size_t i = 0; i < ORDERED; i++)
        values[i] = nv_dice_value(&dice, bytes[i]);
    rank_by_sqlite(values, ranks);
    for (size_t i = 0; i < ORDERED; i++) {
        for (size_t j = 0; j < ORDERED; j++) {
            int order = nv_value_compare(&values[i], &values[j]);
            assert_int_equal(sign(order), -sign(nv_value_compare(&values[j], &values[i])));
            assert_int_equal(order == 0, nv_value_equal(&values[i], &values[j]));
            if (ranks[i] != ranks[j])
                assert_int_equal(sign(order), sign(ranks[i] - ranks[j]));
        }
    }
}

static void the_order_is_that_of_sqlite(void **state)
{
    (void)state;
    nv_dice_run("value order", 200, check_order);
}

static void infinities_have_their_place(void **state)
{
    (void)state;
    struct nv_value least = integer(INT64_MIN), most = integer(INT64_MAX);
    struct nv_value infinite = real(INFINITY), minus_infinite = real(-INFINITY);
    assert_true(nv_value_compare(&minus_infinite, &least) < 0);
    assert_true(nv_value_compare(&infinite, &most) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encoding_is_the_one_of_the_protocol),
        cmocka_unit_test(values_come_back_and_cut_ones_do_not),
        cmocka_unit_test(no_value_has_two_forms),
        cmocka_unit_test(bytes_that_are_no_value_are_refused),
        cmocka_unit_test(equality_is_class_and_bits),
        cmocka_unit_test(the_order_is_that_of_sqlite),
        cmocka_unit_test(infinities_have_their_place),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
