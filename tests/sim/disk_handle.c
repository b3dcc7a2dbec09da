/* What SQLite asks of an open file of the simulated disk. */
#include <string.h>

#include "tests/sim/disk_internal.h"

static struct nv_disk_handle *handle_of(sqlite3_file *file)
{
    return (struct nv_disk_handle *)file;
}

enum nv_disk_fate nv_disk_handle_fate(const struct nv_disk_handle *handle, bool is_sync)
{
    return handle->is_dead ? NV_DISK_FAILS : nv_disk_begin_call(handle->disk, handle->program, is_sync);
}

/* For a call that does nothing where it is its program's last one. */
int nv_disk_handle_begin(const struct nv_disk_handle *handle, int error)
{
    enum nv_disk_fate fate = nv_disk_handle_fate(handle, false);
    if (fate == NV_DISK_DIES)
        nv_disk_die(handle->disk, handle->program);
    return fate == NV_DISK_GOES_ON ? SQLITE_OK : error;
}

/* ---- reading and writing ---- */

static int read_bytes(sqlite3_file *file, void *ret_bytes, int size, sqlite3_int64 offset)
{
    struct nv_disk_handle *handle = handle_of(file);
    int result = nv_disk_handle_begin(handle, SQLITE_IOERR_READ);
    if (result != SQLITE_OK)
        return result;
    const struct nv_buffer *bytes = &handle->file->bytes;
    size_t from = (size_t)offset, wanted = (size_t)size;
    size_t there = from >= bytes->size ? 0 : bytes->size - from;
    if (there >= wanted) {
        memcpy(ret_bytes, bytes->data + from, wanted);
        return SQLITE_OK;
    }
    memset(ret_bytes, 0, wanted);
    if (there > 0)
        memcpy(ret_bytes, bytes->data + from, there);
    return SQLITE_IOERR_SHORT_READ;
}

static int write_bytes(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct nv_disk_handle *handle = handle_of(file);
    struct nv_disk *disk = handle->disk;
    size_t from = (size_t)offset, count = (size_t)size, end = from + count;
    enum nv_disk_fate fate = nv_disk_handle_fate(handle, false);
    if (fate == NV_DISK_FAILS)
        return SQLITE_IOERR_WRITE;
    bool fits = nv_disk_has_room(disk, end > handle->file->bytes.size ? end - handle->file->bytes.size : 0);
    if (fate == NV_DISK_DIES && fits)
        count = nv_dice_below(&disk->dice, count + 1);
    if (fits) {
        nv_disk_count.writes++;
        nv_disk_file_write(disk, handle->file, from, bytes, count);
        handle->tells->was_written = true;
    }
    if (fate == NV_DISK_DIES) {
        nv_disk_die(disk, handle->program);
        return SQLITE_IOERR_WRITE;
    }
    return fits ? SQLITE_OK : SQLITE_FULL;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    struct nv_disk_handle *handle = handle_of(file);
    enum nv_disk_fate fate = nv_disk_handle_fate(handle, false);
    if (fate == NV_DISK_FAILS)
        return SQLITE_IOERR_TRUNCATE;
    if (fate == NV_DISK_GOES_ON || nv_dice_percent(&handle->disk->dice, 50)) {
        nv_disk_count.writes++;
        nv_disk_file_truncate(handle->disk, handle->file, (size_t)size);
        handle->tells->was_written = true;
    }
    if (fate == NV_DISK_GOES_ON)
        return SQLITE_OK;
    nv_disk_die(handle->disk, handle->program);
    return SQLITE_IOERR_TRUNCATE;
}

static int sync_file(sqlite3_file *file, int flags)
{
    struct nv_disk_handle *handle = handle_of(file);
    (void)flags;
    enum nv_disk_fate fate = nv_disk_handle_fate(handle, true);
    if (fate == NV_DISK_DIES)
        nv_disk_die(handle->disk, handle->program);
    if (fate != NV_DISK_GOES_ON)
        return SQLITE_IOERR_FSYNC;
    nv_disk_count.syncs++;
    if (handle->disk->lies)
        return SQLITE_OK;
    nv_disk_file_sync(handle->disk, handle->file);
    if (handle->syncs_folder)
        nv_disk_folder_sync(handle->disk);
    handle->syncs_folder = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    int result = nv_disk_handle_begin(handle_of(file), SQLITE_IOERR_FSTAT);
    if (result == SQLITE_OK)
        *ret_size = (sqlite3_int64)handle_of(file)->file->bytes.size;
    return result;
}

/* ---- locks of the file ---- */

static bool others_lock(const struct nv_disk_handle *handle, int lock)
{
    for (const struct nv_disk_handle *other = handle->disk->handles; other != NULL; other = other->next)
        if (other != handle && other->file == handle->file && other->lock >= lock)
            return true;
    return false;
}

static int lock_file(sqlite3_file *file, int lock)
{
    struct nv_disk_handle *handle = handle_of(file);
    int result = nv_disk_handle_begin(handle, SQLITE_IOERR_LOCK);
    if (result != SQLITE_OK || handle->lock >= lock)
        return result;
    if (others_lock(handle, lock == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING : SQLITE_LOCK_RESERVED))
        return SQLITE_BUSY;
    if (lock == SQLITE_LOCK_EXCLUSIVE && others_lock(handle, SQLITE_LOCK_SHARED)) {
        handle->lock = SQLITE_LOCK_PENDING; /* nobody begins to read any more */
        return SQLITE_BUSY;
    }
    handle->lock = lock;
    return SQLITE_OK;
}

static int unlock_file(sqlite3_file *file, int lock)
{
    struct nv_disk_handle *handle = handle_of(file);
    if (handle->lock > lock)
        handle->lock = lock;
    return SQLITE_OK;
}

static int check_reserved_lock(sqlite3_file *file, int *ret_reserved)
{
    struct nv_disk_handle *handle = handle_of(file);
    int result = nv_disk_handle_begin(handle, SQLITE_IOERR_CHECKRESERVEDLOCK);
    *ret_reserved =
        result == SQLITE_OK && (handle->lock >= SQLITE_LOCK_RESERVED || others_lock(handle, SQLITE_LOCK_RESERVED));
    return result;
}

/* ---- what the disk promises ---- */

static int file_control(sqlite3_file *file, int what, void *argument)
{
    (void)file, (void)what, (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *file)
{
    (void)file;
    return NV_DISK_SECTOR;
}

/* A torn write leaves the bytes beside it alone, as SQLite's unix VFS promises too; nothing else: no write is atomic,
 * none stays in order, and a file may grow before its bytes are there. */
static int device_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- opening and closing ---- */

static int close_file(sqlite3_file *file)
{
    struct nv_disk_handle *handle = handle_of(file);
    struct nv_disk *disk = handle->disk;
    nv_disk_shm_unmap(file, 0);
    struct nv_disk_handle **at = &disk->handles;
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    nv_disk_file_close(disk, handle->file);
    if (handle->tells != handle->file)
        nv_disk_file_close(disk, handle->tells);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_bytes,
    .xWrite = write_bytes,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = nv_disk_shm_map,
    .xShmLock = nv_disk_shm_lock,
    .xShmBarrier = nv_disk_shm_barrier,
    .xShmUnmap = nv_disk_shm_unmap,
};

void nv_disk_handle_attach(struct nv_disk_handle *handle, struct nv_disk *disk, struct nv_disk_file *file,
                           struct nv_disk_file *tells)
{
    handle->base.pMethods = &methods;
    handle->disk = disk;
    handle->file = file;
    handle->tells = tells;
    file->open++;
    if (tells != file)
        tells->open++;
    handle->next = disk->handles;
    disk->handles = handle;
}
