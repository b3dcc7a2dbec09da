/* What the files of the simulated disk share. Nobody else includes this (but tests/fault/memory.c).
 *
 *   disk.c        disks, programs, planned faults, kills and power cuts
 *   disk_file.c   files: what programs read, what is on the platter, and what a power cut leaves
 *   disk_shm.c    the shared memory of WAL mode, and its locks
 *   disk_handle.c what SQLite asks of an open file
 *   disk_vfs.c    the VFS: names, opening, its clock and its randomness
 */
#pragma once

#include <sqlite3.h>

#include "tests/sim/disk.h"
#include "tests/unit/dice.h"

enum {
    NV_DISK_NAME = 16, /* bytes of a disk's name, with its end */
    NV_DISK_FILE_NAME = 64,
    NV_DISK_PROGRAMS = 16, /* numbers of programs on one machine */
    NV_DISK_SECTOR = 512,
    NV_DISK_SHM_SLOTS = 8,
    NV_DISK_SHM_REGIONS = 64,
};

/* ---- files ---- */

struct nv_disk_write {
    uint64_t number; /* in the order of the whole disk */
    size_t offset, size;
    size_t bytes_at;  /* where its bytes begin in the file's `written` */
    bool is_truncate; /* cuts or extends the file to `offset`; has no bytes */
};

/* A file as an inode: a name can be removed and be made anew while the old one is still open, or still on the platter.
 */
struct nv_disk_file {
    struct nv_disk_file *next;
    char name[NV_DISK_FILE_NAME];
    bool is_linked;  /* programs find it under its name */
    bool is_durable; /* its name is on the platter */
    unsigned open;   /* handles, dead ones too */
    struct nv_buffer bytes, platter;
    struct nv_disk_write *writes; /* not durable yet, oldest first */
    size_t write_count, write_capacity;
    struct nv_buffer written; /* their bytes */
    struct nv_disk_shm *shm;  /* NULL: no live connection has any */
    bool was_written;         /* since nv_disk_take_written: it, or the WAL of it */
};

struct nv_disk_file *nv_disk_file_find(const struct nv_disk *disk, const char *name); /* NULL: no such file */
struct nv_disk_file *nv_disk_file_make(struct nv_disk *disk, const char *name);
void nv_disk_file_unlink(struct nv_disk *disk, struct nv_disk_file *file);
void nv_disk_file_close(struct nv_disk *disk, struct nv_disk_file *file);
void nv_disk_file_write(struct nv_disk *disk, struct nv_disk_file *file, size_t offset, const void *bytes, size_t size);
void nv_disk_file_truncate(struct nv_disk *disk, struct nv_disk_file *file, size_t size);
void nv_disk_file_sync(struct nv_disk *disk, struct nv_disk_file *file); /* and its name */
void nv_disk_folder_sync(struct nv_disk *disk);                          /* the names of all files */
void nv_disk_files_cut(struct nv_disk *disk); /* what a power cut leaves is on the platter, and is what programs read */
void nv_disk_files_free(struct nv_disk *disk);

/* ---- handles ---- */

enum nv_disk_fate {
    NV_DISK_GOES_ON,
    NV_DISK_FAILS, /* did nothing */
    NV_DISK_DIES,  /* the call may do a part, or all, of its work; then nv_disk_die is called, and the call fails */
};

struct nv_disk_handle {
    sqlite3_file base; /* SQLite's; comes first */
    struct nv_disk_handle *next;
    struct nv_disk *disk;
    struct nv_disk_file *file;
    struct nv_disk_file *tells; /* the database that this file belongs to, as inotify's watcher sees it */
    unsigned program;
    bool is_dead;               /* its program was killed, or lost its power */
    bool syncs_folder;          /* a journal or WAL that it did not sync yet */
    int lock;                   /* SQLITE_LOCK_NONE … SQLITE_LOCK_EXCLUSIVE */
    unsigned shared, exclusive; /* slots of shared memory that it has locked, a bit each */
    struct nv_disk_shm *shm;
    void *views[NV_DISK_SHM_REGIONS];
};

/* Counts a call through the handle, and says what becomes of it. */
enum nv_disk_fate nv_disk_handle_fate(const struct nv_disk_handle *handle, bool is_sync);
/* The same for a call that does nothing where it is its program's last one: SQLITE_OK where it goes on, else `error`.
 */
int nv_disk_handle_begin(const struct nv_disk_handle *handle, int error);
/* Makes it one of the disk's handles, on `file`. */
void nv_disk_handle_attach(struct nv_disk_handle *handle, struct nv_disk *disk, struct nv_disk_file *file,
                           struct nv_disk_file *tells);

/* ---- shared memory ---- */

int nv_disk_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_view);
int nv_disk_shm_lock(sqlite3_file *file, int offset, int count, int flags);
void nv_disk_shm_barrier(sqlite3_file *file);
int nv_disk_shm_unmap(sqlite3_file *file, int remove);
/* A dead program's stores no longer reach what the living share; its locks are gone. */
void nv_disk_shm_die(struct nv_disk_handle *handle);
size_t nv_disk_shm_size(const struct nv_disk_shm *shm); /* NULL: 0 */

/* ---- the machine ---- */

struct nv_disk_program {
    bool is_dead;
    enum nv_disk_fault fault;
    uint64_t calls; /* until the fault, from 1 */
    unsigned times; /* that it happens still; 0: no fault is planned */
};

struct nv_disk {
    struct nv_disk *next;
    char name[NV_DISK_NAME];
    struct nv_dice dice;
    struct nv_disk_file *files;
    struct nv_disk_handle *handles;
    struct nv_disk_program programs[NV_DISK_PROGRAMS];
    unsigned program; /* opens what is opened now */
    uint64_t next_write;
    size_t room;
    bool lies;
};

extern struct nv_disk_counts nv_disk_count;

struct nv_disk *nv_disk_find(const char *path, const char **ret_file); /* NULL: names no disk */

/* Counts the program's call, and says what becomes of it. */
enum nv_disk_fate nv_disk_begin_call(struct nv_disk *disk, unsigned program, bool is_sync);
void nv_disk_die(struct nv_disk *disk, unsigned program);
bool nv_disk_has_room(const struct nv_disk *disk, size_t more);
