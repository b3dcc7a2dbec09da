/* What reports may show: each case is one way in which a small number might have come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/report/hiding.h"

enum { YES, NO, UNKNOWN, PARTS };
enum { THRESHOLD = 5, EVERYBODY_STEP = 0, YES_STEP = 1, UNITS_MOST = 6 };

#define SET(part) ((nv_parts)1 << (part))
#define EVERYBODY (SET(YES) | SET(NO) | SET(UNKNOWN))

/* Everybody, then how many said yes, of how many that is. */
static const struct nv_hiding_rule rule = {
    .threshold = THRESHOLD,
    .part_count = PARTS,
    .may_be_none = SET(UNKNOWN),
    .step_count = 3,
    .sets = {EVERYBODY, SET(YES), SET(YES) | SET(NO)},
};

/* All of the units, then each by itself. */
static const uint32_t numbers[UNITS_MOST] = {0, 1, 2, 3, 4, 5};
#define ALL                                                                                                            \
    {                                                                                                                  \
        numbers, UNITS_MOST, 0                                                                                         \
    }
#define ONE(unit)                                                                                                      \
    {                                                                                                                  \
        numbers + (unit), 1, 2                                                                                         \
    }
static const struct nv_unit_group each_unit[] = {ALL, ONE(0), ONE(1), ONE(2), ONE(3), ONE(4), ONE(5)};
enum { ALL_GROUP = 0, GROUPS = sizeof each_unit / sizeof each_unit[0] };

static size_t group_of(size_t unit)
{
    return unit + 1;
}

static struct nv_hiding *begin(const int64_t counts[UNITS_MOST][PARTS])
{
    struct nv_hiding *hiding = nv_hiding_new(&rule, NULL, UNITS_MOST, each_unit, GROUPS);
    assert_non_null(hiding);
    assert_true(nv_hiding_publish(hiding, &counts[0][0], NULL));
    return hiding;
}

static void a_small_count_is_hidden_and_what_would_give_it_back(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{20, 20, 0}, {2, 18, 0}, {9, 30, 0}});
    assert_true(nv_hiding_shows(hiding, YES_STEP, ALL_GROUP));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, SET(YES)), 31);
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(1)));
    assert_false(nv_hiding_is_nobody(hiding, group_of(1)));
    /* Of the other two, the larger is shown; the smaller one is what is left to hide the small one in. */
    assert_true(nv_hiding_shows(hiding, YES_STEP, group_of(0)));
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(2)));
    assert_false(nv_hiding_is_nobody(hiding, group_of(2)));
    /* How many they are in all is known of each. */
    for (size_t unit = 0; unit < 3; unit++)
        assert_true(nv_hiding_shows(hiding, EVERYBODY_STEP, group_of(unit)));
    assert_true(nv_hiding_is_nobody(hiding, group_of(3)));
    nv_hiding_free(hiding);
}

static void all_of_a_group_is_as_telling_as_none_of_it(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{20, 0, 0}, {30, 30, 0}});
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(0)));
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(1)));
    nv_hiding_free(hiding);
}

static void that_nobody_is_unknown_may_be_told(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{20, 20, 0}, {20, 20, 3}, {20, 20, 6}});
    assert_true(nv_hiding_shows(hiding, YES_STEP, group_of(1)));
    assert_true(nv_hiding_shows(hiding, YES_STEP + 1, ALL_GROUP));
    assert_false(nv_hiding_shows(hiding, YES_STEP + 1, group_of(1))); /* three are too few */
    /* Of 0, 3 and 6 unknown only the 0 may stand by itself; the rest is what the 3 hide in. */
    assert_true(nv_hiding_shows(hiding, YES_STEP + 1, group_of(0)));
    assert_false(nv_hiding_shows(hiding, YES_STEP + 1, group_of(2)));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP + 1, ALL_GROUP, SET(YES) | SET(NO)), 120);
    nv_hiding_free(hiding);
}

static void a_number_that_changed_by_few_stays_as_it_was(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{20, 20, 0}, {20, 20, 0}});
    assert_true(nv_hiding_publish(hiding, &(const int64_t[UNITS_MOST][PARTS]){{21, 20, 0}, {30, 40, 0}}[0][0], NULL));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, group_of(0), SET(YES)), 20);
    assert_int_equal(nv_hiding_when(hiding, YES_STEP, group_of(0)), 0);
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, group_of(1), SET(YES)), 30);
    assert_int_equal(nv_hiding_when(hiding, YES_STEP, group_of(1)), 1);
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, SET(YES)), 50); /* what is shown adds up */
    assert_int_equal(nv_hiding_when(hiding, YES_STEP, ALL_GROUP), 0);
    /* Once it changed by enough, it is told. */
    assert_true(nv_hiding_publish(hiding, &(const int64_t[UNITS_MOST][PARTS]){{26, 26, 0}, {30, 40, 0}}[0][0], NULL));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, group_of(0), SET(YES)), 26);
    nv_hiding_free(hiding);
}

/* The two were told of together when one of them was small. Once each is large enough, to show the one that did not
 * change would tell how small the other one had been. */
static void what_was_hidden_once_is_not_given_back_later(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{6, 6, 0}, {2, 8, 0}});
    assert_true(nv_hiding_shows(hiding, YES_STEP, ALL_GROUP));
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(0)));
    assert_true(nv_hiding_publish(hiding, &(const int64_t[UNITS_MOST][PARTS]){{6, 6, 0}, {12, 18, 0}}[0][0], NULL));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, SET(YES)), 18);
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(0)));
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(1)));
    nv_hiding_free(hiding);
}

/* Everybody is told of each unit, yes and no of both together. As long as one unit's number stands as it was, so does
 * theirs: else the two would tell by how few people it changed. */
static void the_fine_waits_for_the_coarse(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{3, 17, 0}, {4, 26, 0}});
    assert_true(nv_hiding_shows(hiding, EVERYBODY_STEP, group_of(0)));
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(0)));
    assert_true(nv_hiding_publish(hiding, &(const int64_t[UNITS_MOST][PARTS]){{4, 19, 0}, {12, 38, 0}}[0][0], NULL));
    assert_int_equal(nv_hiding_when(hiding, EVERYBODY_STEP, group_of(0)), 0);
    assert_int_equal(nv_hiding_when(hiding, EVERYBODY_STEP, group_of(1)), 1);
    assert_int_equal(nv_hiding_when(hiding, YES_STEP, ALL_GROUP), 0);
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, SET(YES)), 7);
    nv_hiding_free(hiding);
}

static void new_units_wait_until_they_are_enough(void **state)
{
    (void)state;
    struct nv_hiding *hiding = begin((const int64_t[UNITS_MOST][PARTS]){{20, 20, 0}});
    assert_true(nv_hiding_publish(hiding, &(const int64_t[UNITS_MOST][PARTS]){{20, 20, 0}, {2, 9, 0}}[0][0], NULL));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, SET(YES)), 20);
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, EVERYBODY), 40);
    assert_true(nv_hiding_is_part(hiding, YES_STEP, ALL_GROUP));
    assert_int_equal(nv_hiding_count(hiding, EVERYBODY_STEP, ALL_GROUP, EVERYBODY), 51);
    assert_true(
        nv_hiding_publish(hiding, &(const int64_t[UNITS_MOST][PARTS]){{20, 20, 0}, {2, 9, 0}, {4, 4, 0}}[0][0], NULL));
    assert_int_equal(nv_hiding_count(hiding, YES_STEP, ALL_GROUP, SET(YES)), 26);
    assert_false(nv_hiding_is_part(hiding, YES_STEP, ALL_GROUP));
    assert_false(nv_hiding_shows(hiding, YES_STEP, group_of(1)));
    nv_hiding_free(hiding);
}

/* Two splits that cross: what is in both is never small, or the later split is not shown. */
static void crossing_splits_give_back_no_corner(void **state)
{
    static const uint32_t left[] = {0, 1}, right[] = {2, 3}, top[] = {0, 2}, bottom[] = {1, 3};
    static const struct nv_unit_group groups[] = {ALL, {left, 2, 1}, {right, 2, 1}, {top, 2, 2}, {bottom, 2, 2}};
    (void)state;
    static const int64_t small_corner[UNITS_MOST][PARTS] = {{1, 30, 0}, {20, 20, 0}, {20, 20, 0}, {20, 20, 0}};
    struct nv_hiding *hiding = nv_hiding_new(&rule, NULL, UNITS_MOST, groups, 5);
    assert_true(nv_hiding_publish(hiding, &small_corner[0][0], NULL));
    assert_true(nv_hiding_shows(hiding, YES_STEP, 1) && nv_hiding_shows(hiding, YES_STEP, 2));
    assert_false(nv_hiding_shows(hiding, YES_STEP, 3) || nv_hiding_shows(hiding, YES_STEP, 4));
    nv_hiding_free(hiding);
}

static void without_a_threshold_all_is_shown(void **state)
{
    (void)state;
    struct nv_hiding_rule open = rule;
    open.threshold = 0;
    static const int64_t counts[UNITS_MOST][PARTS] = {{1, 1, 0}, {0, 1, 1}, {0, 0, 1}};
    struct nv_hiding *hiding = nv_hiding_new(&open, NULL, UNITS_MOST, each_unit, GROUPS);
    assert_true(nv_hiding_publish(hiding, &counts[0][0], NULL));
    for (size_t unit = 0; unit < 3; unit++)
        assert_int_equal(nv_hiding_count(hiding, YES_STEP, group_of(unit), SET(YES)), counts[unit][YES]);
    nv_hiding_free(hiding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_count_is_hidden_and_what_would_give_it_back),
        cmocka_unit_test(all_of_a_group_is_as_telling_as_none_of_it),
        cmocka_unit_test(that_nobody_is_unknown_may_be_told),
        cmocka_unit_test(a_number_that_changed_by_few_stays_as_it_was),
        cmocka_unit_test(what_was_hidden_once_is_not_given_back_later),
        cmocka_unit_test(the_fine_waits_for_the_coarse),
        cmocka_unit_test(new_units_wait_until_they_are_enough),
        cmocka_unit_test(crossing_splits_give_back_no_corner),
        cmocka_unit_test(without_a_threshold_all_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
