/* What can happen. A new kind of thing to do, or to go wrong, is a function and a line here. */
#include "authority.h"
#include "checks.h"
#include "faults.h"
#include "foreign.h"
#include "people.h"
#include "plan.h"
#include "scoped.h"
#include "thieves.h"

static void join(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    size_t latecomer = world->founding->certified + nv_dice_below(dice, SIM_LATECOMERS);
    bool was_member = world->machines[latecomer].is_member;
    sim_people_join(world, latecomer);
    if (world->profile.has_scopes && !was_member && world->machines[latecomer].is_member)
        sim_thieves_visit(world, dice, latecomer);
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

/* Several records at once. */
static void write_scoped(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    for (size_t left = 1 + nv_dice_below(dice, 4); left > 0; left--)
        sim_scoped_write(world, dice, place);
}

enum { ALWAYS = false, WITH_SCOPES = true };

const struct sim_action sim_actions[] = {
    {"write", 300, sim_people_write, ALWAYS},
    {"rush", 20, rush, ALWAYS},
    {"open-form", 25, sim_people_open_form, ALWAYS},
    {"save-form", 25, sim_people_save_form, ALWAYS},
    {"rebuild-table", 20, sim_people_rebuild_table, ALWAYS},
    {"take-table-away", 12, sim_people_take_table_away, ALWAYS},
    {"seal-by-hand", 12, sim_foreign_seal, ALWAYS},
    {"hold-lock", 12, sim_people_hold_lock, ALWAYS},
    {"answer", 70, sim_people_answer, ALWAYS},
    {"join", 8, join, ALWAYS},
    {"certify", 12, certify, ALWAYS},
    {"publish", 6, publish, ALWAYS},
    {"look", 40, look, ALWAYS},
    {"cut", 20, sim_fault_cut, ALWAYS},
    {"cut-one-way", 15, sim_fault_cut_one_way, ALWAYS},
    {"cut-hub", 8, cut_hub, ALWAYS},
    {"break", 15, sim_fault_break, ALWAYS},
    {"half-open", 12, sim_fault_half_open, ALWAYS},
    {"slow", 12, sim_fault_slow, ALWAYS},
    {"unruly", 12, sim_fault_unruly, ALWAYS},
    {"hostile", 6, sim_fault_hostile, ALWAYS},
    {"stop", 12, sim_fault_stop, ALWAYS},
    {"kill", 15, sim_fault_kill, ALWAYS},
    {"kill-in-call", 15, sim_fault_kill_in_call, ALWAYS},
    {"power", 15, sim_fault_power, ALWAYS},
    {"power-in-call", 15, sim_fault_power_in_call, ALWAYS},
    {"disk-error", 10, sim_fault_disk_error, ALWAYS},
    {"fsync", 10, sim_fault_fsync, ALWAYS},
    {"full", 10, sim_fault_full, ALWAYS},
    {"clock", 15, sim_fault_clock, ALWAYS},
    {"write-scoped", 250, write_scoped, WITH_SCOPES},
    {"move", 40, sim_scoped_move, WITH_SCOPES},
    {"list-reader", 50, sim_authority_list, WITH_SCOPES},
    {"unlist-reader", 50, sim_authority_unlist, WITH_SCOPES},
    {"revoke", 25, sim_authority_revoke, WITH_SCOPES},
    {"revoke-behind", 25, sim_authority_revoke_behind, WITH_SCOPES},
    {"replace", 25, sim_authority_replace, WITH_SCOPES},
    {"smuggle", 40, sim_thieves_smuggle, WITH_SCOPES},
    {"forge", 50, sim_thieves_forge, WITH_SCOPES},
};
const size_t sim_action_count = sizeof sim_actions / sizeof *sim_actions;
