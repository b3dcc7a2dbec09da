/* The whole way with real daemons on loopback: a hub and two schools.
 *
 *     bench_daemons [ROWS] [SINGLE_ROWS]
 *
 * The programs are those of the folder NAVETTE_BUILD, or build.
 * Prints rows/s from a writer's first transaction at one school to the last row durable at the hub and at the other
 * school, beside a plain insert of the same rows in the same run; the distribution of one row's way from commit at one
 * school to visible at the other; peak memory of the daemons; bytes on the wire and on disk. Nothing here is asserted.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/relay.h"
#include "tests/bench/rows.h"

enum { PER_TRANSACTION = 1000, SITES = 3, HUB = 0, FROM = 1, TO = 2 };

struct site {
    const char *name;
    char home[300];
    pid_t daemon;
    sqlite3 *db;
};

static char folder[256], build[256];
static unsigned row_count = 100000, single_rows = 300;
static struct site sites[SITES] = {{.name = "hub"}, {.name = "from"}, {.name = "to"}};

static void stop_all(void)
{
    for (int i = 0; i < SITES; i++) {
        if (sites[i].daemon <= 0)
            continue;
        kill(sites[i].daemon, SIGTERM);
        waitpid(sites[i].daemon, NULL, 0);
        sites[i].daemon = 0;
    }
}

static void nap(double seconds)
{
    struct timespec pause = {0, (long)(seconds * 1e9)};
    nanosleep(&pause, NULL);
}

/* Runs `navette --home HOME …` and gives its first line of output. */
static void navette(const struct site *site, const char *arguments, char *ret_line, size_t size)
{
    char command[2048];
    snprintf(command, sizeof command, "'%s/navette' --home '%s' %s", build, site->home, arguments);
    FILE *pipe = popen(command, "r");
    bench_check(pipe != NULL, "cannot run navette");
    char line[2048] = "";
    if (fgets(line, sizeof line, pipe) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    while (fgetc(pipe) != EOF)
        continue;
    bench_check(pclose(pipe) == 0, command);
    if (ret_line != NULL)
        snprintf(ret_line, size, "%s", line);
}

static void start(struct site *site)
{
    char program[300];
    snprintf(program, sizeof program, "%s/navetted", build);
    site->daemon = fork();
    if (site->daemon == 0) {
        char path[400];
        snprintf(path, sizeof path, "%s/log", site->home);
        bench_check(freopen(path, "w", stderr) != NULL, "no log");
        execl(program, "navetted", "--home", site->home, (char *)NULL);
        _exit(127);
    }
}

static int listening_port(const struct site *site)
{
    char path[400], word[64], endpoint[256];
    snprintf(path, sizeof path, "%s/endpoints", site->home);
    for (int tries = 0; tries < 500; tries++, nap(0.01)) {
        FILE *file = fopen(path, "r");
        int port = 0;
        while (file != NULL && fscanf(file, "%63s %255s", word, endpoint) == 2)
            if (strcmp(word, "listen") == 0 && strrchr(endpoint, ':') != NULL)
                port = atoi(strrchr(endpoint, ':') + 1);
        if (file != NULL)
            fclose(file);
        if (port > 0)
            return port;
    }
    bench_check(false, "the hub did not come up");
    return 0;
}

static void append_to_conf(const struct site *site, int port)
{
    char path[400];
    snprintf(path, sizeof path, "%s/navette.conf", site->home);
    FILE *file = fopen(path, "a");
    bench_check(file != NULL, "no navette.conf");
    fprintf(file, "\n[peers]\nhub = tcp://127.0.0.1:%d\n", port);
    fclose(file);
}

static sqlite3 *open_site(const struct site *site)
{
    char path[400];
    snprintf(path, sizeof path, "%s/store.db", site->home);
    return bench_open(path);
}

static struct bench_relay *make_network(void)
{
    char invitation[1024], arguments[1200], path[400];
    struct bench_relay *relay = NULL;
    for (int i = 0; i < SITES; i++)
        snprintf(sites[i].home, sizeof sites[i].home, "%s/%s", folder, sites[i].name);
    navette(&sites[HUB], "init hub --hub --listen 'tcp://127.0.0.1:*' --enrol 'tcp://127.0.0.1:*'", NULL, 0);
    snprintf(path, sizeof path, "%s/schema.sql", folder);
    FILE *schema = fopen(path, "w");
    bench_check(schema != NULL, "no schema file");
    fputs(BENCH_TABLE ";\nINSERT INTO navette_table(name, scope) VALUES ('learner', 'network');\n", schema);
    fclose(schema);
    snprintf(arguments, sizeof arguments, "schema apply '%s'", path);
    navette(&sites[HUB], arguments, NULL, 0);
    start(&sites[HUB]);
    int port = listening_port(&sites[HUB]);
    for (int i = FROM; i < SITES; i++) {
        snprintf(arguments, sizeof arguments, "init %s", sites[i].name);
        navette(&sites[i], arguments, NULL, 0);
        snprintf(arguments, sizeof arguments, "invite %s", sites[i].name);
        navette(&sites[HUB], arguments, invitation, sizeof invitation);
        snprintf(arguments, sizeof arguments, "join '%s'", invitation);
        navette(&sites[i], arguments, NULL, 0);
        struct bench_relay *line = bench_relay_start(port);
        append_to_conf(&sites[i], bench_relay_port(line));
        if (i == FROM)
            relay = line;
        start(&sites[i]);
    }
    for (int i = 0; i < SITES; i++)
        sites[i].db = open_site(&sites[i]);
    return relay;
}

static void wait_for(sqlite3 *db, const char *sql, long long wanted, double pause, double longest)
{
    double end = bench_now() + longest;
    while (bench_integer(db, sql) != wanted) {
        bench_check(bench_now() < end, "the rows did not arrive: see the daemons' logs");
        nap(pause);
    }
}

static double peak_megabytes(pid_t daemon)
{
    char path[64], line[256];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)daemon);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmHWM: %ld", &kilobytes);
    if (file != NULL)
        fclose(file);
    return (double)kilobytes / 1024;
}

static double plain(enum bench_keys keys)
{
    char path[400];
    snprintf(path, sizeof path, "%s/plain-%d.db", folder, (int)keys);
    sqlite3 *db = bench_open(path);
    bench_exec(db, BENCH_TABLE);
    double began = bench_now();
    bench_insert(db, keys, 0, row_count, PER_TRANSACTION);
    double result = row_count / (bench_now() - began);
    sqlite3_close(db);
    return result;
}

static void whole_way(enum bench_keys keys, const char *title, unsigned before, struct bench_relay *relay)
{
    double reference = plain(keys);
    unsigned long long bytes = bench_relay_bytes(relay);
    double began = bench_now();
    bench_insert(sites[FROM].db, keys, before, row_count, PER_TRANSACTION);
    double written = bench_now() - began;
    /* Rows are only ever added here, so the greatest rowid counts them. */
    wait_for(sites[HUB].db, "SELECT max(rowid) FROM learner", before + row_count, 0.002, 120);
    double at_hub = bench_now() - began;
    wait_for(sites[TO].db, "SELECT max(rowid) FROM learner", before + row_count, 0.002, 120);
    double at_other = bench_now() - began;
    printf("\n%s, %u rows in transactions of %d\n", title, row_count, PER_TRANSACTION);
    printf("  %-44s %9.0f rows/s   1.00\n", "plain insert", reference);
    printf("  %-44s %9.0f rows/s   %.2f\n", "writer, beside its daemon", row_count / written,
           row_count / written / reference);
    printf("  %-44s %9.0f rows/s   %.2f\n", "writer to last row durable at the hub", row_count / at_hub,
           row_count / at_hub / reference);
    printf("  %-44s %9.0f rows/s   %.2f\n", "writer to last row durable at the other school", row_count / at_other,
           row_count / at_other / reference);
    printf("  %-44s %9.1f bytes a row\n", "on the wire, school to hub",
           (double)(bench_relay_bytes(relay) - bytes) / row_count);
}

static int order_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void one_row_each(unsigned before)
{
    double *ms = calloc(single_rows, sizeof *ms);
    bench_check(ms != NULL, "out of memory");
    for (unsigned i = 0; i < single_rows; i++) {
        bench_insert(sites[FROM].db, BENCH_ORDERED_KEYS, before + i, 1, 1);
        double began = bench_now();
        wait_for(sites[TO].db, "SELECT max(rowid) FROM learner", before + i + 1, 0.0001, 30);
        ms[i] = (bench_now() - began) * 1000;
        nap(0.005);
    }
    qsort(ms, single_rows, sizeof *ms, order_doubles);
    printf("\nOne row, from commit at one school to visible at the other through the hub (%u rows)\n", single_rows);
    printf("  median %.2f ms   90 %% %.2f ms   99 %% %.2f ms   most %.2f ms\n", ms[single_rows / 2],
           ms[single_rows * 9 / 10], ms[single_rows * 99 / 100], ms[single_rows - 1]);
    free(ms);
}

int main(int argc, char **argv)
{
    snprintf(build, sizeof build, "%s", getenv("NAVETTE_BUILD") ? getenv("NAVETTE_BUILD") : "build");
    if (argc > 1)
        row_count = (unsigned)atoi(argv[1]);
    if (argc > 2)
        single_rows = (unsigned)atoi(argv[2]);
    bench_check(row_count > 0 && single_rows > 0, "usage: bench_daemons [ROWS] [SINGLE_ROWS]");
    snprintf(folder, sizeof folder, "%s/navette-bench-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    bench_check(mkdtemp(folder) != NULL, "no temporary folder");
    signal(SIGPIPE, SIG_IGN);
    atexit(stop_all);
    struct bench_relay *relay = make_network();
    bench_insert(sites[FROM].db, BENCH_ORDERED_KEYS, 0, 1, 1);
    wait_for(sites[TO].db, "SELECT count(*) FROM learner", 1, 0.01, 30);
    whole_way(BENCH_ORDERED_KEYS, "Time-ordered keys", 1, relay);
    whole_way(BENCH_RANDOM_KEYS, "Random keys", 1 + row_count, relay);
    one_row_each(1 + 2 * row_count);
    printf("\nPeak memory: hub %.1f MiB, writing school %.1f MiB, other school %.1f MiB\n",
           peak_megabytes(sites[HUB].daemon), peak_megabytes(sites[FROM].daemon), peak_megabytes(sites[TO].daemon));
    stop_all();
    for (int i = 0; i < SITES; i++)
        sqlite3_close(sites[i].db);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
