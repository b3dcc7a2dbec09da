/* What the network's operator does at the hub: groups, their readers, revocations, and sites that come back. What was
 * done is noted (rights.h). */
#pragma once

#include "world.h"

extern const char *const sim_group_names[SIM_GROUPS];

/* Whoever the founding certified is a member from its first position on; with groups, if the profile has them. */
void sim_authority_begin(struct sim_world *world);

/* A place was certified; `hub` as it stands then. */
void sim_authority_note_member(struct sim_world *world, const struct nv_store *hub, size_t place);

void sim_authority_list(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_authority_unlist(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_authority_revoke(struct sim_world *world, struct nv_dice *dice, size_t place);

/* Where another member still merges what that one writes. */
void sim_authority_revoke_behind(struct sim_world *world, struct nv_dice *dice, size_t place);

/* A machine is gone with its disk and its keys; another one takes its site over, from what the others have. Who was
 * revoked comes back so as well. */
void sim_authority_replace(struct sim_world *world, struct nv_dice *dice, size_t place);
