/* The simulated disk, call by call: what each one may do, and what a kill or a power cut makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/disk.h"

enum { SEEDS = 200, PAGE = 4096, SECTOR = 512, REGION = 32768 };

/* ---- files as SQLite opens them ---- */

static sqlite3_vfs *vfs;

static sqlite3_file *opened(const char *name, unsigned program, struct nv_disk *disk)
{
    char path[64];
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    sqlite3_snprintf(sizeof path, path, "m/%s", name);
    const char *whole = sqlite3_create_filename(path, "", "", 0, NULL);
    nv_disk_set_program(disk, program);
    if (vfs->xOpen(vfs, whole, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB, NULL) !=
        SQLITE_OK) {
        free(file);
        file = NULL;
    }
    sqlite3_free_filename((char *)(uintptr_t)whole);
    return file;
}

static void closed(sqlite3_file *file)
{
    assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
    free(file);
}

static int fill(sqlite3_file *file, char letter, size_t offset, size_t size)
{
    char bytes[4 * PAGE];
    memset(bytes, letter, size);
    return file->pMethods->xWrite(file, bytes, (int)size, (sqlite3_int64)offset);
}

static int synced(sqlite3_file *file)
{
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

/* What stands in a file: '-' where there is none, '.' where it is empty, else the letter at `offset`, '0' for a zero.
 */
static char letter_at(struct nv_disk *disk, const char *name, size_t offset)
{
    struct nv_buffer bytes = {0};
    char letter = '-';
    if (nv_disk_get(disk, name, &bytes))
        letter = bytes.size <= offset ? '.' : bytes.data[offset] == 0 ? '0' : (char)bytes.data[offset];
    nv_buffer_done(&bytes);
    return letter;
}

/* Runs `before`, cuts the power, and notes what `after` tells of the disk then: each kind of it once, as a letter. */
static void seen_after_cuts(void (*before)(struct nv_disk *disk), char (*after)(struct nv_disk *disk),
                            char ret_seen[32])
{
    size_t count = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct nv_disk *disk = nv_disk_new("m", seed);
        before(disk);
        nv_disk_cut_power(disk);
        char letter = after(disk);
        if (memchr(ret_seen, letter, count) == NULL) {
            assert_true(count < 31);
            ret_seen[count++] = letter;
        }
        nv_disk_free(disk);
    }
    ret_seen[count] = '\0';
}

static void assert_seen(void (*before)(struct nv_disk *disk), char (*after)(struct nv_disk *disk), const char *letters)
{
    char seen[32];
    seen_after_cuts(before, after, seen);
    if (strlen(seen) != strlen(letters) || strspn(seen, letters) != strlen(seen))
        fail_msg("seen \"%s\", expected \"%s\"", seen, letters);
}

static char first_of_a(struct nv_disk *disk)
{
    return letter_at(disk, "a", 0);
}

/* ---- names ---- */

static void make_synced(struct nv_disk *disk)
{
    sqlite3_file *file = opened("a", 0, disk);
    assert_int_equal(fill(file, 'x', 0, PAGE), SQLITE_OK);
    assert_int_equal(synced(file), SQLITE_OK);
    closed(file);
}

static void make_unsynced(struct nv_disk *disk)
{
    sqlite3_file *file = opened("a", 0, disk);
    assert_int_equal(fill(file, 'x', 0, 1), SQLITE_OK);
    closed(file);
}

static void make_lying(struct nv_disk *disk)
{
    nv_disk_set_lying(disk, true);
    make_synced(disk);
}

static void remove_synced(struct nv_disk *disk)
{
    make_synced(disk);
    assert_int_equal(vfs->xDelete(vfs, "m/a", 1), SQLITE_OK);
}

static void remove_unsynced(struct nv_disk *disk)
{
    make_synced(disk);
    assert_int_equal(vfs->xDelete(vfs, "m/a", 0), SQLITE_OK);
    assert_int_equal(vfs->xDelete(vfs, "m/a", 0), SQLITE_IOERR_DELETE_NOENT);
}

static void remake_unsynced(struct nv_disk *disk)
{
    remove_unsynced(disk);
    sqlite3_file *file = opened("a", 0, disk);
    assert_int_equal(fill(file, 'y', 0, 1), SQLITE_OK);
    closed(file);
}

static void remake_synced(struct nv_disk *disk)
{
    remove_unsynced(disk);
    sqlite3_file *file = opened("a", 0, disk);
    assert_int_equal(fill(file, 'y', 0, 1), SQLITE_OK);
    assert_int_equal(synced(file), SQLITE_OK);
    closed(file);
}

static void names_are_durable_once_synced(void **state)
{
    (void)state;
    assert_seen(make_synced, first_of_a, "x");
    assert_seen(make_unsynced, first_of_a, "-.x");
    assert_seen(make_lying, first_of_a, "-.0x");
    assert_seen(remove_synced, first_of_a, "-");
    assert_seen(remove_unsynced, first_of_a, "-x");
    assert_seen(remake_unsynced, first_of_a, "-.xy");
    assert_seen(remake_synced, first_of_a, "y");
}

/* However often it was made and removed, one file has the name. */
static char left_after_removal(struct nv_disk *disk)
{
    nv_disk_revive(disk, 0);
    vfs->xDelete(vfs, "m/a", 1);
    return first_of_a(disk);
}

static void a_name_is_one_file(void **state)
{
    (void)state;
    assert_seen(remake_unsynced, left_after_removal, "-");
    assert_seen(remake_synced, left_after_removal, "-");
}

/* ---- bytes ---- */

static void write_over(struct nv_disk *disk)
{
    sqlite3_file *file = opened("a", 0, disk);
    assert_int_equal(fill(file, 'o', 0, 3 * PAGE), SQLITE_OK);
    assert_int_equal(synced(file), SQLITE_OK);
    assert_int_equal(fill(file, 'n', 0, 2 * SECTOR), SQLITE_OK);
    assert_int_equal(fill(file, 'n', PAGE, PAGE), SQLITE_OK);
    closed(file);
}

/* Each of the two writes as old, new, or torn at a sector. */
static char how_torn(struct nv_disk *disk)
{
    bool is_first[2], is_second[8], all = true, none = true;
    for (size_t i = 0; i < 2; i++)
        is_first[i] = letter_at(disk, "a", i * SECTOR) == 'n';
    for (size_t i = 0; i < 8; i++) {
        is_second[i] = letter_at(disk, "a", PAGE + i * SECTOR) == 'n';
        assert_int_equal(letter_at(disk, "a", PAGE + i * SECTOR + SECTOR - 1) == 'n', is_second[i]);
        all = all && is_second[i];
        none = none && !is_second[i];
    }
    assert_int_equal(letter_at(disk, "a", 2 * SECTOR), 'o'); /* a write changes its own bytes alone */
    assert_int_equal(letter_at(disk, "a", 2 * PAGE), 'o');
    char first = is_first[0] == is_first[1] ? (is_first[0] ? 'n' : 'o') : 't';
    char second = all ? 'n' : none ? 'o' : 't';
    static const char names[] = "abcdefghi";
    return names[(first == 'n' ? 0 : first == 'o' ? 3 : 6) + (second == 'n' ? 0 : second == 'o' ? 1 : 2)];
}

static void shrink(struct nv_disk *disk)
{
    make_synced(disk);
    sqlite3_file *file = opened("a", 0, disk);
    assert_int_equal(file->pMethods->xTruncate(file, 0), SQLITE_OK);
    closed(file);
}

static void write_in_part(struct nv_disk *disk)
{
    make_synced(disk);
    sqlite3_file *file = opened("a", 0, disk);
    nv_disk_plan_fault(disk, 0, NV_DISK_KILL, 1, 1);
    assert_int_equal(fill(file, 'y', 0, PAGE), SQLITE_IOERR_WRITE);
    closed(file);
}

static char how_far(struct nv_disk *disk)
{
    char first = letter_at(disk, "a", 0), last = letter_at(disk, "a", PAGE - 1);
    return first == 'x' ? 'o' : last == 'x' ? 'p' : 'n';
}

static void unsynced_bytes_are_lost_torn_and_reordered(void **state)
{
    (void)state;
    assert_seen(write_over, how_torn, "abcdefhi"); /* all but 'g', which takes eight sectors' luck */
    assert_seen(shrink, first_of_a, ".x");
    assert_seen(write_in_part, how_far, "op");
}

static void reads_end_at_the_end(void **state)
{
    (void)state;
    struct nv_disk *disk = nv_disk_new("m", 1);
    sqlite3_file *file = opened("a", 0, disk);
    char bytes[8];
    sqlite3_int64 size;
    assert_int_equal(fill(file, 'x', 2, 3), SQLITE_OK);
    assert_int_equal(file->pMethods->xRead(file, bytes, 5, 0), SQLITE_OK);
    assert_memory_equal(bytes, "\0\0xxx", 5);
    assert_int_equal(file->pMethods->xRead(file, bytes, 8, 1), SQLITE_IOERR_SHORT_READ);
    assert_memory_equal(bytes, "\0xxx\0\0\0\0", 8);
    assert_int_equal(file->pMethods->xRead(file, bytes, 8, 9), SQLITE_IOERR_SHORT_READ);
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    assert_int_equal(size, 5);
    nv_disk_set_room(disk, 6);
    assert_int_equal(fill(file, 'y', 0, 6), SQLITE_OK);
    assert_int_equal(fill(file, 'z', 0, 7), SQLITE_FULL);
    assert_int_equal(letter_at(disk, "a", 0), 'y');
    closed(file);
    nv_disk_free(disk);
}

static void writes_are_told_once(void **state)
{
    (void)state;
    struct nv_disk *disk = nv_disk_new("m", 1);
    sqlite3_file *file = opened("a", 0, disk);
    assert_false(nv_disk_take_written(disk, "a"));
    assert_int_equal(fill(file, 'x', 0, 1), SQLITE_OK);
    assert_true(nv_disk_take_written(disk, "a"));
    assert_false(nv_disk_take_written(disk, "a"));
    assert_int_equal(file->pMethods->xTruncate(file, 0), SQLITE_OK);
    assert_true(nv_disk_take_written(disk, "a"));
    closed(file);
    nv_disk_free(disk);
}

/* ---- locks and shared memory ---- */

static int shm_lock(sqlite3_file *file, int slot, int count, int flags)
{
    return file->pMethods->xShmLock(file, slot, count, flags);
}

static int taken(sqlite3_file *file, int slot, int count, int kind)
{
    return shm_lock(file, slot, count, SQLITE_SHM_LOCK | kind);
}

static volatile char *mapped(sqlite3_file *file, int region)
{
    void volatile *view;
    assert_int_equal(file->pMethods->xShmMap(file, region, REGION, 1, &view), SQLITE_OK);
    return view;
}

static void locks_keep_others_out(void **state)
{
    (void)state;
    struct nv_disk *disk = nv_disk_new("m", 1);
    sqlite3_file *one = opened("a", 0, disk), *other = opened("a", 1, disk);
    int is_reserved;
    assert_int_equal(one->pMethods->xLock(one, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(other->pMethods->xLock(other, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(one->pMethods->xLock(one, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(other->pMethods->xLock(other, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    assert_int_equal(other->pMethods->xCheckReservedLock(other, &is_reserved), SQLITE_OK);
    assert_true(is_reserved);
    nv_disk_kill(disk, 0);
    assert_int_equal(other->pMethods->xCheckReservedLock(other, &is_reserved), SQLITE_OK);
    assert_false(is_reserved);
    assert_int_equal(other->pMethods->xLock(other, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    closed(one);
    closed(other);
    nv_disk_free(disk);
}

static void slots_are_shared_or_held_by_one(void **state)
{
    (void)state;
    struct nv_disk *disk = nv_disk_new("m", 1);
    sqlite3_file *one = opened("a", 0, disk), *other = opened("a", 1, disk);
    mapped(one, 0);
    mapped(other, 0);
    assert_int_equal(taken(one, 3, 1, SQLITE_SHM_SHARED), SQLITE_OK);
    assert_int_equal(taken(other, 3, 1, SQLITE_SHM_SHARED), SQLITE_OK);
    assert_int_equal(taken(one, 3, 1, SQLITE_SHM_EXCLUSIVE), SQLITE_BUSY);
    assert_int_equal(taken(one, 1, 4, SQLITE_SHM_EXCLUSIVE), SQLITE_BUSY);
    assert_int_equal(taken(one, 0, 3, SQLITE_SHM_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(taken(other, 2, 1, SQLITE_SHM_SHARED), SQLITE_BUSY);
    assert_int_equal(shm_lock(one, 0, 3, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(taken(other, 2, 1, SQLITE_SHM_SHARED), SQLITE_OK);
    nv_disk_kill(disk, 1);
    assert_int_equal(taken(one, 2, 2, SQLITE_SHM_EXCLUSIVE), SQLITE_OK);
    closed(one);
    closed(other);
    nv_disk_free(disk);
}

static void the_dead_change_no_shared_memory(void **state)
{
    (void)state;
    struct nv_disk *disk = nv_disk_new("m", 1);
    sqlite3_file *one = opened("a", 0, disk), *other = opened("a", 1, disk);
    volatile char *mine = mapped(one, 1), *theirs = mapped(other, 1);
    mine[5] = 'x';
    assert_int_equal(theirs[5], 'x');
    nv_disk_kill(disk, 1);
    theirs[5] = 'y'; /* SQLite may still store here while it unwinds */
    assert_int_equal(mine[5], 'x');
    closed(other);
    nv_disk_kill(disk, 0);
    nv_disk_revive(disk, 0);
    sqlite3_file *next = opened("a", 0, disk); /* nobody alive had it, so it begins anew */
    assert_int_equal(mapped(next, 1)[5], 0);
    assert_int_equal(mine[5], 'x');
    closed(one);
    closed(next);
    nv_disk_free(disk);
}

/* ---- faults ---- */

static void faults_come_at_their_call(void **state)
{
    (void)state;
    struct nv_disk *disk = nv_disk_new("m", 1);
    sqlite3_file *file = opened("a", 0, disk), *other = opened("b", 1, disk);
    nv_disk_plan_fault(disk, 0, NV_DISK_EIO, 2, 2);
    assert_int_equal(fill(file, 'x', 0, 1), SQLITE_OK);
    assert_int_equal(fill(other, 'x', 0, 1), SQLITE_OK); /* another program's calls do not count */
    assert_int_equal(fill(file, 'y', 0, 1), SQLITE_IOERR_WRITE);
    assert_int_equal(synced(file), SQLITE_IOERR_FSYNC);
    assert_int_equal(letter_at(disk, "a", 0), 'x');
    assert_int_equal(synced(file), SQLITE_OK);
    nv_disk_plan_fault(disk, 0, NV_DISK_FSYNC_KEPT, 2, 1);
    assert_int_equal(fill(file, 'z', 0, 1), SQLITE_OK);
    assert_int_equal(synced(file), SQLITE_OK);
    assert_int_equal(synced(file), SQLITE_IOERR_FSYNC);
    nv_disk_plan_fault(disk, 0, NV_DISK_FSYNC_LOST, 1, 1);
    assert_int_equal(fill(file, 'z', 0, 1), SQLITE_OK);
    assert_int_equal(synced(file), SQLITE_IOERR_FSYNC);
    assert_true(nv_disk_is_dead(disk, 0) && nv_disk_is_dead(disk, 1));
    assert_null(opened("a", 0, disk));
    nv_disk_revive(disk, 0);
    assert_int_equal(fill(file, 'z', 0, 1), SQLITE_IOERR_WRITE); /* the program may run again, not its old handle */
    closed(file);
    closed(other);
    nv_disk_plan_fault(disk, 0, NV_DISK_EIO, 1, 1);
    nv_disk_plan_fault(disk, 0, NV_DISK_EIO, 0, 0);
    file = opened("a", 0, disk);
    assert_non_null(file);
    closed(file);
    nv_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_durable_once_synced),
        cmocka_unit_test(a_name_is_one_file),
        cmocka_unit_test(unsynced_bytes_are_lost_torn_and_reordered),
        cmocka_unit_test(reads_end_at_the_end),
        cmocka_unit_test(writes_are_told_once),
        cmocka_unit_test(locks_keep_others_out),
        cmocka_unit_test(slots_are_shared_or_held_by_one),
        cmocka_unit_test(the_dead_change_no_shared_memory),
        cmocka_unit_test(faults_come_at_their_call),
    };
    nv_disks_start();
    vfs = sqlite3_vfs_find(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
