/* A simulated disk: an SQLite VFS over files in memory, for a simulation in one process and one thread.
 *
 * A disk belongs to one machine. The VFS is registered once as SQLite's default; a path is "DISK/FILE" (as an SQLite
 * URI: "file:DISK/FILE"), where DISK is the disk's name. Every file keeps two images: what the machine's programs read
 * (the page cache), and what is on the platter, with the writes in between that no fsync has made durable. WAL, shared
 * memory and locks work between all connections of this process.
 *
 * Programs on the machine have numbers: a connection belongs to the program that was current when it was opened. A
 * killed program's connections answer every call with an error from then on (close works), and its locks are gone. A
 * power cut kills all of them and drops, keeps, tears (at sectors of 512 bytes) and reorders what was not yet durable;
 * files that were made, and never synced, may be gone; files that were removed without syncing their folder may be
 * back.
 *
 * Faults count the calls of one program: the Nth call from now that can fail does. All choices come from the disk's
 * seed, and SQLite's clock and randomness from nv_disks_set_clock and nv_disks_set_randomness: a seed replays to the
 * last byte.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct nv_disk;

/* Registers the VFS as the default one, once a process. */
void nv_disks_start(void);

/* A machine's disk, empty. The name has no '/'; at most 15 bytes. */
struct nv_disk *nv_disk_new(const char *name, uint64_t seed);
void nv_disk_free(struct nv_disk *disk); /* all connections are closed by then */

/* Which program opens connections from now on; 0 at the start. Calls through older connections are still theirs. */
void nv_disk_set_program(struct nv_disk *disk, unsigned program);

/* A file's bytes as programs read them, durable from then on / read (false where there is no such file). For templates,
 * backups and copies of a store. nv_disk_put replaces the file as a rename does, and nv_disk_remove removes it; both
 * sync the folder, so that no older file comes back. No connection may be open. */
void nv_disk_put(struct nv_disk *disk, const char *file, struct nv_slice bytes);
bool nv_disk_get(const struct nv_disk *disk, const char *file, struct nv_buffer *ret_bytes);
void nv_disk_remove(struct nv_disk *disk, const char *file);

enum nv_disk_fault {
    NV_DISK_EIO,        /* the call fails with an I/O error, and did nothing */
    NV_DISK_FSYNC_LOST, /* counts fsyncs only: it fails, and then the machine's power is cut */
    NV_DISK_FSYNC_KEPT, /* counts fsyncs only: it fails, and what was written stays to be written */
    NV_DISK_KILL,       /* the program is killed instead of the call (a write may be done in part) */
    NV_DISK_POWER_CUT,  /* the machine's power is cut instead of the call */
};
/* Calls that can fail are those that open, remove, look for, read, write, truncate, sync, measure and lock. Plans a
 * fault at the program's `calls`th call from now (1: the next), `times` times on end; one plan a program, a new one
 * replaces it; times 0 forgets it. */
void nv_disk_plan_fault(struct nv_disk *disk, unsigned program, enum nv_disk_fault fault, uint64_t calls,
                        unsigned times);

void nv_disk_kill(struct nv_disk *disk, unsigned program);
void nv_disk_cut_power(struct nv_disk *disk);
bool nv_disk_is_dead(const struct nv_disk *disk,
                     unsigned program); /* was killed, or lost its power, since its last nv_disk_revive */
void nv_disk_revive(struct nv_disk *disk, unsigned program); /* the program may run again; the machine is up */

/* At most so many bytes fit on the disk; SIZE_MAX: no bound. Writes that would go beyond give SQLITE_FULL. */
void nv_disk_set_room(struct nv_disk *disk, size_t bytes);
size_t nv_disk_used(const struct nv_disk *disk);

/* Whether something was written to the file (or its WAL) since this was last asked: what inotify would tell. */
bool nv_disk_take_written(struct nv_disk *disk, const char *file);

/* A lie that a planted bug needs: fsync does nothing, and says that it did. */
void nv_disk_set_lying(struct nv_disk *disk, bool lies);

/* What happened, on all disks since the start of the process. */
struct nv_disk_counts {
    uint64_t calls, writes, syncs, faults, kills, power_cuts, writes_dropped, writes_torn, full;
};
const struct nv_disk_counts *nv_disk_counts(void);

/* SQLite's wall clock in milliseconds since 1970, and the seed of its randomness (forgets what it drew before). */
void nv_disks_set_clock(int64_t ms);
void nv_disks_set_randomness(uint64_t seed);
