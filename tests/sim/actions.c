/* What can happen. A new kind of thing to do, or to go wrong, is a function and a line here. */
#include "authority.h"
#include "checks.h"
#include "faults.h"
#include "foreign.h"
#include "people.h"
#include "plan.h"
#include "scoped.h"

static void join(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    sim_people_join(world, world->founding->certified + nv_dice_below(dice, SIM_LATECOMERS));
}

static void publish(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)dice;
    (void)place;
    sim_people_publish(world);
}

static void look(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)dice;
    if (world->machines[place].service == NULL)
        return;
    sim_machine_turn_to(&world->machines[place]);
    sim_check_turn(world, place, true);
    sim_world_settle(world, place);
}

/* Several at once, so that they meet. */
static void rush(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    for (size_t other = 0; other < world->profile.machines && other < 6; other++)
        sim_people_write(world, dice, (place + other) % world->profile.machines);
}

/* The hub works on while it is cut off: afterwards all want something of it at once. */
static void cut_hub(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    sim_fault_cut_hub(world, dice, place);
    sim_people_write(world, dice, 0);
}

/* What is written right after was judged by the authority log as it stands then. */
static void certify(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    sim_people_certify(world, dice, place);
    sim_people_write(world, dice, 0);
}

/* Several records at once, where there are groups. */
static void write_scoped(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    for (size_t left = world->profile.has_scopes ? 1 + nv_dice_below(dice, 4) : 0; left > 0; left--)
        sim_scoped_write(world, dice, place);
}

static void move(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    if (world->profile.has_scopes)
        sim_scoped_move(world, dice, place);
}

const struct sim_action sim_actions[] = {
    {"write", 300, sim_people_write},
    {"rush", 20, rush},
    {"open-form", 25, sim_people_open_form},
    {"save-form", 25, sim_people_save_form},
    {"rebuild-table", 20, sim_people_rebuild_table},
    {"take-table-away", 12, sim_people_take_table_away},
    {"seal-by-hand", 12, sim_foreign_seal},
    {"hold-lock", 12, sim_people_hold_lock},
    {"answer", 70, sim_people_answer},
    {"join", 8, join},
    {"certify", 12, certify},
    {"publish", 6, publish},
    {"look", 40, look},
    {"cut", 20, sim_fault_cut},
    {"cut-one-way", 15, sim_fault_cut_one_way},
    {"cut-hub", 8, cut_hub},
    {"break", 15, sim_fault_break},
    {"half-open", 12, sim_fault_half_open},
    {"slow", 12, sim_fault_slow},
    {"unruly", 12, sim_fault_unruly},
    {"hostile", 6, sim_fault_hostile},
    {"stop", 12, sim_fault_stop},
    {"kill", 15, sim_fault_kill},
    {"kill-in-call", 15, sim_fault_kill_in_call},
    {"power", 15, sim_fault_power},
    {"power-in-call", 15, sim_fault_power_in_call},
    {"disk-error", 10, sim_fault_disk_error},
    {"fsync", 10, sim_fault_fsync},
    {"full", 10, sim_fault_full},
    {"clock", 15, sim_fault_clock},
    {"write-scoped", 90, write_scoped},
    {"move", 15, move},
    {"list-reader", 15, sim_authority_list},
    {"unlist-reader", 15, sim_authority_unlist},
    {"revoke", 8, sim_authority_revoke},
};
const size_t sim_action_count = sizeof sim_actions / sizeof *sim_actions;
