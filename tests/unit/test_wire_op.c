/* Ops: our own reader is held to protobuf-c, and both to the rules of the protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire_opinion.h"
#include "wire_samples.h"

enum { RANDOM_OPS = 4000, RANDOM_CHANGES = 20000 };

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 16u << 20};
}

static void test_random_ops(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_op *written = malloc(sizeof *written), *read = malloc(sizeof *read);
    for (size_t round = 0; round < RANDOM_OPS; round++) {
        nv_arena_reset(&arena);
        struct nv_buffer bytes = {0};
        sample_op(written, &arena);
        nv_op_encode(written, &bytes);
        Navette__Op *theirs = navette__op__unpack(NULL, bytes.size, bytes.data);
        assert_non_null(theirs);
        assert_true(opinion_same_op(theirs, written));
        assert_int_equal(navette__op__get_packed_size(theirs), bytes.size);
        uint8_t *again = malloc(bytes.size);
        navette__op__pack(theirs, again);
        assert_memory_equal(again, bytes.data, bytes.size);
        memset(read, 0xa5, sizeof *read); /* nothing may depend on what stood there */
        struct nv_error error = {0};
        if (nv_op_decode(nv_buffer_slice(&bytes), &arena, read, &error) != NV_OK)
            fail_msg("%s", error.text);
        assert_true(opinion_same_op(theirs, read));
        assert_int_equal(read->control.size, 0);
        free(again);
        navette__op__free_unpacked(theirs, NULL);
        nv_buffer_done(&bytes);
    }
    free(written);
    free(read);
    nv_arena_done(&arena);
}

static void test_changed_ops(void **state)
{
    (void)state;
    struct nv_arena made = arena_of_test(), arena = arena_of_test();
    struct nv_op *op = malloc(sizeof *op);
    size_t good = 0, newer = 0;
    for (size_t round = 0; round < RANDOM_CHANGES; round++) {
        struct nv_buffer bytes = {0};
        nv_arena_reset(&made);
        sample_op(op, &made);
        nv_op_encode(op, &bytes);
        sample_change(&bytes);
        uint8_t *exact = malloc(bytes.size + 1);
        memcpy(exact + 1, bytes.data, bytes.size);
        enum nv_status status = opinion_judge((struct nv_slice){exact + 1, bytes.size}, &arena, op);
        good += status == NV_OK;
        newer += status == NV_NOT_YET;
        free(exact);
        nv_buffer_done(&bytes);
    }
    /* All three verdicts were seen often. */
    assert_true(good > RANDOM_CHANGES / 100 && newer > RANDOM_CHANGES / 1000 && good + newer < RANDOM_CHANGES / 2);
    free(op);
    nv_arena_done(&made);
    nv_arena_done(&arena);
}

/* Whole fields changed by protobuf-c, which byte changes seldom reach. */
static void change_field(Navette__Op *op, Navette__Genesis *genesis)
{
    static const uint64_t edges[] = {0, 1, 2, 3, 4, 16, 1024, 1025, UINT32_MAX};
    uint64_t edge = edges[sample_random(sizeof edges / sizeof edges[0])];
    switch (sample_random(11)) {
    case 0:
        op->kind = (uint32_t)edge;
        break;
    case 1:
        op->table = (uint32_t)edge;
        break;
    case 2:
        op->key.len = sample_random(op->key.len + 1);
        break;
    case 3:
        op->time_ms = sample_random(2) == 0 ? NV_LIMIT_TIME_MS + (int64_t)sample_random(2)
                                            : -NV_LIMIT_TIME_MS - (int64_t)sample_random(2);
        break;
    case 4:
        op->fields = edge;
        break;
    case 5:
        op->values.len = sample_random(op->values.len + 1);
        break;
    case 6:
        op->n_ages_ms = sample_random(op->n_ages_ms + 1);
        break;
    case 7:
        op->home.len = sample_random(op->home.len + 1);
        break;
    case 8:
        op->key_number = edge;
        break;
    case 9:
        op->box.len = sample_random(op->box.len + 1);
        break;
    default:
        op->genesis = genesis;
        break;
    }
}

static void test_changed_fields(void **state)
{
    (void)state;
    struct nv_arena made = arena_of_test(), arena = arena_of_test();
    struct nv_op *op = malloc(sizeof *op);
    for (size_t round = 0; round < RANDOM_CHANGES; round++) {
        struct nv_buffer bytes = {0};
        nv_arena_reset(&made);
        sample_op(op, &made);
        nv_op_encode(op, &bytes);
        Navette__Op *wire = navette__op__unpack(NULL, bytes.size, bytes.data);
        Navette__Op copy = *wire;
        Navette__Genesis genesis = NAVETTE__GENESIS__INIT;
        change_field(&copy, &genesis);
        uint8_t *packed = malloc(navette__op__get_packed_size(&copy) + 1);
        size_t size = navette__op__pack(&copy, packed);
        opinion_judge((struct nv_slice){packed, size}, &arena, op);
        free(packed);
        navette__op__free_unpacked(wire, NULL);
        nv_buffer_done(&bytes);
    }
    free(op);
    nv_arena_done(&made);
    nv_arena_done(&arena);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_ops),
        cmocka_unit_test(test_changed_ops),
        cmocka_unit_test(test_changed_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
