/* The rules choose by what the candidates are, never by the order in which they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/rule.h"
#include "dice.h"

static const struct nv_site_id site_a = {{0xa}}, site_b = {{0xb}}, site_c = {{0xc}};

static struct nv_candidate candidate(int64_t value, int64_t time, struct nv_site_id site)
{
    return (struct nv_candidate){
        .value = {.type = NV_INTEGER, .integer = value}, .time = {time}, .site = site, .epoch = 1, .seq = 1};
}

static void each_rule_picks_what_it_says(void **state)
{
    (void)state;
    struct nv_candidate all[] = {candidate(5, 300, site_a), candidate(9, 100, site_b), candidate(2, 200, site_c)};
    assert_int_equal(nv_rule_choose(NV_RULE_LAST, all, 3, site_b), 0);
    assert_int_equal(nv_rule_choose(NV_RULE_HOME, all, 3, site_b), 1);
    assert_int_equal(nv_rule_choose(NV_RULE_MIN, all, 3, site_b), 2);
    assert_int_equal(nv_rule_choose(NV_RULE_MAX, all, 3, site_b), 1);
    assert_int_equal(nv_rule_choose(NV_RULE_HOME, all, 3, (struct nv_site_id){{0xd}}), 0);
}

static void min_and_max_know_storage_classes(void **state)
{
    (void)state;
    struct nv_candidate all[] = {candidate(1, 1, site_a), candidate(1, 1, site_b), candidate(1, 1, site_c)};
    all[1].value = (struct nv_value){.type = NV_REAL, .real = 1.0};
    all[2].value = (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)"0", 1}};
    assert_int_equal(nv_rule_choose(NV_RULE_MIN, all, 3, site_a), 0);
    assert_int_equal(nv_rule_choose(NV_RULE_MAX, all, 3, site_a), 2);
    assert_int_equal(nv_rule_choose(NV_RULE_MAX, all, 2, site_a), 1);
    assert_int_equal(nv_rule_distinct(all, 3), 3);
}

static void ties_go_to_the_greatest_name(void **state)
{
    (void)state;
    for (int rule = NV_RULE_LAST; rule <= NV_RULE_MAX; rule++) {
        struct nv_candidate pair[2] = {candidate(1, 50, site_a), candidate(1, 50, site_a)};
        pair[1].index = 1;
        assert_int_equal(nv_rule_choose((enum nv_rule)rule, pair, 2, site_a), 1);
        pair[0].header.bytes[31] = 1;
        assert_int_equal(nv_rule_choose((enum nv_rule)rule, pair, 2, site_a), 0);
        pair[1].seq = 2;
        assert_int_equal(nv_rule_choose((enum nv_rule)rule, pair, 2, site_a), 1);
        pair[0].epoch = UINT64_MAX;
        assert_int_equal(nv_rule_choose((enum nv_rule)rule, pair, 2, site_a), 0);
        pair[1].site = site_b;
        assert_int_equal(nv_rule_choose((enum nv_rule)rule, pair, 2, site_c), 1);
        pair[0].time.ms = 51;
        assert_int_equal(nv_rule_choose((enum nv_rule)rule, pair, 2, site_c), 0);
    }
}

static struct nv_candidate some_candidate(struct nv_dice *dice, uint8_t *bytes)
{
    struct nv_candidate made = {.value = nv_dice_value(dice, bytes)};
    made.time.ms = (int64_t)nv_dice_below(dice, 3) - 1;
    made.site.bytes[0] = (uint8_t)nv_dice_below(dice, 3);
    made.epoch = nv_dice_below(dice, 2);
    made.seq = 1 + nv_dice_below(dice, 2);
    made.header.bytes[0] = (uint8_t)nv_dice_below(dice, 2);
    made.index = (uint32_t)nv_dice_below(dice, 3);
    return made;
}

static bool is_same(const struct nv_candidate *a, const struct nv_candidate *b)
{
    return nv_value_equal(&a->value, &b->value) && a->time.ms == b->time.ms && a->epoch == b->epoch &&
           a->seq == b->seq && a->index == b->index && nv_site_id_compare(a->site, b->site) == 0 &&
           memcmp(a->header.bytes, b->header.bytes, sizeof a->header.bytes) == 0;
}

enum { CANDIDATES = 6 };

static void check_any_order(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    static uint8_t bytes[CANDIDATES][NV_DICE_VALUE_BYTES];
    struct nv_candidate all[CANDIDATES], turned[CANDIDATES];
    size_t order[CANDIDATES];
    for (size_t i = 0; i < CANDIDATES; i++) {
        all[i] = some_candidate(&dice, bytes[i]);
        all[i].index = (uint32_t)i; /* two ops never have one name */
        order[i] = i;
    }
    nv_dice_shuffle(&dice, order, CANDIDATES);
    for (size_t i = 0; i < CANDIDATES; i++)
        turned[i] = all[order[i]];
    struct nv_site_id home = {{(uint8_t)nv_dice_below(&dice, 3)}};
    for (int rule = NV_RULE_LAST; rule <= NV_RULE_MAX; rule++) {
        size_t here = nv_rule_choose((enum nv_rule)rule, all, CANDIDATES, home);
        size_t there = nv_rule_choose((enum nv_rule)rule, turned, CANDIDATES, home);
        assert_true(is_same(&all[here], &turned[there]));
    }
    assert_int_equal(nv_rule_distinct(all, CANDIDATES), nv_rule_distinct(turned, CANDIDATES));
}

static void the_order_of_candidates_changes_nothing(void **state)
{
    (void)state;
    nv_dice_run("rule", 5000, check_any_order);
}

static void distinct_values_are_counted_once(void **state)
{
    (void)state;
    struct nv_candidate all[] = {candidate(1, 1, site_a), candidate(1, 2, site_b), candidate(2, 3, site_c)};
    assert_int_equal(nv_rule_distinct(all, 0), 0);
    assert_int_equal(nv_rule_distinct(all, 2), 1);
    assert_int_equal(nv_rule_distinct(all, 3), 2);
}

static void names_come_back(void **state)
{
    (void)state;
    enum nv_rule rule = NV_RULE_LAST;
    for (int i = NV_RULE_LAST; i <= NV_RULE_MAX; i++) {
        assert_true(nv_rule_from_name(nv_rule_name((enum nv_rule)i), &rule));
        assert_int_equal(rule, i);
    }
    assert_false(nv_rule_from_name("newest", &rule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_picks_what_it_says),     cmocka_unit_test(min_and_max_know_storage_classes),
        cmocka_unit_test(ties_go_to_the_greatest_name),     cmocka_unit_test(the_order_of_candidates_changes_nothing),
        cmocka_unit_test(distinct_values_are_counted_once), cmocka_unit_test(names_come_back),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
