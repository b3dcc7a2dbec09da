/* A site's home: the folder with its store, its keys and its settings. */
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "store/store.h"
#include "wire/keys.h"

enum { NV_PATH_MAX = 1024, NV_ENDPOINT_MAX = 256 };

struct nv_home {
    char path[NV_PATH_MAX - 64];
    char store[NV_PATH_MAX];
    char keys[NV_PATH_MAX];
    char settings[NV_PATH_MAX];  /* navette.conf */
    char endpoints[NV_PATH_MAX]; /* written by the running daemon */
    char lock[NV_PATH_MAX];      /* held by the running daemon */
};

/* Sets the paths; `path` NULL is NAVETTE_HOME, else /var/lib/navette. NV_USAGE where it is too long. */
enum nv_status nv_home_set(struct nv_home *home, const char *path, struct nv_error *error);

/* Opens the store for a command: other writers are waited for up to 5 seconds. Who may read the site's keys reads what
 * is sealed; without them a command that needs it says so. */
enum nv_status nv_home_open(const struct nv_home *home, struct nv_store **ret_store, struct nv_error *error);

/* Reads the authority's key, which is at the hub alone. */
enum nv_status nv_home_authority(const struct nv_home *home, struct nv_sign_key *ret_key, struct nv_error *error);

/* Whether a navetted runs on this home. */
bool nv_home_is_running(const struct nv_home *home);

/* Settings that the command line needs; each "" where it is not set. */
struct nv_settings {
    char listen[NV_ENDPOINT_MAX];
    char enrol[NV_ENDPOINT_MAX];
    char advertise[NV_ENDPOINT_MAX];
    char hub_readers[NV_LIMIT_HUB_READERS][NV_LIMIT_NAME + 1]; /* those that this site lets read */
    size_t hub_reader_count;
};
enum nv_status nv_settings_read(const struct nv_home *home, struct nv_settings *ret_settings, struct nv_error *error);

/* Writes a new navette.conf (refuses to overwrite one), durable on return. */
enum nv_status nv_settings_write(const struct nv_home *home, const struct nv_settings *settings,
                                 struct nv_error *error);

/* An endpoint is tcp://HOST:PORT. PORT is a number, or * for one that the kernel chooses. */
struct nv_endpoint {
    char host[NV_ENDPOINT_MAX]; /* an IPv6 address with its brackets */
    char port[8];
};
enum nv_status nv_endpoint_read(const char *text, struct nv_endpoint *ret_endpoint, struct nv_error *error);
enum nv_status nv_endpoint_write(const struct nv_endpoint *endpoint, char ret_text[NV_ENDPOINT_MAX],
                                 struct nv_error *error);
bool nv_endpoint_is_any_host(const struct nv_endpoint *endpoint); /* it can be bound to, and not dialled */
bool nv_endpoint_is_any_port(const struct nv_endpoint *endpoint);

/* The endpoint that the running daemon bound for "listen" or "enrol". NV_UNREACHABLE where it says none. */
enum nv_status nv_home_bound(const struct nv_home *home, const char *what, char ret_text[NV_ENDPOINT_MAX],
                             struct nv_error *error);
