/* Grants and asks: our own reader is held to protobuf-c, and both to the rules of the protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/form.h"
#include "wire/grant.h"
#include "wire_opinion.h"
#include "wire_samples.h"

enum { ROUNDS = 2000, CHANGES = 10000, MOST = 5 };

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 16u << 20};
}

/* Sites that differ little, so that their order matters. */
static struct nv_site_id some_site(void)
{
    return (struct nv_site_id){{[0] = (uint8_t)sample_random(3), [15] = (uint8_t)sample_random(3)}};
}

static int order_boxes(const void *a, const void *b)
{
    return nv_grant_box_compare(a, b);
}

static int order_names(const void *a, const void *b)
{
    return nv_key_name_compare(a, b);
}

/* Leaves one of those that are equal, and returns how many are left. */
static size_t once_each(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
    char *bytes = items;
    size_t kept = 0;
    qsort(items, count, size, order);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || order(bytes + (kept - 1) * size, bytes + i * size) != 0)
            memmove(bytes + kept++ * size, bytes + i * size, size);
    return kept;
}

static struct nv_key_name some_name(void)
{
    return (struct nv_key_name){some_site(), sample_random(2) * (UINT64_MAX - sample_random(2)),
                                1 + sample_random(300)};
}

static struct nv_grant random_grant(struct nv_grant_box boxes[MOST])
{
    struct nv_grant grant = {.is_elsewhere = sample_random(2) == 0, .boxes = boxes};
    if (grant.is_elsewhere)
        grant.key = some_name();
    else
        grant.key.number = sample_random(2) * sample_random(300);
    sample_bytes(&grant.key_id, sizeof grant.key_id);
    for (size_t i = 0; i < MOST; i++) {
        boxes[i] = (struct nv_grant_box){.site = some_site(), .recovery = sample_random(2) == 0};
        sample_bytes(boxes[i].sealed, sizeof boxes[i].sealed);
    }
    grant.box_count = once_each(boxes, 1 + sample_random(MOST), sizeof *boxes, order_boxes);
    return grant;
}

static struct nv_ask random_ask(struct nv_key_name keys[MOST])
{
    struct nv_ask ask = {.of = some_site(), .keys = keys};
    for (size_t i = 0; i < MOST; i++)
        keys[i] = some_name();
    ask.key_count = once_each(keys, 1 + sample_random(MOST), sizeof *keys, order_names);
    return ask;
}

static void encode_either(struct nv_buffer *bytes)
{
    struct nv_grant_box boxes[MOST];
    struct nv_key_name keys[MOST];
    if (sample_random(2) == 0) {
        struct nv_grant grant = random_grant(boxes);
        nv_grant_encode(&grant, bytes);
    } else {
        struct nv_ask ask = random_ask(keys);
        nv_ask_encode(&ask, bytes);
    }
    assert_false(bytes->failed);
}

static void test_grants_come_back(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    static struct nv_op op;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct nv_grant_box boxes[MOST];
        struct nv_buffer bytes = {0};
        struct nv_grant grant = random_grant(boxes), read;
        nv_grant_encode(&grant, &bytes);
        assert_int_equal(opinion_judge(nv_buffer_slice(&bytes), &arena, &op), NV_OK);
        assert_int_equal(op.kind, NV_OP_GRANT);
        assert_ptr_equal(op.control.data, bytes.data);
        assert_int_equal(nv_grant_decode(op.control, &arena, &read, NULL), NV_OK);
        assert_int_equal(read.is_elsewhere, grant.is_elsewhere);
        assert_int_equal(nv_key_name_compare(&read.key, &grant.key), 0);
        assert_memory_equal(&read.key_id, &grant.key_id, sizeof read.key_id);
        assert_int_equal(read.box_count, grant.box_count);
        for (size_t i = 0; i < grant.box_count; i++) {
            assert_int_equal(nv_grant_box_compare(&read.boxes[i], &boxes[i]), 0);
            assert_memory_equal(read.boxes[i].sealed, boxes[i].sealed, sizeof boxes[i].sealed);
        }
        nv_buffer_done(&bytes);
    }
    nv_arena_done(&arena);
}

static void test_asks_come_back(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    static struct nv_op op;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct nv_key_name keys[MOST];
        struct nv_buffer bytes = {0};
        struct nv_ask ask = random_ask(keys), read;
        nv_ask_encode(&ask, &bytes);
        assert_int_equal(opinion_judge(nv_buffer_slice(&bytes), &arena, &op), NV_OK);
        assert_int_equal(op.kind, NV_OP_ASK);
        assert_int_equal(nv_ask_decode(op.control, &arena, &read, NULL), NV_OK);
        assert_int_equal(nv_site_id_compare(read.of, ask.of), 0);
        assert_int_equal(read.key_count, ask.key_count);
        for (size_t i = 0; i < ask.key_count; i++)
            assert_int_equal(nv_key_name_compare(&read.keys[i], &keys[i]), 0);
        nv_buffer_done(&bytes);
    }
    nv_arena_done(&arena);
}

/* The second opinion is asked for each of them. */
static void test_changed_bytes(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    static struct nv_op op;
    size_t good = 0, newer = 0;
    for (size_t round = 0; round < CHANGES; round++) {
        struct nv_buffer bytes = {0};
        encode_either(&bytes);
        sample_change(&bytes);
        uint8_t *exact = malloc(bytes.size + 1);
        memcpy(exact + 1, bytes.data, bytes.size);
        enum nv_status status = opinion_judge((struct nv_slice){exact + 1, bytes.size}, &arena, &op);
        good += status == NV_OK;
        newer += status == NV_NOT_YET;
        free(exact);
        nv_buffer_done(&bytes);
    }
    assert_true(good > CHANGES / 100 && newer > CHANGES / 1000 && good + newer < CHANGES);
    nv_arena_done(&arena);
}

/* ---- one by one ---- */

#define SITE "0123456789abcdef"
#define EPOCH "\1\0\0\0\0\0\0\0"
#define FORTY "0123456789012345678901234567890123456789"
#define ID "\x22\x20" SITE SITE
#define SEALED "\x1a\x50" FORTY FORTY
#define BOX "\x2a\x64\x0a\x10" SITE SEALED
#define RECOVERY_BOX "\x2a\x66\x0a\x10" SITE "\x10\x01" SEALED
#define OF "\x0a\x10" SITE
#define KEY "\x12\x14\x0a\x10" SITE "\x18\x01"

struct form {
    const char *what, *bytes;
    size_t size;
    enum nv_status expected;
};
#define FORM(what, bytes, expected)                                                                                    \
    {                                                                                                                  \
        what, bytes, sizeof(bytes) - 1, expected                                                                       \
    }

static void check_forms(uint32_t kind, uint32_t field, const struct form *forms, size_t count)
{
    struct nv_arena arena = arena_of_test();
    static struct nv_op op;
    for (size_t i = 0; i < count; i++) {
        struct nv_buffer bytes = {0};
        nv_append_number_field(&bytes, 1, kind);
        nv_append_field_start(&bytes, field, forms[i].size);
        nv_buffer_append(&bytes, forms[i].bytes, forms[i].size);
        if (opinion_judge(nv_buffer_slice(&bytes), &arena, &op) != forms[i].expected)
            fail_msg("%s", forms[i].what);
        nv_buffer_done(&bytes);
    }
    nv_arena_done(&arena);
}

static void test_forms_of_grants(void **state)
{
    (void)state;
    static const struct form forms[] = {
        FORM("a key of this changeset", ID BOX, NV_OK),
        FORM("one of another changeset", "\x08\x05" ID BOX, NV_OK),
        FORM("one of another log", "\x08\x05\x12\x10" SITE "\x19" EPOCH ID BOX, NV_OK),
        FORM("one of the epoch 0", "\x08\x05\x12\x10" SITE ID BOX, NV_OK),
        FORM("two boxes of one site", ID BOX RECOVERY_BOX, NV_OK),
        FORM("nothing", "", NV_REFUSED),
        FORM("no id", BOX, NV_REFUSED),
        FORM("a short id", "\x22\x02hi" BOX, NV_REFUSED),
        FORM("an id twice", ID ID BOX, NV_REFUSED),
        FORM("no box", ID, NV_REFUSED),
        FORM("a box that is a number", ID "\x28\x01", NV_REFUSED),
        FORM("an empty box", ID "\x2a\x00", NV_REFUSED),
        FORM("a box of no site", ID "\x2a\x52" SEALED, NV_REFUSED),
        FORM("a box with no key", ID "\x2a\x12\x0a\x10" SITE, NV_REFUSED),
        FORM("a box with a short key", ID "\x2a\x15\x0a\x10" SITE "\x1a\x01s", NV_REFUSED),
        FORM("a box twice", ID BOX BOX, NV_REFUSED),
        FORM("boxes in another order", ID RECOVERY_BOX BOX, NV_REFUSED),
        FORM("a box with two for true", ID "\x2a\x66\x0a\x10" SITE "\x10\x02" SEALED, NV_REFUSED),
        FORM("a box with false said", ID "\x2a\x66\x0a\x10" SITE "\x10\x00" SEALED, NV_REFUSED),
        FORM("a box that says it twice", ID "\x2a\x68\x0a\x10" SITE "\x10\x01\x10\x01" SEALED, NV_REFUSED),
        FORM("the number 0 said", "\x08\x00" ID BOX, NV_REFUSED),
        FORM("another log, no number", "\x12\x10" SITE ID BOX, NV_REFUSED),
        FORM("an epoch of no site", "\x08\x05\x19" EPOCH ID BOX, NV_REFUSED),
        FORM("a short site", "\x08\x05\x12\x02hi" ID BOX, NV_REFUSED),
        FORM("parts in another order", BOX ID, NV_REFUSED),
        FORM("cut", ID BOX "\x2a", NV_REFUSED),
        FORM("a part that may come", ID BOX "\x30\x01\x30\x02", NV_NOT_YET),
        FORM("a part of a box that may come", ID "\x2a\x66\x0a\x10" SITE SEALED "\x20\x01", NV_NOT_YET),
    };
    check_forms(NV_OP_GRANT, 13, forms, sizeof forms / sizeof *forms);
}

static void test_forms_of_asks(void **state)
{
    (void)state;
    static const struct form forms[] = {
        FORM("one key", OF KEY, NV_OK),
        FORM("two keys", OF KEY "\x12\x14\x0a\x10" SITE "\x18\x02", NV_OK),
        FORM("a key with an epoch", OF "\x12\x1d\x0a\x10" SITE "\x11" EPOCH "\x18\x01", NV_OK),
        FORM("nothing", "", NV_REFUSED),
        FORM("of nobody", KEY, NV_REFUSED),
        FORM("of a short site", "\x0a\x02hi" KEY, NV_REFUSED),
        FORM("of two", OF OF KEY, NV_REFUSED),
        FORM("for nothing", OF, NV_REFUSED),
        FORM("a key that is a number", OF "\x10\x01", NV_REFUSED),
        FORM("a key twice", OF KEY KEY, NV_REFUSED),
        FORM("keys in another order", OF "\x12\x14\x0a\x10" SITE "\x18\x02" KEY, NV_REFUSED),
        FORM("a key of no site", OF "\x12\x02\x18\x01", NV_REFUSED),
        FORM("a key with no number", OF "\x12\x12\x0a\x10" SITE, NV_REFUSED),
        FORM("a key with the number 0", OF "\x12\x14\x0a\x10" SITE "\x18\x00", NV_REFUSED),
        FORM("a number that is bytes", OF "\x12\x15\x0a\x10" SITE "\x1a\x01n", NV_REFUSED),
        FORM("an epoch that is a varint", OF "\x12\x16\x0a\x10" SITE "\x10\x01\x18\x01", NV_REFUSED),
        FORM("the asked site behind", KEY OF, NV_REFUSED),
        FORM("a part that may come", OF KEY "\x18\x01", NV_NOT_YET),
        FORM("a part of a key that may come", OF "\x12\x16\x0a\x10" SITE "\x18\x01\x20\x01", NV_NOT_YET),
    };
    check_forms(NV_OP_ASK, 14, forms, sizeof forms / sizeof *forms);
}

static enum nv_status verdict(const struct nv_buffer *bytes)
{
    struct nv_arena arena = arena_of_test();
    static struct nv_op op;
    enum nv_status status = opinion_judge(nv_buffer_slice(bytes), &arena, &op);
    nv_arena_done(&arena);
    return status;
}

static void test_limits(void **state)
{
    (void)state;
    struct nv_grant_box *boxes = calloc(NV_LIMIT_BOXES + 1, sizeof *boxes);
    struct nv_key_name *keys = calloc(NV_LIMIT_ASKED_KEYS + 1, sizeof *keys);
    for (size_t i = 0; i <= NV_LIMIT_BOXES; i++) {
        boxes[i].site.bytes[0] = (uint8_t)(i >> 8);
        boxes[i].site.bytes[1] = (uint8_t)i;
    }
    for (size_t i = 0; i <= NV_LIMIT_ASKED_KEYS; i++)
        keys[i].number = i + 1;
    for (size_t over = 0; over < 2; over++) {
        struct nv_buffer bytes = {0};
        struct nv_grant grant = {.box_count = NV_LIMIT_BOXES + over, .boxes = boxes};
        struct nv_ask ask = {.key_count = NV_LIMIT_ASKED_KEYS + over, .keys = keys};
        nv_grant_encode(&grant, &bytes);
        assert_int_equal(verdict(&bytes), over ? NV_REFUSED : NV_OK);
        nv_buffer_clear(&bytes);
        nv_ask_encode(&ask, &bytes);
        assert_int_equal(verdict(&bytes), over ? NV_REFUSED : NV_OK);
        nv_buffer_done(&bytes);
    }
    free(boxes);
    free(keys);
}

/* What is decoded as a grant is one; and memory that runs out is told. */
static void test_of_another_kind(void **state)
{
    (void)state;
    struct nv_arena none = {.limit = 16}, arena = arena_of_test();
    struct nv_grant_box boxes[MOST];
    struct nv_key_name keys[MOST];
    struct nv_grant grant = random_grant(boxes);
    struct nv_ask ask = random_ask(keys);
    struct nv_buffer granted = {0}, asked = {0};
    nv_grant_encode(&grant, &granted);
    nv_ask_encode(&ask, &asked);
    assert_int_equal(nv_grant_decode(nv_buffer_slice(&asked), &arena, &grant, NULL), NV_REFUSED);
    assert_int_equal(nv_ask_decode(nv_buffer_slice(&granted), &arena, &ask, NULL), NV_REFUSED);
    assert_int_equal(nv_grant_decode(nv_buffer_slice(&granted), &none, &grant, NULL), NV_NO_MEMORY);
    assert_int_equal(nv_ask_decode(nv_buffer_slice(&asked), &none, &ask, NULL), NV_NO_MEMORY);
    nv_buffer_done(&granted);
    nv_buffer_done(&asked);
    nv_arena_done(&none);
    nv_arena_done(&arena);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grants_come_back), cmocka_unit_test(test_asks_come_back),
        cmocka_unit_test(test_changed_bytes),    cmocka_unit_test(test_forms_of_grants),
        cmocka_unit_test(test_forms_of_asks),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_of_another_kind),
    };
    return cmocka_run_group_tests_name("grants and asks", tests, NULL, NULL);
}
