/* Ops one by one: limits, parts that do not go together, dots that are none, and what newer software may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/form.h"
#include "wire_opinion.h"
#include "wire_samples.h"

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 16u << 20};
}

static enum nv_status verdict(const struct nv_op *op)
{
    struct nv_buffer bytes = {0};
    struct nv_arena arena = arena_of_test();
    struct nv_op *read = malloc(sizeof *read);
    nv_op_encode(op, &bytes);
    enum nv_status status = opinion_judge(nv_buffer_slice(&bytes), &arena, read);
    free(read);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

static struct nv_slice key_of(size_t columns, size_t bytes_each, struct nv_buffer *buffer)
{
    uint8_t text[NV_LIMIT_KEY_BYTES + 1] = {0};
    nv_buffer_clear(buffer);
    for (size_t i = 0; i < columns; i++) {
        struct nv_value value = {.type = NV_TEXT, .bytes = {text, bytes_each}};
        nv_value_encode(buffer, &value);
    }
    return nv_buffer_slice(buffer);
}

static void test_key_limits(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    struct nv_op op = {.kind = NV_OP_DELETE, .table = 1};
    assert_int_equal(verdict(&op), NV_REFUSED);
    op.key = key_of(NV_LIMIT_KEY_COLUMNS, 3, &buffer);
    assert_int_equal(verdict(&op), NV_OK);
    op.key = key_of(NV_LIMIT_KEY_COLUMNS + 1, 3, &buffer);
    assert_int_equal(verdict(&op), NV_REFUSED);
    op.key = key_of(1, NV_LIMIT_KEY_BYTES - 3, &buffer);
    assert_int_equal(op.key.size, NV_LIMIT_KEY_BYTES);
    assert_int_equal(verdict(&op), NV_OK);
    op.key = key_of(1, NV_LIMIT_KEY_BYTES - 2, &buffer);
    assert_int_equal(verdict(&op), NV_REFUSED);
    op.key = (struct nv_slice){(const uint8_t *)"\0", 1};
    assert_int_equal(verdict(&op), NV_REFUSED);
    nv_buffer_done(&buffer);
}

static void test_list_limits(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    struct nv_arena arena = arena_of_test();
    struct nv_op op = {.kind = NV_OP_DELETE, .table = 1, .key = key_of(1, 3, &buffer)};
    op.excepts = nv_arena_alloc(&arena, (NV_LIMIT_EXCEPTS + 1) * sizeof *op.excepts);
    op.names = nv_arena_alloc(&arena, (NV_LIMIT_NAMES + 1) * sizeof *op.names);
    for (size_t i = 0; i <= NV_LIMIT_EXCEPTS; i++)
        op.excepts[i] = (struct nv_except){.dot.seq = i + 1, .fields = 1};
    for (size_t i = 0; i <= NV_LIMIT_NAMES; i++)
        op.names[i] = (struct nv_far_dot){.seq = i + 1};
    op.except_count = NV_LIMIT_EXCEPTS;
    assert_int_equal(verdict(&op), NV_OK);
    struct nv_op redact = {.kind = NV_OP_REDACT, .names = op.names, .name_count = NV_LIMIT_NAMES};
    assert_int_equal(verdict(&redact), NV_OK);

    struct nv_buffer bytes = {0};
    struct nv_arena small = {.limit = 1024}; /* refused before anything is allocated */
    op.except_count++;
    nv_op_encode(&op, &bytes);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &small, &op, NULL), NV_REFUSED);
    nv_buffer_clear(&bytes);
    redact.name_count++;
    nv_op_encode(&redact, &bytes);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &small, &op, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_buffer_done(&buffer);
    nv_arena_done(&small);
    nv_arena_done(&arena);
}

static void test_dots(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    struct nv_except except = {.dot = {.seq = 1, .index = NV_LIMIT_CHANGESET_OPS - 1}, .fields = 1};
    const struct nv_except good = except;
    struct nv_op op = {.kind = NV_OP_DELETE, .table = 1, .key = key_of(1, 3, &buffer), .except_count = 1};
    op.excepts = &except;
    assert_int_equal(verdict(&op), NV_OK);
    except.fields = 0;
    assert_int_equal(verdict(&op), NV_REFUSED);
    except = good;
    except.dot.seq = 0;
    assert_int_equal(verdict(&op), NV_REFUSED);
    except = good;
    except.dot.index++;
    assert_int_equal(verdict(&op), NV_REFUSED);
    nv_buffer_done(&buffer);
}

static void test_newer_ops_wait(void **state)
{
    (void)state;
    struct nv_buffer key = {0}, bytes = {0};
    struct nv_arena arena = arena_of_test();
    struct nv_op *op = malloc(sizeof *op);
    struct nv_op made = {.kind = NV_OP_DELETE, .table = 1, .key = key_of(1, 3, &key)};
    nv_op_encode(&made, &bytes);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_OK);
    nv_append_number_field(&bytes, 40, 1);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_NOT_YET);
    nv_buffer_clear(&bytes);
    nv_append_number_field(&bytes, 1, 7);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_NOT_YET);
    nv_buffer_clear(&bytes);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_REFUSED);
    free(op);
    nv_buffer_done(&bytes);
    nv_buffer_done(&key);
    nv_arena_done(&arena);
}

/* ---- parts that do not belong to a kind, and dots that are none ---- */

/* Every kind with every part: which of them go together, the second opinion says. */
static void test_parts_of_another_kind(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {NV_OP_PUT,    NV_OP_DELETE,  NV_OP_REDACT,      NV_OP_SEALED, NV_OP_GRANT,
                                     NV_OP_ASK,    NV_OP_GENESIS, NV_OP_CERTIFICATE, NV_OP_SCHEMA, NV_OP_GROUP,
                                     NV_OP_READER, NV_OP_REMOVAL, NV_OP_REVOCATION};
    enum { PARTS = 20, FIRST_CONTROL = 8, CONTROLS = 0x1ff00, TIME = 1 << 17 };
    struct nv_arena arena = arena_of_test();
    struct nv_op *op = malloc(sizeof *op);
    size_t good = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (unsigned parts = 0; parts < 1u << PARTS; parts++) {
            if (__builtin_popcount(parts & CONTROLS) > 2)
                continue; /* two that do not go together are as good as all */
            uint8_t key[] = {3, 1, 'k'}, null[] = {0}, site[16] = {1};
            uint64_t age = 5;
            Navette__Dot dot = NAVETTE__DOT__INIT;
            dot.site = (ProtobufCBinaryData){.len = 16, .data = site};
            dot.seq = 1;
            Navette__Except except = NAVETTE__EXCEPT__INIT;
            except.dot = &dot;
            except.fields = 1;
            Navette__Genesis genesis = NAVETTE__GENESIS__INIT;
            Navette__Certificate certificate = NAVETTE__CERTIFICATE__INIT;
            Navette__Schema schema = NAVETTE__SCHEMA__INIT;
            Navette__Group group = NAVETTE__GROUP__INIT;
            Navette__Reader reader = NAVETTE__READER__INIT;
            Navette__Removal removal = NAVETTE__REMOVAL__INIT;
            Navette__Revocation revocation = NAVETTE__REVOCATION__INIT;
            uint8_t box[80] = {0};
            Navette__Box sealed = NAVETTE__BOX__INIT;
            sealed.site = dot.site;
            sealed.sealed = (ProtobufCBinaryData){.len = sizeof box, .data = box};
            Navette__Grant grant = NAVETTE__GRANT__INIT;
            grant.key_id = (ProtobufCBinaryData){.len = 32, .data = box};
            grant.n_boxes = 1;
            grant.boxes = (Navette__Box *[]){&sealed};
            Navette__KeyName name = NAVETTE__KEY_NAME__INIT;
            name.site = dot.site;
            name.number = 1;
            Navette__Ask ask = NAVETTE__ASK__INIT;
            ask.of = dot.site;
            ask.n_keys = 1;
            ask.keys = (Navette__KeyName *[]){&name};
            Navette__Op wire = NAVETTE__OP__INIT;
            wire.kind = kinds[i];
            wire.table = parts & 1 ? 1 : 0;
            wire.key = (ProtobufCBinaryData){.len = parts & 2 ? sizeof key : 0, .data = key};
            wire.fields = parts & 4 ? 1 : 0;
            wire.values = (ProtobufCBinaryData){.len = parts & 8 ? sizeof null : 0, .data = null};
            wire.n_ages_ms = parts & 16 ? 1 : 0;
            wire.ages_ms = &age;
            wire.home = (ProtobufCBinaryData){.len = parts & 32 ? sizeof site : 0, .data = site};
            wire.n_excepts = parts & 64 ? 1 : 0;
            wire.excepts = (Navette__Except *[]){&except};
            wire.n_names = parts & 128 ? 1 : 0;
            wire.names = (Navette__Dot *[]){&dot};
            wire.genesis = parts & 256 ? &genesis : NULL;
            wire.certificate = parts & 512 ? &certificate : NULL;
            wire.schema = parts & 1024 ? &schema : NULL;
            wire.group = parts & 2048 ? &group : NULL;
            wire.reader = parts & 4096 ? &reader : NULL;
            wire.removal = parts & 8192 ? &removal : NULL;
            wire.revocation = parts & 16384 ? &revocation : NULL;
            wire.time_ms = parts & TIME ? 5 : 0;
            wire.key_number = parts & 1 << 18 ? 1 : 0;
            wire.box = (ProtobufCBinaryData){.len = parts & 1 << 19 ? sizeof box : 0, .data = box};
            wire.grant = parts & 1 << 15 ? &grant : NULL;
            wire.ask = parts & 1 << 16 ? &ask : NULL;
            uint8_t bytes[512];
            struct nv_slice packed = {bytes, navette__op__pack(&wire, bytes)};
            if (kinds[i] < NV_OP_GENESIS) {
                good += opinion_judge(packed, &arena, op) == NV_OK;
                continue;
            }
            unsigned own = 1u << (FIRST_CONTROL + kinds[i] - NV_OP_GENESIS);
            nv_arena_reset(&arena);
            assert_int_equal(nv_op_decode(packed, &arena, op, NULL),
                             (parts & ~(unsigned)TIME) == own ? NV_OK : NV_REFUSED);
        }
    /* A put with its table and key: no fields, or one with or without its age; with a home or not, excepts or not. A
     * delete with excepts or not. A redact with names. All of these with a time or not. A box with the number of its
     * key or not. A grant, an ask. */
    assert_int_equal(good, 2 * (3 * 2 * 2 + 2 + 1) + 2 + 1 + 1);
    free(op);
    nv_arena_done(&arena);
}

/* The second opinion is asked for each of them too. */
static void test_forms_of_dots(void **state)
{
    (void)state;
#define SITE                                                                                                           \
    "\x0a\x10"                                                                                                         \
    "0123456789abcdef"
#define EPOCH                                                                                                          \
    "\x11"                                                                                                             \
    "\1\0\0\0\0\0\0\0"
    static const struct {
        const char *dot;
        size_t size;
        enum nv_status expected;
    } dots[] = {
#define DOT(text, expected) {text, sizeof(text) - 1, expected}
        DOT(SITE EPOCH "\x18\x01\x20\x02", NV_OK),
        DOT(SITE "\x18\x01", NV_OK),
        DOT("\x18\x01", NV_REFUSED), /* no site */
        DOT("\x0a\x0f"
            "0123456789abcde\x18\x01",
            NV_REFUSED),                       /* a short one */
        DOT("\x08\x01\x18\x01", NV_REFUSED),   /* a number in its place */
        DOT(SITE SITE "\x18\x01", NV_REFUSED), /* twice */
        DOT(SITE "\x11"
                 "\0\0\0\0\0\0\0\0"
                 "\x18\x01",
            NV_REFUSED),                          /* a default that is said */
        DOT(SITE "\x10\x01\x18\x01", NV_REFUSED), /* an epoch that is a varint */
        DOT(SITE EPOCH, NV_REFUSED),              /* no seq */
        DOT(SITE "\x18\x00", NV_REFUSED),
        DOT(SITE "\x18\x01\x20\x80\x80\x01", NV_REFUSED),         /* an index beyond any changeset */
        DOT(SITE "\x18\x01\x20\xff\xff\xff\xff\x1f", NV_REFUSED), /* and one beyond 32 bits */
        DOT(SITE "\x18\x01\x18\x01", NV_REFUSED),
        DOT(SITE "\x20\x01\x18\x01", NV_REFUSED),         /* in another order */
        DOT(SITE "\x18", NV_REFUSED),                     /* cut */
        DOT(SITE "\x18\x01\x28\x01", NV_NOT_YET),         /* a part that may come */
        DOT(SITE "\x18\x01\x28\x01\x28\x02", NV_NOT_YET), /* and that repeats */
    };
    struct nv_arena arena = arena_of_test();
    struct nv_op *op = malloc(sizeof *op);
    for (size_t i = 0; i < sizeof dots / sizeof *dots; i++) {
        struct nv_buffer bytes = {0};
        nv_append_number_field(&bytes, 1, NV_OP_REDACT);
        nv_append_bytes_field(&bytes, 10, (struct nv_slice){(const uint8_t *)dots[i].dot, dots[i].size});
        if (opinion_judge(nv_buffer_slice(&bytes), &arena, op) != dots[i].expected)
            fail_msg("the dot number %zu", i);
        nv_buffer_done(&bytes);
    }

    static const struct {
        const char *except;
        size_t size;
        enum nv_status expected;
    } excepts[] = {
#define IN_EXCEPT "\x0a\x14" SITE "\x18\x01"
        {IN_EXCEPT "\x10\x01", 24, NV_OK},
        {IN_EXCEPT, 22, NV_REFUSED},         /* of no field */
        {"\x10\x01", 2, NV_REFUSED},         /* of no dot */
        {"\x08\x01\x10\x01", 4, NV_REFUSED}, /* of a dot that is a number */
        {IN_EXCEPT "\x10\x00", 24, NV_REFUSED},
        {IN_EXCEPT "\x10\x01\x10\x02", 26, NV_REFUSED},         /* the fields twice */
        {IN_EXCEPT "\x12\x01\x01", 25, NV_REFUSED},             /* fields that are bytes */
        {IN_EXCEPT "\x10\x01\x18\x01", 26, NV_NOT_YET},         /* a part that may come */
        {IN_EXCEPT "\x10\x01\x18\x01\x18\x01", 28, NV_NOT_YET}, /* and that repeats */
        {IN_EXCEPT "\x10\x01\x18", 25, NV_REFUSED},             /* cut */
    };
    for (size_t i = 0; i < sizeof excepts / sizeof *excepts; i++) {
        struct nv_buffer bytes = {0};
        nv_append_number_field(&bytes, 1, NV_OP_DELETE);
        nv_append_number_field(&bytes, 2, 1);
        nv_append_bytes_field(&bytes, 3, (struct nv_slice){(const uint8_t *)"\3\1k", 3});
        nv_append_bytes_field(&bytes, 9, (struct nv_slice){(const uint8_t *)excepts[i].except, excepts[i].size});
        if (opinion_judge(nv_buffer_slice(&bytes), &arena, op) != excepts[i].expected)
            fail_msg("the except number %zu", i);
        nv_buffer_done(&bytes);
    }
    free(op);
    nv_arena_done(&arena);
}

/* A part that is known stands once; one that is not may be one that repeats. */
static void test_parts_that_repeat(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_op *op = malloc(sizeof *op);
    for (uint32_t number = 1; number <= 24; number++) {
        bool is_known = number <= 14 || (number >= NV_OP_GENESIS && number <= NV_OP_REVOCATION);
        struct nv_buffer bytes = {0};
        if (number > 1)
            nv_append_number_field(&bytes, 1, NV_OP_REDACT);
        for (int i = 0; i < 2; i++)
            nv_append_number_field(&bytes, number, 1);
        assert_int_equal(opinion_judge(nv_buffer_slice(&bytes), &arena, op), is_known ? NV_REFUSED : NV_NOT_YET);
        nv_buffer_done(&bytes);
    }
    free(op);
    nv_arena_done(&arena);
}

static void test_times_before_1970(void **state)
{
    (void)state;
    struct nv_buffer buffer = {0};
    struct nv_op op = {.kind = NV_OP_DELETE, .table = 1, .key = key_of(1, 3, &buffer)};
    const struct {
        int64_t ms;
        enum nv_status expected;
    } times[] = {{-1, NV_OK}, {-NV_LIMIT_TIME_MS, NV_OK}, {-NV_LIMIT_TIME_MS - 1, NV_REFUSED}, {INT64_MIN, NV_REFUSED}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        op.time.ms = times[i].ms;
        assert_int_equal(verdict(&op), times[i].expected);
    }
    nv_buffer_done(&buffer);
}

/* No ages and ages that are all 0 would be two forms of one op. */
static void test_ages_of_zero(void **state)
{
    (void)state;
    static const uint8_t ages[] = {0, 0};
    struct nv_buffer key = {0}, bytes = {0};
    struct nv_arena arena = arena_of_test();
    struct nv_op *read = malloc(sizeof *read);
    struct nv_op op = {.kind = NV_OP_PUT, .table = 1, .key = key_of(1, 3, &key), .fields = 3, .value_count = 2};
    nv_op_encode(&op, &bytes);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, read, NULL), NV_OK);
    nv_append_bytes_field(&bytes, 7, (struct nv_slice){ages, sizeof ages});
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, read, NULL), NV_REFUSED);
    op.ages[1] = 1;
    assert_int_equal(verdict(&op), NV_OK);
    free(read);
    nv_buffer_done(&bytes);
    nv_buffer_done(&key);
    nv_arena_done(&arena);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_limits),        cmocka_unit_test(test_list_limits),
        cmocka_unit_test(test_ages_of_zero),      cmocka_unit_test(test_dots),
        cmocka_unit_test(test_newer_ops_wait),    cmocka_unit_test(test_parts_of_another_kind),
        cmocka_unit_test(test_forms_of_dots),     cmocka_unit_test(test_parts_that_repeat),
        cmocka_unit_test(test_times_before_1970),
    };
    return cmocka_run_group_tests_name("forms of ops", tests, NULL, NULL);
}
