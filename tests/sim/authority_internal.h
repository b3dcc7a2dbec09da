/* Shared by authority.c and returning.c. */
#pragma once

#include "authority.h"

/* A command at the hub, which has its store open. */
struct sim_command {
    struct nv_store *hub;
    const struct nv_sign_key *authority;
    struct nv_wall_ms now;
    size_t group, place;
};

typedef enum nv_status sim_command_function(struct sim_world *world, const struct sim_command *command,
                                            struct nv_error *error);

/* False where nothing came of it: the store was busy, or the disk full. */
bool sim_authority_run(struct sim_world *world, sim_command_function *function, size_t group, size_t place,
                       const char *what);

/* Around what takes a right from command->place, in one scope or in every one (SIM_BITS). */
struct sim_taking *sim_authority_begin_taking(struct sim_world *world, const struct sim_command *command, size_t scope);
bool sim_authority_end_taking(struct sim_world *world, const struct sim_command *command, struct sim_taking *taking,
                              bool is_done);
