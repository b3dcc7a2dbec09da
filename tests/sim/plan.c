#include "plan.h"

#include <inttypes.h>
#include <string.h>

#include "checks.h"
#include "clock.h"
#include "people.h"
#include "report.h"
#include "scoped.h"
#include "trace.h"

enum { SECOND = 1000000, PROBED = 8 };

/* ---- from a seed ---- */

static struct sim_profile some_profile(struct nv_dice *dice)
{
    struct sim_profile profile = {.machines = 2 + nv_dice_below(dice, 4),
                                  .records = (unsigned)(1 + nv_dice_below(dice, SIM_RECORDS)),
                                  .has_side_lines = nv_dice_percent(dice, 35),
                                  .has_equal_values = nv_dice_percent(dice, 30),
                                  .has_large_values = nv_dice_percent(dice, 10),
                                  .clock_cost_us = nv_dice_percent(dice, 15) ? 4000 : 1,
                                  .span_us = 2 * SECOND + (int64_t)nv_dice_below(dice, 60 * SECOND)};
    /* A large network costs as much as dozens of the others; a few more have just too many schools to serve at once. */
    size_t large = nv_dice_below(dice, 200);
    if (large < 4) {
        profile.machines = large == 0 ? 8 + nv_dice_below(dice, 43) : 10 + nv_dice_below(dice, 5);
        profile.clock_cost_us = 1;
    }
    profile.has_scopes = nv_dice_percent(dice, 55) && profile.machines <= 8;
    return profile;
}

static size_t some_action(struct nv_dice *dice, const unsigned *weights, unsigned sum)
{
    size_t left = nv_dice_below(dice, sum), action = 0;
    while (left >= weights[action])
        left -= weights[action++];
    return action;
}

void sim_plan_make(struct sim_plan *plan, uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    unsigned weights[64], sum = 0;
    memset(plan, 0, sizeof *plan);
    plan->seed = seed;
    plan->profile = some_profile(&dice);
    /* Each seed has a taste of its own: some things happen to it often, others never. */
    for (size_t action = 0; action < sim_action_count; action++) {
        unsigned taste = (unsigned)nv_dice_below(&dice, 4);
        bool is_possible = plan->profile.has_scopes || !sim_actions[action].needs_scopes;
        /* Most of all somebody writes. */
        if (action == 0)
            taste = plan->profile.has_scopes ? 1 : 2;
        weights[action] = is_possible ? sim_actions[action].weight * taste : 0;
        sum += weights[action];
    }
    plan->count = 15 + nv_dice_below(&dice, plan->profile.machines > 8 ? 120 : 75);
    int64_t at = 0;
    for (size_t i = 0; i < plan->count; i++) {
        /* Most things happen at about the same time as others. */
        int64_t mean = plan->profile.span_us / (int64_t)plan->count;
        at += nv_dice_percent(&dice, 60) ? (int64_t)nv_dice_below(&dice, 4000)
                                         : (int64_t)nv_dice_below(&dice, (size_t)mean * 4);
        plan->steps[i] = (struct sim_step){.at_us = at,
                                           .action = some_action(&dice, weights, sum),
                                           .place = nv_dice_below(&dice, plan->profile.machines),
                                           .seed = nv_dice_bits(&dice)};
    }
}

/* ---- in a file ---- */

void sim_plan_write(const struct sim_plan *plan, FILE *file)
{
    const struct sim_profile *profile = &plan->profile;
    fprintf(file,
            "seed %" PRIu64 " machines %zu records %u side-lines %d equal %d large %d cost %" PRId64 " span %" PRId64
            " scopes %d\n",
            plan->seed, profile->machines, profile->records, profile->has_side_lines, profile->has_equal_values,
            profile->has_large_values, profile->clock_cost_us, profile->span_us, profile->has_scopes);
    for (size_t i = 0; i < plan->count; i++) {
        const struct sim_step *step = &plan->steps[i];
        if (!step->is_left_out)
            fprintf(file, "%" PRId64 " %s %zu %" PRIu64 "\n", step->at_us, sim_actions[step->action].name, step->place,
                    step->seed);
    }
}

static bool action_named(const char *name, size_t *ret_action)
{
    for (size_t action = 0; action < sim_action_count; action++)
        if (strcmp(sim_actions[action].name, name) == 0) {
            *ret_action = action;
            return true;
        }
    fprintf(stderr, "there is no action %s\n", name);
    return false;
}

bool sim_plan_read(struct sim_plan *plan, FILE *file)
{
    struct sim_profile *profile = &plan->profile;
    int side, equal, large, scopes = 0;
    char line[256], name[64];
    memset(plan, 0, sizeof *plan);
    bool has_profile = false;
    while (fgets(line, sizeof line, file) != NULL) {
        struct sim_step *step = &plan->steps[plan->count];
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (!has_profile) {
            if (sscanf(line,
                       "seed %" SCNu64 " machines %zu records %u side-lines %d equal %d large %d cost %" SCNd64
                       " span %" SCNd64 " scopes %d",
                       &plan->seed, &profile->machines, &profile->records, &side, &equal, &large,
                       &profile->clock_cost_us, &profile->span_us, &scopes) < 8) /* older plans have none */
                return false;
            profile->has_scopes = scopes != 0;
            profile->has_side_lines = side != 0;
            profile->has_equal_values = equal != 0;
            profile->has_large_values = large != 0;
            has_profile = true;
            continue;
        }
        if (plan->count == SIM_STEPS ||
            sscanf(line, "%" SCNd64 " %63s %zu %" SCNu64, &step->at_us, name, &step->place, &step->seed) != 4 ||
            !action_named(name, &step->action))
            return false;
        plan->count++;
    }
    return has_profile;
}

/* ---- running ---- */

static bool was_hostile(const struct sim_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!plan->steps[i].is_left_out && strcmp(sim_actions[plan->steps[i].action].name, "hostile") == 0)
            return true;
    return false;
}

static void do_steps(struct sim_world *world, const struct sim_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct sim_step *step = &plan->steps[i];
        if (step->is_left_out)
            continue;
        struct nv_dice dice = nv_dice_of(step->seed);
        sim_world_run(world, SIM_START_US + step->at_us - sim_clock_us(), NULL);
        sim_trace("-- %zu %s %s", i, sim_actions[step->action].name, sim_place_name(step->place));
        sim_actions[step->action].run(world, &dice, step->place);
    }
}

static void become_one(struct sim_world *world, int64_t most_us, const char *checker)
{
    int64_t begun = sim_clock_us();
    if (!sim_world_run(world, most_us, sim_world_is_one))
        sim_fail(checker, "%lld ms after the last fault %s", (long long)(most_us / 1000),
                 sim_world_what_is_left(world));
    uint64_t took = (uint64_t)(sim_clock_us() - begun) / 1000;
    sim_trace("all are one, after %llu ms", (unsigned long long)took);
    if (took > sim_report->longest_calm_ms)
        sim_report->longest_calm_ms = took;
}

/* In a calm network a write is everywhere within a second, be it at the hub or at a school. */
static void probe(struct sim_world *world)
{
    for (size_t place = 0; place < world->places; place++) {
        if (!sim_world_has(world, place) || (place >= PROBED && place < world->founding->certified))
            continue;
        char sql[128];
        snprintf(sql, sizeof sql,
                 "INSERT INTO item(id, a) VALUES ('r0', %u) ON CONFLICT (id) DO UPDATE SET a = excluded.a",
                 ++world->tokens);
        sim_people_sql(world, place, 1, sql);
        become_one(world, SECOND / 5, "prompt");
    }
}

/* One in a group soon, among those who read it: it may set off moves. */
static void probe_groups(struct sim_world *world)
{
    for (size_t group = 0; group < SIM_GROUPS; group++)
        for (size_t place = 1; place < world->profile.machines; place++) {
            if (!sim_world_has(world, place) ||
                !sim_rights_reads(&world->rights, SIM_BIT_GROUP + group, place, UINT64_MAX - 1))
                continue;
            sim_scoped_probe(world, place, group);
            become_one(world, 5ll * SECOND, "prompt");
        }
}

void sim_plan_run(const struct sim_plan *plan)
{
    static struct sim_world world;
    sim_world_make(&world, plan->seed, &plan->profile);
    do_steps(&world, plan);
    sim_world_calm(&world);
    become_one(&world, was_hostile(plan) ? 1500ll * SECOND : 150ll * SECOND, "liveness");
    sim_world_run(&world, 30ll * SECOND,
                  NULL); /* so that dead lines are noticed, and all have compared what they have */
    probe(&world);
    probe_groups(&world);
    sim_check_end(&world);
    sim_report->seeds++;
    sim_report->writes += world.ledger.writes;
    sim_report->turns += world.turns;
    sim_report->frames += sim_network_frames();
    sim_report->changesets += world.history.changesets;
    sim_report->values += world.marks.count;
    sim_report->rights_taken += world.rights.taking_count;
    sim_report->virtual_ms += (uint64_t)(sim_clock_us() - SIM_START_US) / 1000;
    sim_world_free(&world);
}
