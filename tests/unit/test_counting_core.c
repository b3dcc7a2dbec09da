/* What counts by core/ against the model, for many seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counting_schedule.h"

enum { SCHEDULES = 3000 };

static void run_schedule(uint64_t seed)
{
    nv_counting_schedule(nv_dice_of(seed));
}

static void thieves_gain_nothing_and_honest_sites_lose_nothing(void **state)
{
    (void)state;
    nv_dice_run("what counts, in core", SCHEDULES, run_schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(thieves_gain_nothing_and_honest_sites_lose_nothing)};
    return cmocka_run_group_tests_name("counting core", tests, NULL, NULL);
}
