/* The simulated disk as an SQLite VFS, with its clock and its randomness. */
#include <assert.h>
#include <string.h>

#include "tests/sim/disk_internal.h"

static int64_t clock_ms;
static struct nv_dice chance;

/* Files without a name are on a disk of their own: they never fail, and no power cut leaves anything of them. */
static struct nv_disk temporary = {.name = "temporary", .room = SIZE_MAX};

/* ---- names ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* The handle of the database that a journal or a WAL belongs to; NULL for a database. SQLite keeps it before the name
 * that it gives us. */
static struct nv_disk_handle *database_of(const char *path)
{
    return ends_with(path, "-wal") || ends_with(path, "-journal")
               ? (struct nv_disk_handle *)sqlite3_database_file_object(path)
               : NULL;
}

/* Whose call it is that names a file, as the handle that it would be made through. */
static struct nv_disk_handle named(const char *path, const char **ret_name)
{
    struct nv_disk_handle handle = {.disk = nv_disk_find(path, ret_name), .is_dead = true};
    const struct nv_disk_handle *database = database_of(path);
    if (handle.disk == NULL)
        return handle;
    handle.is_dead = database != NULL && database->is_dead;
    handle.program = database == NULL ? handle.disk->program : database->program;
    return handle;
}

static int open_temporary(struct nv_disk_handle *handle)
{
    struct nv_disk_file *file = nv_disk_file_make(&temporary, "");
    nv_disk_handle_attach(handle, &temporary, file, file);
    nv_disk_file_unlink(&temporary, file);
    return SQLITE_OK;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *opened, int flags, int *ret_flags)
{
    struct nv_disk_handle *handle = (struct nv_disk_handle *)opened;
    const char *name = NULL;
    (void)vfs;
    *handle = (struct nv_disk_handle){0};
    if (ret_flags != NULL)
        *ret_flags = flags;
    if (path == NULL)
        return open_temporary(handle);
    *handle = named(path, &name);
    struct nv_disk *disk = handle->disk;
    /* A transaction over several databases has a journal of its own: no site of ours has any. */
    if (disk == NULL || strlen(name) >= NV_DISK_FILE_NAME || (flags & SQLITE_OPEN_SUPER_JOURNAL) != 0)
        return SQLITE_CANTOPEN;
    int result = nv_disk_handle_begin(handle, SQLITE_CANTOPEN);
    if (result != SQLITE_OK)
        return result;
    struct nv_disk_file *file = nv_disk_file_find(disk, name);
    if (file == NULL ? (flags & SQLITE_OPEN_CREATE) == 0 : (flags & SQLITE_OPEN_EXCLUSIVE) != 0)
        return SQLITE_CANTOPEN;
    if (file == NULL)
        file = nv_disk_file_make(disk, name);
    handle->syncs_folder = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    const struct nv_disk_handle *database = database_of(path);
    nv_disk_handle_attach(handle, disk, file, database == NULL ? file : database->file);
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    const char *name;
    struct nv_disk_handle handle = named(path, &name);
    (void)vfs;
    enum nv_disk_fate fate = nv_disk_handle_fate(&handle, false);
    if (fate == NV_DISK_FAILS)
        return SQLITE_IOERR_DELETE;
    struct nv_disk_file *file = nv_disk_file_find(handle.disk, name);
    if (file != NULL && (fate == NV_DISK_GOES_ON || nv_dice_percent(&handle.disk->dice, 50)))
        nv_disk_file_unlink(handle.disk, file);
    if (fate == NV_DISK_DIES) {
        nv_disk_die(handle.disk, handle.program);
        return SQLITE_IOERR_DELETE;
    }
    if (sync_folder && !handle.disk->lies)
        nv_disk_folder_sync(handle.disk);
    return file == NULL ? SQLITE_IOERR_DELETE_NOENT : SQLITE_OK;
}

static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *ret_there)
{
    const char *name;
    struct nv_disk_handle handle = named(path, &name);
    (void)vfs, (void)flags;
    *ret_there = 0;
    int result = nv_disk_handle_begin(&handle, SQLITE_IOERR_ACCESS);
    if (result != SQLITE_OK)
        return result;
    const struct nv_disk_file *file = nv_disk_file_find(handle.disk, name);
    /* As SQLite's unix VFS: an empty file is as good as none, where it asks whether there is one. */
    *ret_there = file != NULL && (flags != SQLITE_ACCESS_EXISTS || file->bytes.size > 0);
    return SQLITE_OK;
}

static int full_name(sqlite3_vfs *vfs, const char *path, int size, char *ret_path)
{
    (void)vfs;
    if (strlen(path) >= (size_t)size)
        return SQLITE_CANTOPEN;
    strcpy(ret_path, path);
    return SQLITE_OK;
}

/* ---- chance and time ---- */

static int random_bytes(sqlite3_vfs *vfs, int size, char *ret_bytes)
{
    (void)vfs;
    nv_dice_bytes(&chance, ret_bytes, (size_t)size);
    return size;
}

static int sleep_us(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int julian_ms(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
    (void)vfs;
    *ret_ms = clock_ms + 210866760000000; /* from noon, 24 November 4714 BC */
    return SQLITE_OK;
}

static int julian_days(sqlite3_vfs *vfs, double *ret_days)
{
    sqlite3_int64 ms;
    julian_ms(vfs, &ms);
    *ret_days = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int size, char *ret_text)
{
    (void)vfs, (void)size, (void)ret_text;
    return 0;
}

void nv_disks_set_clock(int64_t ms)
{
    clock_ms = ms;
}

void nv_disks_set_randomness(uint64_t seed)
{
    chance = nv_dice_of(seed);
    sqlite3_randomness(0, NULL);
}

void nv_disks_start(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct nv_disk_handle),
        .mxPathname = NV_DISK_NAME + NV_DISK_FILE_NAME,
        .zName = "navette-sim",
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_name,
        .xRandomness = random_bytes,
        .xSleep = sleep_us,
        .xCurrentTime = julian_days,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = julian_ms,
    };
    int result = sqlite3_vfs_register(&vfs, 1);
    assert(result == SQLITE_OK);
}
