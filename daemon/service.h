/* The daemon's work between its start and its end: the loop that seals, sends, receives, ingests, and sends on.
 *
 * One thread, one store connection. What is said to a peer is durable before: sealing and ingesting return durable, the
 * machine (core/sync.h) is told after, and only the machine speaks. Work on the store is done in slices of about 60 ms,
 * and the sockets are served in between.
 */
#pragma once

#include "config.h"
#include "store/store.h"
#include "wire/keys.h"

struct nv_service;

struct nv_service_settings {
    const struct nv_config *config;
    struct nv_store *store;
    const struct nv_curve_key *curve_key;
    const struct nv_sign_key *authority_key; /* NULL where this is not the authority */
    int signals;                             /* a signalfd: readable means that the daemon shall end */
};

enum nv_status nv_service_new(const struct nv_service_settings *settings, struct nv_service **ret_service,
                              struct nv_error *error);
void nv_service_free(struct nv_service *service);

/* Waits until the site is in a network and certified. `ret_stop`: the daemon was asked to end before. */
enum nv_status nv_service_await_network(struct nv_service *service, bool *ret_stop, struct nv_error *error);

/* Opens and binds the sockets, and proves that an unknown key is refused. */
enum nv_status nv_service_open(struct nv_service *service, struct nv_error *error);

/* Where it listens, "" where it does not. */
const char *nv_service_listens(const struct nv_service *service);
const char *nv_service_enrols(const struct nv_service *service);

/* Serves until it is asked to end (NV_OK), or the store fails. */
enum nv_status nv_service_run(struct nv_service *service, struct nv_error *error);

/* What nv_service_run does, one step at a time, for a simulation that has time and the network in its hand: it starts
 * once; then each turn does what is due and takes what has come, without waiting, and the next one is due at
 * nv_service_wake, or when a frame or a write comes before. */
enum nv_status nv_service_start(struct nv_service *service, struct nv_error *error);
enum nv_status nv_service_turn(struct nv_service *service, struct nv_error *error);
struct nv_mono_us nv_service_wake(const struct nv_service *service);
