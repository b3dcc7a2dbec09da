/* Who may connect: the handler that libzmq asks about each CURVE key (ZeroMQ RFC 27, ZAP). Internal to net/.
 *
 * It answers 200 with the member's key as User-Id, or 400; never 300, at which a client hangs without an event. It is
 * one socket of the daemon's own loop: nobody is admitted while nobody looks.
 */
#pragma once

#include "net/sockets.h"

struct nv_zap_key {
    struct nv_public_key curve_key;
    struct nv_site_id site;
};

struct nv_zap {
    void *socket;
    const struct nv_zap_key *keys; /* of those who are admitted; not owned */
    size_t key_count;
    struct nv_public_key test_key; /* of the self-test: refused like any other, but not counted */
    uint64_t refused;              /* unknown keys so far */
};

/* Binds the handler; before any socket listens. */
enum nv_status nv_zap_open(struct nv_zap *zap, void *context, struct nv_error *error);
void nv_zap_close(struct nv_zap *zap);

/* Answers all questions that wait. */
void nv_zap_answer(struct nv_zap *zap);
