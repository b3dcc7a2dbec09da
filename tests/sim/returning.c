/* Sites that begin anew: on another machine, or with the store that they kept. */
#include <assert.h>
#include <string.h>

#include "authority_internal.h"
#include "clock.h"
#include "people.h"
#include "report.h"
#include "store/authority.h"
#include "thieves.h"
#include "trace.h"
#include "wire/invitation.h"

enum { HUB = 0, SOON_US = 3000000 };

/* What the hub answered to who asked to recover its site. */
static struct nv_buffer answer;

/* It stays in its groups. */
static void note_anew(struct sim_world *world, const struct sim_taking *taking)
{
    const struct sim_machine *machine = &world->machines[taking->place];
    sim_rights_take(&world->rights, SIM_BIT_NETWORK, taking->place, taking->position);
    sim_rights_give(&world->rights, SIM_BIT_NETWORK, taking->place, taking->position, &machine->next_sign.public_key);
    sim_history_add_opener(&world->history, &machine->next_curve);
    world->is_out[taking->place] = false;
    world->was_taken[taking->place] = true;
}

/* ---- by the operator's word ---- */

static enum nv_status certify_anew(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    const struct sim_machine *machine = &world->machines[command->place];
    struct nv_certificate certificate = sim_certificate(world->founding, command->place);
    certificate.sign_key = machine->next_sign.public_key;
    certificate.curve_key = machine->next_curve.public_key;
    certificate.anew = true;
    struct sim_taking *taking = sim_authority_begin_taking(world, command, SIM_BITS);
    enum nv_status status = nv_authority_certify(command->hub, command->authority, &certificate, command->now, error);
    if (sim_authority_end_taking(world, command, taking, status == NV_OK))
        note_anew(world, taking);
    return status;
}

/* It takes up what the authority did, by the keys that it had. */
static void hear_authority(struct sim_world *world, size_t place)
{
    struct nv_store *hub = sim_people_client(world, HUB), *store = hub == NULL ? NULL : sim_people_client(world, place);
    struct nv_error error = {0};
    enum nv_status status = store == NULL ? NV_BUSY : sim_people_hear_authority(hub, store, &error);
    sim_trace("%s hears what the authority did: %s", sim_place_name(place), nv_status_text(status));
    if (store != NULL && status != NV_OK)
        sim_fail("daemon", "%s cannot hear what the authority did: %s", sim_place_name(place), error.text);
    nv_store_close(store);
    nv_store_close(hub);
}

/* ---- by its recovery secret ---- */

static struct nv_certificate wanted(const struct sim_world *world, size_t place)
{
    const struct sim_machine *machine = &world->machines[place];
    struct nv_certificate certificate = sim_certificate(world->founding, place);
    certificate.sign_key = machine->next_sign.public_key;
    certificate.curve_key = machine->next_curve.public_key;
    return certificate;
}

/* The whole of `navette invite` at the hub, and of what `navette join --recover` asks of it. */
static enum nv_status enrol(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    const struct nv_curve_key *recovery = &world->founding->recovery[command->place];
    const struct nv_certificate certificate = wanted(world, command->place);
    struct nv_invitation invitation = {.hub_curve_key = world->machines[HUB].curve.public_key,
                                       .authority_key = command->authority->public_key,
                                       .expires.ms = INT64_MAX};
    struct nv_buffer request = {0};
    nv_random(&invitation.number, sizeof invitation.number);
    nv_random(invitation.secret, sizeof invitation.secret);
    invitation.number >>= 1;
    enum nv_status status =
        nv_invitation_keep(command->hub, &invitation, sim_place_name(command->place), NV_ROLE_SITE, error);
    if (status == NV_OK)
        status = nv_enrol_recovery_encode(&certificate, &invitation, &world->machines[command->place].next_sign,
                                          recovery, &request, error);
    nv_buffer_clear(&answer);
    if (status == NV_OK)
        status = nv_authority_enrol(command->hub, command->authority, nv_buffer_slice(&request), command->now, &answer,
                                    error);
    nv_buffer_done(&request);
    return status;
}

static enum nv_status recover_at_hub(struct sim_world *world, const struct sim_command *command, struct nv_error *error)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_enrol_reply reply;
    struct sim_taking *taking = sim_authority_begin_taking(world, command, SIM_BITS);
    enum nv_status status = enrol(world, command, error);
    if (status == NV_OK &&
        (nv_enrol_reply_decode(nv_buffer_slice(&answer), &arena, &reply, error) != NV_OK || !reply.admitted))
        sim_fail("daemon", "the hub does not let %s recover: %s", sim_place_name(command->place), reply.text);
    nv_arena_done(&arena);
    if (sim_authority_end_taking(world, command, taking, status == NV_OK))
        note_anew(world, taking);
    return status;
}

/* On a new machine, with nothing but the secret. */
static void recover(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_enrol_reply reply;
    struct nv_error error = {0};
    enum nv_status status = sim_machine_init(machine, &error);
    sim_machine_take_keys(machine);
    struct nv_store *store = status == NV_OK ? sim_people_client(world, place) : NULL;
    if (store == NULL || nv_enrol_reply_decode(nv_buffer_slice(&answer), &arena, &reply, &error) != NV_OK)
        sim_fail("daemon", "%s cannot begin anew: %s", machine->name, error.text);
    status =
        nv_authority_recover(store, &world->founding->authority.public_key, &reply, &world->founding->recovery[place],
                             &machine->curve.public_key, (struct nv_wall_ms){sim_clock_wall_ms()}, &error);
    sim_trace("%s recovers: %s, %zu keys", machine->name, nv_status_text(status), reply.key_count);
    if (status != NV_OK)
        sim_fail("daemon", "%s cannot recover: %s", machine->name, error.text);
    nv_store_close(store);
    nv_arena_done(&arena);
    world->was_recovered[place] = true;
}

/* ---- actions ---- */

/* Who was revoked and comes back: somebody was brought what it wrote meanwhile, and is to get more of the same log. */
static void leave_behind(struct sim_world *world, struct nv_dice *dice, size_t school)
{
    size_t to = nv_dice_below(dice, world->profile.machines);
    if (!world->is_out[school] || to == school || !sim_world_has(world, to))
        return;
    sim_thieves_carry(world, dice, school, to);
    sim_world_timer(world, SOON_US + (int64_t)nv_dice_below(dice, SOON_US), sim_thieves_go_on, school, to);
}

static void replace(struct sim_world *world, struct nv_dice *dice, size_t school)
{
    struct sim_machine *machine = &world->machines[school];
    bool keeps_disk = world->is_out[school] && nv_dice_percent(dice, 50);
    bool recovers = !world->is_out[school] && nv_dice_percent(dice, 70);
    leave_behind(world, dice, school);
    if (keeps_disk) /* who is let back has what its content keys were granted to, or it could not read its own store */
        machine->next_curve = machine->curve;
    if (!sim_authority_run(world, recovers ? recover_at_hub : certify_anew, 0, school,
                           keeps_disk ? "lets back" : "replaces"))
        return;
    sim_world_take_down(world, school, !keeps_disk);
    nv_disk_set_room(machine->disk, SIZE_MAX);
    if (recovers) {
        recover(world, school);
    } else {
        hear_authority(world, school);
        sim_machine_take_keys(machine);
        world->has_lost_keys[school] = world->has_lost_keys[school] || !keeps_disk;
    }
    machine->start_at = sim_clock_us();
    if (!keeps_disk) /* it hears of thieves first */
        sim_thieves_visit(world, dice, school);
}

void sim_authority_replace(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    size_t school = 1 + nv_dice_below(dice, world->profile.machines - 1);
    if (world->machines[school].disk == NULL || world->is_held[school] || world->is_in_doubt[school] ||
        world->is_away[school])
        return;
    sim_machine_make_keys(&world->machines[school]);
    replace(world, dice, school);
}
