#include "tests/fault/memory.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tests/sim/disk_internal.h"

const char *const nv_memory_names[NV_MEMORY_SOURCES] = {"our own", "from arenas", "SQLite's"};

static struct {
    bool is_on, for_ever;
    enum nv_memory_source source;
    uint64_t at, asked, failed;
} plan;
static int64_t blocks;
static bool is_disk; /* the simulated disk allocates for itself, as the system would */

static bool runs_out(enum nv_memory_source source)
{
    if (!plan.is_on || is_disk || source != plan.source)
        return false;
    plan.asked++;
    bool fails = plan.for_ever ? plan.asked >= plan.at : plan.asked == plan.at;
    plan.failed += fails;
    return fails;
}

void nv_memory_plan(enum nv_memory_source source, uint64_t at, bool for_ever)
{
    memset(&plan, 0, sizeof plan);
    plan.is_on = true;
    plan.source = source;
    plan.at = at;
    plan.for_ever = for_ever;
}

uint64_t nv_memory_end(uint64_t *ret_asked)
{
    plan.is_on = false;
    if (ret_asked != NULL)
        *ret_asked = plan.asked;
    return plan.failed;
}

struct nv_memory_held nv_memory_held(void)
{
    return (struct nv_memory_held){blocks, sqlite3_memory_used()};
}

/* ---- ours ---- */

/* The linker's names: __real_NAME is what NAME would have been. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_free(void *block);
void *__real_nv_arena_alloc(struct nv_arena *arena, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_free(void *block);
void *__wrap_nv_arena_alloc(struct nv_arena *arena, size_t size);

void *__wrap_malloc(size_t size)
{
    void *block = runs_out(NV_MEMORY_OWN) ? NULL : __real_malloc(size);
    blocks += block != NULL;
    return block;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *block = runs_out(NV_MEMORY_OWN) ? NULL : __real_calloc(count, size);
    blocks += block != NULL;
    return block;
}

void *__wrap_realloc(void *old, size_t size)
{
    bool is_new = old == NULL;
    void *block = runs_out(NV_MEMORY_OWN) ? NULL : __real_realloc(old, size);
    blocks += block != NULL && is_new;
    return block;
}

char *__wrap_strdup(const char *text)
{
    char *block = runs_out(NV_MEMORY_OWN) ? NULL : __real_strdup(text);
    blocks += block != NULL;
    return block;
}

char *__wrap_strndup(const char *text, size_t size)
{
    char *block = runs_out(NV_MEMORY_OWN) ? NULL : __real_strndup(text, size);
    blocks += block != NULL;
    return block;
}

void __wrap_free(void *block)
{
    blocks -= block != NULL;
    __real_free(block);
}

void *__wrap_nv_arena_alloc(struct nv_arena *arena, size_t size)
{
    return runs_out(NV_MEMORY_ARENA) ? NULL : __real_nv_arena_alloc(arena, size);
}

/* ---- the disk's ---- */

struct nv_disk_file *__real_nv_disk_file_make(struct nv_disk *disk, const char *name);
void __real_nv_disk_file_write(struct nv_disk *disk, struct nv_disk_file *file, size_t offset, const void *bytes,
                               size_t size);
void __real_nv_disk_file_truncate(struct nv_disk *disk, struct nv_disk_file *file, size_t size);
void __real_nv_disk_file_sync(struct nv_disk *disk, struct nv_disk_file *file);
int __real_nv_disk_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_view);
struct nv_disk_file *__wrap_nv_disk_file_make(struct nv_disk *disk, const char *name);
void __wrap_nv_disk_file_write(struct nv_disk *disk, struct nv_disk_file *file, size_t offset, const void *bytes,
                               size_t size);
void __wrap_nv_disk_file_truncate(struct nv_disk *disk, struct nv_disk_file *file, size_t size);
void __wrap_nv_disk_file_sync(struct nv_disk *disk, struct nv_disk_file *file);
int __wrap_nv_disk_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_view);

struct nv_disk_file *__wrap_nv_disk_file_make(struct nv_disk *disk, const char *name)
{
    is_disk = true;
    struct nv_disk_file *file = __real_nv_disk_file_make(disk, name);
    is_disk = false;
    return file;
}

void __wrap_nv_disk_file_write(struct nv_disk *disk, struct nv_disk_file *file, size_t offset, const void *bytes,
                               size_t size)
{
    is_disk = true;
    __real_nv_disk_file_write(disk, file, offset, bytes, size);
    is_disk = false;
}

void __wrap_nv_disk_file_truncate(struct nv_disk *disk, struct nv_disk_file *file, size_t size)
{
    is_disk = true;
    __real_nv_disk_file_truncate(disk, file, size);
    is_disk = false;
}

void __wrap_nv_disk_file_sync(struct nv_disk *disk, struct nv_disk_file *file)
{
    is_disk = true;
    __real_nv_disk_file_sync(disk, file);
    is_disk = false;
}

int __wrap_nv_disk_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_view)
{
    is_disk = true;
    int result = __real_nv_disk_shm_map(file, region, size, extend, ret_view);
    is_disk = false;
    return result;
}

/* ---- SQLite's ---- */

static sqlite3_mem_methods real;

static void *sqlite_malloc(int size)
{
    return runs_out(NV_MEMORY_SQLITE) ? NULL : real.xMalloc(size);
}

static void *sqlite_realloc(void *old, int size)
{
    return runs_out(NV_MEMORY_SQLITE) ? NULL : real.xRealloc(old, size);
}

void nv_memory_start(void)
{
    int result = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
    assert(result == SQLITE_OK);
    sqlite3_mem_methods methods = real;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    result = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    assert(result == SQLITE_OK);
    result = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    assert(result == SQLITE_OK);
}
