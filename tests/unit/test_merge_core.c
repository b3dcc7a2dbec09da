/* The merge in core/ against the model, for many seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "merge_schedule.h"

enum { SCHEDULES = 20000 };

static void run_schedule(uint64_t seed)
{
    nv_merge_schedule(nv_dice_of(seed));
}

static void sites_agree_with_the_model_at_every_step(void **state)
{
    (void)state;
    nv_dice_run("merge in core", SCHEDULES, run_schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sites_agree_with_the_model_at_every_step)};
    return cmocka_run_group_tests_name("merge core", tests, NULL, NULL);
}
