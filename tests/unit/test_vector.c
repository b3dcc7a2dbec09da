/* Version vectors against the simplest thing that could be one: an array with a place for each log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/heads.h"
#include "core/vector.h"
#include "dice.h"

enum { LOGS = 24 };

struct plain {
    uint64_t seqs[LOGS + 1]; /* by log number, which counts from 1 */
};

static struct nv_pin pin_of(nv_log_number log, uint64_t seq)
{
    return (struct nv_pin){{(uint8_t)log, (uint8_t)seq, (uint8_t)(seq >> 8)}};
}

static void check_same(const struct nv_vector *vector, const struct plain *plain)
{
    size_t count = 0;
    for (nv_log_number log = 1; log <= LOGS; log++) {
        assert_int_equal(nv_vector_seq(vector, log), plain->seqs[log]);
        const struct nv_head *head = nv_vector_find(vector, log);
        assert_int_equal(head != NULL, plain->seqs[log] != 0);
        if (head == NULL)
            continue;
        struct nv_pin pin = pin_of(log, head->seq);
        assert_memory_equal(head->pin.bytes, pin.bytes, sizeof pin.bytes);
        count++;
    }
    assert_int_equal(vector->count, count);
    for (size_t i = 1; i < vector->count; i++)
        assert_true(vector->heads[i - 1].log < vector->heads[i].log);
}

static void fill(struct nv_dice *dice, struct nv_vector *vector, struct plain *plain)
{
    for (size_t i = nv_dice_below(dice, 2 * LOGS); i > 0; i--) {
        nv_log_number log = (nv_log_number)(1 + nv_dice_below(dice, LOGS));
        uint64_t seq = 1 + nv_dice_below(dice, 4);
        plain->seqs[log] = seq;
        assert_int_equal(nv_vector_set(vector, (struct nv_head){log, seq, pin_of(log, seq)}), NV_OK);
        check_same(vector, plain);
    }
}

static void check_against_plain(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    struct nv_vector a = {0}, b = {0}, copy = {0};
    struct plain plain_a = {0}, plain_b = {0};
    fill(&dice, &a, &plain_a);
    fill(&dice, &b, &plain_b);
    bool covers = true;
    for (size_t log = 1; log <= LOGS; log++)
        covers = covers && plain_a.seqs[log] >= plain_b.seqs[log];
    assert_int_equal(nv_vector_covers(&a, &b), covers);
    assert_int_equal(nv_vector_copy(&copy, &b), NV_OK);
    check_same(&copy, &plain_b);
    assert_int_equal(nv_vector_join(&a, &b), NV_OK);
    for (size_t log = 1; log <= LOGS; log++)
        if (plain_b.seqs[log] > plain_a.seqs[log])
            plain_a.seqs[log] = plain_b.seqs[log];
    check_same(&a, &plain_a);
    check_same(&b, &plain_b);
    assert_true(nv_vector_covers(&a, &b));
    nv_vector_clear(&a);
    check_same(&a, &(struct plain){0});
    nv_vector_done(&a);
    nv_vector_done(&b);
    nv_vector_done(&copy);
}

static void a_vector_is_a_map_of_logs(void **state)
{
    (void)state;
    nv_dice_run("vector", 3000, check_against_plain);
}

static void the_empty_vector_covers_only_itself(void **state)
{
    (void)state;
    struct nv_vector empty = {0}, one = {0};
    assert_int_equal(nv_vector_set(&one, (struct nv_head){.log = 3, .seq = 1}), NV_OK);
    assert_true(nv_vector_covers(&empty, &empty));
    assert_true(nv_vector_covers(&one, &empty));
    assert_false(nv_vector_covers(&empty, &one));
    nv_vector_done(&one);
}

/* A peer may say that it has what nobody ever wrote. */
static void what_is_lacking_is_counted_to_the_most_and_not_beyond(void **state)
{
    (void)state;
    struct nv_far_head claimed[] = {{.epoch = 1, .seq = UINT64_MAX}, {.epoch = 2, .seq = 1}, {.epoch = 3, .seq = 2}};
    struct nv_far_head held[] = {{.epoch = 1, .seq = UINT64_MAX - 5}};
    struct nv_heads greater = {.heads = claimed, .count = 3}, lesser = {.heads = held, .count = 1}, nothing = {0};
    assert_true(nv_heads_lacking(&lesser, &greater) == 5 + 1 + 2);
    assert_true(nv_heads_lacking(&nothing, &greater) == UINT64_MAX);
    assert_true(nv_heads_lacking(&greater, &lesser) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_is_a_map_of_logs),
        cmocka_unit_test(the_empty_vector_covers_only_itself),
        cmocka_unit_test(what_is_lacking_is_counted_to_the_most_and_not_beyond),
    };
    return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
