/* What sealing costs: the same rows of one table, in the network's scope and in a group's, sealed by one site and
 * applied by another one, in one run.
 *
 *     bench_sealed [ROWS] [ROUNDS]
 *
 * Prints rows/s and the ratio of the two; medians over the rounds. Nothing here is asserted; sealed rows are meant to
 * be applied at 0.75 of the rate of plain ones at the least.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/authority.h"
#include "store/ingest.h"
#include "store/log.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/trust/rights.h"
#include "tests/bench/rows.h"

enum { PER_TRANSACTION = 1000, ROUNDS_MAX = 15, BATCH_BYTES = 1 << 20, BUDGET_MS = 60, SITES = 3 };
enum { HUB, WRITER, READER };
enum scope { PLAIN, SEALED, SCOPES };

static const char *const scope_names[SCOPES] = {[PLAIN] = "network", [SEALED] = "group/east"};
static const char *const site_names[SITES] = {"hub", "writer", "reader"};
static const struct nv_wall_ms now = {1790000000000};

static char folder[256];
static unsigned row_count = 100000, rounds = 3;
static struct nv_error error;
static struct nv_sign_key authority_key, sign_keys[SITES];
static struct nv_curve_key curve_keys[SITES];

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

static void make_keys(void)
{
    char keys[300], name[32];
    snprintf(keys, sizeof keys, "%s/keys", folder);
    ok(nv_sign_key_create(keys, "authority.key", &authority_key, &error));
    for (int i = 0; i < SITES; i++) {
        snprintf(name, sizeof name, "sign%d.key", i);
        ok(nv_sign_key_create(keys, name, &sign_keys[i], &error));
        snprintf(name, sizeof name, "curve%d.key", i);
        ok(nv_curve_key_create(keys, name, &curve_keys[i], &error));
    }
}

static struct nv_store *make_site(int site)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct nv_store *store;
    char path[600];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", path_of(site_names[site]), endings[i]);
        unlink(path);
    }
    ok(nv_store_create(path_of(site_names[site]), site_names[site], &error));
    ok(nv_store_open(path_of(site_names[site]), &store, &error));
    nv_store_set_signer(store, &sign_keys[site]);
    nv_store_set_opener(store, &curve_keys[site]);
    return store;
}

static struct nv_certificate certificate_of(struct nv_store *store, int site)
{
    return (struct nv_certificate){.site = nv_store_identity(store)->site,
                                   .name = site_names[site],
                                   .sign_key = sign_keys[site].public_key,
                                   .curve_key = curve_keys[site].public_key,
                                   .recovery_key = curve_keys[site].public_key,
                                   .role = site == HUB ? NV_ROLE_HUB : NV_ROLE_SITE};
}

/* A hub that founds the network, two schools of one group, and a table whose records say of which scope they are. */
static void found(struct nv_store *stores[SITES])
{
    char schema[700];
    struct nv_buffer summary = {0};
    struct nv_scope_id group;
    for (int i = 0; i < SITES; i++)
        stores[i] = make_site(i);
    struct nv_certificate self = certificate_of(stores[HUB], HUB);
    ok(nv_authority_found(stores[HUB], "bench", &authority_key, &authority_key.public_key, &self, now, &error));
    ok(nv_authority_group(stores[HUB], &authority_key, "east", now, &error));
    ok(nv_scope_from_name(stores[HUB], "group/east", &group, &error));
    for (int i = WRITER; i < SITES; i++) {
        struct nv_certificate certificate = certificate_of(stores[i], i);
        ok(nv_authority_certify(stores[HUB], &authority_key, &certificate, now, &error));
        ok(nv_authority_add_reader(stores[HUB], &authority_key, group, certificate.site, now, &error));
    }
    snprintf(schema, sizeof schema,
             "%.*s, who TEXT); INSERT INTO navette_table(name, scope) VALUES ('learner', 'column:who')",
             (int)strlen(BENCH_TABLE) - 1, BENCH_TABLE);
    ok(nv_schema_apply(stores[HUB], &authority_key, schema, false, now, &summary, &error));
    nv_buffer_done(&summary);
}

/* Gives `to` what the founder's log has. */
static void adopt(struct nv_store *hub, struct nv_store *to)
{
    enum { MOST = 64 };
    struct nv_buffer bytes = {0};
    struct nv_slice changesets[MOST];
    struct nv_far_head heads[MOST];
    size_t ends[MOST], count;
    int64_t cursor = 0;
    bool done;
    ok(nv_store_read_for(hub, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, MOST, &count, &done, &error));
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        changesets[i] = (struct nv_slice){bytes.data + start, ends[i] - start};
    ok(nv_authority_adopt(to, &authority_key.public_key, changesets, count, now, &error));
    nv_buffer_done(&bytes);
}

static double seal_all(struct nv_store *store)
{
    struct nv_sealed sealed = {.more = true};
    double began = bench_now();
    while (sealed.more)
        ok(nv_store_seal(store, now, BUDGET_MS, &sealed, &error));
    return row_count / (bench_now() - began);
}

/* Hands over all that `to` lacks. The clock runs only while it takes it in. */
static double hand_over(struct nv_store *from, struct nv_store *to, double *ret_bytes)
{
    enum { MOST = 64 };
    struct nv_buffer bytes = {0};
    size_t ends[MOST], has_count, count;
    struct nv_far_head heads[MOST];
    struct nv_incoming incoming[MOST];
    const struct nv_far_head *has;
    int64_t cursor = 0;
    bool done = false;
    double seconds = 0;
    nv_store_has(to, &has, &has_count);
    struct nv_far_head *start = calloc(has_count + 1, sizeof *start);
    if (has_count > 0)
        memcpy(start, has, has_count * sizeof *start);
    *ret_bytes = 0;
    while (!done) {
        nv_buffer_clear(&bytes);
        ok(nv_store_read_for(from, start, has_count, NULL, &cursor, BATCH_BYTES, &bytes, ends, heads, MOST, &count,
                             &done, &error));
        for (size_t i = 0; i < count; i++) {
            size_t begin = i == 0 ? 0 : ends[i - 1];
            incoming[i] = (struct nv_incoming){.bytes = {bytes.data + begin, ends[i] - begin}};
        }
        *ret_bytes += (double)bytes.size / row_count;
        double began = bench_now();
        for (size_t taken = 0; taken < count;) {
            ok(nv_store_ingest(to, incoming + taken, count - taken, now, BUDGET_MS, &error));
            while (taken < count && incoming[taken].verdict != NV_VERDICT_PENDING) {
                bench_check(incoming[taken].verdict == NV_VERDICT_TAKEN, incoming[taken].text);
                taken++;
            }
        }
        seconds += bench_now() - began;
    }
    free(start);
    nv_buffer_done(&bytes);
    return row_count / seconds;
}

struct figures {
    double seal, apply, bytes;
};

static struct figures measure(enum bench_keys keys, enum scope scope)
{
    struct nv_store *stores[SITES];
    struct figures figures;
    found(stores);
    adopt(stores[HUB], stores[WRITER]);
    adopt(stores[HUB], stores[READER]);
    sqlite3 *writer = bench_open(path_of(site_names[WRITER]));
    bench_insert_for(writer, keys, scope_names[scope], 0, row_count, PER_TRANSACTION);
    sqlite3_close(writer);
    figures.seal = seal_all(stores[WRITER]);
    figures.apply = hand_over(stores[WRITER], stores[READER], &figures.bytes);
    bench_check(bench_integer(nv_store_db(stores[READER]), "SELECT count(*) FROM learner") == row_count,
                "rows are lacking");
    for (int i = 0; i < SITES; i++)
        nv_store_close(stores[i]);
    return figures;
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
    double seal[SCOPES][ROUNDS_MAX], apply[SCOPES][ROUNDS_MAX], seal_ratio[ROUNDS_MAX], apply_ratio[ROUNDS_MAX];
    double bytes[SCOPES];
    for (unsigned round = 0; round < rounds; round++) {
        for (enum scope scope = PLAIN; scope < SCOPES; scope++) {
            struct figures figures = measure(keys, scope);
            seal[scope][round] = figures.seal;
            apply[scope][round] = figures.apply;
            bytes[scope] = figures.bytes;
        }
        seal_ratio[round] = seal[SEALED][round] / seal[PLAIN][round];
        apply_ratio[round] = apply[SEALED][round] / apply[PLAIN][round];
    }
    printf("\n%s: %u learners of 13 columns, medians of %u rounds\n", title, row_count, rounds);
    for (enum scope scope = PLAIN; scope < SCOPES; scope++)
        printf("  %-12s sealed %9.0f rows/s   applied %9.0f rows/s   %6.1f bytes a row\n", scope_names[scope],
               median(seal[scope]), median(apply[scope]), bytes[scope]);
    printf("  in boxes     sealed %9.2f          applied %9.2f of plain\n", median(seal_ratio), median(apply_ratio));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        row_count = (unsigned)atoi(argv[1]) / PER_TRANSACTION * PER_TRANSACTION;
    if (argc > 2)
        rounds = (unsigned)atoi(argv[2]);
    bench_check(row_count > 0 && rounds > 0 && rounds <= ROUNDS_MAX, "usage: bench_sealed [ROWS] [ROUNDS]");
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
