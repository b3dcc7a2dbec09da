#include "faults.h"

#include "clock.h"
#include "report.h"
#include "trace.h"

enum { SECOND = 1000000 };

static int64_t some_time(struct nv_dice *dice, int64_t most_us)
{
    return 1000 + (int64_t)nv_dice_below(dice, (size_t)most_us);
}

/* Another machine that the place may have a line with: mostly the hub. */
static size_t other_than(const struct sim_world *world, struct nv_dice *dice, size_t place)
{
    if (place != 0 && nv_dice_percent(dice, 70))
        return 0;
    size_t other = nv_dice_below(dice, world->profile.machines);
    return other != place ? other : (other + 1) % world->profile.machines;
}

static void count(void)
{
    sim_report->faults++;
}

/* ---- lines ---- */

static void open_way(struct sim_world *world, size_t from, size_t to)
{
    (void)world;
    sim_network_way(from, to)->blocked = false;
}

static void block(struct sim_world *world, size_t from, size_t to, int64_t us)
{
    sim_network_way(from, to)->blocked = true;
    sim_world_timer(world, us, open_way, from, to);
    sim_trace("nothing passes from %s to %s for %lld ms", sim_place_name(from), sim_place_name(to),
              (long long)us / 1000);
    count();
}

void sim_fault_cut(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t other = other_than(world, dice, place);
    int64_t us = some_time(dice, nv_dice_percent(dice, 30) ? 90 * SECOND : 8 * SECOND);
    block(world, place, other, us);
    block(world, other, place, us);
}

void sim_fault_cut_one_way(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t other = other_than(world, dice, place);
    bool is_out = nv_dice_percent(dice, 50);
    block(world, is_out ? place : other, is_out ? other : place, some_time(dice, 40 * SECOND));
}

static void open_hub(struct sim_world *world, size_t hub, size_t unused)
{
    (void)unused;
    for (size_t other = 0; other < world->profile.machines; other++)
        sim_network_way(hub, other)->blocked = sim_network_way(other, hub)->blocked = false;
}

/* All lines with the hub go down at once, and all come back at once. */
void sim_fault_cut_hub(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    for (size_t other = 1; other < world->profile.machines; other++) {
        sim_network_break(0, other, true, true);
        sim_network_way(0, other)->blocked = sim_network_way(other, 0)->blocked = true;
    }
    sim_world_timer(world, some_time(dice, 20 * SECOND), open_hub, 0, 0);
    sim_trace("the hub is cut off");
    count();
}

static void break_line(struct sim_world *world, struct nv_dice *dice, size_t place, bool tell_place, bool tell_other)
{
    size_t other = other_than(world, dice, place);
    sim_trace("the line between %s and %s breaks%s", sim_place_name(place), sim_place_name(other),
              tell_place && tell_other   ? ""
              : tell_place || tell_other ? ", and not both know it"
                                         : ", and nobody knows it");
    sim_network_break(place, other, tell_place, tell_other);
    count();
}

void sim_fault_break(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    break_line(world, dice, place, true, true);
}

void sim_fault_half_open(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t told = nv_dice_below(dice, 3); /* one of them, or none */
    break_line(world, dice, place, told == 0, told == 1);
}

static void usual_way(struct sim_world *world, size_t from, size_t to)
{
    (void)world;
    bool blocked = sim_network_way(from, to)->blocked;
    *sim_network_way(from, to) = (struct sim_way){.latency_us = 2000, .jitter_us = 500, .blocked = blocked};
}

void sim_fault_slow(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t other = other_than(world, dice, place);
    struct sim_way *way = sim_network_way(place, other);
    way->latency_us = some_time(dice, 2 * SECOND);
    way->jitter_us = some_time(dice, SECOND);
    way->bytes_per_second = nv_dice_percent(dice, 50) ? 2000 + (int64_t)nv_dice_below(dice, 100000) : 0;
    sim_world_timer(world, some_time(dice, 20 * SECOND), usual_way, place, other);
    sim_trace("the way from %s to %s is slow", sim_place_name(place), sim_place_name(other));
    count();
}

void sim_fault_unruly(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t other = other_than(world, dice, place);
    struct sim_way *way = sim_network_way(place, other);
    way->lost_permille = (unsigned)nv_dice_below(dice, 200);
    way->doubled_permille = (unsigned)nv_dice_below(dice, 200);
    way->overtaking_permille = (unsigned)nv_dice_below(dice, 300);
    way->jitter_us = some_time(dice, SECOND / 5);
    sim_world_timer(world, some_time(dice, 20 * SECOND), usual_way, place, other);
    sim_trace("frames from %s to %s are lost, doubled and overtake each other", sim_place_name(place),
              sim_place_name(other));
    count();
}

static void behave(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    world->is_hostile[place] = false;
}

void sim_fault_hostile(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    world->is_hostile[place] = true;
    sim_world_timer(world, some_time(dice, 15 * SECOND), behave, place, 0);
    sim_trace("%s alters what it sends", sim_place_name(place));
    count();
}

/* ---- daemons and machines ---- */

static void lift(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    struct sim_machine *machine = &world->machines[place];
    machine->is_held_down = false;
    if (machine->service == NULL && machine->is_member && machine->start_at == INT64_MAX)
        machine->start_at = sim_clock_us();
}

static bool is_there(const struct sim_world *world, size_t place)
{
    return world->machines[place].disk != NULL && world->machines[place].is_member;
}

static void keep_down(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    if (!nv_dice_percent(dice, 40))
        return;
    world->machines[place].is_held_down = true;
    sim_world_timer(world, some_time(dice, 30 * SECOND), lift, place, 0);
}

void sim_fault_stop(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    if (machine->service == NULL)
        return;
    sim_trace("%s: the daemon is stopped", machine->name);
    keep_down(world, dice, place);
    sim_machine_stop(machine);
    if (!machine->is_held_down)
        machine->start_at = sim_clock_us() + some_time(dice, 2 * SECOND);
    sim_world_settle(world, place);
    count();
}

void sim_fault_kill(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    if (world->machines[place].service == NULL)
        return;
    keep_down(world, dice, place);
    nv_disk_kill(world->machines[place].disk, SIM_DAEMON);
    sim_world_settle(world, place);
    count();
}

void sim_fault_power(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    if (!is_there(world, place))
        return;
    sim_trace("%s loses its power", sim_place_name(place));
    keep_down(world, dice, place);
    nv_disk_cut_power(world->machines[place].disk);
    sim_world_settle(world, place);
    count();
}

static void plan(struct sim_world *world, struct nv_dice *dice, size_t place, enum nv_disk_fault fault,
                 size_t most_calls, unsigned times)
{
    if (!is_there(world, place))
        return;
    unsigned program = nv_dice_percent(dice, 80) ? SIM_DAEMON : SIM_TOOL;
    nv_disk_plan_fault(world->machines[place].disk, program, fault, 1 + nv_dice_below(dice, most_calls), times);
    world->is_disk_bad[place] = true;
    sim_trace("%s: a fault waits on its disk", sim_place_name(place));
    count();
}

void sim_fault_kill_in_call(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    plan(world, dice, place, NV_DISK_KILL, nv_dice_percent(dice, 50) ? 40 : 400, 1);
}

void sim_fault_power_in_call(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    plan(world, dice, place, NV_DISK_POWER_CUT, nv_dice_percent(dice, 50) ? 40 : 400, 1);
}

void sim_fault_disk_error(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    plan(world, dice, place, NV_DISK_EIO, 300, 1 + (unsigned)nv_dice_below(dice, 3));
}

void sim_fault_fsync(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    plan(world, dice, place, nv_dice_percent(dice, 50) ? NV_DISK_FSYNC_LOST : NV_DISK_FSYNC_KEPT, 10, 1);
}

static void make_room(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    nv_disk_set_room(world->machines[place].disk, SIZE_MAX);
    sim_trace("%s: there is room again", sim_place_name(place));
}

void sim_fault_full(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    if (!is_there(world, place))
        return;
    struct nv_disk *disk = world->machines[place].disk;
    nv_disk_set_room(disk, nv_disk_used(disk) + nv_dice_below(dice, 30000));
    world->is_disk_bad[place] = true;
    sim_world_timer(world, some_time(dice, 10 * SECOND), make_room, place, 0);
    sim_trace("%s: the disk fills up", sim_place_name(place));
    count();
}

void sim_fault_clock(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    static const int64_t jumps_ms[] = {1,
                                       -1,
                                       500,
                                       -500,
                                       3600000,
                                       -3600000,
                                       7 * 86400000ll,
                                       -7 * 86400000ll,
                                       -20 * 365 * 86400000ll,
                                       20 * 365 * 86400000ll};
    struct sim_machine *machine = &world->machines[place];
    machine->ahead_ms += jumps_ms[nv_dice_below(dice, sizeof jumps_ms / sizeof *jumps_ms)];
    machine->jumped_at = sim_clock_us();
    sim_trace("%s: the clock jumps", machine->name == NULL ? "(nobody)" : machine->name);
    count();
}
