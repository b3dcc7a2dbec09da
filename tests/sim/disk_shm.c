/* The shared memory of WAL mode, and its locks.
 *
 * Each connection has a view of its own of the same pages. When its program dies, the view becomes a private copy: what
 * SQLite still stores there on its way out, a killed program would not have stored. */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/sim/disk_internal.h"

struct nv_disk_shm {
    int memory; /* a file of the kernel's, without a name */
    size_t regions, region_size;
    unsigned views, living; /* connections that have it, and those of them that are not dead */
};

size_t nv_disk_shm_size(const struct nv_disk_shm *shm)
{
    return shm == NULL ? 0 : shm->regions * shm->region_size;
}

static struct nv_disk_shm *shm_new(size_t region_size)
{
    struct nv_disk_shm *shm = calloc(1, sizeof *shm);
    assert(shm != NULL);
    shm->region_size = region_size;
    shm->memory = memfd_create("navette-sim", MFD_CLOEXEC);
    assert(shm->memory >= 0);
    return shm;
}

static void attach(struct nv_disk_handle *handle, size_t region_size)
{
    if (handle->shm != NULL)
        return;
    if (handle->file->shm == NULL)
        handle->file->shm = shm_new(region_size);
    handle->shm = handle->file->shm;
    handle->shm->views++;
    handle->shm->living++;
}

/* Where nobody alive has the memory, the next one begins with an empty one, as SQLite's unix VFS does. */
static void leave(struct nv_disk_handle *handle)
{
    if (--handle->shm->living == 0)
        handle->file->shm = NULL;
}

static void *view_of(struct nv_disk_handle *handle, size_t region, int kind)
{
    size_t size = handle->shm->region_size;
    void *view =
        mmap(handle->views[region], size, PROT_READ | PROT_WRITE, kind, handle->shm->memory, (off_t)(region * size));
    assert(view != MAP_FAILED);
    return view;
}

int nv_disk_shm_map(sqlite3_file *file, int at, int size, int extend, void volatile **ret_view)
{
    struct nv_disk_handle *handle = (struct nv_disk_handle *)file;
    size_t region = (size_t)at;
    *ret_view = NULL;
    int result = nv_disk_handle_begin(handle, SQLITE_IOERR_SHMMAP);
    if (result != SQLITE_OK)
        return result;
    attach(handle, (size_t)size);
    struct nv_disk_shm *shm = handle->shm;
    assert(shm->region_size == (size_t)size);
    if (region >= shm->regions) {
        if (!extend)
            return SQLITE_OK;
        size_t more = (region + 1 - shm->regions) * shm->region_size;
        if (region >= NV_DISK_SHM_REGIONS || !nv_disk_has_room(handle->disk, more))
            return SQLITE_IOERR_SHMSIZE;
        shm->regions = region + 1;
        if (ftruncate(shm->memory, (off_t)(shm->regions * shm->region_size)) != 0)
            return SQLITE_IOERR_SHMSIZE;
    }
    if (handle->views[region] == NULL)
        handle->views[region] = view_of(handle, region, MAP_SHARED);
    *ret_view = handle->views[region];
    return SQLITE_OK;
}

void nv_disk_shm_die(struct nv_disk_handle *handle)
{
    handle->shared = handle->exclusive = 0;
    if (handle->shm == NULL)
        return;
    for (size_t region = 0; region < NV_DISK_SHM_REGIONS; region++)
        if (handle->views[region] != NULL)
            view_of(handle, region, MAP_PRIVATE | MAP_FIXED);
    leave(handle);
}

int nv_disk_shm_unmap(sqlite3_file *file, int remove)
{
    struct nv_disk_handle *handle = (struct nv_disk_handle *)file;
    struct nv_disk_shm *shm = handle->shm;
    (void)remove; /* it is gone once nobody has it */
    if (shm == NULL)
        return SQLITE_OK;
    for (size_t region = 0; region < NV_DISK_SHM_REGIONS; region++) {
        if (handle->views[region] != NULL)
            munmap(handle->views[region], shm->region_size);
        handle->views[region] = NULL;
    }
    if (!handle->is_dead)
        leave(handle);
    handle->shm = NULL;
    handle->shared = handle->exclusive = 0;
    if (--shm->views == 0) {
        close(shm->memory);
        free(shm);
    }
    return SQLITE_OK;
}

void nv_disk_shm_barrier(sqlite3_file *file)
{
    (void)file; /* one thread sees its own stores in order */
}

/* ---- locks ---- */

static bool others_hold(const struct nv_disk_handle *handle, unsigned slots, bool shared_too)
{
    for (const struct nv_disk_handle *other = handle->disk->handles; other != NULL; other = other->next)
        if (other != handle && other->shm == handle->shm &&
            ((other->exclusive & slots) != 0 || (shared_too && (other->shared & slots) != 0)))
            return true;
    return false;
}

int nv_disk_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    struct nv_disk_handle *handle = (struct nv_disk_handle *)file;
    assert(offset >= 0 && count > 0 && offset + count <= NV_DISK_SHM_SLOTS);
    unsigned slots = ((1u << count) - 1) << offset;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        handle->shared &= ~slots;
        handle->exclusive &= ~slots;
        return SQLITE_OK;
    }
    int result = nv_disk_handle_begin(handle, SQLITE_IOERR_SHMLOCK);
    if (result != SQLITE_OK || handle->shm == NULL)
        return SQLITE_IOERR_SHMLOCK;
    bool is_shared = (flags & SQLITE_SHM_SHARED) != 0;
    if (others_hold(handle, slots, !is_shared))
        return SQLITE_BUSY;
    if (is_shared)
        handle->shared |= slots;
    else
        handle->exclusive |= slots;
    return SQLITE_OK;
}
