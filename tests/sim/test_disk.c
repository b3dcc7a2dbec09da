/* The simulated disk itself: what SQLite is promised, and what a fault takes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/sim/disk.h"
#include "tests/unit/dice.h"

enum { DAEMON, TOOL, PROGRAMS };
enum { TRANSACTIONS = 12, ROWS = 4, SEEDS = 2 };

/* ---- two programs write to one database, a transaction each in turn ---- */

struct world {
    struct nv_disk *disk;
    sqlite3 *programs[PROGRAMS];
    bool is_committed[TRANSACTIONS];
};

static sqlite3 *open_as(struct world *world, unsigned program)
{
    sqlite3 *db = NULL;
    nv_disk_set_program(world->disk, program);
    if (sqlite3_open("m/x.db", &db) == SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 12", NULL,
                     NULL, NULL) == SQLITE_OK)
        return db;
    sqlite3_close(db);
    return NULL;
}

static struct world world_new(uint64_t seed)
{
    struct world world = {.disk = nv_disk_new("m", seed)};
    nv_disks_set_randomness(seed);
    sqlite3 *db = open_as(&world, DAEMON);
    assert_non_null(db);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(batch, row, bytes, PRIMARY KEY (batch, row))", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    return world;
}

static void close_all(struct world *world)
{
    for (unsigned i = 0; i < PROGRAMS; i++) {
        sqlite3_close(world->programs[i]);
        world->programs[i] = NULL;
    }
}

static void world_free(struct world *world)
{
    close_all(world);
    nv_disk_free(world->disk);
}

static bool write_batch(sqlite3 *db, int batch)
{
    char *sql = sqlite3_mprintf("BEGIN IMMEDIATE; WITH RECURSIVE r(row) AS (VALUES(1) UNION ALL SELECT row + 1 FROM r "
                                "WHERE row < %d) INSERT INTO t SELECT %d, row, zeroblob(900 + 40 * row) FROM r; COMMIT",
                                ROWS, batch);
    bool is_done = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    if (!is_done && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_free(sql);
    return is_done;
}

/* Writes what can be written; a program that died stays dead. */
static void work(struct world *world)
{
    for (int batch = 0; batch < TRANSACTIONS; batch++) {
        unsigned program = (unsigned)batch % PROGRAMS;
        if (nv_disk_is_dead(world->disk, program))
            continue;
        if (world->programs[program] == NULL)
            world->programs[program] = open_as(world, program);
        if (world->programs[program] != NULL)
            world->is_committed[batch] = write_batch(world->programs[program], batch);
    }
}

static int integer(sqlite3 *db, const char *sql, int argument)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_bind_int(statement, 1, argument);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* Starts everything anew without faults; returns how many transactions were lost although they had been told done. */
static int lost(struct world *world)
{
    int count = 0;
    close_all(world);
    nv_disk_set_room(world->disk, SIZE_MAX);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        nv_disk_plan_fault(world->disk, i, NV_DISK_EIO, 0, 0);
        nv_disk_revive(world->disk, i);
    }
    sqlite3 *db = world->programs[DAEMON] = open_as(world, DAEMON);
    assert_non_null(db);
    assert_int_equal(integer(db, "SELECT group_concat(integrity_check) = 'ok' FROM pragma_integrity_check", 0), 1);
    for (int batch = 0; batch < TRANSACTIONS; batch++) {
        int rows = integer(db, "SELECT count(*) FROM t WHERE batch = ?1", batch);
        assert_true(rows == 0 || rows == ROWS); /* a transaction is there as a whole or not at all */
        count += world->is_committed[batch] && rows == 0;
    }
    return count;
}

static uint64_t faults_so_far(void)
{
    const struct nv_disk_counts *counts = nv_disk_counts();
    return counts->faults + counts->kills + counts->power_cuts;
}

/* Plans the fault at the first call, the second, … until a run ends before its fault. Returns how many runs had one. */
static int at_every_call(enum nv_disk_fault fault, unsigned times, int *ret_lost)
{
    int runs = 0;
    *ret_lost = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        bool had_fault = true;
        for (uint64_t call = 1; had_fault; call++) {
            uint64_t before = faults_so_far();
            struct world world = world_new(seed * 1000 + call);
            nv_disk_plan_fault(world.disk, DAEMON, fault, call, times);
            work(&world);
            *ret_lost += lost(&world);
            world_free(&world);
            had_fault = faults_so_far() > before;
            runs += had_fault;
        }
    }
    return runs;
}

/* ---- tests ---- */

static void two_connections_share_a_wal(void **state)
{
    (void)state;
    struct world world = world_new(1);
    work(&world);
    for (int batch = 0; batch < TRANSACTIONS; batch++)
        assert_true(world.is_committed[batch]);
    assert_int_equal(integer(world.programs[TOOL], "SELECT count(*) FROM t", 0), TRANSACTIONS * ROWS);
    /* A reader keeps its snapshot while the other one writes, and one writer keeps the other out. */
    assert_int_equal(sqlite3_exec(world.programs[TOOL], "BEGIN; SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(world.programs[DAEMON], "BEGIN IMMEDIATE; DELETE FROM t", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(integer(world.programs[TOOL], "SELECT count(*) FROM t", 0), TRANSACTIONS * ROWS);
    assert_int_equal(sqlite3_exec(world.programs[TOOL], "DELETE FROM t", NULL, NULL, NULL), SQLITE_BUSY);
    assert_int_equal(sqlite3_exec(world.programs[DAEMON], "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(integer(world.programs[TOOL], "SELECT count(*) FROM t", 0), TRANSACTIONS * ROWS);
    assert_int_equal(sqlite3_exec(world.programs[TOOL], "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(integer(world.programs[TOOL], "SELECT count(*) FROM t", 0), 0);
    world_free(&world);
}

static void rollback_journals_lock_as_well(void **state)
{
    (void)state;
    struct world world = {.disk = nv_disk_new("m", 1)};
    sqlite3 *one, *other;
    assert_int_equal(sqlite3_open("m/x.db", &one), SQLITE_OK);
    assert_int_equal(sqlite3_open("m/x.db", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(one, "CREATE TABLE t(a); INSERT INTO t VALUES (1)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(one, "BEGIN; UPDATE t SET a = 2", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "UPDATE t SET a = 3", NULL, NULL, NULL), SQLITE_BUSY);
    assert_int_equal(sqlite3_exec(one, "COMMIT", NULL, NULL, NULL), SQLITE_BUSY); /* somebody reads */
    assert_int_equal(sqlite3_exec(other, "COMMIT; ", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "SELECT * FROM t", NULL, NULL, NULL), SQLITE_BUSY); /* it waits to write */
    assert_int_equal(sqlite3_exec(one, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(integer(other, "SELECT a FROM t", 0), 2);
    sqlite3_close(one);
    sqlite3_close(other);
    nv_disk_free(world.disk);
}

static void a_cut_takes_no_commit(void **state)
{
    (void)state;
    int gone;
    assert_true(at_every_call(NV_DISK_POWER_CUT, 1, &gone) > 200);
    assert_int_equal(gone, 0);
    assert_true(nv_disk_counts()->writes_dropped > 100);
    assert_true(nv_disk_counts()->writes_torn > 10);
}

static void a_kill_takes_no_commit(void **state)
{
    (void)state;
    int gone;
    assert_true(at_every_call(NV_DISK_KILL, 1, &gone) > 200);
    assert_int_equal(gone, 0);
}

static void a_failing_disk_takes_no_commit(void **state)
{
    (void)state;
    int gone;
    assert_true(at_every_call(NV_DISK_EIO, 1, &gone) > 200);
    assert_int_equal(gone, 0);
    assert_true(at_every_call(NV_DISK_EIO, UINT_MAX, &gone) > 200);
    assert_int_equal(gone, 0);
    assert_true(at_every_call(NV_DISK_FSYNC_KEPT, 1, &gone) > 10);
    assert_int_equal(gone, 0);
    assert_true(at_every_call(NV_DISK_FSYNC_LOST, 1, &gone) > 10);
    assert_int_equal(gone, 0);
}

/* With a disk that lies the same database loses commits, or is damaged: so the tests above would have seen a loss. */
static void a_lie_is_seen(void **state)
{
    (void)state;
    unsigned damaged = 0, cuts = 40;
    for (uint64_t seed = 1; seed <= cuts; seed++) {
        struct world world = world_new(seed);
        nv_disk_set_lying(world.disk, true);
        work(&world);
        nv_disk_cut_power(world.disk);
        close_all(&world);
        nv_disk_revive(world.disk, DAEMON);
        sqlite3 *db = open_as(&world, DAEMON);
        char *sql =
            sqlite3_mprintf("INSERT INTO t SELECT 100, 1, 1 WHERE (SELECT count(*) FROM t) = %d", TRANSACTIONS * ROWS);
        damaged += sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK || sqlite3_changes(db) == 0;
        sqlite3_free(sql);
        sqlite3_close(db);
        world_free(&world);
    }
    assert_true(damaged > cuts / 2);
}

static void a_full_disk_takes_no_commit(void **state)
{
    (void)state;
    struct world world = world_new(1);
    size_t least = nv_disk_used(world.disk), most;
    work(&world);
    most = nv_disk_used(world.disk);
    world_free(&world);
    uint64_t full = nv_disk_counts()->full;
    for (size_t room = least; room < most; room += 1000) {
        world = world_new(room);
        nv_disk_set_room(world.disk, room);
        work(&world);
        assert_true(nv_disk_used(world.disk) <= room);
        assert_true(nv_disk_counts()->full > full);
        full = nv_disk_counts()->full;
        assert_int_equal(lost(&world), 0);
        world_free(&world);
    }
}

/* What was not synced is lost, and what was synced is not, whatever the order of names and bytes. */
static void a_cut_takes_what_was_not_synced(void **state)
{
    (void)state;
    unsigned kept = 0, cuts = 40;
    for (uint64_t seed = 1; seed <= cuts; seed++) {
        struct world world = world_new(seed);
        sqlite3 *db = open_as(&world, DAEMON);
        sqlite3_exec(db, "INSERT INTO t VALUES (0, 1, 1)", NULL, NULL, NULL);
        sqlite3_exec(db, "PRAGMA synchronous = OFF; INSERT INTO t VALUES (0, 2, 2)", NULL, NULL, NULL);
        nv_disk_cut_power(world.disk);
        assert_int_not_equal(sqlite3_exec(db, "SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        nv_disk_revive(world.disk, DAEMON);
        db = open_as(&world, DAEMON);
        int rows = integer(db, "SELECT count(*) FROM t", 0);
        assert_true(rows == 1 || rows == 2);
        kept += rows == 2;
        sqlite3_close(db);
        world_free(&world);
    }
    assert_true(kept > 0 && kept < cuts);
}

static void a_killed_program_leaves_the_others_alone(void **state)
{
    (void)state;
    struct world world = world_new(1);
    work(&world);
    assert_int_equal(sqlite3_exec(world.programs[TOOL], "BEGIN IMMEDIATE; DELETE FROM t", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(world.programs[DAEMON], "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
    nv_disk_kill(world.disk, TOOL);
    assert_int_equal(sqlite3_exec(world.programs[DAEMON], "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(world.programs[DAEMON], "INSERT INTO t VALUES (99, 1, 1); COMMIT", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(world.programs[TOOL], "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(world.programs[TOOL]);
    world.programs[TOOL] = NULL;
    assert_int_equal(integer(world.programs[DAEMON], "SELECT count(*) FROM t", 0), TRANSACTIONS * ROWS + 1);
    assert_int_equal(lost(&world), 0);
    world_free(&world);
}

static void a_seed_replays(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct nv_buffer images[2] = {{0}, {0}};
        for (int run = 0; run < 2; run++) {
            struct world world = world_new(seed);
            nv_disk_plan_fault(world.disk, DAEMON, NV_DISK_POWER_CUT, 10 * seed, 1);
            work(&world);
            assert_true(nv_disk_get(world.disk, "x.db", &images[run]));
            nv_disk_get(world.disk, "x.db-wal", &images[run]);
            world_free(&world);
        }
        assert_true(nv_slice_equal(nv_buffer_slice(&images[0]), nv_buffer_slice(&images[1])));
        nv_buffer_done(&images[0]);
        nv_buffer_done(&images[1]);
    }
}

static void files_come_and_go(void **state)
{
    (void)state;
    struct world world = world_new(1);
    struct nv_buffer bytes = {0};
    assert_true(nv_disk_get(world.disk, "x.db", &bytes));
    assert_false(nv_disk_get(world.disk, "y.db", &bytes));
    nv_disk_put(world.disk, "y.db", nv_buffer_slice(&bytes));
    nv_disk_remove(world.disk, "x.db");
    nv_disk_cut_power(world.disk); /* both are durable */
    nv_disk_revive(world.disk, DAEMON);
    size_t size = bytes.size;
    assert_false(nv_disk_get(world.disk, "x.db", &bytes));
    assert_true(nv_disk_get(world.disk, "y.db", &bytes));
    assert_int_equal(bytes.size, 2 * size);
    assert_memory_equal(bytes.data, bytes.data + size, size);
    assert_int_equal(nv_disk_used(world.disk), size);
    nv_buffer_done(&bytes);
    world_free(&world);
}

static void clock_and_chance_are_set(void **state)
{
    (void)state;
    struct world world = {.disk = nv_disk_new("m", 1)};
    sqlite3 *db = open_as(&world, DAEMON);
    nv_disks_set_clock(1700000000123);
    assert_int_equal(integer(db, "SELECT strftime('%s', 'now') = '1700000000' AND strftime('%f', 'now') = '20.123'", 0),
                     1);
    nv_disks_set_randomness(7);
    int first = integer(db, "SELECT random() & 0xffffff", 0);
    assert_int_not_equal(integer(db, "SELECT random() & 0xffffff", 0), first);
    nv_disks_set_randomness(7);
    assert_int_equal(integer(db, "SELECT random() & 0xffffff", 0), first);
    sqlite3_close(db);
    nv_disk_free(world.disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_connections_share_a_wal),
        cmocka_unit_test(rollback_journals_lock_as_well),
        cmocka_unit_test(a_cut_takes_no_commit),
        cmocka_unit_test(a_kill_takes_no_commit),
        cmocka_unit_test(a_failing_disk_takes_no_commit),
        cmocka_unit_test(a_lie_is_seen),
        cmocka_unit_test(a_full_disk_takes_no_commit),
        cmocka_unit_test(a_cut_takes_what_was_not_synced),
        cmocka_unit_test(a_killed_program_leaves_the_others_alone),
        cmocka_unit_test(a_seed_replays),
        cmocka_unit_test(files_come_and_go),
        cmocka_unit_test(clock_and_chance_are_set),
    };
    nv_disks_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
