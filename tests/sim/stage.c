#include "stage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "clock.h"
#include "report.h"
#include "store/log.h"
#include "story.h"
#include "trace.h"

enum { SHOWN = 2000, HEARD_MS = 100, WHOLE_US = 100000 };

void sim_stage_head(struct sim_world *world, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int64_t since = (sim_clock_us() - SIM_START_US) % WHOLE_US;
    if (since > 0)
        sim_world_run(world, WHOLE_US - since, NULL);
    uint64_t seed = (uint64_t)(sim_clock_us() / WHOLE_US);
    world->dice = nv_dice_of(seed);
    sim_network_set_chance(seed);
    sim_chance_start(seed);
    sim_trace("-- %s", text);
}

/* ---- waiting ---- */

static struct {
    size_t place, of;
    uint64_t seq;
    const char *sql, *answer;
} awaited;

void sim_stage_wait(struct sim_world *world, int64_t ms)
{
    sim_world_run(world, ms * 1000, NULL);
}

void sim_stage_meet(struct sim_world *world)
{
    sim_stage_wait(world, 3000);
    if (!sim_world_is_one(world))
        sim_fail("scenario", "the machines do not find each other: %s", sim_world_what_is_left(world));
}

void sim_stage_await_one(struct sim_world *world, int64_t most_ms)
{
    if (!sim_world_run(world, most_ms * 1000, sim_world_is_one))
        sim_fail("scenario", "after %" PRId64 " ms %s", most_ms, sim_world_what_is_left(world));
    sim_stage_wait(world, HEARD_MS);
}

uint64_t sim_stage_held(const struct sim_world *world, size_t place, size_t of)
{
    const struct nv_far_head *has;
    size_t count;
    if (world->machines[place].store == NULL)
        return 0;
    nv_store_has(world->machines[place].store, &has, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_scope_id_equal(has[i].scope, NV_SCOPE_NETWORK) &&
            nv_site_id_compare(has[i].site, world->founding->sites[of]) == 0)
            return has[i].seq;
    return 0;
}

static bool is_held(struct sim_world *world)
{
    return sim_stage_held(world, awaited.place, awaited.of) >= awaited.seq;
}

void sim_stage_await_held(struct sim_world *world, size_t place, size_t of, uint64_t seq, int64_t most_ms)
{
    awaited.place = place;
    awaited.of = of;
    awaited.seq = seq;
    if (!sim_world_run(world, most_ms * 1000, is_held))
        sim_fail("scenario", "after %" PRId64 " ms %s does not hold %s:%" PRIu64, most_ms, sim_place_name(place),
                 sim_place_name(of), seq);
}

static bool is_answered(struct sim_world *world)
{
    char *answer = sim_story_ask(world, awaited.place, awaited.sql);
    bool is_so = strcmp(answer, awaited.answer) == 0;
    sqlite3_free(answer);
    return is_so;
}

void sim_stage_await_answer(struct sim_world *world, size_t place, const char *sql, const char *answer, int64_t most_ms)
{
    awaited.place = place;
    awaited.sql = sql;
    awaited.answer = answer;
    if (!sim_world_run(world, most_ms * 1000, is_answered))
        sim_stage_expect(world, place, sql, answer);
}

/* ---- people ---- */

static bool write_sql(struct sim_world *world, size_t place, const char *sql)
{
    uint64_t writes = world->ledger.writes;
    unsigned touched = 0;
    for (unsigned record = 0; record < SIM_RECORDS; record++)
        if (strstr(sql, sim_record_keys[record]) != NULL)
            touched |= 1u << record;
    sim_people_sql(world, place, touched, sql);
    return world->ledger.writes > writes;
}

void sim_stage_sql(struct sim_world *world, size_t place, const char *sql)
{
    if (!write_sql(world, place, sql))
        sim_fail("scenario", "%s cannot write: %s", sim_place_name(place), sql);
}

void sim_stage_sql_fails(struct sim_world *world, size_t place, const char *sql)
{
    if (write_sql(world, place, sql))
        sim_fail("scenario", "%s can write: %s", sim_place_name(place), sql);
}

void sim_stage_answer(struct sim_world *world, size_t place, size_t open, uint8_t fall)
{
    uint8_t falls[8] = {0};
    memset(&falls[1], 1, open - 1);
    falls[open] = fall;
    struct nv_dice dice = nv_dice_scripted((struct nv_slice){falls, sizeof falls});
    sim_people_answer(world, &dice, place);
}

/* ---- lines ---- */

void sim_stage_cut(size_t a, size_t b)
{
    sim_network_way(a, b)->blocked = sim_network_way(b, a)->blocked = true;
    sim_trace("nothing passes between %s and %s", sim_place_name(a), sim_place_name(b));
}

void sim_stage_heal(size_t a, size_t b)
{
    sim_network_way(a, b)->blocked = sim_network_way(b, a)->blocked = false;
    sim_trace("the ways between %s and %s are open", sim_place_name(a), sim_place_name(b));
}

/* ---- machines ---- */

void sim_stage_keep_off(struct sim_world *world, size_t place)
{
    world->machines[place].is_held_down = true;
    world->machines[place].start_at = INT64_MAX;
}

void sim_stage_power_cut(struct sim_world *world, size_t place)
{
    sim_trace("%s loses its power", sim_place_name(place));
    world->machines[place].is_held_down = true;
    nv_disk_cut_power(world->machines[place].disk);
    sim_world_settle(world, place);
}

void sim_stage_switch_on(struct sim_world *world, size_t place)
{
    sim_trace("%s is switched on", sim_place_name(place));
    world->is_disk_bad[place] = false;
    world->machines[place].is_held_down = false;
    world->machines[place].start_at = sim_clock_us();
}

void sim_stage_power_cut_at_commit(struct sim_world *world, size_t place)
{
    world->machines[place].is_held_down = true;
    world->is_disk_bad[place] = true;
    nv_disk_plan_fault(world->machines[place].disk, SIM_DAEMON, NV_DISK_FSYNC_LOST, 1, 1);
}

/* ---- what is so ---- */

static void tell_shown(const char *who, char *text)
{
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        sim_trace("%s %s", who, line);
}

static bool is_there(const struct sim_world *world, size_t place)
{
    return world->machines[place].is_member && world->machines[place].disk != NULL;
}

void sim_stage_show(struct sim_world *world, size_t place)
{
    char text[SHOWN];
    sim_story_shown(world, place, text, sizeof text);
    tell_shown(sim_place_name(place), text);
}

void sim_stage_show_all(struct sim_world *world)
{
    char first[SHOWN], text[SHOWN];
    bool alike = true;
    sim_story_shown(world, 0, first, sizeof first);
    for (size_t place = 1; place < world->places; place++) {
        if (!is_there(world, place))
            continue;
        sim_story_shown(world, place, text, sizeof text);
        alike = alike && strcmp(first, text) == 0;
    }
    if (alike)
        tell_shown("everybody", first);
    for (size_t place = 0; !alike && place < world->places; place++)
        if (is_there(world, place))
            sim_stage_show(world, place);
}

void sim_stage_expect(struct sim_world *world, size_t place, const char *sql, const char *answer)
{
    char *found = sim_story_ask(world, place, sql);
    if (strcmp(found, answer) != 0)
        sim_fail("scenario", "%s answers %s where the scenario says %s: %s", sim_place_name(place), found, answer, sql);
    sqlite3_free(found);
}

void sim_stage_expect_all(struct sim_world *world, const char *sql, const char *answer)
{
    for (size_t place = 0; place < world->places; place++)
        if (is_there(world, place))
            sim_stage_expect(world, place, sql, answer);
}
