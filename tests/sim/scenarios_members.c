/* Scenarios of the network itself: who joins late, and what is published while somebody is away. */
#include <stdio.h>

#include "scenarios.h"
#include "stage.h"

enum { LONG = 300, TOURS = 6 };

void sim_play_latecomer(struct sim_world *world)
{
    sim_stage_meet(world);
    for (unsigned i = 0; i < LONG; i++) {
        char sql[128];
        snprintf(sql, sizeof sql,
                 "INSERT INTO item(id, b) VALUES ('r%u', %u) ON CONFLICT (id) DO UPDATE SET b = excluded.b", i % 2, i);
        sim_stage_sql(world, i < LONG / 10 ? PANTIN : HUB, sql);
        sim_stage_await_one(world, 1000);
    }
    sim_stage_head(world,
                   "after 300 writes another school is certified, and starts with nothing but the authority log");
    sim_people_join(world, TOURS);
    sim_stage_await_one(world, 10000);
    sim_stage_wait(world, 2000);
    sim_stage_show_all(world);
    sim_stage_head(world, "it writes like any other: its context has all that it merged");
    sim_stage_sql(world, TOURS, "UPDATE item SET a = 'Ada' WHERE id = 'r0'");
    sim_stage_await_one(world, 1000);
    sim_stage_expect_all(world, "SELECT a, b FROM item WHERE id = 'r0'", "Ada 298;");
}

void sim_play_growing_schema(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a) VALUES ('r0', 'Ada')");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "poissy is away while a column is published, and pantin writes to it");
    sim_stage_cut(HUB, POISSY);
    sim_people_publish(world);
    sim_stage_await_answer(world, PANTIN, "SELECT count(*) FROM pragma_table_info('item') WHERE name = 'e'", "1;",
                           5000);
    sim_stage_sql(world, PANTIN, "UPDATE item SET e = 'new' WHERE id = 'r0'");
    sim_stage_sql(world, POISSY, "UPDATE item SET a = 'Ada L.' WHERE id = 'r0'");
    sim_stage_wait(world, 30000);
    sim_stage_show(world, POISSY);
    sim_stage_head(world,
                   "poissy is back: the authority log comes first, for pantin's changeset names its new position");
    sim_stage_heal(HUB, POISSY);
    sim_stage_await_one(world, 20000);
    sim_stage_expect_all(world, "SELECT a, e FROM item", "Ada L. new;");
    sim_stage_expect_all(world, "SELECT count(*) FROM navette_conflict", "0;");
    sim_stage_show_all(world);
}
