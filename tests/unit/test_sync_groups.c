/* Worlds of sync machines with scopes: each site has its own, groups change while everybody writes, hubs carry all.
 * What must hold of every single message is checked in sync_world_scopes.c: nothing is said, asked for or sent of a
 * scope that not both carry, as far as the speaker has read the authority log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dice.h"
#include "sync_world.h"

enum { SECOND = 1000000, MILLISECOND = 1000 };

/* ---- by seed ---- */

/* Who holds the same, and knows it, has nothing more to say than a digest now and then. */
static void assert_quiet(struct world *world)
{
    struct world_counts before = world_counts(world);
    world_run(world, 60 * (int64_t)SECOND);
    struct world_counts after = world_counts(world);
    assert_int_equal(after.pulls + after.has_whole + after.batches, before.pulls + before.has_whole + before.batches);
}

static struct world_settings settings; /* of the run */

static void change_a_group(struct world *world)
{
    size_t group = world_random(world, WORLD_GROUPS);
    size_t site = settings.hubs + world_random(world, settings.nodes - settings.hubs);
    world_set_reader(world, group, site, !world_is_reader(world, group, site));
}

static void run_world(uint64_t seed)
{
    settings.seed = seed;
    settings.lingers = seed % 2 == 0;
    struct world *world = world_new(&settings);
    size_t lines = world_lines(world);
    for (int round = 0; round < 60; round++) {
        world_run(world, (int64_t)world_random(world, SECOND));
        for (uint64_t writes = world_random(world, 5); writes > 0; writes--)
            world_write(world, world_random(world, settings.nodes));
        for (uint64_t changes = world_random(world, 3); changes > 0; changes--)
            change_a_group(world);
        if (world_random(world, 6) == 0)
            world_sink(world, world_random(world, settings.nodes));
        if (world_random(world, 4) == 0)
            world_cut(world, world_random(world, lines), world_random(world, 2) == 0);
    }
    world_calm(world);
    world_run(world, 120 * (int64_t)SECOND);
    bool converged = world_converged(world);
    if (!converged)
        world_explain(world);
    assert_true(converged);
    assert_quiet(world);
    if (settings.drop_ppm == 0)
        assert_int_equal(world_counts(world).refused, 0); /* all of them are honest */
    world_free(world);
}

static void run_seeds(const char *name, struct world_settings of_run)
{
    settings = of_run;
    settings.has_scopes = true;
    nv_dice_run(name, 60, run_world);
}

static void groups_change_around_a_hub(void **state)
{
    (void)state;
    run_seeds("a hub",
              (struct world_settings){.nodes = 6, .hubs = 1, .star = true, .cut_ppm = 5000, .most_bytes = 50 << 10});
}

static void groups_change_around_two_hubs(void **state)
{
    (void)state;
    run_seeds("two hubs",
              (struct world_settings){.nodes = 6, .hubs = 2, .star = true, .cut_ppm = 5000, .most_bytes = 50 << 10});
}

/* What a group's readers have is the group's, whether a hub lies between them or not. */
static void groups_change_among_sites_with_direct_lines(void **state)
{
    (void)state;
    run_seeds("a hub and direct lines",
              (struct world_settings){.nodes = 5, .hubs = 1, .cut_ppm = 5000, .most_bytes = 50 << 10});
    run_seeds("direct lines", (struct world_settings){.nodes = 4, .cut_ppm = 5000, .most_bytes = 50 << 10});
}

static void messages_that_are_lost_or_doubled_leave_nobody_behind(void **state)
{
    (void)state;
    struct world_settings rough = {
        .nodes = 5, .hubs = 1, .star = true, .drop_ppm = 10000, .twice_ppm = 5000, .cut_ppm = 5000};
    rough.most_bytes = 20 << 10;
    run_seeds("a hub and rough lines", rough);
    rough.star = false;
    run_seeds("rough lines", rough);
}

/* ---- one thing at a time ---- */

static struct world *new_star(void)
{
    struct world_settings calm = {
        .seed = 11, .nodes = 4, .hubs = 1, .star = true, .has_scopes = true, .most_bytes = 1000};
    struct world *world = world_new(&calm);
    world_run(world, 5 * SECOND);
    assert_true(world_converged(world));
    return world;
}

static void what_a_site_writes_for_itself_goes_to_the_hub_alone(void **state)
{
    (void)state;
    struct world *world = new_star();
    for (int i = 0; i < 20; i++)
        assert_true(world_write_own(world, 1));
    world_run(world, SECOND / 2);
    assert_int_equal(world_holds_own(world, 0, 1), 20);
    assert_int_equal(world_holds_own(world, 2, 1), 0);
    world_run(world, 60 * (int64_t)SECOND);
    assert_int_equal(world_holds_own(world, 2, 1) + world_holds_own(world, 3, 1), 0);
    assert_true(world_converged(world));
    world_free(world);
}

static void a_new_reader_gets_all_at_once_and_once(void **state)
{
    (void)state;
    struct world *world = new_star();
    world_set_reader(world, 0, 1, true);
    world_run(world, SECOND);
    for (int i = 0; i < 300; i++)
        assert_true(world_write_group(world, 1, 0));
    world_run(world, 5 * SECOND);
    assert_int_equal(world_holds_group(world, 0, 0, 1), 300);
    struct world_counts before = world_counts(world);
    world_set_reader(world, 0, 2, true);
    world_run(world, 600 * MILLISECOND); /* 300 changesets are judged 16 at a time, up to 20 ms apart */
    assert_int_equal(world_holds_group(world, 2, 0, 1), 300);
    assert_int_equal(world_holds_group(world, 3, 0, 1), 0);
    assert_true(world_converged(world));
    /* The op itself went to three sites. */
    assert_int_equal(world_counts(world).changesets - before.changesets, 300 + 3);
    assert_int_equal(world_counts(world).refused, 0);
    world_free(world);
}

static void who_is_no_reader_any_more_gets_nothing_and_the_others_go_on(void **state)
{
    (void)state;
    struct world *world = new_star();
    for (size_t site = 1; site < 4; site++)
        world_set_reader(world, 1, site, true);
    world_run(world, SECOND);
    assert_true(world_write_group(world, 1, 1));
    world_run(world, SECOND);
    assert_int_equal(world_holds_group(world, 3, 1, 1), 1);
    /* At the hub, in the same turn: the site itself has not heard of it. */
    world_set_reader(world, 1, 3, false);
    assert_true(world_write_group(world, 1, 1));
    assert_true(world_write_group(world, 3, 1));
    world_run(world, SECOND);
    assert_int_equal(world_holds_group(world, 2, 1, 1), 2);
    assert_int_equal(world_holds_group(world, 2, 1, 3), 0);
    assert_int_equal(world_holds_group(world, 3, 1, 1), 0);
    assert_true(world_converged(world));
    world_free(world);
}

/* It stays at a position where the others go on, for ever: what it and they still agree on goes on, and they do not
 * talk more for it than about all else that does not fit. */
static void a_site_with_old_software_goes_on_and_nobody_talks_without_end(void **state)
{
    (void)state;
    struct world_settings calm = {.seed = 12,
                                  .nodes = 3,
                                  .hubs = 1,
                                  .star = true,
                                  .has_scopes = true,
                                  .most_bytes = 1000,
                                  .old_node = 2,
                                  .old_position = 3};
    struct world *world = world_new(&calm);
    world_set_reader(world, 0, 2, true);
    world_set_reader(world, 1, 2, true);
    world_run(world, 5 * SECOND);
    assert_true(world_write_group(world, 2, 0) && world_write_group(world, 2, 1));
    world_run(world, SECOND);
    world_set_reader(world, 1, 2, false); /* which it does not understand */
    world_run(world, SECOND);
    assert_true(world_write_group(world, 2, 0) && world_write_group(world, 2, 1) && world_write_own(world, 2));
    world_run(world, 60 * (int64_t)SECOND);
    assert_int_equal(world_holds_group(world, 0, 0, 2), 2);
    assert_int_equal(world_holds_own(world, 0, 2), 1);
    assert_int_equal(world_holds_group(world, 0, 1, 2), 1); /* by the hub's word it reads that no more */
    struct world_counts before = world_counts(world);
    world_run(world, 600 * (int64_t)SECOND);
    struct world_counts after = world_counts(world);
    assert_in_range(after.has_whole - before.has_whole, 1, 4 * 50); /* each side's digest, every 15 s or so */
    assert_in_range(after.pulls - before.pulls, 1, 20);             /* of the op that it cannot take */
    assert_in_range(after.changesets - before.changesets, 1, 20);
    assert_int_equal(after.refused, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_site_writes_for_itself_goes_to_the_hub_alone),
        cmocka_unit_test(a_new_reader_gets_all_at_once_and_once),
        cmocka_unit_test(who_is_no_reader_any_more_gets_nothing_and_the_others_go_on),
        cmocka_unit_test(a_site_with_old_software_goes_on_and_nobody_talks_without_end),
        cmocka_unit_test(groups_change_around_a_hub),
        cmocka_unit_test(groups_change_around_two_hubs),
        cmocka_unit_test(groups_change_among_sites_with_direct_lines),
        cmocka_unit_test(messages_that_are_lost_or_doubled_leave_nobody_behind),
    };
    return cmocka_run_group_tests_name("sync: groups", tests, NULL, NULL);
}
