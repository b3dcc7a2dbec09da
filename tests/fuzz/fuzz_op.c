/* Ops, boxes, values, the order of values, what a row shows of several, and vectors of heads. */
#include <assert.h>

#include "core/heads.h"
#include "core/rule.h"
#include "parts.h"
#include "target.h"
#include "wire/sealed.h"

enum { VALUES_MAX = 12, CANDIDATES_MAX = 6, HEADS_MAX = 8 };

static void decode_op(struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op);
    if (nv_op_decode(bytes, arena, op, NULL) == NV_OK)
        nv_fuzz_op_again(op, bytes);
}

/* ---- an op that keeps to the protocol, then a bit of it turned ---- */

static bool dots_equal(const struct nv_far_dot *a, const struct nv_far_dot *b)
{
    return nv_site_id_compare(a->site, b->site) == 0 && a->epoch == b->epoch && a->seq == b->seq &&
           a->index == b->index;
}

static bool ops_equal(const struct nv_op *a, const struct nv_op *b)
{
    if (a->kind != b->kind || a->table != b->table || !nv_slice_equal(a->key, b->key) || a->time.ms != b->time.ms ||
        a->has_home != b->has_home || a->fields != b->fields || a->value_count != b->value_count ||
        a->except_count != b->except_count || a->name_count != b->name_count || a->key_number != b->key_number ||
        !nv_slice_equal(a->box, b->box))
        return false;
    bool are_equal = !a->has_home || nv_site_id_compare(a->home, b->home) == 0;
    for (size_t i = 0; i < a->value_count; i++)
        are_equal = are_equal && nv_value_equal(&a->values[i], &b->values[i]) && a->ages[i] == b->ages[i];
    for (size_t i = 0; i < a->except_count; i++)
        are_equal = are_equal && dots_equal(&a->excepts[i].dot, &b->excepts[i].dot) &&
                    a->excepts[i].fields == b->excepts[i].fields;
    for (size_t i = 0; i < a->name_count; i++)
        are_equal = are_equal && dots_equal(&a->names[i], &b->names[i]);
    return are_equal;
}

static void build_op(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op), *again = nv_fuzz_alloc(arena, sizeof *again);
    struct nv_buffer bytes = {0};
    nv_fuzz_op(dice, arena, op);
    nv_op_encode(op, &bytes);
    enum nv_status status = nv_op_decode(nv_buffer_slice(&bytes), arena, again, NULL);
    assert(status == NV_OK && ops_equal(op, again));
    nv_fuzz_flip(dice, bytes.data, bytes.size);
    decode_op(nv_buffer_slice(&bytes));
    nv_buffer_done(&bytes);
}

static void build_key_op(struct nv_dice *dice)
{
    struct nv_buffer bytes = {0};
    nv_fuzz_key_op(dice, &bytes);
    decode_op(nv_buffer_slice(&bytes));
    nv_fuzz_flip(dice, bytes.data, bytes.size);
    decode_op(nv_buffer_slice(&bytes));
    nv_buffer_done(&bytes);
}

/* ---- boxes ---- */

/* A box opens where all is as it was sealed, and not where one bit of it is turned. */
static void seal_and_open(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_op *read = nv_fuzz_alloc(arena, sizeof *read);
    struct nv_content_key key = {{0}};
    struct nv_salt salt = {{0}};
    struct nv_log_id log = {.epoch = nv_fuzz_number(dice)};
    struct nv_buffer bytes = {0};
    struct nv_slice op = nv_fuzz_bytes(dice, arena, 200), opened;
    uint32_t index = (uint32_t)nv_dice_below(dice, NV_LIMIT_CHANGESET_OPS);
    op.size += op.size == 0;
    nv_dice_bytes(dice, key.bytes, 4);
    nv_dice_bytes(dice, salt.bytes, 4);
    struct nv_hash id = nv_content_key_id(&key, &log);
    struct nv_box_bound bound = nv_box_bound_of(&id, &log, nv_fuzz_number(dice));
    nv_box_append(&key, nv_fuzz_number(dice), &bound, index, &salt, op, &bytes);
    enum nv_status status = nv_op_decode(nv_buffer_slice(&bytes), arena, read, NULL);
    assert(status == NV_OK && read->kind == NV_OP_SEALED);
    uint8_t *room = nv_fuzz_alloc(arena, read->box.size);
    bool is_open = nv_box_open(&key, &bound, index, &salt, read->box, room, &opened);
    assert(is_open && nv_slice_equal(op, opened));
    nv_fuzz_flip(dice, bytes.data + bytes.size - read->box.size, read->box.size);
    is_open = nv_box_open(&key, &bound, index, &salt, read->box, room, &opened);
    assert(!is_open);
    nv_buffer_done(&bytes);
}

/* ---- values ---- */

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

/* Values that are equal have equal bytes, and their order is one. */
static void check_order(const struct nv_value *values, const struct nv_slice *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(values[i].type != NV_REAL || values[i].real == values[i].real); /* no NaN */
        for (size_t j = 0; j < count; j++) {
            int order = sign_of(nv_value_compare(&values[i], &values[j]));
            assert(order == -sign_of(nv_value_compare(&values[j], &values[i])));
            assert((order == 0) == nv_slice_equal(bytes[i], bytes[j]));
            assert((order == 0) == nv_value_equal(&values[i], &values[j]));
            for (size_t k = 0; k < count && order < 0; k++)
                assert(nv_value_compare(&values[j], &values[k]) >= 0 || nv_value_compare(&values[i], &values[k]) < 0);
        }
    }
}

static void decode_values(struct nv_slice bytes)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_value values[VALUES_MAX];
    struct nv_slice encoded[VALUES_MAX];
    struct nv_buffer again = {0};
    size_t count = 0;
    for (const uint8_t *begun = reader.at; count < VALUES_MAX && nv_value_decode(&reader, &values[count]);
         begun = reader.at) {
        encoded[count++] = (struct nv_slice){.data = begun, .size = (size_t)(reader.at - begun)};
        nv_value_encode(&again, &values[count - 1]);
    }
    size_t taken = bytes.size - nv_reader_left(&reader);
    assert(nv_slice_equal(nv_buffer_slice(&again), (struct nv_slice){bytes.data, taken}));
    nv_buffer_done(&again);
    check_order(values, encoded, count);
}

/* ---- which sibling is shown ---- */

static void choose(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_candidate candidates[CANDIDATES_MAX], shuffled[CANDIDATES_MAX];
    size_t order[CANDIDATES_MAX], count = 1 + nv_dice_below(dice, CANDIDATES_MAX);
    struct nv_site_id home = {{(uint8_t)nv_dice_below(dice, 3)}};
    for (size_t i = 0; i < count; i++) {
        candidates[i] = (struct nv_candidate){.value = nv_dice_value(dice, nv_fuzz_alloc(arena, NV_DICE_VALUE_BYTES)),
                                              .time = {(int64_t)nv_dice_below(dice, 3)},
                                              .site = {{(uint8_t)nv_dice_below(dice, 3)}},
                                              .epoch = nv_dice_below(dice, 2),
                                              .seq = nv_dice_below(dice, 3),
                                              .index = (uint32_t)i};
        order[i] = i;
    }
    nv_dice_shuffle(dice, order, count);
    for (size_t i = 0; i < count; i++)
        shuffled[i] = candidates[order[i]];
    assert(nv_rule_distinct(candidates, count) == nv_rule_distinct(shuffled, count));
    for (enum nv_rule rule = NV_RULE_LAST; rule <= NV_RULE_MAX; rule++) {
        size_t chosen = nv_rule_choose(rule, candidates, count, home);
        assert(chosen < count && order[nv_rule_choose(rule, shuffled, count, home)] == chosen);
    }
}

/* ---- vectors of heads ---- */

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void join_heads(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    size_t a_count, b_count;
    struct nv_far_head *a = nv_fuzz_heads(dice, arena, NULL, HEADS_MAX, &a_count);
    struct nv_far_head *b = nv_fuzz_heads(dice, arena, NULL, HEADS_MAX, &b_count);
    struct nv_heads one = {0}, other = {0}, both = {0};
    bool is_done = nv_heads_assign(&one, a, a_count) == NV_OK && nv_heads_assign(&other, b, b_count) == NV_OK &&
                   nv_heads_assign(&both, a, a_count) == NV_OK && nv_heads_join(&both, b, b_count) == NV_OK;
    assert(is_done && nv_heads_ascend(both.heads, both.count));
    assert(nv_heads_cover(&both, a, a_count) && nv_heads_cover(&both, b, b_count));
    assert(nv_heads_lacking(&both, &one) == 0 && nv_heads_lacking(&both, &other) == 0);
    assert(nv_heads_cover(&one, b, b_count) == (nv_heads_lacking(&one, &other) == 0));
    for (size_t i = 0; i < both.count; i++) {
        const struct nv_far_head *head = &both.heads[i];
        assert(head->seq == greater(nv_heads_seq(&one, head), nv_heads_seq(&other, head)));
    }
    for (size_t i = 0; i < b_count; i++) {
        enum nv_status status = nv_heads_raise(&one, &b[i]);
        assert(status == NV_OK);
    }
    assert(one.count == both.count && nv_heads_lacking(&one, &both) == 0 && nv_heads_lacking(&both, &one) == 0);
    nv_heads_done(&one);
    nv_heads_done(&other);
    nv_heads_done(&both);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nv_slice rest = {.data = data + 1, .size = size - 1};
    struct nv_dice dice = nv_dice_scripted(rest);
    nv_fuzz_start();
    switch (data[0] % 7) {
    case 0:
        decode_op(rest);
        break;
    case 1:
        build_op(&dice);
        break;
    case 2:
        decode_values(rest);
        break;
    case 3:
        choose(&dice);
        break;
    case 4:
        join_heads(&dice);
        break;
    case 5:
        build_key_op(&dice);
        break;
    default:
        seal_and_open(&dice);
        break;
    }
    return 0;
}
