/* The store alone: plain inserts, SQLite's session extension, capture, sealing and applying, on the same rows in one
 * run.
 *
 *     bench_store [ROWS] [ROUNDS]
 *
 * Prints rows/s and the ratio to a plain insert of the same round; medians over the rounds. Nothing here is asserted.
 */
#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/authority.h"
#include "store/care.h"
#include "store/ingest.h"
#include "store/log.h"
#include "store/schema.h"
#include "store/seal.h"
#include "tests/bench/rows.h"

enum { PER_TRANSACTION = 1000, ROUNDS_MAX = 15, BATCH_BYTES = 256 << 10 };
enum section { PLAIN, SESSION, CAPTURE, SEAL, APPLY_ALONE, APPLY, SECTIONS };

static const char *const section_names[SECTIONS] = {
    [PLAIN] = "plain insert, 1,000 a transaction",
    [SESSION] = "session extension, apply of 1,000",
    [CAPTURE] = "insert with capture",
    [SEAL] = "seal (encode, sign, log, versions)",
    [APPLY_ALONE] = "apply, one changeset a transaction",
    [APPLY] = "apply, as the daemon does it",
};

static char folder[256];
static unsigned row_count = 100000, rounds = 3;
static struct nv_error error;

static void ok(enum nv_status status)
{
    bench_check(status == NV_OK, error.text);
}

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s.db", folder, name);
    return path;
}

static void remove_database(const char *name)
{
    char path[600];
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", path_of(name), endings[i]);
        unlink(path);
    }
}

static double megabytes(const char *name)
{
    struct stat file;
    bench_check(stat(path_of(name), &file) == 0, "no database");
    return (double)file.st_size / 1e6;
}

static double rate(double began)
{
    return row_count / (bench_now() - began);
}

static double plain(enum bench_keys keys, double *ret_megabytes)
{
    remove_database("plain");
    sqlite3 *db = bench_open(path_of("plain"));
    bench_exec(db, BENCH_TABLE);
    double began = bench_now();
    bench_insert(db, keys, 0, row_count, PER_TRANSACTION);
    double result = rate(began);
    bench_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(db);
    *ret_megabytes = megabytes("plain");
    return result;
}

static int keep_theirs(void *context, int conflict, sqlite3_changeset_iter *iterator)
{
    (void)context;
    (void)conflict;
    (void)iterator;
    return SQLITE_CHANGESET_ABORT;
}

/* Changesets are recorded before the clock starts, 1,000 rows each. */
static double session(enum bench_keys keys)
{
    remove_database("from");
    remove_database("to");
    sqlite3 *from = bench_open(path_of("from")), *to = bench_open(path_of("to"));
    bench_exec(from, BENCH_TABLE);
    bench_exec(to, BENCH_TABLE);
    unsigned count = row_count / PER_TRANSACTION;
    void **changesets = calloc(count, sizeof *changesets);
    int *sizes = calloc(count, sizeof *sizes);
    for (unsigned i = 0; i < count; i++) {
        sqlite3_session *recording;
        bench_check(sqlite3session_create(from, "main", &recording) == SQLITE_OK &&
                        sqlite3session_attach(recording, "learner") == SQLITE_OK,
                    "no session extension");
        bench_insert(from, keys, i * PER_TRANSACTION, PER_TRANSACTION, PER_TRANSACTION);
        bench_check(sqlite3session_changeset(recording, &sizes[i], &changesets[i]) == SQLITE_OK, "no changeset");
        sqlite3session_delete(recording);
    }
    double began = bench_now();
    for (unsigned i = 0; i < count; i++)
        bench_check(sqlite3changeset_apply(to, sizes[i], changesets[i], NULL, keep_theirs, NULL) == SQLITE_OK,
                    "a session changeset was not applied");
    double result = rate(began);
    for (unsigned i = 0; i < count; i++)
        sqlite3_free(changesets[i]);
    free(changesets);
    free(sizes);
    sqlite3_close(from);
    sqlite3_close(to);
    return result;
}

/* ---- two sites of one network ---- */

static struct nv_sign_key authority_key, sign_keys[2];
static struct nv_curve_key curve_keys[2];

static void make_keys(void)
{
    char keys[300];
    snprintf(keys, sizeof keys, "%s/keys", folder);
    mkdir(keys, 0700);
    ok(nv_sign_key_create(keys, "authority.key", &authority_key, &error));
    for (int i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "sign%d.key", i);
        ok(nv_sign_key_create(keys, name, &sign_keys[i], &error));
        snprintf(name, sizeof name, "curve%d.key", i);
        ok(nv_curve_key_create(keys, name, &curve_keys[i], &error));
    }
}

static struct nv_store *make_site(const char *name, int number)
{
    struct nv_store *store;
    remove_database(name);
    ok(nv_store_create(path_of(name), name, &error));
    ok(nv_store_open(path_of(name), &store, &error));
    nv_store_set_signer(store, &sign_keys[number]);
    return store;
}

static struct nv_certificate certificate_of(struct nv_store *store, const char *name, int number)
{
    return (struct nv_certificate){.site = nv_store_identity(store)->site,
                                   .name = name,
                                   .sign_key = sign_keys[number].public_key,
                                   .curve_key = curve_keys[number].public_key,
                                   .recovery_key = curve_keys[number].public_key,
                                   .role = number == 0 ? NV_ROLE_HUB : NV_ROLE_SITE};
}

static const struct nv_wall_ms now = {1790000000000};

/* Hands over all that `to` lacks. The clock runs only while it takes it in. */
static double hand_over(struct nv_store *from, struct nv_store *to, int budget_ms)
{
    enum { MOST = 64 };
    struct nv_buffer bytes = {0};
    size_t ends[MOST];
    struct nv_far_head heads[MOST];
    struct nv_incoming incoming[MOST];
    int64_t cursor = 0;
    bool done = false;
    double seconds = 0;
    const struct nv_far_head *has;
    size_t has_count;
    nv_store_has(to, &has, &has_count);
    struct nv_far_head *start = calloc(has_count + 1, sizeof *start);
    if (has_count > 0)
        memcpy(start, has, has_count * sizeof *start);
    while (!done) {
        size_t count;
        nv_buffer_clear(&bytes);
        ok(nv_store_read_for(from, start, has_count, NULL, &cursor, budget_ms == 0 ? 1 : 4 * BATCH_BYTES, &bytes, ends,
                             heads, MOST, &count, &done, &error));
        for (size_t i = 0; i < count; i++) {
            size_t begin = i == 0 ? 0 : ends[i - 1];
            incoming[i] = (struct nv_incoming){.bytes = {bytes.data + begin, ends[i] - begin}};
        }
        double began = bench_now();
        for (size_t taken = 0; taken < count;) {
            ok(nv_store_ingest(to, incoming + taken, count - taken, now, budget_ms, &error));
            while (taken < count && incoming[taken].verdict != NV_VERDICT_PENDING) {
                bench_check(incoming[taken].verdict == NV_VERDICT_TAKEN, incoming[taken].text);
                taken++;
            }
        }
        seconds += bench_now() - began;
    }
    free(start);
    nv_buffer_done(&bytes);
    return seconds;
}

struct sizes {
    double plain, store, wire;
};

static void two_sites(enum bench_keys keys, double results[SECTIONS], struct sizes *sizes)
{
    struct nv_store *hub = make_site("hub", 0), *alone = make_site("alone", 1);
    struct nv_certificate self = certificate_of(hub, "hub", 0), other = certificate_of(alone, "alone", 1);
    struct nv_buffer summary = {0};
    ok(nv_authority_found(hub, "bench", &authority_key, &authority_key.public_key, &self, now, &error));
    ok(nv_authority_certify(hub, &authority_key, &other, now, &error));
    ok(nv_schema_apply(hub, &authority_key,
                       BENCH_TABLE "; INSERT INTO navette_table(name, scope) VALUES ('learner', 'network')", false, now,
                       &summary, &error));
    nv_buffer_done(&summary);

    sqlite3 *writer = bench_open(path_of("hub"));
    double began = bench_now();
    bench_insert(writer, keys, 0, row_count, PER_TRANSACTION);
    results[CAPTURE] = rate(began);
    sqlite3_close(writer);

    struct nv_sealed sealed = {.more = true};
    unsigned long long ops = 0;
    began = bench_now();
    while (sealed.more) {
        ok(nv_store_seal(hub, now, 60, &sealed, &error));
        ops += sealed.ops;
    }
    results[SEAL] = rate(began);
    bench_check(ops == row_count, "not every row was sealed");

    for (int together = 0; together < 2; together++) {
        struct nv_store *to = together == 0 ? alone : NULL;
        if (together == 1) {
            nv_store_close(alone);
            /* A second fresh site with the same certificate: its site id is taken from the first. */
            to = make_site("together", 1);
        }
        sqlite3 *db = nv_store_db(to);
        char sql[128];
        snprintf(sql, sizeof sql, "UPDATE navette_meta SET value = x'");
        for (size_t i = 0; i < 32; i++)
            snprintf(sql + strlen(sql), sizeof sql - strlen(sql), "%02x", authority_key.public_key.bytes[i]);
        bench_exec(db, "INSERT OR IGNORE INTO navette_meta(name, value) VALUES ('network', NULL)");
        strcat(sql, "' WHERE name = 'network'");
        bench_exec(db, sql);
        nv_store_close(to);
        ok(nv_store_open(path_of(together ? "together" : "alone"), &to, &error));
        results[together ? APPLY : APPLY_ALONE] = row_count / hand_over(hub, to, together ? 60 : 0);
        bench_check(bench_integer(nv_store_db(to), "SELECT count(*) FROM learner") == row_count, "rows are lacking");
        if (together == 0)
            alone = to;
        else
            nv_store_close(to);
    }
    sqlite3 *look = bench_open(path_of("together"));
    bench_exec(look, "PRAGMA wal_checkpoint(TRUNCATE)");
    sizes->wire = (double)bench_integer(look, "SELECT sum(length(header) + length(signature) + length(body) + 12) "
                                              "FROM navette_changeset");
    sqlite3_close(look);
    sizes->store = megabytes("together");
    nv_store_close(hub);
}

static int order_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, rounds, sizeof *values, order_doubles);
    return values[rounds / 2];
}

static void run(enum bench_keys keys, const char *title)
{
    double rates[SECTIONS][ROUNDS_MAX], ratios[SECTIONS][ROUNDS_MAX];
    struct sizes sizes = {0};
    for (unsigned round = 0; round < rounds; round++) {
        double results[SECTIONS] = {0};
        results[PLAIN] = plain(keys, &sizes.plain);
        results[SESSION] = session(keys);
        two_sites(keys, results, &sizes);
        for (int i = 0; i < SECTIONS; i++) {
            rates[i][round] = results[i];
            ratios[i][round] = results[i] / results[PLAIN];
        }
    }
    printf("\n%s: %u learners of 12 columns, medians of %u rounds\n", title, row_count, rounds);
    for (int i = 0; i < SECTIONS; i++)
        printf("  %-38s %9.0f rows/s   %.2f of plain\n", section_names[i], median(rates[i]), median(ratios[i]));
    printf("  %-38s %9.1f bytes a row (plain table: %.1f; %.2f times)\n", "disk, at the receiving site",
           sizes.store * 1e6 / row_count, sizes.plain * 1e6 / row_count, sizes.store / sizes.plain);
    printf("  %-38s %9.1f bytes a row\n", "changesets, as they travel", sizes.wire / row_count);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        row_count = (unsigned)atoi(argv[1]) / PER_TRANSACTION * PER_TRANSACTION;
    if (argc > 2)
        rounds = (unsigned)atoi(argv[2]);
    bench_check(row_count > 0 && rounds > 0 && rounds <= ROUNDS_MAX, "usage: bench_store [ROWS] [ROUNDS]");
    snprintf(folder, sizeof folder, "%s/navette-bench-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    bench_check(mkdtemp(folder) != NULL, "no temporary folder");
    ok(nv_wire_start(&error));
    make_keys();
    run(BENCH_ORDERED_KEYS, "Time-ordered keys");
    run(BENCH_RANDOM_KEYS, "Random keys");
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
