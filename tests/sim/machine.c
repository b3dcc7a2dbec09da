#include "machine.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static void store_path(const struct sim_machine *machine, char ret_path[64])
{
    snprintf(ret_path, 64, "file:%s/store.db", machine->name);
}

void sim_machine_make(struct sim_machine *machine, size_t place, const struct sim_founding *founding, uint64_t seed)
{
    memset(machine, 0, sizeof *machine);
    machine->place = place;
    machine->name = sim_place_name(place);
    machine->founding = founding;
    machine->sign = founding->sign[place];
    machine->curve = founding->curve[place];
    machine->disk = nv_disk_new(machine->name, seed);
    machine->is_member = place < founding->certified;
    machine->start_at = machine->is_member ? sim_clock_us() : INT64_MAX;
    machine->notified_at = INT64_MAX;
    machine->config.peers = machine->peers;
    snprintf(machine->config.home, sizeof machine->config.home, "%zu", place);
    sim_place_endpoint(place, machine->config.listen);
    nv_disk_put(machine->disk, "store.db", nv_buffer_slice(&founding->files[place]));
}

void sim_machine_make_keys(struct sim_machine *machine)
{
    crypto_sign_keypair(machine->next_sign.public_key.bytes, machine->next_sign.secret);
    crypto_box_keypair(machine->next_curve.public_key.bytes, machine->next_curve.secret);
}

void sim_machine_take_keys(struct sim_machine *machine)
{
    machine->sign = machine->next_sign;
    machine->curve = machine->next_curve;
}

void sim_machine_turn_to(const struct sim_machine *machine)
{
    sim_clock_set_ahead(machine->ahead_ms);
    sim_network_set_place(machine->place);
    nv_disk_set_program(machine->disk, SIM_DAEMON);
}

static sqlite3 *connect(struct sim_machine *machine, unsigned program, int flags)
{
    char path[64];
    sqlite3 *db = NULL;
    store_path(machine, path);
    nv_disk_set_program(machine->disk, program);
    if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

static void close_connections(struct sim_machine *machine)
{
    sim_machine_close_tool(machine);
    nv_store_close(machine->examiner);
    machine->examiner = NULL;
}

static void free_daemon(struct sim_machine *machine)
{
    sim_machine_turn_to(machine);
    nv_service_free(machine->service);
    nv_store_close(machine->store);
    machine->service = NULL;
    machine->store = NULL;
    machine->notified_at = INT64_MAX;
}

void sim_machine_lose_disk(struct sim_machine *machine)
{
    assert(machine->service == NULL);
    close_connections(machine);
    nv_disk_remove(machine->disk, "store.db-wal");
    nv_disk_remove(machine->disk, "store.db-shm");
    nv_disk_put(machine->disk, "store.db", nv_buffer_slice(&machine->founding->files[machine->place]));
    /* A store that is made anew writes another epoch. */
    sqlite3 *db = connect(machine, SIM_EXAMINER, SQLITE_OPEN_READWRITE);
    sqlite3_exec(db, "UPDATE navette_meta SET value = random() WHERE name = 'epoch'", NULL, NULL, NULL);
    sqlite3_close(db);
}

enum nv_status sim_machine_init(struct sim_machine *machine, struct nv_error *error)
{
    char path[64];
    store_path(machine, path);
    nv_disk_remove(machine->disk, "store.db");
    nv_disk_set_program(machine->disk, SIM_CLIENT);
    return nv_store_create(path, machine->name, error);
}

void sim_machine_free(struct sim_machine *machine)
{
    if (machine->disk == NULL)
        return;
    nv_disk_cut_power(machine->disk);
    close_connections(machine);
    free_daemon(machine);
    nv_disk_free(machine->disk);
    machine->disk = NULL;
}

enum nv_status sim_machine_start(struct sim_machine *machine, struct nv_error *error)
{
    char path[64];
    assert(machine->service == NULL && machine->store == NULL);
    store_path(machine, path);
    sim_machine_turn_to(machine);
    nv_disk_revive(machine->disk, SIM_DAEMON);
    sim_network_set_silent(machine->place, false);
    enum nv_status status = nv_store_open(path, &machine->store, error);
    if (status == NV_OK) {
        nv_store_set_signer(machine->store, &machine->sign);
        nv_store_set_opener(machine->store, &machine->curve);
        const struct nv_service_settings settings = {
            .config = &machine->config, .store = machine->store, .curve_key = &machine->curve, .signals = -1};
        status = nv_service_new(&settings, &machine->service, error);
    }
    if (status == NV_OK)
        status = nv_service_open(machine->service, error);
    if (status == NV_OK)
        status = nv_service_start(machine->service, error);
    if (status != NV_OK)
        free_daemon(machine);
    return status;
}

void sim_machine_stop(struct sim_machine *machine)
{
    nv_store_close(machine->examiner);
    machine->examiner = NULL;
    free_daemon(machine);
}

void sim_machine_kill(struct sim_machine *machine)
{
    nv_disk_kill(machine->disk, SIM_DAEMON);
    sim_machine_bury(machine);
}

void sim_machine_cut_power(struct sim_machine *machine)
{
    nv_disk_cut_power(machine->disk);
    sim_machine_bury(machine);
}

bool sim_machine_bury(struct sim_machine *machine)
{
    bool without_power = nv_disk_is_dead(machine->disk, SIM_EXAMINER); /* which nobody kills alone */
    if (without_power) {
        machine->lost_power = true;
        sim_network_set_silent(machine->place, true);
        close_connections(machine);
        nv_disk_revive(machine->disk, SIM_TOOL);
        nv_disk_revive(machine->disk, SIM_CLIENT);
        nv_disk_revive(machine->disk, SIM_EXAMINER);
    } else if (nv_disk_is_dead(machine->disk, SIM_TOOL)) {
        sim_machine_close_tool(machine);
        nv_disk_revive(machine->disk, SIM_TOOL);
    }
    if (machine->service == NULL || !nv_disk_is_dead(machine->disk, SIM_DAEMON))
        return false;
    free_daemon(machine);
    return true;
}

void sim_machine_look_at_writes(struct sim_machine *machine, int64_t after_us)
{
    bool written = nv_disk_take_written(machine->disk, "store.db");
    if (written && machine->notified_at == INT64_MAX)
        machine->notified_at = sim_clock_us() + after_us;
}

/* ---- programs beside the daemon ---- */

sqlite3 *sim_machine_tool(struct sim_machine *machine)
{
    nv_disk_set_program(machine->disk, SIM_TOOL);
    if (machine->tool == NULL)
        machine->tool = connect(machine, SIM_TOOL, SQLITE_OPEN_READWRITE);
    return machine->tool;
}

void sim_machine_close_tool(struct sim_machine *machine)
{
    sqlite3_close(machine->tool);
    machine->tool = NULL;
}

struct nv_store *sim_machine_examiner(struct sim_machine *machine)
{
    char path[64];
    static struct nv_error error;
    store_path(machine, path);
    nv_disk_set_program(machine->disk, SIM_EXAMINER);
    machine->why_blind = error.text;
    if (machine->examiner == NULL)
        nv_store_open(path, &machine->examiner, &error);
    return machine->examiner;
}

sqlite3 *sim_machine_eyes(struct sim_machine *machine)
{
    struct nv_store *store = sim_machine_examiner(machine);
    return store == NULL ? NULL : nv_store_db(store);
}

enum nv_status sim_machine_client(struct sim_machine *machine, struct nv_store **ret_store, struct nv_error *error)
{
    char path[64];
    store_path(machine, path);
    nv_disk_set_program(machine->disk, SIM_CLIENT);
    enum nv_status status = nv_store_open(path, ret_store, error);
    if (status != NV_OK)
        return status;
    nv_store_set_signer(*ret_store, &machine->sign);
    nv_store_set_opener(*ret_store, &machine->curve);
    return NV_OK;
}
