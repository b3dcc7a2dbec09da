/* Worlds of sync machines under faults by seed: they converge, and never say what is not durable (sync_world.c checks
 * that at every message). The rules one by one are in test_sync_opening.c and its
 * neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync_world.h"

enum { SECOND = 1000000 };

/* Writes, cuts and heals for a while, then lets the lines be good, and wants everybody to have everything. */
static void run_world(const struct world_settings *settings)
{
    struct world *world = world_new(settings);
    size_t lines = world_lines(world);
    for (int round = 0; round < 60; round++) {
        world_run(world, (int64_t)world_random(world, SECOND));
        for (uint64_t writes = world_random(world, 5); writes > 0; writes--)
            world_write(world, world_random(world, settings->nodes));
        if (world_random(world, 4) == 0)
            world_cut(world, world_random(world, lines), world_random(world, 2) == 0);
    }
    world_calm(world);
    world_run(world, 120 * (int64_t)SECOND);
    bool converged = world_converged(world);
    if (!converged) {
        fprintf(stderr, "seed %llu, %zu nodes\n", (unsigned long long)settings->seed, settings->nodes);
        world_explain(world);
    }
    world_free(world);
    assert_true(converged);
}

static void run_seeds(struct world_settings settings, uint64_t seeds)
{
    const char *only = getenv("NAVETTE_TEST_SEED");
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        settings.seed = only != NULL ? strtoull(only, NULL, 10) : seed;
        run_world(&settings);
    }
}

static void two_nodes_converge_under_faults(void **state)
{
    (void)state;
    run_seeds(
        (struct world_settings){
            .nodes = 2, .drop_ppm = 20000, .twice_ppm = 10000, .cut_ppm = 10000, .most_bytes = 600 << 10},
        150);
}

static void three_nodes_that_all_know_each_other_converge_under_faults(void **state)
{
    (void)state;
    run_seeds(
        (struct world_settings){
            .nodes = 3, .drop_ppm = 20000, .twice_ppm = 10000, .cut_ppm = 10000, .most_bytes = 200 << 10},
        150);
}

static void five_schools_converge_through_a_hub_under_faults(void **state)
{
    (void)state;
    run_seeds((struct world_settings){.nodes = 6,
                                      .hubs = 1,
                                      .star = true,
                                      .drop_ppm = 10000,
                                      .twice_ppm = 5000,
                                      .cut_ppm = 5000,
                                      .most_bytes = 100 << 10},
              60);
}

/* What nodes hold shrinks where a right is taken, and grows again when somebody's word comes: they go on, and become
 * alike. The writer itself is cut off. */
static void run_taking(const struct world_settings *settings)
{
    struct world *world = world_new(settings);
    size_t writer = settings->nodes - 1;
    bool knows[WORLD_NODES] = {false}, is_taken = false;
    for (int round = 0; round < 60; round++) {
        world_run(world, (int64_t)world_random(world, SECOND));
        for (uint64_t writes = world_random(world, 4); writes > 0; writes--)
            world_write(world, is_taken ? world_random(world, writer) : world_random(world, settings->nodes));
        if (!is_taken && round > 10 && world_random(world, 20) == 0) {
            world_take_right(world, writer);
            is_taken = true;
        }
        size_t node = world_random(world, writer);
        if (is_taken && !knows[node] && world_random(world, 6) == 0) {
            knows[node] = true;
            world_take_up(world, node, writer);
        }
    }
    for (size_t node = 0; is_taken && node < writer; node++)
        if (!knows[node])
            world_take_up(world, node, writer);
    world_leave(world, writer);
    world_calm(world);
    world_run(world, 180 * (int64_t)SECOND);
    bool converged = world_converged(world);
    if (!converged) {
        fprintf(stderr, "seed %llu, %zu nodes\n", (unsigned long long)settings->seed, settings->nodes);
        world_explain(world);
    }
    world_free(world);
    assert_true(converged);
}

static void nodes_go_on_where_what_they_hold_shrinks(void **state)
{
    (void)state;
    struct world_settings settings = {
        .nodes = 5, .drop_ppm = 10000, .twice_ppm = 5000, .cut_ppm = 5000, .most_bytes = 50 << 10};
    const char *only = getenv("NAVETTE_TEST_SEED");
    for (uint64_t seed = 1; seed <= 60; seed++) {
        settings.seed = only != NULL ? strtoull(only, NULL, 10) : seed;
        run_taking(&settings);
    }
}

/* A good line and nodes in step: a changeset travels by one push a hop, in no more time than the line takes. */
static void a_changeset_takes_one_push_a_hop(void **state)
{
    (void)state;
    struct world_settings settings = {.seed = 5, .nodes = 4, .hubs = 1, .star = true, .most_bytes = 100};
    struct world *world = world_new(&settings);
    world_run(world, 5 * SECOND);
    assert_true(world_converged(world));
    struct world_counts before = world_counts(world);
    for (int i = 0; i < 50; i++) {
        world_write(world, 1);
        world_run(world, SECOND / 10);
        assert_true(world_converged(world));
    }
    struct world_counts after = world_counts(world);
    assert_int_equal(after.changesets - before.changesets, 50 * 3);
    assert_int_equal(after.pulls, before.pulls);
    assert_in_range(after.has_whole - before.has_whole, 0, 6); /* a periodic comparison may meet one on its way */
    world_free(world);
}

/* What one node wrote while the line was down comes by pull, once, whatever the amount. */
static void a_backlog_comes_once(void **state)
{
    (void)state;
    struct world_settings settings = {.seed = 6, .nodes = 2, .most_bytes = 100 << 10};
    struct world *world = world_new(&settings);
    world_run(world, SECOND);
    world_cut(world, 0, true);
    for (int i = 0; i < 500; i++)
        world_write(world, (size_t)i % 2);
    world_cut(world, 0, false);
    world_run(world, 30 * SECOND);
    assert_true(world_converged(world));
    assert_int_equal(world_counts(world).changesets, 500);
    world_free(world);
}

/* Nodes that hold the same say so in 16 bytes and are quiet. */
static void equal_nodes_are_quiet(void **state)
{
    (void)state;
    struct world_settings settings = {.seed = 7, .nodes = 3, .most_bytes = 100};
    struct world *world = world_new(&settings);
    world_run(world, 600 * (int64_t)SECOND);
    assert_true(world_converged(world));
    struct world_counts counts = world_counts(world);
    assert_int_equal(counts.pulls + counts.has_whole + counts.batches, 0);
    assert_in_range(counts.messages, 3 * 2 * 30, 3 * 2 * 250);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_nodes_are_quiet),
        cmocka_unit_test(a_changeset_takes_one_push_a_hop),
        cmocka_unit_test(a_backlog_comes_once),
        cmocka_unit_test(two_nodes_converge_under_faults),
        cmocka_unit_test(three_nodes_that_all_know_each_other_converge_under_faults),
        cmocka_unit_test(five_schools_converge_through_a_hub_under_faults),
        cmocka_unit_test(nodes_go_on_where_what_they_hold_shrinks),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
