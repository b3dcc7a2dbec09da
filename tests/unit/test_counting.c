/* What counts, in situations that one can follow by hand. The logs 1 to 3 are of the sites A, B and C; T is a thief's
 * log of a new epoch at site A. Pins are letters: "a2" and "x2" stand at one place of one log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/counting.h"

enum { A = 1, B, C, T };

static struct nv_counting *counting;

static int setup(void **state)
{
    (void)state;
    counting = nv_counting_new();
    assert_non_null(counting);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nv_counting_free(counting);
    return 0;
}

static struct nv_site_id site_of(nv_log_number log)
{
    return (struct nv_site_id){{log == T ? A : (uint8_t)log}};
}

/* "a2": the second of log A, "x2" the same place in another history of it; the log is given, the pin is the text. */
static struct nv_head head(nv_log_number log, const char *text)
{
    struct nv_head named = {.log = log, .seq = (uint64_t)(text[1] - '0')};
    memcpy(named.pin.bytes, text, 2);
    return named;
}

static void log_is(nv_log_number log, const char *end)
{
    struct nv_head named = end == NULL ? (struct nv_head){0} : head(log, end);
    assert_int_equal(nv_counting_log(counting, log, site_of(log), end == NULL ? NULL : &named), NV_OK);
}

static void held(nv_log_number log, const char *text, const char *previous, uint64_t position,
                 const struct nv_head *context)
{
    struct nv_head named = head(log, text);
    struct nv_counting_header header = {.log = log,
                                        .seq = named.seq,
                                        .pin = named.pin,
                                        .authority_seq = position,
                                        .context = context,
                                        .context_count = context == NULL ? 0 : 1};
    if (previous != NULL)
        header.previous = head(log, previous).pin;
    assert_int_equal(nv_counting_header(counting, &header), NV_OK);
}

static void taken_from(nv_log_number log, uint64_t position, const char *named)
{
    struct nv_head last = named == NULL ? (struct nv_head){0} : head(log, named);
    assert_int_equal(nv_counting_taking(counting, site_of(log), position, &last, named != NULL), NV_OK);
}

static void settle(void)
{
    assert_int_equal(nv_counting_settle(counting), NV_OK);
}

static bool counts(nv_log_number log, const char *text)
{
    struct nv_head named = head(log, text);
    return nv_counting_counts(counting, &named);
}

static void what_is_named_counts_and_what_stands_after_it_does_not(void **state)
{
    (void)state;
    log_is(A, "a1");
    log_is(T, NULL);
    held(A, "a2", "a1", 5, NULL);
    held(A, "a3", "a2", 5, NULL);
    held(T, "t1", NULL, 5, NULL);
    taken_from(A, 9, "a2");
    settle();
    assert_true(counts(A, "a2"));
    assert_false(counts(A, "a3"));
    assert_false(counts(T, "t1"));
}

static void another_branch_is_cut_off_at_any_place(void **state)
{
    (void)state;
    log_is(A, "a1");
    held(A, "x2", "a1", 5, NULL);
    held(A, "a2", "a1", 5, NULL);
    held(A, "a3", "a2", 5, NULL);
    taken_from(A, 9, "a3");
    settle();
    assert_true(counts(A, "a2") && counts(A, "a3"));
    assert_false(counts(A, "x2"));
}

static void before_the_named_header_has_come_nothing_is_known_to_lead_there(void **state)
{
    (void)state;
    log_is(A, NULL);
    held(A, "a1", NULL, 5, NULL);
    taken_from(A, 9, "a2");
    settle();
    assert_false(counts(A, "a1"));
}

static void who_merged_it_before_vouches_for_it(void **state)
{
    (void)state;
    struct nv_head third = head(A, "a3");
    log_is(A, "a1");
    log_is(B, "b4");
    held(A, "a2", "a1", 5, NULL);
    held(A, "a3", "a2", 5, NULL);
    held(A, "a4", "a3", 5, NULL);
    held(B, "b5", "b4", 5, &third);
    taken_from(A, 9, "a1");
    settle();
    assert_true(counts(B, "b5") && counts(A, "a2") && counts(A, "a3"));
    assert_false(counts(A, "a4"));
}

static void thieves_do_not_vouch_for_each_other(void **state)
{
    (void)state;
    struct nv_head of_a = head(A, "a2"), of_b = head(B, "b2");
    log_is(A, "a1");
    log_is(B, "b1");
    held(A, "a2", "a1", 5, NULL);
    held(B, "b2", "b1", 5, &of_a);
    held(A, "a3", "a2", 5, &of_b);
    taken_from(A, 9, "a1");
    taken_from(B, 10, "b1");
    settle();
    assert_false(counts(A, "a2") || counts(A, "a3") || counts(B, "b2"));
}

static void a_word_goes_on_from_one_to_the_next(void **state)
{
    (void)state;
    struct nv_head of_a = head(A, "a2"), of_b = head(B, "b2");
    log_is(A, "a1");
    log_is(B, "b1");
    log_is(C, "c1");
    held(A, "a2", "a1", 5, NULL);
    held(B, "b2", "b1", 5, &of_a);
    held(C, "c2", "c1", 5, &of_b);
    taken_from(A, 9, "a1");
    taken_from(B, 10, "b1");
    settle();
    assert_true(counts(C, "c2") && counts(B, "b2") && counts(A, "a2"));
}

static void each_op_above_its_position_must_name_it(void **state)
{
    (void)state;
    log_is(A, NULL);
    held(A, "a1", NULL, 5, NULL);
    held(A, "a2", "a1", 9, NULL);
    held(A, "a3", "a2", 15, NULL);
    taken_from(A, 9, "a1");
    taken_from(A, 12, "a2");
    taken_from(A, 14, "a1");
    settle();
    assert_true(counts(A, "a1"));
    assert_false(counts(A, "a2")); /* the last op does not name it */
    assert_false(counts(A, "a3")); /* it is judged by its own position alone, but stands on a2 */
}

static void with_a_new_right_a_site_goes_on_in_a_new_log(void **state)
{
    (void)state;
    log_is(A, "a1");
    log_is(T, NULL);
    held(A, "a2", "a1", 5, NULL);
    held(A, "a3", "a2", 12, NULL);
    held(T, "t1", NULL, 12, NULL);
    taken_from(A, 9, "a1");
    settle();
    assert_false(counts(A, "a3"));
    assert_true(counts(T, "t1"));
}

static void what_counts_for_certain_vouches_too(void **state)
{
    (void)state;
    struct nv_head second = head(A, "a2");
    log_is(A, "a1");
    held(A, "a2", "a1", 5, NULL);
    taken_from(A, 9, "a1");
    assert_int_equal(nv_counting_named(counting, &second), NV_OK);
    settle();
    assert_true(counts(A, "a2"));
}

static void who_vouches_is_a_reader_that_keeps_its_right_and_has_news(void **state)
{
    (void)state;
    struct nv_site_id self = {{1}}, other = {{2}};
    assert_true(nv_vouch_is_due(self, other, true, true));
    assert_false(nv_vouch_is_due(self, other, false, true));
    assert_false(nv_vouch_is_due(self, other, true, false));
    assert_false(nv_vouch_is_due(self, self, true, true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_named_counts_and_what_stands_after_it_does_not),
        TEST(another_branch_is_cut_off_at_any_place),
        TEST(before_the_named_header_has_come_nothing_is_known_to_lead_there),
        TEST(who_merged_it_before_vouches_for_it),
        TEST(thieves_do_not_vouch_for_each_other),
        TEST(a_word_goes_on_from_one_to_the_next),
        TEST(each_op_above_its_position_must_name_it),
        TEST(with_a_new_right_a_site_goes_on_in_a_new_log),
        TEST(what_counts_for_certain_vouches_too),
        TEST(who_vouches_is_a_reader_that_keeps_its_right_and_has_news),
    };
    return cmocka_run_group_tests_name("counting", tests, NULL, NULL);
}
