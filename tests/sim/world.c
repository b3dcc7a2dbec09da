#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "chance.h"
#include "checks.h"
#include "clock.h"
#include "frames.h"
#include "people.h"
#include "report.h"
#include "service_internal.h"
#include "store/seal.h"
#include "store/trust/rights.h"
#include "story.h"
#include "trace.h"

enum { NOTIFY_US = 1500, SUPERVISOR_US = 2000000 };

/* ---- what the network shows ---- */

static void see_sent(void *context, size_t from, size_t to, struct nv_slice frame)
{
    sim_check_sent(context, from, to, frame);
}

static void see_came(void *context, size_t from, size_t to, struct nv_slice frame)
{
    (void)context;
    sim_trace_bytes(frame.data, frame.size);
    if (!sim_trace_is_read())
        return;
    char text[512];
    sim_frame_text(frame, text, sizeof text);
    sim_trace("%s <- %s: %s", sim_place_name(to), sim_place_name(from), text);
}

static void see_line(void *context, size_t from, size_t to, const char *what)
{
    (void)context;
    sim_trace("%s: the line with %s is %s", sim_place_name(from), sim_place_name(to), what);
}

static bool alter(void *context, size_t from, size_t to, struct nv_slice frame, struct nv_buffer *ret_frames,
                  size_t ret_ends[4], size_t *ret_count)
{
    struct sim_world *world = context;
    if (!world->is_hostile[from])
        return false;
    if (world->harm != NULL)
        return world->harm(from, to, frame, ret_frames, ret_ends, ret_count);
    sim_hostile_keep(&world->hostile, frame);
    if (world->profile.has_scopes && nv_dice_percent(&world->dice, 15) &&
        sim_hostile_bring(&world->hostile, &world->dice, frame, ret_frames)) {
        ret_ends[0] = ret_frames->size;
        *ret_count = 1;
        return true;
    }
    return sim_frame_alter(&world->dice, frame, ret_frames, ret_ends, ret_count);
}

/* ---- making ---- */

/* Schools that dial each other as well: each the next one. */
static void make_side_lines(struct sim_world *world)
{
    for (size_t place = 1; place + 1 < world->profile.machines; place++) {
        struct sim_machine *machine = &world->machines[place];
        struct nv_config_peer *peer = &machine->peers[machine->config.peer_count++];
        char endpoint[64];
        sim_place_endpoint(place + 1, endpoint);
        snprintf(peer->name, sizeof peer->name, "%s", sim_place_name(place + 1));
        snprintf(peer->endpoint, sizeof peer->endpoint, "%s", endpoint);
    }
}

void sim_world_make(struct sim_world *world, uint64_t seed, const struct sim_profile *profile)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->profile = *profile;
    world->founding = sim_founding_of(profile->machines + SIM_LATECOMERS);
    world->places = world->founding->certified + SIM_LATECOMERS;
    sim_clock_start();
    sim_clock_set_cost(profile->clock_cost_us);
    sim_chance_start(seed);
    world->dice = nv_dice_of(seed ^ 0x776f726c64);
    const struct sim_network_watcher watcher = {
        .context = world, .sent = see_sent, .alter = alter, .came = see_came, .line = see_line};
    sim_network_start(seed ^ 0x6e6574, &watcher);
    for (size_t place = 0; place < world->places; place++) {
        if (place >= profile->machines && place < world->founding->certified)
            continue; /* certified, and never there */
        sim_machine_make(&world->machines[place], place, world->founding, seed * SIM_PLACES + place);
    }
    if (profile->has_side_lines)
        make_side_lines(world);
    sim_authority_begin(world);
}

void sim_world_free(struct sim_world *world)
{
    for (size_t place = 0; place < world->places; place++) {
        sim_machine_free(&world->machines[place]);
        nv_heads_done(&world->said[place]);
        nv_heads_done(&world->told[place]);
        sqlite3_free(world->forms[place].update);
    }
    sim_network_end();
    sim_history_done(&world->history);
    sim_ledger_done(&world->ledger);
    sim_rights_done(&world->rights);
    sim_hostile_done(&world->hostile);
    free(world->cuts);
}

/* ---- timers ---- */

void sim_world_timer(struct sim_world *world, int64_t after_us, void (*end)(struct sim_world *, size_t, size_t),
                     size_t a, size_t b)
{
    assert(world->timer_count < sizeof world->timers / sizeof *world->timers);
    world->timers[world->timer_count++] =
        (struct sim_timer){.at = sim_clock_us() + after_us, .end = end, .a = a, .b = b};
}

static size_t next_timer(const struct sim_world *world)
{
    size_t next = world->timer_count;
    for (size_t i = 0; i < world->timer_count; i++)
        if (next == world->timer_count || world->timers[i].at < world->timers[next].at)
            next = i;
    return next;
}

static void end_timer(struct sim_world *world, size_t number)
{
    struct sim_timer timer = world->timers[number];
    world->timer_count--;
    memmove(&world->timers[number], &world->timers[number + 1], (world->timer_count - number) * sizeof timer);
    timer.end(world, timer.a, timer.b);
}

/* ---- daemons ---- */

/* The supervisor starts it again, unless somebody holds it down. */
static void plan_start(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    machine->start_at = machine->is_held_down
                            ? INT64_MAX
                            : sim_clock_us() + SUPERVISOR_US / 2 + (int64_t)nv_dice_below(&world->dice, SUPERVISOR_US);
}

void sim_world_settle(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    bool was_up = machine->service != NULL;
    if (sim_machine_bury(machine))
        sim_trace("%s: its daemon is no more", machine->name);
    if (was_up && machine->service == NULL)
        plan_start(world, place);
    sim_people_resolve_doubt(world, place);
    sim_machine_look_at_writes(machine, 1 + (int64_t)nv_dice_below(&world->dice, NOTIFY_US));
}

/* A daemon whose disk failed ends, and is started again; no other daemon ever ends. */
static void end_of_daemon(struct sim_world *world, size_t place, const struct nv_error *error)
{
    struct sim_machine *machine = &world->machines[place];
    bool is_dead = nv_disk_is_dead(machine->disk, SIM_DAEMON);
    if (!is_dead && !(world->is_disk_bad[place] && (error->status == NV_IO || error->status == NV_FULL)))
        sim_fail("daemon", "%s ends: %s", machine->name, error->text);
    sim_trace("%s: the daemon ends: %s", machine->name, is_dead ? "killed in the middle of a call" : error->text);
    if (machine->service != NULL && !is_dead)
        sim_machine_stop(machine);
    sim_world_settle(world, place);
    plan_start(world, place);
}

void sim_world_start(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_error error = {0};
    if (machine->service != NULL)
        return;
    machine->start_at = INT64_MAX;
    sim_people_resolve_doubt(world, place);
    /* It may have died in a call whose failure means nothing to it. */
    if (sim_machine_start(machine, &error) != NV_OK || nv_disk_is_dead(machine->disk, SIM_DAEMON)) {
        end_of_daemon(world, place, &error);
        return;
    }
    sim_trace("%s: the daemon starts", machine->name);
    sim_story_logs(world, place);
    sim_check_started(world, place);
    sim_check_turn(world, place, false);
    sim_world_settle(world, place);
}

void sim_world_take_down(struct sim_world *world, size_t place, bool loses_disk)
{
    struct sim_machine *machine = &world->machines[place];
    sim_trace("%s goes down%s", machine->name, loses_disk ? " with its disk" : "");
    if (loses_disk) {
        nv_disk_cut_power(machine->disk);
        sim_machine_bury(machine);
        sim_machine_lose_disk(machine);
        memset(world->is_left_out[place], 0, sizeof world->is_left_out[place]);
        world->is_away[place] = world->may_revive[place] = world->forms[place].is_open = false;
        machine->lost_power = false;
        nv_heads_clear(&world->said[place]);
        nv_heads_clear(&world->told[place]);
    } else if (machine->service != NULL) {
        sim_machine_stop(machine);
    }
    machine->start_at = INT64_MAX;
}

static void turn(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_error error = {0};
    if (machine->notified_at <= sim_clock_us()) {
        machine->notified_at = INT64_MAX;
        sim_notify(place);
    }
    sim_machine_turn_to(machine);
    enum nv_status status = nv_service_turn(machine->service, &error);
    world->turns++;
    if (status != NV_OK || nv_disk_is_dead(machine->disk, SIM_DAEMON)) {
        end_of_daemon(world, place, &error);
        return;
    }
    sim_story_logs(world, place);
    sim_check_turn(world, place, false);
    sim_world_settle(world, place);
}

/* ---- the loop ---- */

enum next_kind { NEXT_NOTHING, NEXT_TIMER, NEXT_START, NEXT_TURN };

struct next {
    enum next_kind kind;
    int64_t at;
    size_t which;
};

static void earlier(struct next *next, enum next_kind kind, int64_t at, size_t which)
{
    if (at < next->at)
        *next = (struct next){.kind = kind, .at = at, .which = which};
}

static struct next find_next(const struct sim_world *world)
{
    struct next next = {.kind = NEXT_NOTHING, .at = INT64_MAX};
    size_t timer = next_timer(world);
    if (timer < world->timer_count)
        earlier(&next, NEXT_TIMER, world->timers[timer].at, timer);
    for (size_t place = 0; place < world->places; place++) {
        const struct sim_machine *machine = &world->machines[place];
        if (machine->disk == NULL)
            continue;
        if (machine->service == NULL) {
            earlier(&next, NEXT_START, machine->start_at, place);
            continue;
        }
        earlier(&next, NEXT_TURN, nv_service_wake(machine->service).us, place);
        earlier(&next, NEXT_TURN, machine->notified_at, place);
    }
    return next;
}

bool sim_world_run(struct sim_world *world, int64_t us, bool (*until)(struct sim_world *world))
{
    int64_t end = sim_clock_us() + us, ask_at = sim_clock_us();
    while (true) {
        if (until != NULL && sim_clock_us() >= ask_at) {
            if (until(world))
                return true;
            ask_at = sim_clock_us() + 20000;
        }
        struct next next = find_next(world);
        if (next.kind == NEXT_NOTHING || next.at > end) {
            sim_clock_advance_to(end);
            return until == NULL || until(world);
        }
        sim_clock_advance_to(next.at);
        if (next.kind == NEXT_TIMER)
            end_timer(world, next.which);
        else if (next.kind == NEXT_START)
            sim_world_start(world, next.which);
        else
            turn(world, next.which);
    }
}

/* ---- at rest ---- */

void sim_world_calm(struct sim_world *world)
{
    sim_trace("from here on nothing fails");
    world->is_calm = true;
    sim_clock_set_cost(1);
    for (size_t left = world->timer_count; left > 0; left--) /* one may begin another */
        end_timer(world, next_timer(world));
    for (size_t from = 0; from < SIM_PLACES; from++)
        for (size_t to = 0; to < SIM_PLACES; to++)
            *sim_network_way(from, to) = (struct sim_way){.latency_us = 2000, .jitter_us = 500};
    for (size_t place = 0; place < world->places; place++) {
        struct sim_machine *machine = &world->machines[place];
        world->is_hostile[place] = false;
        if (machine->disk == NULL)
            continue;
        nv_disk_plan_fault(machine->disk, SIM_DAEMON, NV_DISK_EIO, 1, 0);
        nv_disk_plan_fault(machine->disk, SIM_TOOL, NV_DISK_EIO, 1, 0);
        nv_disk_set_room(machine->disk, SIZE_MAX);
        machine->is_held_down = false;
        if (machine->is_member && machine->service == NULL)
            sim_world_start(world, place);
        world->is_disk_bad[place] = false;
        if (machine->is_member) {
            sim_people_put_back(world, place);
            sim_people_bring_table_back(world, place);
        }
    }
}

bool sim_world_has(const struct sim_world *world, size_t place)
{
    return world->machines[place].is_member && world->machines[place].disk != NULL && !world->is_out[place];
}

/* Whether it holds as much as that of all that it carries. */
static bool has_the_same(const struct sim_machine *machine, const struct nv_heads *others)
{
    const struct nv_heads *own = &machine->service->told;
    struct nv_site_id site = nv_store_identity(machine->store)->site;
    for (size_t i = 0; i < others->count; i++)
        if (nv_right_carries(machine->store, others->heads[i].scope, site, NV_POSITION_NOW) &&
            nv_heads_seq(own, &others->heads[i]) != others->heads[i].seq)
            return false;
    return nv_heads_cover(others, own->heads, own->count);
}

const char *sim_world_what_is_left(struct sim_world *world)
{
    static char text[128];
    const struct nv_service *first = world->machines[0].service;
    for (size_t place = 0; place < world->places; place++) {
        const struct sim_machine *machine = &world->machines[place];
        uint64_t pending = 0;
        struct nv_error error;
        if (!sim_world_has(world, place))
            continue;
        const char *left = NULL;
        if (machine->service == NULL)
            left = "is down";
        else if (first == NULL || !has_the_same(machine, &first->told))
            left = "has something else than the hub";
        else if (machine->notified_at != INT64_MAX)
            left = "has not looked at a write";
        else if (nv_store_pending(machine->store, &pending, &error) != NV_OK || pending > 0)
            left = "has something to seal";
        else if (world->is_away[place])
            left = "has no table";
        else
            left = sim_check_what_waits(world, place);
        if (left == NULL)
            continue;
        snprintf(text, sizeof text, "%s %s", machine->name, left);
        return text;
    }
    return NULL;
}

bool sim_world_is_one(struct sim_world *world)
{
    return sim_world_what_is_left(world) == NULL;
}
