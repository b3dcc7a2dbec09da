/* What people and their programs do to a store: all by plain SQL, but for answers to conflicts, joining and publishing,
 * which are commands. Each takes its choices from `dice`, so that an action does the same thing whatever came before.
 */
#pragma once

#include "world.h"

void sim_people_write(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_open_form(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_save_form(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_rebuild_table(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_put_back(struct sim_world *world, size_t place);
void sim_people_take_table_away(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_bring_table_back(struct sim_world *world, size_t place);
void sim_people_hold_lock(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_answer(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_join(struct sim_world *world, size_t place);
void sim_people_certify(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_people_publish(struct sim_world *world);

/* The store as a command opens it, to be closed; NULL where that cannot be now. */
struct nv_store *sim_people_client(struct sim_world *world, size_t place);

/* Hands the hub's authority log to the store of a site that has been a member. */
enum nv_status sim_people_hear_authority(struct nv_store *hub, struct nv_store *store, struct nv_error *error);

/* SQL that a scenario wants done; NULL `form`: seen as it stands. */
void sim_people_sql(struct sim_world *world, size_t place, unsigned touched, const char *sql);

/* A commit that was answered with an error: was it done? */
void sim_people_resolve_doubt(struct sim_world *world, size_t place);
