/* The daemon's turns, one at a time, where something happens in between that no schedule of the simulator meets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "founding.h"
#include "service_internal.h"
#include "stage.h"
#include "store/log.h"

/* A write that was taken back leaves nothing to seal. Looking for it, the daemon takes up what a command has committed
 * just then, before it was woken for that: no look tells it any more. */
static void what_a_command_committed_is_told_whoever_took_it_up(void **state)
{
    (void)state;
    static struct sim_world world;
    const struct sim_profile profile = {.machines = 2, .records = 2};
    struct nv_error error = {0};
    const struct nv_far_head *has;
    size_t count;
    sim_world_make(&world, 1, &profile);
    sim_stage_meet(&world);
    sim_stage_sql(&world, HUB, "INSERT INTO item(id, a) VALUES ('r0', 'kept')");
    sim_stage_await_one(&world, 3000);
    struct sim_machine *hub = &world.machines[HUB];
    nv_store_has(hub->store, &has, &count);
    uint64_t before = has[0].seq;

    assert_int_equal(sqlite3_exec(sim_machine_tool(hub),
                                  "UPDATE item SET a = 'other' WHERE id = 'r0'; UPDATE item SET a = 'kept'", NULL, NULL,
                                  NULL),
                     SQLITE_OK);
    sim_people_certify(&world, &world.dice, HUB);
    sim_machine_turn_to(hub);
    hub->service->seal_at = 0;
    if (nv_service_turn(hub->service, &error) != NV_OK)
        fail_msg("%s", error.text);
    nv_store_has(hub->store, &has, &count);
    assert_int_equal(has[0].seq, before + 1); /* the authority log */
    assert_int_equal(hub->service->told.heads[0].seq, before + 1);
    sim_world_free(&world);
}

int main(void)
{
    struct nv_error error;
    if (nv_wire_start(&error) != NV_OK)
        return 70;
    nv_disks_start();
    sim_founding_of(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_command_committed_is_told_whoever_took_it_up),
    };
    return cmocka_run_group_tests_name("the daemon's turns", tests, NULL, NULL);
}
