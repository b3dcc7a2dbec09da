/* Vectors of far heads against the simplest thing that could be one: an array with a place for each log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/heads.h"
#include "dice.h"

enum { SCOPES = 2, SITES = 3, EPOCHS = 2, LOGS = SCOPES * SITES * EPOCHS };

/* The logs in their order: by scope, then site, then epoch. */
static struct nv_far_head log_of(size_t place)
{
    struct nv_far_head log = {.epoch = place % EPOCHS};
    log.site.bytes[15] = (uint8_t)(place / EPOCHS % SITES);
    log.scope.bytes[15] = (uint8_t)(place / EPOCHS / SITES);
    return log;
}

struct pair {
    struct nv_heads heads;
    uint64_t seqs[LOGS];
};

static void raise(struct pair *pair, size_t place, uint64_t seq)
{
    struct nv_far_head head = log_of(place);
    head.seq = seq;
    head.pin.bytes[0] = (uint8_t)seq;
    assert_int_equal(nv_heads_raise(&pair->heads, &head), NV_OK);
    if (seq > pair->seqs[place])
        pair->seqs[place] = seq;
}

static void check_same(const struct pair *pair)
{
    size_t count = 0;
    for (size_t place = 0; place < LOGS; place++) {
        struct nv_far_head log = log_of(place);
        assert_int_equal(nv_heads_seq(&pair->heads, &log), pair->seqs[place]);
        const struct nv_far_head *head = nv_heads_find(&pair->heads, &log);
        assert_int_equal(head != NULL, pair->seqs[place] > 0);
        if (head != NULL)
            assert_int_equal(head->pin.bytes[0], (uint8_t)head->seq);
        count += head != NULL;
    }
    assert_int_equal(pair->heads.count, count);
    assert_true(nv_heads_ascend(pair->heads.heads, count));
}

static void check_pair(const struct pair *a, const struct pair *b)
{
    uint64_t lacking = 0;
    for (size_t place = 0; place < LOGS; place++)
        if (b->seqs[place] > a->seqs[place])
            lacking += b->seqs[place] - a->seqs[place];
    assert_int_equal(nv_heads_lacking(&a->heads, &b->heads), lacking);
    assert_int_equal(nv_heads_cover(&a->heads, b->heads.heads, b->heads.count), lacking == 0);
}

static void one_schedule(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    struct pair a = {0}, b = {0};
    for (int i = 0; i < 60; i++) {
        struct pair *pair = nv_dice_percent(&dice, 50) ? &a : &b;
        raise(pair, nv_dice_below(&dice, LOGS), 1 + nv_dice_below(&dice, 5));
        check_same(pair);
        check_pair(&a, &b);
        check_pair(&b, &a);
    }
    assert_int_equal(nv_heads_join(&a.heads, b.heads.heads, b.heads.count), NV_OK);
    for (size_t place = 0; place < LOGS; place++)
        a.seqs[place] = a.seqs[place] > b.seqs[place] ? a.seqs[place] : b.seqs[place];
    check_same(&a);
    check_pair(&a, &b);
    assert_int_equal(nv_heads_assign(&b.heads, a.heads.heads, a.heads.count), NV_OK);
    assert_int_equal(nv_heads_lacking(&b.heads, &a.heads), 0);
    nv_heads_clear(&b.heads);
    assert_int_equal(nv_heads_cover(&b.heads, a.heads.heads, a.heads.count), a.heads.count == 0);
    nv_heads_done(&a.heads);
    nv_heads_done(&b.heads);
}

static void a_vector_is_a_map_of_logs(void **state)
{
    (void)state;
    nv_dice_run("heads", 200, one_schedule);
}

static void order_is_by_scope_then_site_then_epoch(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOGS; i++)
        for (size_t j = 0; j < LOGS; j++) {
            struct nv_far_head a = log_of(i), b = log_of(j);
            int order = nv_far_head_order(&a, &b);
            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_is_a_map_of_logs),
        cmocka_unit_test(order_is_by_scope_then_site_then_epoch),
    };
    return cmocka_run_group_tests_name("heads", tests, NULL, NULL);
}
