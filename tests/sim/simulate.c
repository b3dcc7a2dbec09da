/* Runs simulations: seed after seed, on several processors, until one is wrong; then makes that one as small as it goes
 * and says how to repeat it. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/planted.h"
#include "disk.h"
#include "founding.h"
#include "golden.h"
#include "plan.h"
#include "report.h"
#include "trace.h"
#include "wire/keys.h"

enum { JOBS_MOST = 16, PATIENCE_S = 120 };

struct options {
    uint64_t first, last;
    size_t jobs;
    const char *plan, *save, *scenario, *planted;
    bool is_traced, hashes, is_bare;
};

static const char usage[] =
    "usage: simulate [--seeds FIRST..LAST] [--jobs N] [--plan FILE] [--save FILE] [--planted BUG] [--trace]\n"
    "                [--hashes] [--bare]\n"
    "       simulate --scenario NAME [--trace]\n"
    "  --seeds   which seeds to run (one number: from 1 to it)\n"
    "  --plan    runs the plan of a file in the place of seeds\n"
    "  --save    where the smallest plan that fails is written (simulate-SEED.plan)\n"
    "  --planted wakes a bug of daemon/base/planted.h, in a build that has them (PLANTED=1)\n"
    "  --trace   tells on stdout what happens\n"
    "  --hashes  prints each seed's trace hash\n"
    "  --bare    does not make a failing plan smaller\n"
    "  --scenario  tells a scenario as golden/NAME.txt has it; with --trace, all that happens in it\n";

/* ---- one run, in this process ---- */

/* A processor's time, however busy the machine is: beyond it the run is one that does not end. */
static void limit_time(void)
{
    const struct itimerval patience = {.it_value = {.tv_sec = PATIENCE_S}};
    setitimer(ITIMER_PROF, &patience, NULL);
}

static void run_plan(const struct sim_plan *plan, bool is_traced)
{
    sim_report->seed = plan->seed;
    sim_trace_start(is_traced ? stdout : NULL);
    sim_plan_run(plan);
    sim_trace_end(sim_report->hash);
}

/* ---- in processes of their own ---- */

static struct sim_report *shared_reports(void)
{
    void *memory =
        mmap(NULL, JOBS_MOST * sizeof(struct sim_report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(70);
    }
    return memory;
}

/* What is wrong, in a word: a checker's name, or how the process died; "" where nothing is. */
static void judge(int status, struct sim_report *report)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == SIM_EXIT_FAILED)
        return;
    snprintf(report->checker, sizeof report->checker, "crash");
    if (WIFSIGNALED(status))
        snprintf(report->text, sizeof report->text, "the process died of signal %d%s", WTERMSIG(status),
                 WTERMSIG(status) == SIGPROF ? ": it ran for too long" : "");
    else
        snprintf(report->text, sizeof report->text, "the process ended with %d", WEXITSTATUS(status));
}

static void run_apart(const struct sim_plan *plan, struct sim_report *report)
{
    memset(report, 0, sizeof *report);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        sim_report = report;
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(70);
        limit_time();
        run_plan(plan, false);
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    judge(status, report);
}

static void run_seeds(const struct options *options, size_t job, struct sim_report *report)
{
    static struct sim_plan plan;
    sim_report = report;
    for (uint64_t seed = options->first + job; seed <= options->last; seed += options->jobs) {
        limit_time();
        sim_plan_make(&plan, seed);
        run_plan(&plan, options->is_traced);
        if (options->hashes)
            printf("seed %" PRIu64 ": %s\n", seed, report->hash);
    }
    fflush(NULL);
    _exit(0);
}

/* Runs them all; the report of the job that failed at the least seed, NULL where none did. */
static struct sim_report *run_jobs(const struct options *options, struct sim_report *reports)
{
    pid_t children[JOBS_MOST];
    struct sim_report *failed = NULL;
    fflush(NULL);
    for (size_t job = 0; job < options->jobs; job++) {
        children[job] = fork();
        if (children[job] == 0)
            run_seeds(options, job, &reports[job]);
    }
    for (size_t left = options->jobs; left > 0; left--) {
        int status;
        pid_t child = wait(&status);
        for (size_t job = 0; job < options->jobs; job++) {
            if (children[job] != child)
                continue;
            judge(status, &reports[job]);
            children[job] = 0;
            if (reports[job].checker[0] == '\0')
                continue;
            if (failed == NULL || reports[job].seed < failed->seed)
                failed = &reports[job];
            for (size_t other = 0; other < options->jobs; other++)
                if (children[other] > 0 && reports[other].seed > failed->seed)
                    kill(children[other], SIGTERM);
        }
    }
    return failed;
}

/* ---- making it smaller ---- */

static bool still_fails(const struct sim_plan *plan, const char *checker, struct sim_report *report)
{
    run_apart(plan, report);
    return strcmp(report->checker, checker) == 0;
}

/* Leaves out runs of steps, half of them at first, one by one in the end, as long as the same check still fails.
 * Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002). */
static void make_smaller(struct sim_plan *plan, const char *checker, struct sim_report *report)
{
    for (size_t size = plan->count / 2; size > 0; size = size == 1 ? 0 : (size + 1) / 2)
        for (size_t start = 0; start < plan->count; start += size) {
            struct sim_plan smaller = *plan;
            for (size_t i = start; i < plan->count && i < start + size; i++)
                smaller.steps[i].is_left_out = true;
            if (memcmp(&smaller, plan, sizeof smaller) != 0 && still_fails(&smaller, checker, report))
                *plan = smaller;
        }
}

static int tell_failure(struct sim_plan *plan, const struct options *options, const struct sim_report *failed)
{
    struct sim_report *report = shared_reports();
    char checker[32], path[64];
    snprintf(checker, sizeof checker, "%s", failed->checker);
    printf("seed %" PRIu64 ": %s: %s\n", plan->seed, failed->checker, failed->text);
    fflush(stdout);
    if (options->is_bare)
        return 1;
    make_smaller(plan, checker, report);
    snprintf(path, sizeof path, "simulate-%" PRIu64 ".plan", plan->seed);
    FILE *file = fopen(options->save != NULL ? options->save : path, "w");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    sim_plan_write(plan, file);
    fclose(file);
    printf("the same in fewer steps: simulate --plan %s --trace\n", options->save != NULL ? options->save : path);
    sim_plan_write(plan, stdout);
    return 1;
}

/* ---- main ---- */

static bool read_options(int count, char **arguments, struct options *options)
{
    static const struct option known[] = {
        {"seeds", required_argument, NULL, 's'},    {"jobs", required_argument, NULL, 'j'},
        {"scenario", required_argument, NULL, 'n'}, {"plan", required_argument, NULL, 'p'},
        {"save", required_argument, NULL, 'o'},     {"planted", required_argument, NULL, 'w'},
        {"trace", no_argument, NULL, 't'},          {"hashes", no_argument, NULL, 'h'},
        {"bare", no_argument, NULL, 'b'},           {NULL, 0, NULL, 0}};
    *options = (struct options){.first = 1, .last = 100, .jobs = 1};
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        if (option == 's' && sscanf(optarg, "%" SCNu64 "..%" SCNu64, &options->first, &options->last) == 1) {
            options->last = options->first;
            options->first = 1;
        }
        if (option == 'j')
            options->jobs = (size_t)strtoul(optarg, NULL, 10);
        if (option == 'p')
            options->plan = optarg;
        if (option == 'n')
            options->scenario = optarg;
        if (option == 'o')
            options->save = optarg;
        if (option == 'w')
            options->planted = optarg;
        options->is_traced = options->is_traced || option == 't';
        options->hashes = options->hashes || option == 'h';
        options->is_bare = options->is_bare || option == 'b';
        if (option == '?')
            return false;
    }
    return optind == count && options->jobs >= 1 && options->jobs <= JOBS_MOST && options->first >= 1;
}

static int run_file(const struct options *options)
{
    static struct sim_plan plan;
    struct sim_report *report = shared_reports();
    FILE *file = fopen(options->plan, "r");
    if (file == NULL || !sim_plan_read(&plan, file)) {
        fprintf(stderr, "%s is no plan\n", options->plan);
        return 2;
    }
    fclose(file);
    if (options->is_traced) {
        run_plan(&plan, true);
        return 0;
    }
    run_apart(&plan, report);
    if (report->checker[0] == '\0')
        return 0;
    return tell_failure(&plan, options, report);
}

static int run_scenario(const struct options *options)
{
    struct nv_buffer text = {0};
    const struct sim_scenario *scenario = sim_scenario_named(options->scenario);
    if (scenario == NULL) {
        fprintf(stderr, "there is no scenario %s\n", options->scenario);
        return 2;
    }
    if (options->is_traced) {
        sim_trace_start(stdout);
        sim_scenario_play(scenario);
        return 0;
    }
    bool is_good = sim_golden_take(scenario, &text);
    fwrite(text.data, 1, text.size, stdout);
    nv_buffer_done(&text);
    return is_good ? 0 : 1;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell_sum(const struct sim_report *reports, size_t jobs, double took)
{
    struct sim_report sum = {0};
    for (size_t job = 0; job < jobs; job++) {
        sum.seeds += reports[job].seeds;
        sum.writes += reports[job].writes;
        sum.faults += reports[job].faults;
        sum.turns += reports[job].turns;
        sum.frames += reports[job].frames;
        sum.changesets += reports[job].changesets;
        sum.virtual_ms += reports[job].virtual_ms;
        sum.stores_checked += reports[job].stores_checked;
        sum.digests_compared += reports[job].digests_compared;
        sum.counted += reports[job].counted;
        sum.values += reports[job].values;
        sum.rights_taken += reports[job].rights_taken;
        if (reports[job].longest_calm_ms > sum.longest_calm_ms)
            sum.longest_calm_ms = reports[job].longest_calm_ms;
    }
    printf("%" PRIu64 " seeds in %.1f s: %.1f hours of virtual time, %" PRIu64 " turns, %" PRIu64 " frames, %" PRIu64
           " changesets; %" PRIu64 " stores held against the model, %" PRIu64
           " digests compared; converged after %.1f s "
           "at the latest\n",
           sum.seeds, took, (double)sum.virtual_ms / 3.6e6, sum.turns, sum.frames, sum.changesets, sum.stores_checked,
           sum.digests_compared, (double)sum.longest_calm_ms / 1000);
    printf("%" PRIu64 " values that not all may read, %" PRIu64 " rights taken, %" PRIu64
           " headers judged by the model of what counts\n",
           sum.values, sum.rights_taken, sum.counted);
    printf("faults=%" PRIu64 " seeds=%" PRIu64 " writes=%" PRIu64 " lost=0\n", sum.faults, sum.seeds, sum.writes);
}

static bool wake(const char *bug)
{
#ifdef NAVETTE_PLANTED
    if (nv_planted_choose(bug))
        return true;
    fprintf(stderr, "no bug of daemon/base/planted.h is called %s\n", bug);
#else
    fprintf(stderr, "%s is not in this build: make PLANTED=1\n", bug);
#endif
    return false;
}

int main(int count, char **arguments)
{
    struct options options;
    struct nv_error error;
    if (!read_options(count, arguments, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    if (nv_wire_start(&error) != NV_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 70;
    }
    /* Memory is given back to the system when the process ends: page faults would cost more than the simulation. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20); /* more it does not take */
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    nv_disks_start();
    if (options.planted != NULL && !wake(options.planted))
        return 2;
    sim_founding_of(2);
    if (options.scenario != NULL)
        return run_scenario(&options);
    if (options.plan != NULL)
        return run_file(&options);
    struct sim_report *reports = shared_reports();
    double begun = seconds();
    struct sim_report *failed = run_jobs(&options, reports);
    if (failed != NULL) {
        static struct sim_plan plan;
        sim_plan_make(&plan, failed->seed);
        return tell_failure(&plan, &options, failed);
    }
    tell_sum(reports, options.jobs, seconds() - begun);
    return 0;
}
