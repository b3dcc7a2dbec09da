#include "client/home.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "client/language.h"

enum { BUSY_TIMEOUT_MS = 5000 };

enum nv_status nv_home_set(struct nv_home *home, const char *path, struct nv_error *error)
{
    if (path == NULL)
        path = getenv("NAVETTE_HOME");
    if (path == NULL || path[0] == '\0')
        path = "/var/lib/navette";
    size_t size = strlen(path);
    if (size >= sizeof home->path)
        return nv_fail(error, NV_USAGE, "the home's path is too long: at most %zu bytes", sizeof home->path - 1);
    while (size > 1 && path[size - 1] == '/')
        size--;
    snprintf(home->path, sizeof home->path, "%.*s", (int)size, path);
    snprintf(home->store, sizeof home->store, "%s/store.db", home->path);
    snprintf(home->keys, sizeof home->keys, "%s/keys", home->path);
    snprintf(home->settings, sizeof home->settings, "%s/navette.conf", home->path);
    snprintf(home->endpoints, sizeof home->endpoints, "%s/endpoints", home->path);
    snprintf(home->lock, sizeof home->lock, "%s/navetted.lock", home->path);
    return NV_OK;
}

/* What reading sealed scopes needs, for the one store that a command opens. */
static struct nv_curve_key opener;
static const char *hub_readers[NV_LIMIT_HUB_READERS];
static struct nv_settings let;

static void wipe_opener(void)
{
    nv_wipe(&opener, sizeof opener);
}

static void let_read(const struct nv_home *home, struct nv_store *store)
{
    struct nv_error ignored;
    if (nv_curve_key_load(home->keys, "curve.key", &opener, &ignored) != NV_OK ||
        nv_settings_read(home, &let, &ignored) != NV_OK)
        return;
    atexit(wipe_opener);
    for (size_t i = 0; i < let.hub_reader_count; i++)
        hub_readers[i] = let.hub_readers[i];
    nv_store_set_opener(store, &opener);
    nv_store_set_hub_readers(store, hub_readers, let.hub_reader_count);
}

enum nv_status nv_home_open(const struct nv_home *home, struct nv_store **ret_store, struct nv_error *error)
{
    if (access(home->store, F_OK) != 0)
        return nv_fail(
            error, NV_NOT_FOUND,
            "there is no site in %s: run `navette --home %s init NAME` to make one, or name another home with "
            "--home or NAVETTE_HOME",
            home->path, home->path);
    enum nv_status status = nv_store_open(home->store, ret_store, error);
    if (status != NV_OK)
        return status;
    sqlite3_busy_timeout(nv_store_db(*ret_store), BUSY_TIMEOUT_MS);
    let_read(home, *ret_store);
    return NV_OK;
}

enum nv_status nv_home_authority(const struct nv_home *home, struct nv_sign_key *ret_key, struct nv_error *error)
{
    enum nv_status status = nv_sign_key_load(home->keys, "authority.key", ret_key, error);
    if (status == NV_NOT_FOUND)
        return nv_fail(error, NV_REFUSED,
                       "this needs the network's authority key, which is not in %s: run it at the hub", home->keys);
    return status;
}

bool nv_home_is_running(const struct nv_home *home)
{
    int file = open(home->lock, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool is_held = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(file);
    return is_held;
}

/* ---- settings ---- */

static int add_hub_reader(struct nv_settings *found, const char *value)
{
    if (found->hub_reader_count == NV_LIMIT_HUB_READERS || strlen(value) > NV_LIMIT_NAME)
        return 0;
    strcpy(found->hub_readers[found->hub_reader_count++], value);
    return 1;
}

static int take_setting(void *user, const char *section, const char *name, const char *value)
{
    struct nv_settings *found = user;
    if (section[0] != '\0' && strcmp(section, "net") != 0)
        return 1;
    if (strcmp(name, "hub-reads") == 0)
        return add_hub_reader(found, value);
    char *place = strcmp(name, "listen") == 0      ? found->listen
                  : strcmp(name, "enrol") == 0     ? found->enrol
                  : strcmp(name, "advertise") == 0 ? found->advertise
                                                   : NULL;
    if (place == NULL)
        return 1; /* one that only the daemon reads */
    if (strlen(value) >= NV_ENDPOINT_MAX)
        return 0;
    strcpy(place, value);
    return 1;
}

enum nv_status nv_settings_read(const struct nv_home *home, struct nv_settings *ret_settings, struct nv_error *error)
{
    struct nv_settings found = {0};
    int line = ini_parse(home->settings, take_setting, &found);
    if (line == -1 && errno == ENOENT)
        line = 0; /* no file is the same as an empty one */
    if (line < 0)
        return nv_fail(error, NV_IO, "%s cannot be read: make sure that it is there and that you may read it",
                       home->settings);
    if (line > 0)
        return nv_fail(error, NV_REFUSED, "%s, line %d is not a setting: see navette.conf(5)", home->settings, line);
    *ret_settings = found;
    return NV_OK;
}

static void write_setting(FILE *file, const char *name, const char *value, const char *otherwise, const char *why)
{
    fprintf(file, "\n# %s\n%s%s = %s\n", why, value[0] == '\0' ? "#" : "", name, value[0] == '\0' ? otherwise : value);
}

enum nv_status nv_settings_write(const struct nv_home *home, const struct nv_settings *settings, struct nv_error *error)
{
    FILE *file = fopen(home->settings, "wx");
    if (file == NULL)
        return nv_fail(error, NV_IO, "%s cannot be made: %s", home->settings, strerror(errno));
    fputs(_("# Settings of this site: navette.conf(5). The daemon reads them when it starts.\n"), file);
    write_setting(file, "listen", settings->listen, "tcp://0.0.0.0:7420", _("Where other sites may dial this one."));
    write_setting(file, "enrol", settings->enrol, "tcp://0.0.0.0:7421", _("At the hub: where new sites ask to join."));
    write_setting(file, "advertise", settings->advertise, "tcp://hub.example.org:7420",
                  _("How others reach `listen`, where that is another address."));
    fprintf(file, "\n# %s\n[peers]\n",
            _("Where to dial a site, in the place of what its certificate says: NAME = ENDPOINT."));
    bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !written) {
        unlink(home->settings);
        return nv_fail(error, NV_IO, "%s cannot be written: make room on the disk and try again", home->settings);
    }
    return NV_OK;
}

/* ---- endpoints ---- */

enum nv_status nv_endpoint_read(const char *text, struct nv_endpoint *ret_endpoint, struct nv_error *error)
{
    static const char scheme[] = "tcp://";
    struct nv_endpoint endpoint;
    const char *colon = strrchr(text, ':');
    size_t skip = sizeof scheme - 1;
    bool good = strncmp(text, scheme, skip) == 0 && colon > text + skip && strlen(text) < NV_ENDPOINT_MAX &&
                strlen(colon + 1) < sizeof endpoint.port;
    if (good) {
        snprintf(endpoint.host, sizeof endpoint.host, "%.*s", (int)(colon - text - (ptrdiff_t)skip), text + skip);
        snprintf(endpoint.port, sizeof endpoint.port, "%s", colon + 1);
        size_t digits = strspn(endpoint.port, "0123456789");
        long number = strtol(endpoint.port, NULL, 10);
        bool is_number = digits > 0 && endpoint.port[digits] == '\0' && number >= 1 && number <= 65535;
        bool is_odd = strpbrk(endpoint.host, " \t\r\n/;#") != NULL ||
                      (strchr(endpoint.host, ':') != NULL && endpoint.host[0] != '[');
        good = !is_odd && (is_number || nv_endpoint_is_any_port(&endpoint));
    }
    if (!good)
        return nv_fail(error, NV_USAGE, "not an endpoint: write tcp://HOST:PORT, for instance tcp://0.0.0.0:7420");
    *ret_endpoint = endpoint;
    return NV_OK;
}

enum nv_status nv_endpoint_write(const struct nv_endpoint *endpoint, char ret_text[NV_ENDPOINT_MAX],
                                 struct nv_error *error)
{
    int size = snprintf(ret_text, NV_ENDPOINT_MAX, "tcp://%s:%s", endpoint->host, endpoint->port);
    if (size >= NV_ENDPOINT_MAX)
        return nv_fail(error, NV_USAGE, "an endpoint has at most %d characters", NV_ENDPOINT_MAX - 1);
    return NV_OK;
}

bool nv_endpoint_is_any_host(const struct nv_endpoint *endpoint)
{
    return strcmp(endpoint->host, "*") == 0 || strcmp(endpoint->host, "0.0.0.0") == 0 ||
           strcmp(endpoint->host, "[::]") == 0;
}

bool nv_endpoint_is_any_port(const struct nv_endpoint *endpoint)
{
    return strcmp(endpoint->port, "*") == 0;
}

enum nv_status nv_home_bound(const struct nv_home *home, const char *what, char ret_text[NV_ENDPOINT_MAX],
                             struct nv_error *error)
{
    char line[NV_ENDPOINT_MAX + 16];
    size_t size = strlen(what);
    bool found = false;
    FILE *file = fopen(home->endpoints, "r");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        found = strncmp(line, what, size) == 0 && line[size] == ' ' && strlen(line + size + 1) < NV_ENDPOINT_MAX;
    }
    if (file != NULL)
        fclose(file);
    if (!found)
        return nv_fail(
            error, NV_UNREACHABLE,
            "the port for `%s` is chosen when navetted starts, and it is not running: start it, then try again", what);
    strcpy(ret_text, line + size + 1);
    return NV_OK;
}
