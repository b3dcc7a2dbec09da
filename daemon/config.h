/* A site's home and its settings, HOME/navette.conf:
 *
 *   listen = tcp://0.0.0.0:7420        ; where members reach this site; left out: it only dials
 *   enrol = tcp://0.0.0.0:7421         ; at the hub: where new sites ask to join
 *   advertise = tcp://hub.example:7420 ; what the certificate says; used by the command line
 *   hub-reads = NAME                   ; a hub that may read what this site shares with some alone; may stand again
 *   publish = yes                      ; this site publishes its counts by itself, once a period; left out: it does not
 *   [peers]
 *   NAME = tcp://192.0.2.7:7420        ; where to dial a site, in the place of what its certificate says
 *
 * The first five may stand under [net], and `name` under [site], for people; the store has the name that counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { NV_CONFIG_PATH = 4096, NV_CONFIG_TEXT = 256 };

struct nv_config_peer {
    char name[NV_CONFIG_TEXT];
    char endpoint[NV_CONFIG_TEXT];
};

struct nv_config {
    char home[NV_CONFIG_PATH - 64];
    char store[NV_CONFIG_PATH], keys[NV_CONFIG_PATH], lock[NV_CONFIG_PATH], endpoints[NV_CONFIG_PATH];
    char listen[NV_CONFIG_TEXT], enrol[NV_CONFIG_TEXT];
    struct nv_config_peer *peers;
    size_t peer_count;
    char **hub_readers; /* names */
    size_t hub_reader_count;
    bool publishes;
};

/* Reads the settings of a home. No file is the same as an empty one; an unknown setting is refused, because it is a
 * typing error more often than not. */
enum nv_status nv_config_read(const char *home, struct nv_config *ret_config, struct nv_error *error);
void nv_config_done(struct nv_config *config);

/* The endpoint of that peer; NULL where the settings name none. */
const char *nv_config_endpoint(const struct nv_config *config, const char *name);
