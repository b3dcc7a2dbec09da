/* Buffers, readers, arenas, hexadecimal, errors, log lines: what everything else stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/log.h"
#include "dice.h"

static void a_buffer_holds_what_was_appended(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    nv_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 0);
    for (int i = 0; i < 1000; i++)
        nv_buffer_append_byte(&buffer, (uint8_t)i);
    uint8_t *room = nv_buffer_extend(&buffer, 3);
    memcpy(room, "abc", 3);
    assert_int_equal(buffer.size, 1003);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)i);
    assert_memory_equal(buffer.data + 1000, "abc", 3);
    nv_buffer_done(&buffer);
    assert_null(buffer.data);
}

/* NULL says that memory ran out: not that nothing was asked for. */
static void no_room_at_all_is_no_failure(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    assert_non_null(nv_buffer_extend(&buffer, 0));
    assert_true(buffer.size == 0 && !buffer.failed);
    nv_buffer_done(&buffer);
}

static void a_failed_buffer_appends_nothing_until_it_is_cleared(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    nv_buffer_append(&buffer, "ab", 2);
    assert_null(nv_buffer_extend(&buffer, SIZE_MAX - 8));
    assert_true(buffer.failed);
    nv_buffer_append(&buffer, "cd", 2);
    assert_int_equal(buffer.size, 2);
    nv_buffer_clear(&buffer);
    nv_buffer_append(&buffer, "ef", 2);
    assert_false(buffer.failed);
    assert_memory_equal(buffer.data, "ef", 2);
    nv_buffer_done(&buffer);
}

static void check_varint(uint64_t value, size_t size)
{
    struct nv_buffer buffer = {0};
    nv_buffer_append_varint(&buffer, value);
    assert_int_equal(buffer.size, size);
    struct nv_reader reader = nv_reader_of(nv_buffer_slice(&buffer));
    uint64_t back = 0;
    assert_true(nv_take_varint(&reader, &back));
    assert_true(back == value);
    assert_int_equal(nv_reader_left(&reader), 0);
    reader = nv_reader_of((struct nv_slice){buffer.data, size - 1});
    assert_false(nv_take_varint(&reader, &back));
    nv_buffer_done(&buffer);
}

static void varints_come_back(void **state)
{
    (void)state;
    check_varint(0, 1);
    check_varint(127, 1);
    check_varint(128, 2);
    check_varint(16383, 2);
    check_varint(16384, 3);
    check_varint(UINT64_MAX >> 1, 9);
    check_varint(UINT64_MAX, 10);
    struct nv_dice dice = nv_dice_of(1);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = nv_dice_bits(&dice) >> nv_dice_below(&dice, 64);
        size_t size = 1;
        while (size < 10 && value >> (7 * size) != 0)
            size++;
        check_varint(value, size);
    }
}

static void check_bad_varint(const char *bytes, size_t size)
{
    struct nv_reader reader = nv_reader_of((struct nv_slice){(const uint8_t *)bytes, size});
    uint64_t value = 77;
    assert_false(nv_take_varint(&reader, &value));
    assert_true(value == 77);
    assert_int_equal(nv_reader_left(&reader), size);
}

static void varints_have_one_form(void **state)
{
    (void)state;
    check_bad_varint("", 0);
    check_bad_varint("\x80", 1);
    check_bad_varint("\x80\0", 2);
    check_bad_varint("\xff\x80\0", 3);
    check_bad_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10);
    check_bad_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\0", 11);
}

static void a_reader_takes_nothing_where_too_little_is_left(void **state)
{
    (void)state;
    struct nv_reader reader = nv_reader_of((struct nv_slice){(const uint8_t *)"abc", 3});
    struct nv_slice bytes;
    uint8_t byte = 0;
    assert_true(nv_take_byte(&reader, &byte));
    assert_int_equal(byte, 'a');
    assert_false(nv_take_bytes(&reader, 3, &bytes));
    assert_false(nv_take_bytes(&reader, SIZE_MAX, &bytes));
    assert_true(nv_take_bytes(&reader, 2, &bytes));
    assert_memory_equal(bytes.data, "bc", 2);
    assert_false(nv_take_byte(&reader, &byte));
    assert_true(nv_take_bytes(&reader, 0, &bytes));
    struct nv_reader empty = nv_reader_of((struct nv_slice){0});
    assert_false(nv_take_byte(&empty, &byte));
}

static void slices_compare_as_bytes(void **state)
{
    (void)state;
    struct nv_slice none = {0}, empty = {(const uint8_t *)"x", 0}, a = {(const uint8_t *)"a", 1};
    struct nv_slice ab = {(const uint8_t *)"ab", 2}, high = {(const uint8_t *)"\xff", 1};
    assert_true(nv_slice_equal(none, empty));
    assert_int_equal(nv_slice_compare(none, empty), 0);
    assert_true(nv_slice_compare(none, a) < 0);
    assert_true(nv_slice_compare(a, ab) < 0 && nv_slice_compare(ab, a) > 0);
    assert_true(nv_slice_compare(ab, high) < 0);
    assert_false(nv_slice_equal(a, ab));
}

static void an_arena_keeps_its_limit(void **state)
{
    (void)state;
    struct nv_arena arena = {.limit = 1 << 20};
    size_t taken = 0;
    for (;;) {
        size_t size = 1 + taken % 9999;
        unsigned char *bytes = nv_arena_alloc(&arena, size);
        if (bytes == NULL)
            break;
        assert_int_equal((uintptr_t)bytes % sizeof(void *), 0);
        memset(bytes, 7, size);
        taken += size;
    }
    assert_in_range(taken, (1 << 20) - 11000, 1 << 20);
    assert_null(nv_arena_alloc(&arena, SIZE_MAX));
    assert_null(nv_arena_alloc(&arena, 1 << 21));
    nv_arena_reset(&arena);
    assert_non_null(nv_arena_alloc(&arena, (1 << 20) - 64));
    assert_null(nv_arena_alloc(&arena, 128));
    nv_arena_done(&arena);
    struct nv_arena unbounded = {.limit = SIZE_MAX};
    assert_null(nv_arena_alloc(&unbounded, SIZE_MAX));
    nv_arena_done(&unbounded);
}

static void hexadecimal_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[4] = {0x00, 0x9f, 0xa0, 0xff}, back[4] = {1, 2, 3, 4};
    char text[9];
    nv_hex(bytes, 4, text);
    assert_string_equal(text, "009fa0ff");
    assert_true(nv_unhex("009FA0ff", back, 4));
    assert_memory_equal(back, bytes, 4);
    uint8_t kept[4] = {1, 2, 3, 4};
    assert_false(nv_unhex("009fa0f", kept, 4));
    assert_false(nv_unhex("009fa0fff", kept, 4));
    static const char *const none[] = {"009fa0fg", "009fa0f/", "009fa0f:",   "009fa0f@",
                                       "009fa0fG", "009fa0f`", "009fa0f\xc3"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(nv_unhex(none[i], kept, 4));
    assert_memory_equal(kept, "\1\2\3\4", 4);
}

static void an_error_says_what_happened(void **state)
{
    (void)state;
    struct nv_error error = {0};
    assert_int_equal(nv_fail(&error, NV_BUSY, "the store is %s", "held"), NV_BUSY);
    assert_int_equal(nv_fail_in(&error, "sealing"), NV_BUSY);
    assert_string_equal(error.text, "sealing: the store is held");
    assert_int_equal(nv_fail(NULL, NV_FULL, "unheard"), NV_FULL);
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    nv_fail(&error, NV_IO, "%s", long_text);
    nv_fail_in(&error, long_text);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    nv_fail_in(NULL, "unheard too");
}

/* Scripts rely on the codes, people on the words. */
static void every_status_has_an_exit_code_and_words_of_its_own(void **state)
{
    (void)state;
    static const struct {
        enum nv_status status;
        int exit_code;
    } all[] = {{NV_OK, 0},          {NV_NOT_FOUND, 1}, {NV_NOT_SO, 1},    {NV_NOT_YET, 1}, {NV_USAGE, 2},
               {NV_REFUSED, 3},     {NV_CORRUPT, 3},   {NV_IO, 4},        {NV_FULL, 4},    {NV_BUSY, 4},
               {NV_UNREACHABLE, 4}, {NV_BUG, 70},      {NV_NO_MEMORY, 70}};
    assert_int_equal(sizeof all / sizeof *all, NV_BUG + 1);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(nv_exit_code(all[i].status), all[i].exit_code);
        assert_true(strlen(nv_status_text(all[i].status)) > 3);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(nv_status_text(all[i].status), nv_status_text(all[j].status));
    }
}

static void a_log_line_names_its_level_and_is_said_up_to_the_level_that_was_set(void **state)
{
    (void)state;
    int kept = dup(STDERR_FILENO), file = memfd_create("log", 0);
    assert_true(kept >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    nv_log(NV_LOG_DEBUG, "not shown unless it is asked for");
    nv_log_set_level(NV_LOG_WARNING);
    nv_log(NV_LOG_INFO, "no longer shown");
    nv_log(NV_LOG_WARNING, "the disk is %d %% full", 99);
    nv_log(NV_LOG_ERROR, "%s", "and now it is full");
    nv_log_set_level(NV_LOG_DEBUG);
    nv_log(NV_LOG_DEBUG, "shown");
    nv_log_set_level(NV_LOG_INFO);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    char text[400];
    ssize_t size = pread(file, text, sizeof text - 1, 0);
    assert_true(size > 0);
    text[size] = '\0';
    close(file);
    assert_string_equal(text, "navetted: warning: the disk is 99 % full\nnavetted: error: and now it is full\n"
                              "navetted: debug: shown\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_holds_what_was_appended),
        cmocka_unit_test(no_room_at_all_is_no_failure),
        cmocka_unit_test(a_failed_buffer_appends_nothing_until_it_is_cleared),
        cmocka_unit_test(varints_come_back),
        cmocka_unit_test(varints_have_one_form),
        cmocka_unit_test(a_reader_takes_nothing_where_too_little_is_left),
        cmocka_unit_test(slices_compare_as_bytes),
        cmocka_unit_test(an_arena_keeps_its_limit),
        cmocka_unit_test(hexadecimal_comes_back),
        cmocka_unit_test(an_error_says_what_happened),
        cmocka_unit_test(every_status_has_an_exit_code_and_words_of_its_own),
        cmocka_unit_test(a_log_line_names_its_level_and_is_said_up_to_the_level_that_was_set),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
