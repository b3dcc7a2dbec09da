/* A machine of the simulation: a disk, a clock, the real daemon over them, and the programs that people use beside it.
 *
 * What starts and ends here is what a supervisor, a person or a power cut would start and end.
 */
#pragma once

#include <sqlite3.h>

#include "config.h"
#include "disk.h"
#include "founding.h"
#include "service.h"

/* The programs on a machine, by their numbers on its disk. */
enum { SIM_DAEMON = 1, SIM_TOOL = 2, SIM_CLIENT = 3, SIM_EXAMINER = 4 };

struct sim_machine {
    size_t place;
    const char *name;
    const struct sim_founding *founding;
    struct nv_sign_key sign; /* its keys, as they are in its folder */
    struct nv_curve_key curve;
    struct nv_sign_key next_sign; /* others, that it was given to begin anew */
    struct nv_curve_key next_curve;
    struct nv_disk *disk;
    struct nv_config config;
    struct nv_config_peer peers[8];
    struct nv_store *store; /* while its daemon runs, else NULL */
    struct nv_service *service;
    sqlite3 *tool;
    struct nv_store *examiner;
    const char *why_blind; /* the examiner could not be opened */
    bool is_member;        /* it has joined */
    bool is_held_down;     /* nobody starts it until it is said */
    int64_t start_at;      /* when the supervisor starts the daemon; INT64_MAX: it runs, or nobody will */
    int64_t notified_at;   /* when inotify tells of the last write; INT64_MAX: it told */
    int64_t ahead_ms, jumped_at;
    bool lost_power; /* and nobody has looked at its store since */
};

void sim_machine_make(struct sim_machine *machine, size_t place, const struct sim_founding *founding, uint64_t seed);
void sim_machine_free(struct sim_machine *machine);

/* Makes keys for it to begin anew with; then it has those. */
void sim_machine_make_keys(struct sim_machine *machine);
void sim_machine_take_keys(struct sim_machine *machine);

/* Its disk is another one, with what the founding left there, or with a store of a site that nobody knows. Its daemon
 * is down. */
void sim_machine_lose_disk(struct sim_machine *machine);
enum nv_status sim_machine_init(struct sim_machine *machine, struct nv_error *error);

/* It is that machine's turn, and its daemon's: wall clocks show its time. */
void sim_machine_turn_to(const struct sim_machine *machine);

/* Opens store and service. An error where that fails: then nothing of it is left open. */
enum nv_status sim_machine_start(struct sim_machine *machine, struct nv_error *error);

/* Ends the daemon in good order. */
void sim_machine_stop(struct sim_machine *machine);

/* The daemon, or all programs, are no more from one instruction to the next. */
void sim_machine_kill(struct sim_machine *machine);
void sim_machine_cut_power(struct sim_machine *machine);

/* Frees what a daemon left that was killed, or lost its power, in the middle of a call; false where none did. */
bool sim_machine_bury(struct sim_machine *machine);

/* Looks whether something was written, for inotify to tell `after_us` later. */
void sim_machine_look_at_writes(struct sim_machine *machine, int64_t after_us);
void sim_notify(size_t place); /* notify.c: now it is told */

/* A program's own connection, opened where it is not; NULL where that fails. The examiner is the checks' own, and no
 * fault befalls it. */
sqlite3 *sim_machine_tool(struct sim_machine *machine);
struct nv_store *sim_machine_examiner(struct sim_machine *machine);
sqlite3 *sim_machine_eyes(struct sim_machine *machine); /* the examiner's connection */
void sim_machine_close_tool(struct sim_machine *machine);

/* The store as the `navette` command opens it, beside the daemon. Close it with nv_store_close. */
enum nv_status sim_machine_client(struct sim_machine *machine, struct nv_store **ret_store, struct nv_error *error);
