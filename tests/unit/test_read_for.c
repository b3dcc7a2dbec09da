/* Reading the log for a peer that carries some of the scopes: it gets what it lacks of those, all of it, in the order
 * of arrival, in as many batches as it likes; and what is not for it costs next to nothing. The logs are written
 * straight into the file: nothing of a changeset is looked at here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/heads.h"
#include "dice.h"
#include "store/log.h"

enum { SCOPES = 5, LOGS = 12, MOST = 3000, AT_ONCE = 64 };

struct arrival {
    size_t log;
    uint64_t seq;
};

struct shelf {
    char path[64];
    struct nv_store *store;
    struct nv_far_head logs[LOGS]; /* by number; seq is how far each goes */
    struct arrival arrivals[MOST];
    size_t count;
};

static void exec(sqlite3 *db, const char *sql)
{
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void remove_file(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[80];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static struct nv_scope_id scope_of(size_t scope)
{
    return (struct nv_scope_id){{[0] = (uint8_t)(scope < 2 ? 0 : scope), [15] = (uint8_t)(scope == 1)}};
}

static void write_changeset(sqlite3_stmt *insert, const struct shelf *shelf, size_t place, size_t body_bytes)
{
    uint8_t hash[32] = {(uint8_t)place, (uint8_t)(place >> 8), 7};
    sqlite3_bind_int64(insert, 1, (int64_t)place + 1);
    sqlite3_bind_int64(insert, 2, (int64_t)shelf->arrivals[place].log + 1);
    sqlite3_bind_int64(insert, 3, (int64_t)shelf->arrivals[place].seq);
    sqlite3_bind_blob(insert, 4, hash, sizeof hash, SQLITE_TRANSIENT);
    sqlite3_bind_zeroblob(insert, 5, (int)body_bytes);
    assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_reset(insert);
}

/* The logs are of the scopes in turn; `log_of` says where the place-th arrival belongs. */
static void fill(struct shelf *shelf, size_t count, size_t body_bytes, size_t (*log_of)(struct nv_dice *, size_t place),
                 struct nv_dice *dice)
{
    struct nv_error error = {0};
    sqlite3 *db;
    sqlite3_stmt *insert;
    memset(shelf, 0, sizeof *shelf);
    snprintf(shelf->path, sizeof shelf->path, "/tmp/navette-read-%d.db", (int)getpid());
    remove_file(shelf->path);
    assert_int_equal(nv_store_create(shelf->path, "hub", &error), NV_OK);
    assert_int_equal(sqlite3_open(shelf->path, &db), SQLITE_OK);
    exec(db, "BEGIN");
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "INSERT INTO navette_changeset VALUES (?1, ?2, ?3, ?4, x'01', x'02', 0, 0, 0, "
                                        "x'', ?5)",
                                        -1, &insert, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < LOGS; i++)
        shelf->logs[i] = (struct nv_far_head){.site = {{(uint8_t)(i + 1)}}, .epoch = 5, .scope = scope_of(i % SCOPES)};
    for (; shelf->count < count; shelf->count++) {
        size_t log = log_of(dice, shelf->count);
        shelf->arrivals[shelf->count] = (struct arrival){log, ++shelf->logs[log].seq};
        write_changeset(insert, shelf, shelf->count, body_bytes);
    }
    sqlite3_finalize(insert);
    for (size_t i = 0; i < LOGS; i++) {
        char *sql =
            sqlite3_mprintf("INSERT INTO navette_log(number, site, epoch, scope, has_seq, has_hash) VALUES (%d, "
                            "x'%02x000000000000000000000000000000', 5, "
                            "x'%02x0000000000000000000000000000%02x', %lld, zeroblob(32))",
                            (int)i + 1, shelf->logs[i].site.bytes[0], shelf->logs[i].scope.bytes[0],
                            shelf->logs[i].scope.bytes[15], (long long)shelf->logs[i].seq);
        exec(db, sql);
        sqlite3_free(sql);
    }
    exec(db, "COMMIT");
    sqlite3_close(db);
    assert_int_equal(nv_store_open(shelf->path, &shelf->store, &error), NV_OK);
}

static void empty(struct shelf *shelf)
{
    nv_store_close(shelf->store);
    remove_file(shelf->path);
}

/* ---- by seed ---- */

/* Long runs of one log now and then. */
static size_t any_log(struct nv_dice *dice, size_t place)
{
    static size_t last;
    if (place == 0 || nv_dice_percent(dice, place / 500 % 2 == 0 ? 60 : 1))
        last = nv_dice_below(dice, LOGS);
    return last;
}

/* What a peer might have said: of any log a part, of some nothing or all. */
static void make_peer(struct nv_dice *dice, const struct shelf *shelf, struct nv_heads *peer)
{
    for (size_t i = 0; i < LOGS; i++) {
        struct nv_far_head head = shelf->logs[i];
        uint64_t whole = head.seq;
        head.seq = nv_dice_percent(dice, 40) ? whole : nv_dice_below(dice, (size_t)whole + 1);
        if (head.seq > 0 && nv_dice_percent(dice, 80))
            assert_int_equal(nv_heads_raise(peer, &head), NV_OK);
    }
}

static struct nv_scope_set make_scopes(struct nv_dice *dice, struct nv_scope_id room[SCOPES])
{
    struct nv_scope_set scopes = {.scopes = room, .has_all = nv_dice_percent(dice, 20)};
    for (size_t i = 2; i < SCOPES && !scopes.has_all; i++)
        if (nv_dice_percent(dice, 40))
            room[scopes.count++] = scope_of(i);
    return scopes;
}

static bool is_due(const struct shelf *shelf, const struct arrival *arrival, const struct nv_heads *peer,
                   const struct nv_scope_set *scopes)
{
    const struct nv_far_head *log = &shelf->logs[arrival->log];
    return (scopes == NULL || nv_scope_set_has(scopes, log->scope)) && nv_heads_seq(peer, log) < arrival->seq;
}

/* Reads batch by batch, as the machine does: what was given is in the peer's vector from then on. */
static void read_all(struct nv_dice *dice, const struct shelf *shelf, struct nv_heads *peer,
                     const struct nv_scope_set *scopes)
{
    struct nv_far_head heads[AT_ONCE];
    struct nv_buffer bytes = {0};
    struct nv_error error = {0};
    size_t ends[AT_ONCE], count, place = 0;
    int64_t cursor = 0;
    for (bool done = false; !done;) {
        nv_buffer_clear(&bytes);
        assert_int_equal(nv_store_read_for(shelf->store, peer->heads, peer->count, scopes, &cursor,
                                           1 + nv_dice_below(dice, 2000), &bytes, ends, heads,
                                           1 + nv_dice_below(dice, AT_ONCE), &count, &done, &error),
                         NV_OK);
        assert_true(count > 0 || done);
        for (size_t i = 0; i < count; i++) {
            while (place < shelf->count && !is_due(shelf, &shelf->arrivals[place], peer, scopes))
                place++;
            assert_true(place < shelf->count);
            assert_int_equal(nv_far_head_order(&heads[i], &shelf->logs[shelf->arrivals[place].log]), 0);
            assert_int_equal(heads[i].seq, shelf->arrivals[place].seq);
            assert_int_equal(heads[i].pin.bytes[0], (uint8_t)place);
            assert_int_equal(nv_heads_raise(peer, &heads[i]), NV_OK);
        }
    }
    while (place < shelf->count && !is_due(shelf, &shelf->arrivals[place], peer, scopes))
        place++;
    assert_int_equal(place, shelf->count);
    assert_int_equal(cursor, nv_store_newest(shelf->store));
    nv_buffer_done(&bytes);
}

static void read_for_some(uint64_t seed)
{
    struct nv_dice dice = nv_dice_of(seed);
    static struct shelf shelf;
    fill(&shelf, 1 + nv_dice_below(&dice, MOST), 40, any_log, &dice);
    for (int peers = 0; peers < 20; peers++) {
        struct nv_heads peer = {0};
        struct nv_scope_id room[SCOPES];
        struct nv_scope_set scopes = make_scopes(&dice, room);
        make_peer(&dice, &shelf, &peer);
        read_all(&dice, &shelf, &peer, nv_dice_percent(&dice, 10) ? NULL : &scopes);
        nv_heads_done(&peer);
    }
    empty(&shelf);
}

static void a_peer_gets_what_it_lacks_of_what_it_carries_in_order(void **state)
{
    (void)state;
    nv_dice_run("reading for a peer", 20, read_for_some);
}

/* ---- what is not for it ---- */

/* Three changesets of the peer's own scope, far apart, in between the large ones of another one. */
static size_t mostly_others(struct nv_dice *dice, size_t place)
{
    (void)dice;
    return place % 1000 == 500 ? 2 : 3;
}

static void bodies_of_other_scopes_are_not_read(void **state)
{
    (void)state;
    enum { BODY_BYTES = 20000, PAGES_A_BODY = BODY_BYTES / 4096 };
    static struct shelf shelf;
    struct nv_far_head heads[AT_ONCE];
    struct nv_buffer bytes = {0};
    struct nv_error error = {0};
    struct nv_scope_id own = scope_of(2);
    struct nv_scope_set scopes = {.scopes = &own, .count = 1};
    size_t ends[AT_ONCE], count;
    int64_t cursor = 0;
    int misses, ignored;
    bool done = false;
    fill(&shelf, MOST, BODY_BYTES, mostly_others, NULL);
    sqlite3 *db = nv_store_db(shelf.store);
    assert_int_equal(sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_MISS, &misses, &ignored, 1), SQLITE_OK);
    assert_int_equal(nv_store_read_for(shelf.store, NULL, 0, &scopes, &cursor, SIZE_MAX, &bytes, ends, heads, AT_ONCE,
                                       &count, &done, &error),
                     NV_OK);
    assert_int_equal(sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_MISS, &misses, &ignored, 0), SQLITE_OK);
    assert_true(done && count == 3);
    /* Not even their rows: each has a page of its own at the least. */
    assert_in_range(misses, 3 * PAGES_A_BODY, MOST / 4);
    nv_buffer_done(&bytes);
    empty(&shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_gets_what_it_lacks_of_what_it_carries_in_order),
        cmocka_unit_test(bodies_of_other_scopes_are_not_read),
    };
    return cmocka_run_group_tests_name("reading for a peer", tests, NULL, NULL);
}
