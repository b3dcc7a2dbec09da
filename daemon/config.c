#include "config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

struct reading {
    struct nv_config *config;
    struct nv_error *error;
    bool failed;
};

static int refuse(struct reading *reading, const char *section, const char *name, const char *why)
{
    if (!reading->failed)
        nv_fail(reading->error, NV_REFUSED, "[%.40s] %.64s %s", section, name, why);
    reading->failed = true;
    return 0;
}

static int refuse_memory(struct reading *reading)
{
    nv_no_memory(reading->error);
    reading->failed = true;
    return 0;
}

static bool is_endpoint(const char *text)
{
    return strncmp(text, "tcp://", 6) == 0 && strchr(text + 6, ':') != NULL && strlen(text) < NV_CONFIG_TEXT;
}

static int set_endpoint(struct reading *reading, const char *section, const char *name, const char *value,
                        char *ret_text)
{
    if (value[0] != '\0' && !is_endpoint(value))
        return refuse(reading, section, name, "is not tcp://HOST:PORT");
    snprintf(ret_text, NV_CONFIG_TEXT, "%s", value);
    return 1;
}

static int add_peer(struct reading *reading, const char *section, const char *name, const char *value)
{
    struct nv_config *config = reading->config;
    struct nv_config_peer *peers = realloc(config->peers, (config->peer_count + 1) * sizeof *peers);
    if (peers == NULL)
        return refuse_memory(reading);
    config->peers = peers;
    struct nv_config_peer *peer = &peers[config->peer_count];
    if (snprintf(peer->name, sizeof peer->name, "%s", name) >= (int)sizeof peer->name)
        return refuse(reading, section, name, "is longer than a name may be");
    if (!set_endpoint(reading, section, name, value, peer->endpoint))
        return 0;
    config->peer_count++;
    return 1;
}

static int add_hub_reader(struct reading *reading, const char *section, const char *name, const char *value)
{
    struct nv_config *config = reading->config;
    if (value[0] == '\0' || strlen(value) > NV_LIMIT_NAME)
        return refuse(reading, section, name, "is not the name of a hub");
    if (config->hub_reader_count == NV_LIMIT_HUB_READERS)
        return refuse(reading, section, name, "names more hubs than a site may let read");
    char **readers = realloc(config->hub_readers, (config->hub_reader_count + 1) * sizeof *readers);
    if (readers == NULL)
        return refuse_memory(reading);
    config->hub_readers = readers;
    readers[config->hub_reader_count] = strdup(value);
    if (readers[config->hub_reader_count] == NULL)
        return refuse_memory(reading);
    config->hub_reader_count++;
    return 1;
}

static int set_publishes(struct reading *reading, const char *section, const char *name, const char *value)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return refuse(reading, section, name, "is neither yes nor no");
    reading->config->publishes = value[0] == 'y';
    return 1;
}

/* What inih calls for each setting; 0 ends the reading. */
static int take(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    if (strcmp(section, "peers") == 0)
        return add_peer(reading, section, name, value);
    if (strcmp(section, "site") == 0 && strcmp(name, "name") == 0)
        return 1;
    if (section[0] == '\0' || strcmp(section, "net") == 0) {
        char unused[NV_CONFIG_TEXT];
        if (strcmp(name, "listen") == 0)
            return set_endpoint(reading, section, name, value, reading->config->listen);
        if (strcmp(name, "enrol") == 0)
            return set_endpoint(reading, section, name, value, reading->config->enrol);
        if (strcmp(name, "advertise") == 0)
            return set_endpoint(reading, section, name, value, unused);
        if (strcmp(name, "hub-reads") == 0)
            return add_hub_reader(reading, section, name, value);
        if (strcmp(name, "publish") == 0)
            return set_publishes(reading, section, name, value);
    }
    return refuse(reading, section, name, "is not a setting that is known");
}

static enum nv_status set_paths(struct nv_config *config, const char *home, struct nv_error *error)
{
    struct stat about;
    if (strlen(home) >= sizeof config->home)
        return nv_fail(error, NV_USAGE, "the path of the home is too long");
    if (stat(home, &about) != 0 || !S_ISDIR(about.st_mode))
        return nv_fail(error, NV_NOT_FOUND,
                       "%s is not a folder: no site is there: make one with `navette --home %s init NAME`", home, home);
    snprintf(config->home, sizeof config->home, "%s", home);
    snprintf(config->store, sizeof config->store, "%s/store.db", home);
    snprintf(config->keys, sizeof config->keys, "%s/keys", home);
    snprintf(config->lock, sizeof config->lock, "%s/navetted.lock", home);
    snprintf(config->endpoints, sizeof config->endpoints, "%s/endpoints", home);
    return NV_OK;
}

enum nv_status nv_config_read(const char *home, struct nv_config *ret_config, struct nv_error *error)
{
    struct nv_config config = {0};
    struct nv_error local = {0};
    struct reading reading = {.config = &config, .error = &local};
    enum nv_status status = set_paths(&config, home, error);
    if (status != NV_OK)
        return status;
    char path[NV_CONFIG_PATH];
    snprintf(path, sizeof path, "%s/navette.conf", config.home);
    int line = ini_parse(path, take, &reading);
    if (line == -1 && errno == ENOENT)
        line = 0;
    if (line != 0) {
        nv_config_done(&config);
        if (line < 0)
            return nv_fail(error, NV_IO, "%s cannot be read: %s", path, strerror(errno));
        if (reading.failed && local.status == NV_NO_MEMORY)
            return nv_no_memory(error);
        return nv_fail(error, NV_REFUSED, "%.300s, line %d: %.200s: mend it and start again", path, line,
                       reading.failed ? local.text : "is neither [SECTION] nor NAME = VALUE");
    }
    *ret_config = config;
    return NV_OK;
}

void nv_config_done(struct nv_config *config)
{
    for (size_t i = 0; i < config->hub_reader_count; i++)
        free(config->hub_readers[i]);
    free(config->hub_readers);
    free(config->peers);
    *config = (struct nv_config){0};
}

const char *nv_config_endpoint(const struct nv_config *config, const char *name)
{
    for (size_t i = 0; i < config->peer_count; i++)
        if (strcmp(config->peers[i].name, name) == 0)
            return config->peers[i].endpoint;
    return NULL;
}
