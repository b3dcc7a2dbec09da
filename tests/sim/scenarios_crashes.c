/* Scenarios of machines: power cuts at bad moments, a full disk, a clock that is wrong. */
#include <stdio.h>

#include "report.h"
#include "scenarios.h"
#include "stage.h"

void sim_play_crash_around_seal(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_head(world, "somebody at pantin writes, and the power fails in the commit that seals it");
    sim_stage_power_cut_at_commit(world, PANTIN);
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a) VALUES ('r0', 'Ada')");
    sim_stage_wait(world, 5000);
    if (world->machines[PANTIN].service != NULL || sim_stage_held(world, HUB, PANTIN) != 0)
        sim_fail("scenario", "pantin did not die before it told anybody");
    sim_stage_head(world,
                   "the person's own commit was durable: after the start it is sealed, with the time of the write");
    sim_stage_switch_on(world, PANTIN);
    sim_stage_await_held(world, HUB, PANTIN, 1, 10000);
    sim_stage_wait(world, 1000);
    sim_stage_head(world, "the next write is sealed, and the power fails while the push is on its way");
    sim_network_way(PANTIN, HUB)->latency_us = 500000;
    sim_stage_sql(world, PANTIN, "UPDATE item SET a = 'Ada L.' WHERE id = 'r0'");
    sim_stage_await_held(world, PANTIN, PANTIN, 2, 400);
    sim_network_break(HUB, PANTIN, false, false);
    sim_stage_power_cut(world, PANTIN);
    sim_stage_wait(world, 30000);
    if (sim_stage_held(world, HUB, PANTIN) != 1)
        sim_fail("scenario", "the push arrived");
    sim_stage_head(world, "what was sealed was durable before it was sent: it comes once pantin is back");
    sim_network_way(PANTIN, HUB)->latency_us = 20000;
    sim_stage_switch_on(world, PANTIN);
    sim_stage_await_one(world, 20000);
    sim_stage_expect_all(world, "SELECT a FROM item", "Ada L.;");
    sim_stage_show_all(world);
}

void sim_play_crash_in_ingest(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_head(world, "pantin is cut off, and three changesets are waiting for it");
    sim_stage_cut(HUB, PANTIN);
    sim_stage_wait(world, 30000);
    for (unsigned i = 0; i < 3; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "INSERT INTO item(id, a) VALUES ('r%u', 'of the hub')", i);
        sim_stage_sql(world, HUB, sql);
        sim_stage_wait(world, 100);
    }
    sim_stage_head(world, "the line is back; the power of pantin fails in the commit of what it received");
    sim_stage_heal(HUB, PANTIN);
    sim_stage_power_cut_at_commit(world, PANTIN);
    sim_stage_wait(world, 20000);
    if (world->machines[PANTIN].service != NULL)
        sim_fail("scenario", "pantin did not die");
    sim_stage_head(world, "nothing of it is left, and nothing was acknowledged: it is pulled again");
    sim_stage_expect(world, PANTIN, "SELECT count(*) FROM item", "0;");
    sim_stage_switch_on(world, PANTIN);
    sim_stage_await_one(world, 20000);
    sim_stage_expect_all(world, "SELECT count(*) FROM item", "3;");
    sim_stage_show_all(world);
}

void sim_play_full_disk(struct sim_world *world)
{
    struct nv_disk *disk = world->machines[PANTIN].disk;
    sim_stage_meet(world);
    sim_stage_head(world, "the disk of pantin is full");
    world->is_disk_bad[PANTIN] = true;
    nv_disk_set_room(disk, nv_disk_used(disk));
    sim_stage_sql_fails(world, PANTIN, "INSERT INTO item(id, a) VALUES ('r0', 'Ada')");
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a) VALUES ('r1', 'Blaise')");
    sim_stage_wait(world, 60000);
    if (world->machines[PANTIN].service == NULL || sim_stage_held(world, PANTIN, HUB) != 0)
        sim_fail("scenario", "pantin ended, or took what it has no room for");
    sim_stage_head(world, "there is room again");
    nv_disk_set_room(disk, SIZE_MAX);
    sim_stage_await_one(world, 30000);
    world->is_disk_bad[PANTIN] = false;
    sim_stage_expect_all(world, "SELECT a FROM item", "Blaise;");
    sim_stage_show_all(world);
}

void sim_play_wrong_clock(struct sim_world *world)
{
    sim_stage_meet(world);
    world->machines[PANTIN].ahead_ms = 20ll * 365 * 86400000;
    sim_stage_head(world, "the clock of pantin is twenty years ahead");
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a) VALUES ('r0', 'future')");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "somebody at poissy, who sees it, writes over it: what one has seen counts, and no clock");
    sim_stage_sql(world, POISSY, "UPDATE item SET a = 'present' WHERE id = 'r0'");
    sim_stage_await_one(world, 1000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT a FROM item", "present;");
    sim_stage_expect_all(world, "SELECT count(*) FROM navette_conflict", "0;");
    sim_stage_head(
        world, "now both write without knowing of each other: the clock chooses what is shown, and nothing is lost");
    sim_stage_cut(HUB, PANTIN);
    sim_stage_sql(world, PANTIN, "UPDATE item SET a = 'far future' WHERE id = 'r0'");
    sim_stage_sql(world, POISSY, "UPDATE item SET a = 'today' WHERE id = 'r0'");
    sim_stage_wait(world, 500);
    sim_stage_heal(HUB, PANTIN);
    sim_stage_await_one(world, 20000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT a FROM item", "far future;");
    sim_stage_expect_all(world, "SELECT value FROM navette_conflict ORDER BY value", "far future;today;");
    sim_stage_head(world, "somebody at the hub, to whom both are listed, answers");
    sim_stage_answer(world, HUB, 1, 2);
    sim_stage_await_one(world, 1000);
    sim_stage_show_all(world);
    sim_stage_expect_all(world, "SELECT a FROM item", "today;");
    sim_stage_expect_all(world, "SELECT count(*) FROM navette_conflict", "0;");
}
