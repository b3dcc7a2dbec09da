#include "authority_internal.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "clock.h"
#include "people.h"
#include "report.h"
#include "scoped.h"
#include "store/authority.h"
#include "store/log.h"
#include "store/trust/rights.h"
#include "thieves.h"
#include "trace.h"

enum { HUB = 0, LEFT_LEAST = 2, SOON_US = 600000 };
static const uint64_t LATEST = UINT64_MAX - 1; /* a position beyond all */

const char *const sim_group_names[SIM_GROUPS] = {"nord", "sud", "est"};

static uint64_t position_of(const struct nv_store *hub)
{
    const struct nv_far_head *has;
    size_t count;
    nv_store_has(hub, &has, &count);
    return count > 0 && nv_scope_id_equal(has[0].scope, NV_SCOPE_AUTHORITY) ? has[0].seq : 0;
}

void sim_authority_note_member(struct sim_world *world, const struct nv_store *hub, size_t place)
{
    sim_rights_give(&world->rights, SIM_BIT_NETWORK, place, position_of(hub), &world->machines[place].sign.public_key);
}

/* ---- a command at the hub ---- */

/* A right is about to be taken: what the authority holds of the site's logs is what it will name. */
struct sim_taking *sim_authority_begin_taking(struct sim_world *world, const struct sim_command *command, size_t scope)
{
    const struct nv_far_head *has;
    size_t count;
    assert(world->rights.taking_count < SIM_TAKINGS);
    struct sim_taking *taking = &world->rights.takings[world->rights.taking_count];
    *taking = (struct sim_taking){.scope = scope, .place = command->place};
    nv_store_has(command->hub, &has, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_site_id_compare(has[i].site, world->rights.sites[command->place]) == 0 &&
            (scope == SIM_BITS || sim_rights_bit(&world->rights, has[i].scope) == scope))
            nv_heads_raise(&taking->named, &has[i]);
    return taking;
}

/* False where nothing came of it. */
bool sim_authority_end_taking(struct sim_world *world, const struct sim_command *command, struct sim_taking *taking,
                              bool is_done)
{
    if (!is_done) {
        nv_heads_done(&taking->named);
        return false;
    }
    taking->position = position_of(command->hub);
    world->rights.taking_count++;
    for (size_t i = 0; i < world->rights.taking_count; i++) { /* there is one more to vouch for thieves */
        world->rights.takings[i].is_known_to_all = false;
        nv_heads_clear(&world->rights.takings[i].last);
    }
    return true;
}

static enum nv_status make_group(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    char name[32];
    if (world->rights.is_made[command->group])
        return NV_OK;
    enum nv_status status =
        nv_authority_group(command->hub, command->authority, sim_group_names[command->group], command->now, error);
    snprintf(name, sizeof name, "group/%s", sim_group_names[command->group]);
    if (status == NV_OK)
        status = nv_scope_from_name(command->hub, name, &world->rights.groups[command->group], error);
    world->rights.is_made[command->group] = status == NV_OK;
    return status;
}

static enum nv_status list(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    struct sim_rights *rights = &world->rights;
    enum nv_status status = make_group(world, command, error);
    if (status != NV_OK || sim_rights_reads(rights, SIM_BIT_GROUP + command->group, command->place, LATEST))
        return status;
    status = nv_authority_add_reader(command->hub, command->authority, rights->groups[command->group],
                                     rights->sites[command->place], command->now, error);
    if (status == NV_OK)
        sim_rights_give(rights, SIM_BIT_GROUP + command->group, command->place, position_of(command->hub), NULL);
    return status;
}

static enum nv_status unlist(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    struct sim_rights *rights = &world->rights;
    size_t scope = SIM_BIT_GROUP + command->group;
    if (!rights->is_made[command->group] || !sim_rights_reads(rights, scope, command->place, LATEST))
        return NV_OK;
    struct sim_taking *taking = sim_authority_begin_taking(world, command, scope);
    enum nv_status status = nv_authority_remove_reader(command->hub, command->authority, rights->groups[command->group],
                                                       rights->sites[command->place], command->now, error);
    if (sim_authority_end_taking(world, command, taking, status == NV_OK))
        sim_rights_take(rights, scope, command->place, taking->position);
    return status;
}

static enum nv_status revoke(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    struct sim_taking *taking = sim_authority_begin_taking(world, command, SIM_BITS);
    enum nv_status status =
        nv_authority_revoke(command->hub, command->authority, world->rights.sites[command->place], command->now, error);
    if (sim_authority_end_taking(world, command, taking, status == NV_OK)) {
        sim_rights_take_all(&world->rights, command->place, taking->position);
        world->is_out[command->place] = world->was_taken[command->place] = true;
    }
    return status;
}

bool sim_authority_run(struct sim_world *world, sim_command_function *function, size_t group, size_t place,
                       const char *what)
{
    struct nv_error error = {0};
    struct sim_command command = {.hub = sim_people_client(world, HUB),
                                  .authority = &world->founding->authority,
                                  .now = nv_wall_now(),
                                  .group = group,
                                  .place = place};
    if (command.hub == NULL)
        return false;
    enum nv_status status = function(world, &command, &error);
    sim_trace("the authority %s %s (%s): %s, at %llu", what, sim_place_name(place), sim_group_names[group],
              nv_status_text(status), (unsigned long long)position_of(command.hub));
    nv_store_close(command.hub);
    if (status != NV_OK && status != NV_BUSY && status != NV_FULL)
        sim_fail("daemon", "a command of the authority fails: %s", error.text);
    sim_world_settle(world, HUB);
    return status == NV_OK;
}

/* ---- actions ---- */

static size_t some_school(const struct sim_world *world, struct nv_dice *dice)
{
    return 1 + nv_dice_below(dice, world->profile.machines - 1);
}

/* A group and a school that is in it, or is not; false where the dice find none. */
static bool find(const struct sim_world *world, struct nv_dice *dice, bool reads, size_t *ret_group, size_t *ret_school)
{
    for (int tries = 0; tries < 8; tries++) {
        *ret_group = nv_dice_below(dice, SIM_GROUPS);
        *ret_school = some_school(world, dice);
        if (!world->is_out[*ret_school] &&
            sim_rights_reads(&world->rights, SIM_BIT_GROUP + *ret_group, *ret_school, LATEST) == reads)
            return true;
    }
    return false;
}

void sim_authority_list(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    size_t group, school;
    if (find(world, dice, false, &group, &school))
        sim_authority_run(world, list, group, school, "lists");
}

void sim_authority_unlist(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    size_t group, school;
    if (find(world, dice, true, &group, &school))
        sim_authority_run(world, unlist, group, school, "takes out");
}

static size_t members_left(const struct sim_world *world)
{
    size_t left = 0;
    for (size_t place = 0; place < world->profile.machines; place++)
        left += !world->is_out[place];
    return left;
}

/* One, or several at once. */
void sim_authority_revoke(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    for (size_t times = nv_dice_percent(dice, 75) ? 1 : 2; times > 0; times--) {
        size_t school = some_school(world, dice);
        if (!world->is_out[school] && members_left(world) > LEFT_LEAST)
            sim_authority_run(world, revoke, 0, school, "revokes");
    }
}

/* ---- behind the hub's back ---- */

static void revoke_timer(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    if (!world->is_out[place] && members_left(world) > LEFT_LEAST)
        sim_authority_run(world, revoke, 0, place, "revokes");
}

static void carry_timer(struct sim_world *world, size_t from, size_t to)
{
    struct nv_dice dice = nv_dice_of(world->seed ^ from);
    if (sim_world_has(world, to))
        sim_thieves_carry(world, &dice, from, to);
}

static void open_timer(struct sim_world *world, size_t place, size_t unused)
{
    (void)world;
    (void)unused;
    sim_network_way(place, HUB)->blocked = sim_network_way(HUB, place)->blocked = false;
}

static void cut_off(struct sim_world *world, size_t place, int64_t us)
{
    sim_network_way(place, HUB)->blocked = sim_network_way(HUB, place)->blocked = true;
    sim_world_timer(world, us, open_timer, place, 0);
}

/* Two are cut off from the hub; one of them is revoked there, while the other one merges what it writes. */
void sim_authority_revoke_behind(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t thief = some_school(world, dice), other = some_school(world, dice);
    (void)place;
    if (thief == other || world->is_out[thief] || world->is_out[other])
        return;
    sim_trace("%s and %s are cut off from the hub", sim_place_name(thief), sim_place_name(other));
    cut_off(world, thief, SOON_US * 4 + (int64_t)nv_dice_below(dice, SOON_US * 10));
    cut_off(world, other, SOON_US * 2 + (int64_t)nv_dice_below(dice, SOON_US * 10));
    sim_people_write(world, dice, thief);
    for (int i = 0; i < 3; i++)
        sim_scoped_write(world, dice, thief);
    sim_world_timer(world, SOON_US, carry_timer, thief, other);
    sim_world_timer(world, SOON_US + (int64_t)nv_dice_below(dice, SOON_US), revoke_timer, thief, 0);
}

void sim_authority_begin(struct sim_world *world)
{
    struct sim_rights *rights = &world->rights;
    struct nv_dice dice = nv_dice_of(world->seed ^ 0x67726f757073);
    rights->places = world->places;
    for (size_t place = 0; place < world->places; place++) {
        rights->sites[place] = world->founding->sites[place];
        sim_history_add_opener(&world->history, &world->founding->curve[place]);
        if (place < world->founding->certified)
            sim_rights_give(rights, SIM_BIT_NETWORK, place, 0, &world->founding->sign[place].public_key);
    }
    for (size_t group = 0; world->profile.has_scopes && group < SIM_GROUPS; group++)
        for (size_t school = 1; school < world->profile.machines && school < 6; school++)
            if (nv_dice_percent(&dice, 60))
                sim_authority_run(world, list, group, school, "lists");
}
