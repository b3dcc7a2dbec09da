/* navetted: the daemon beside a site's store. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "service.h"
#include "store/store.h"
#include "wire/keys.h"

struct options {
    const char *home;
    bool check, verbose;
};

struct keys {
    struct nv_sign_key sign, authority;
    struct nv_curve_key curve;
    bool is_authority;
};

static const char usage[] = "usage: navetted --home DIR [--check] [--verbose]\n"
                            "  --home DIR   the site's home (NAVETTE_HOME, else /var/lib/navette)\n"
                            "  --check      look at settings, keys and store, and end\n"
                            "  --verbose    say more on stderr\n";

static enum nv_status read_options(int count, char **arguments, struct options *ret_options, struct nv_error *error)
{
    static const struct option known[] = {
        {"home", required_argument, NULL, 'h'},
        {"check", no_argument, NULL, 'c'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, '?'},
        {NULL, 0, NULL, 0},
    };
    const char *from_environment = getenv("NAVETTE_HOME");
    *ret_options = (struct options){.home = from_environment != NULL ? from_environment : "/var/lib/navette"};
    opterr = 0;
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        if (option == 'h')
            ret_options->home = optarg;
        else if (option == 'c')
            ret_options->check = true;
        else if (option == 'v')
            ret_options->verbose = true;
        else
            return nv_fail(error, NV_USAGE, "%s", usage);
    }
    return optind == count ? NV_OK : nv_fail(error, NV_USAGE, "%s", usage);
}

/* Keys stay out of core files; a hub needs a descriptor for each peer and for each that only knocks. */
static void set_limits(void)
{
    struct rlimit limit = {0, 0};
    setrlimit(RLIMIT_CORE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* `navette status` holds the lock for an instant, to see whether a daemon does: so it is tried a few times. */
static bool is_locked_by_another(int lock)
{
    for (int tries = 0; tries < 10; tries++) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0)
            return false;
        nv_pause_us(20000);
    }
    return true;
}

/* A second daemon on one home would have the same site speak twice. The lock goes with the process, however it ends. */
static enum nv_status take_lock(const struct nv_config *config, int *ret_lock, struct nv_error *error)
{
    int lock = open(config->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return nv_fail(error, NV_IO, "cannot open %s: %s", config->lock, strerror(errno));
    if (is_locked_by_another(lock)) {
        close(lock);
        return nv_fail(error, NV_BUSY, "another navetted runs on %s: one home has one daemon: stop that one first",
                       config->home);
    }
    *ret_lock = lock;
    return NV_OK;
}

static enum nv_status load_keys(const struct nv_config *config, struct keys *keys, struct nv_error *error)
{
    enum nv_status status = nv_sign_key_load(config->keys, "sign.key", &keys->sign, error);
    if (status == NV_OK)
        status = nv_curve_key_load(config->keys, "curve.key", &keys->curve, error);
    if (status != NV_OK)
        return status;
    status = nv_sign_key_load(config->keys, "authority.key", &keys->authority, error);
    keys->is_authority = status == NV_OK;
    return status == NV_NOT_FOUND ? NV_OK : status;
}

static int block_signals(struct nv_error *error)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    int signals = -1;
    if (sigprocmask(SIG_BLOCK, &ends, NULL) == 0)
        signals = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals < 0)
        nv_fail(error, NV_IO, "cannot wait for signals: %s", strerror(errno));
    return signals;
}

/* For the command line and for tests: ports that the kernel chose are known only here. Whole or not at all. */
static enum nv_status write_endpoints(const struct nv_config *config, const struct nv_service *service,
                                      struct nv_error *error)
{
    char part[NV_CONFIG_PATH + 8];
    snprintf(part, sizeof part, "%s.part", config->endpoints);
    FILE *file = fopen(part, "we");
    if (file == NULL)
        return nv_fail(error, NV_IO, "cannot write %s: %s", part, strerror(errno));
    if (nv_service_listens(service)[0] != '\0')
        fprintf(file, "listen %s\n", nv_service_listens(service));
    if (nv_service_enrols(service)[0] != '\0')
        fprintf(file, "enrol %s\n", nv_service_enrols(service));
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (failed || rename(part, config->endpoints) != 0)
        return nv_fail(error, NV_IO, "cannot write %s: %s", config->endpoints, strerror(errno));
    return NV_OK;
}

static void say_ready(const struct nv_store *store, const struct nv_service *service)
{
    const char *listens = nv_service_listens(service), *enrols = nv_service_enrols(service);
    nv_log(NV_LOG_INFO, "ready: site %s, %s%s%s%s", nv_store_identity(store)->name,
           listens[0] != '\0' ? "listening on " : "dialling only", listens, enrols[0] != '\0' ? ", enrolling on " : "",
           enrols);
}

int main(int count, char **arguments)
{
    struct nv_error error = {0};
    struct options options;
    struct nv_config config = {0};
    struct keys keys = {0};
    struct nv_store *store = NULL;
    struct nv_service *service = NULL;
    int lock = -1, signals = -1;
    bool stop = false, said = false;

    /* 1. What is asked for. */
    enum nv_status status = read_options(count, arguments, &options, &error);
    if (status != NV_OK) {
        fputs(error.text, stderr);
        return nv_exit_code(status);
    }
    if (options.verbose)
        nv_log_set_level(NV_LOG_DEBUG);

    /* 2. Limits first, before there is a secret in memory. */
    set_limits();
    if ((status = nv_wire_start(&error)) != NV_OK)
        goto out;

    /* 3. The home: settings, and the lock that makes us its only daemon. */
    if ((status = nv_config_read(options.home, &config, &error)) != NV_OK)
        goto out;
    if (!options.check && (status = take_lock(&config, &lock, &error)) != NV_OK)
        goto out;

    /* 4. Keys and store: from here on we are that site. */
    if ((status = load_keys(&config, &keys, &error)) != NV_OK)
        goto out;
    if ((status = nv_store_open(config.store, &store, &error)) != NV_OK)
        goto out;
    nv_store_set_signer(store, &keys.sign);
    nv_store_set_opener(store, &keys.curve);
    nv_store_set_hub_readers(store, (const char *const *)config.hub_readers, config.hub_reader_count);
    if (options.check) {
        nv_log(NV_LOG_INFO, "settings, keys and store of %s are in order", nv_store_identity(store)->name);
        goto out;
    }

    /* 5. Signals become something to read, so that the loop ends between two steps of work. */
    if ((signals = block_signals(&error)) < 0) {
        status = error.status;
        goto out;
    }
    const struct nv_service_settings settings = {
        .config = &config,
        .store = store,
        .curve_key = &keys.curve,
        .authority_key = keys.is_authority ? &keys.authority : NULL,
        .signals = signals,
    };
    if ((status = nv_service_new(&settings, &service, &error)) != NV_OK)
        goto out;

    /* 6. A site that has not joined has nobody to speak with. */
    status = nv_service_await_network(service, &stop, &error);
    if (status != NV_OK || stop)
        goto out;

    /* 7. Bind, and prove that strangers are refused, before anybody is told where we are. */
    if ((status = nv_service_open(service, &error)) != NV_OK)
        goto out;
    if ((status = write_endpoints(&config, service, &error)) != NV_OK)
        goto out;
    said = true;
    say_ready(store, service);

    /* 8. Serve until asked to end, or until the store fails: then the supervisor starts us anew. */
    status = nv_service_run(service, &error);

out:
    if (said)
        unlink(config.endpoints);
    if (status != NV_OK)
        nv_log(NV_LOG_ERROR, "%s", error.text[0] != '\0' ? error.text : nv_status_text(status));
    else if (said)
        nv_log(NV_LOG_INFO, "ended as asked");
    nv_service_free(service);
    nv_store_close(store);
    nv_wipe(&keys, sizeof keys);
    if (signals >= 0)
        close(signals);
    if (lock >= 0)
        close(lock);
    nv_config_done(&config);
    return nv_exit_code(status);
}
