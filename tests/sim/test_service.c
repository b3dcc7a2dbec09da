/* The daemon's turns, one at a time, where something happens in between that no schedule of the simulator meets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "founding.h"
#include "service_internal.h"
#include "stage.h"
#include "store/authority.h"
#include "store/log.h"
#include "store/trust/rights.h"

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

/* ---- who carries what ---- */

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s", error->text);
}

/* At a machine, of a site: as the sync machine there was told. NULL: it is no member. */
static const struct nv_scope_set *carried(const struct sim_machine *machine, size_t place, struct nv_error *error)
{
    const struct nv_carrier *carriers;
    size_t count;
    must(nv_service_list_carriers(machine->service, &carriers, &count, error), error);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || nv_site_id_compare(carriers[i - 1].site, carriers[i].site) < 0);
        assert_true(nv_scopes_ascend(carriers[i].scopes.scopes, carriers[i].scopes.count));
        if (nv_site_id_compare(carriers[i].site, machine->founding->sites[place]) == 0)
            return &carriers[i].scopes;
    }
    return NULL;
}

/* A command at the hub, of which all daemons hear. */
static void command(struct sim_world *world,
                    enum nv_status (*change)(struct sim_world *, struct nv_store *, struct nv_error *))
{
    struct nv_error error = {0};
    struct nv_store *hub = sim_people_client(world, HUB);
    assert_non_null(hub);
    must(change(world, hub, &error), &error);
    nv_store_close(hub);
    sim_world_settle(world, HUB);
    sim_stage_wait(world, 2000);
}

static enum nv_status make_group(struct sim_world *world, struct nv_store *hub, struct nv_error *error)
{
    const struct nv_sign_key *authority = &world->founding->authority;
    struct nv_scope_id group;
    enum nv_status status = nv_authority_group(hub, authority, "nord", nv_wall_now(), error);
    if (status == NV_OK)
        status = nv_scope_from_name(hub, "group/nord", &group, error);
    return status == NV_OK
               ? nv_authority_add_reader(hub, authority, group, world->founding->sites[PANTIN], nv_wall_now(), error)
               : status;
}

static enum nv_status leave_group(struct sim_world *world, struct nv_store *hub, struct nv_error *error)
{
    struct nv_scope_id group;
    enum nv_status status = nv_scope_from_name(hub, "group/nord", &group, error);
    return status == NV_OK ? nv_authority_remove_reader(hub, &world->founding->authority, group,
                                                        world->founding->sites[PANTIN], nv_wall_now(), error)
                           : status;
}

static enum nv_status revoke(struct sim_world *world, struct nv_store *hub, struct nv_error *error)
{
    return nv_authority_revoke(hub, &world->founding->authority, world->founding->sites[POISSY], nv_wall_now(), error);
}

/* The site's own scope, and so many groups. */
static void check_site(const struct sim_machine *machine, size_t place, size_t groups)
{
    struct nv_error error = {0};
    struct nv_scope_id own;
    const struct nv_scope_set *scopes = carried(machine, place, &error);
    memcpy(own.bytes, machine->founding->sites[place].bytes, sizeof own.bytes);
    assert_non_null(scopes);
    assert_true(!scopes->has_all && !scopes->is_empty && scopes->count == 1 + groups);
    assert_true(nv_scope_set_has(scopes, own));
}

static void who_carries_what_follows_the_authority_log(void **state)
{
    (void)state;
    static struct sim_world world;
    const struct sim_profile profile = {.machines = 3, .records = 2};
    struct nv_error error = {0};
    sim_world_make(&world, 1, &profile);
    sim_stage_meet(&world);
    const struct sim_machine *hub = &world.machines[HUB], *school = &world.machines[PANTIN];
    for (size_t i = 0; i < 2; i++) {
        const struct sim_machine *machine = i == 0 ? hub : school;
        assert_true(carried(machine, HUB, &error)->has_all);
        check_site(machine, PANTIN, 0);
        check_site(machine, POISSY, 0);
    }
    command(&world, make_group);
    check_site(hub, PANTIN, 1);
    check_site(school, PANTIN, 1);
    check_site(school, POISSY, 0);
    command(&world, leave_group);
    check_site(hub, PANTIN, 0);
    check_site(school, PANTIN, 0);
    sim_world_free(&world);
}

/* What came is behind for a site that is away, if it carries that. */
static void who_is_away_lacks_what_it_carries(void **state)
{
    (void)state;
    static struct sim_world world;
    const struct sim_profile profile = {.machines = 3, .records = 2};
    struct nv_error error = {0};
    sim_world_make(&world, 1, &profile);
    sim_stage_meet(&world);
    struct nv_service *service = world.machines[HUB].service;
    must(nv_service_count_held(service, &error), &error);
    for (size_t i = 0; i < service->counted.count; i++) {
        struct nv_far_head *head = &service->counted.heads[i];
        bool is_authority = nv_scope_id_equal(head->scope, NV_SCOPE_AUTHORITY);
        head->seq = is_authority ? head->seq - 1 : head->seq;
    }
    assert_int_equal(nv_service_came_for(service, world.founding->sites[PANTIN]), 1);
    command(&world, revoke);
    must(nv_service_count_held(service, &error), &error);
    service->counted.heads[0].seq--;
    assert_int_equal(nv_service_came_for(service, world.founding->sites[PANTIN]), 1);
    assert_int_equal(nv_service_came_for(service, world.founding->sites[POISSY]), 0);
    assert_null(carried(&world.machines[HUB], POISSY, &error));
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
        cmocka_unit_test(who_carries_what_follows_the_authority_log),
        cmocka_unit_test(who_is_away_lacks_what_it_carries),
    };
    return cmocka_run_group_tests_name("the daemon's turns", tests, NULL, NULL);
}
