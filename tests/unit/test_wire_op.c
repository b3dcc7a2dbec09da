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

<<<<<<< HEAD
=======
/* ---- a second opinion on what is good: protobuf-c and the rules of PROTOCOL.md, "Ops" ---- */

static size_t values_in(ProtobufCBinaryData bytes, bool may_be_null)
{
    struct nv_reader reader = nv_reader_of((struct nv_slice){bytes.data, bytes.len});
    size_t count = 0;
    while (nv_reader_left(&reader) > 0) {
        struct nv_value value;
        if (!nv_value_decode(&reader, &value) || (value.type == NV_NULL && !may_be_null))
            return SIZE_MAX;
        count++;
    }
    return count;
}

static bool good_dot(const Navette__Dot *dot)
{
    return dot != NULL && dot->site.len == 16 && dot->seq > 0 && dot->index < NV_LIMIT_CHANGESET_OPS;
}

static bool good_put(const Navette__Op *op)
{
    size_t count = (size_t)__builtin_popcountll(op->fields);
    if (values_in(op->values, true) != count || (op->n_ages_ms != 0 && op->n_ages_ms != count))
        return false;
    bool has_age = op->n_ages_ms == 0;
    for (size_t i = 0; i < op->n_ages_ms; i++) {
        if (op->ages_ms[i] > (uint64_t)(op->time_ms + NV_LIMIT_TIME_MS))
            return false;
        has_age = has_age || op->ages_ms[i] > 0;
    }
    return has_age && (op->home.len == 0 || op->home.len == 16);
}

static bool good_op(const Navette__Op *op)
{
    bool has_record = op->table != 0 || op->key.len > 0 || op->n_excepts > 0;
    bool has_values = op->fields != 0 || op->values.len > 0 || op->n_ages_ms > 0 || op->home.len > 0;
    if (op->genesis != NULL || op->certificate != NULL || op->schema != NULL)
        return false;
    for (size_t i = 0; i < op->n_excepts; i++)
        if (!good_dot(op->excepts[i]->dot) || op->excepts[i]->fields == 0)
            return false;
    for (size_t i = 0; i < op->n_names; i++)
        if (!good_dot(op->names[i]))
            return false;
    if (op->time_ms > NV_LIMIT_TIME_MS || op->time_ms < -NV_LIMIT_TIME_MS)
        return false;
    if (op->kind == NV_OP_REDACT)
        return !has_record && !has_values && op->n_names > 0;
    size_t columns = values_in(op->key, false);
    if (op->table == 0 || op->table > NV_LIMIT_TABLES || op->n_names > 0 || columns == 0 ||
        columns > NV_LIMIT_KEY_COLUMNS || op->key.len > NV_LIMIT_KEY_BYTES)
        return false;
    return op->kind == NV_OP_PUT ? good_put(op) : op->kind == NV_OP_DELETE && !has_values;
}

static bool has_unknown(const Navette__Op *op)
{
    bool any = op->base.n_unknown_fields > 0;
    for (size_t i = 0; i < op->n_excepts; i++)
        any = any || op->excepts[i]->base.n_unknown_fields > 0 ||
              (op->excepts[i]->dot != NULL && op->excepts[i]->dot->base.n_unknown_fields > 0);
    for (size_t i = 0; i < op->n_names; i++)
        any = any || op->names[i]->base.n_unknown_fields > 0;
    return any;
}

static bool is_canonical(const Navette__Op *op, struct nv_slice bytes)
{
    if (navette__op__get_packed_size(op) != bytes.size)
        return false;
    uint8_t *again = malloc(bytes.size + 1);
    navette__op__pack(op, again);
    bool is_same = memcmp(again, bytes.data, bytes.size) == 0;
    free(again);
    return is_same;
}

static bool is_known(uint32_t kind)
{
    return (kind >= NV_OP_PUT && kind <= NV_OP_REDACT) || (kind >= NV_OP_GENESIS && kind <= NV_OP_SCHEMA);
}

/* Both verdicts on the same bytes; fails where they differ. */
static enum nv_status judge(struct nv_slice bytes, struct nv_arena *arena, struct nv_op *op)
{
    nv_arena_reset(arena);
    enum nv_status ours = nv_op_decode(bytes, arena, op, NULL);
    Navette__Op *theirs = navette__op__unpack(NULL, bytes.size, bytes.data);
    bool is_newer = theirs != NULL && (has_unknown(theirs) || (theirs->kind != 0 && !is_known(theirs->kind)));
    bool is_good = theirs != NULL && !is_newer && is_canonical(theirs, bytes) && good_op(theirs);
    assert_int_equal(ours == NV_OK, is_good);
    /* Ours stops at the first part that is not known here; protobuf-c also reads what stands in the others. */
    assert_true(ours != NV_NOT_YET || is_newer || theirs == NULL);
    assert_true(ours != NV_OK || same_op(theirs, op));
    if (theirs != NULL)
        navette__op__free_unpacked(theirs, NULL);
    return ours;
}

>>>>>>> fuzz
static void change_bytes(struct nv_buffer *bytes)
{
    for (uint64_t changes = 1 + sample_random(2); changes > 0 && bytes->size > 0; changes--) {
        size_t at = sample_random(bytes->size);
        switch (sample_random(5)) {
        case 0:
            bytes->data[at] ^= (uint8_t)(1u << sample_random(8));
            break;
        case 1:
            bytes->data[at] = (uint8_t)sample_random(256);
            break;
        case 2: /* a byte less */
            memmove(bytes->data + at, bytes->data + at + 1, bytes->size - at - 1);
            bytes->size--;
            break;
        case 3: /* a byte more */
            nv_buffer_append_byte(bytes, 0);
            memmove(bytes->data + at + 1, bytes->data + at, bytes->size - at - 1);
            bytes->data[at] = (uint8_t)sample_random(256);
            break;
        default: /* cut */
            bytes->size = at;
            break;
        }
    }
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
        change_bytes(&bytes);
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
    switch (sample_random(9)) {
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

<<<<<<< HEAD
=======
/* ---- limits, one by one ---- */

static enum nv_status verdict(const struct nv_op *op)
{
    struct nv_buffer bytes = {0};
    struct nv_arena arena = arena_of_test();
    struct nv_op *read = malloc(sizeof *read);
    nv_op_encode(op, &bytes);
    enum nv_status status = judge(nv_buffer_slice(&bytes), &arena, read);
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
    nv_append_number_field(&bytes, 19, 1);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_NOT_YET);
    nv_buffer_clear(&bytes);
    nv_append_number_field(&bytes, 1, 4);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_NOT_YET);
    nv_buffer_clear(&bytes);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&bytes), &arena, op, NULL), NV_REFUSED);
    free(op);
    nv_buffer_done(&bytes);
    nv_buffer_done(&key);
    nv_arena_done(&arena);
}

>>>>>>> fuzz
int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
<<<<<<< HEAD
        cmocka_unit_test(test_random_ops),
        cmocka_unit_test(test_changed_ops),
        cmocka_unit_test(test_changed_fields),
=======
        cmocka_unit_test(test_random_ops),     cmocka_unit_test(test_changed_ops),
        cmocka_unit_test(test_changed_fields), cmocka_unit_test(test_key_limits),
        cmocka_unit_test(test_list_limits),    cmocka_unit_test(test_dots),
        cmocka_unit_test(test_newer_ops_wait), cmocka_unit_test(test_ages_of_zero),
>>>>>>> fuzz
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
