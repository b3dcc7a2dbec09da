/* Disks, programs, planned faults, kills and power cuts. */
#include "tests/sim/disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/disk_internal.h"

static struct nv_disk *disks;
struct nv_disk_counts nv_disk_count;

struct nv_disk *nv_disk_new(const char *name, uint64_t seed)
{
    assert(strlen(name) < NV_DISK_NAME && strchr(name, '/') == NULL);
    struct nv_disk *disk = calloc(1, sizeof *disk);
    assert(disk != NULL);
    strcpy(disk->name, name);
    disk->dice = nv_dice_of(seed);
    disk->room = SIZE_MAX;
    disk->next = disks;
    disks = disk;
    return disk;
}

void nv_disk_free(struct nv_disk *disk)
{
    if (disk == NULL)
        return;
    assert(disk->handles == NULL);
    struct nv_disk **at = &disks;
    while (*at != disk)
        at = &(*at)->next;
    *at = disk->next;
    nv_disk_files_free(disk);
    free(disk);
}

struct nv_disk *nv_disk_find(const char *path, const char **ret_file)
{
    const char *slash = strchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    for (struct nv_disk *disk = disks; size > 0 && disk != NULL; disk = disk->next) {
        if (strlen(disk->name) == size && memcmp(disk->name, path, size) == 0) {
            *ret_file = slash + 1;
            return disk;
        }
    }
    return NULL;
}

const struct nv_disk_counts *nv_disk_counts(void)
{
    return &nv_disk_count;
}

/* ---- whole files ---- */

void nv_disk_put(struct nv_disk *disk, const char *name, struct nv_slice bytes)
{
    nv_disk_remove(disk, name);
    struct nv_disk_file *file = nv_disk_file_make(disk, name);
    nv_disk_file_write(disk, file, 0, bytes.data, bytes.size);
    nv_disk_file_sync(disk, file);
    nv_disk_folder_sync(disk);
    file->was_written = true;
}

bool nv_disk_get(const struct nv_disk *disk, const char *name, struct nv_buffer *ret_bytes)
{
    const struct nv_disk_file *file = nv_disk_file_find(disk, name);
    if (file == NULL)
        return false;
    nv_buffer_append(ret_bytes, file->bytes.data, file->bytes.size);
    assert(!ret_bytes->failed);
    return true;
}

void nv_disk_remove(struct nv_disk *disk, const char *name)
{
    struct nv_disk_file *file = nv_disk_file_find(disk, name);
    for (struct nv_disk_handle *handle = disk->handles; handle != NULL; handle = handle->next)
        assert(handle->is_dead || file == NULL || handle->file != file);
    if (file != NULL)
        nv_disk_file_unlink(disk, file);
    nv_disk_folder_sync(disk);
}

bool nv_disk_take_written(struct nv_disk *disk, const char *name)
{
    struct nv_disk_file *file = nv_disk_file_find(disk, name);
    bool was_written = file != NULL && file->was_written;
    if (file != NULL)
        file->was_written = false;
    return was_written;
}

/* ---- room, and lies ---- */

void nv_disk_set_room(struct nv_disk *disk, size_t bytes)
{
    disk->room = bytes;
}

size_t nv_disk_used(const struct nv_disk *disk)
{
    size_t used = 0;
    for (const struct nv_disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->is_linked || file->open > 0)
            used += file->bytes.size + nv_disk_shm_size(file->shm);
    return used;
}

bool nv_disk_has_room(const struct nv_disk *disk, size_t more)
{
    if (more == 0 || disk->room == SIZE_MAX)
        return true;
    size_t used = nv_disk_used(disk);
    if (used <= disk->room && more <= disk->room - used)
        return true;
    nv_disk_count.full++;
    return false;
}

void nv_disk_set_lying(struct nv_disk *disk, bool lies)
{
    disk->lies = lies;
}

/* ---- programs and their faults ---- */

static struct nv_disk_program *program_of(struct nv_disk *disk, unsigned program)
{
    assert(program < NV_DISK_PROGRAMS);
    return &disk->programs[program];
}

void nv_disk_set_program(struct nv_disk *disk, unsigned program)
{
    assert(program < NV_DISK_PROGRAMS);
    disk->program = program;
}

void nv_disk_plan_fault(struct nv_disk *disk, unsigned program, enum nv_disk_fault fault, uint64_t calls,
                        unsigned times)
{
    assert(calls > 0 || times == 0);
    struct nv_disk_program *at = program_of(disk, program);
    at->fault = fault;
    at->calls = calls;
    at->times = times;
}

static bool counts_only_syncs(enum nv_disk_fault fault)
{
    return fault == NV_DISK_FSYNC_LOST || fault == NV_DISK_FSYNC_KEPT;
}

enum nv_disk_fate nv_disk_begin_call(struct nv_disk *disk, unsigned program, bool is_sync)
{
    struct nv_disk_program *at = program_of(disk, program);
    nv_disk_count.calls++;
    if (at->is_dead)
        return NV_DISK_FAILS;
    if (at->times == 0 || (!is_sync && counts_only_syncs(at->fault)))
        return NV_DISK_GOES_ON;
    if (at->calls > 1) {
        at->calls--;
        return NV_DISK_GOES_ON;
    }
    at->times--;
    if (at->fault == NV_DISK_KILL || at->fault == NV_DISK_POWER_CUT)
        return NV_DISK_DIES;
    nv_disk_count.faults++;
    if (at->fault == NV_DISK_FSYNC_LOST)
        nv_disk_cut_power(disk);
    return NV_DISK_FAILS;
}

void nv_disk_die(struct nv_disk *disk, unsigned program)
{
    if (program_of(disk, program)->fault == NV_DISK_KILL)
        nv_disk_kill(disk, program);
    else
        nv_disk_cut_power(disk);
}

static void end_program(struct nv_disk *disk, unsigned program)
{
    program_of(disk, program)->is_dead = true;
    program_of(disk, program)->times = 0;
    for (struct nv_disk_handle *handle = disk->handles; handle != NULL; handle = handle->next) {
        if (handle->program != program || handle->is_dead)
            continue;
        handle->is_dead = true;
        handle->lock = SQLITE_LOCK_NONE;
        nv_disk_shm_die(handle);
    }
}

void nv_disk_kill(struct nv_disk *disk, unsigned program)
{
    nv_disk_count.kills++;
    end_program(disk, program);
}

void nv_disk_cut_power(struct nv_disk *disk)
{
    nv_disk_count.power_cuts++;
    for (unsigned program = 0; program < NV_DISK_PROGRAMS; program++)
        end_program(disk, program);
    nv_disk_files_cut(disk);
}

bool nv_disk_is_dead(const struct nv_disk *disk, unsigned program)
{
    assert(program < NV_DISK_PROGRAMS);
    return disk->programs[program].is_dead;
}

void nv_disk_revive(struct nv_disk *disk, unsigned program)
{
    program_of(disk, program)->is_dead = false;
}
