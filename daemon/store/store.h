/* The store: an ordinary SQLite file with the site's own tables beside Navette's (navette_*).
 *
 * This header opens it and tells who we are. One store has one connection, used by one thread; other processes (the
 * command line, any SQLite tool) open the same file and write to it at any time. The rest is in headers of their own:
 *   store/schema.h   tables that are tracked, and how they are published      store/seal.h    local writes ->
 * changesets store/ingest.h   changesets of peers -> log -> merge -> rows              store/log.h     reading the log,
 * Has store/authority.h members, certificates, invitations                      store/care.h    conflicts, history,
 * verify, digest, rebuild, counters, peers
 */
#pragma once

#include <sqlite3.h>

#include "base/error.h"
#include "base/time.h"
#include "core/vector.h"
#include "wire/keys.h"

struct nv_store;

/* Creates the file (refuses where it exists; `path` as for nv_store_open) with an identity: a random site id, the name,
 * and no network yet. */
enum nv_status nv_store_create(const char *path, const char *name, struct nv_error *error);

/* Opens an existing store, migrates it, and reads its state. NV_NOT_FOUND where there is none, NV_CORRUPT, NV_BUSY.
 * For tests `path` may be anything that sqlite3_open_v2 takes. */
enum nv_status nv_store_open(const char *path, struct nv_store **ret_store, struct nv_error *error);
void nv_store_close(struct nv_store *store);

/* The connection, for reading and for ordinary SQL writes by the command line; the store goes on owning it. */
sqlite3 *nv_store_db(struct nv_store *store);

struct nv_identity {
    struct nv_site_id site;
    char name[65];
    bool has_network;             /* false until `init --hub` or `join` */
    struct nv_public_key network; /* the authority's key */
    uint64_t epoch;
};
const struct nv_identity *nv_store_identity(const struct nv_store *store);

/* What sealing needs: the site's signing key. The store keeps the pointer, not the key. NULL takes it away: then local
 * writes stay pending. */
void nv_store_set_signer(struct nv_store *store, const struct nv_sign_key *key);

/* What reading sealed scopes needs: the site's X25519 key, which content keys are granted to. The store keeps the
 * pointer, not the key. NULL takes it away: what is sealed cannot be read without it. */
void nv_store_set_opener(struct nv_store *store, const struct nv_curve_key *key);

/* Hubs that this site's operator lets read what is not of the whole network, by name, where their certificates say that
 * they may. None unless somebody said so. The store keeps the pointers, not the names. */
void nv_store_set_hub_readers(struct nv_store *store, const char *const *names, size_t count);

/* Looks whether another process committed since the last look, and if so reads the state anew (heads, schema, members).
 * Cheap where nothing happened. `ret_changed` says whether anything had. */
enum nv_status nv_store_refresh(struct nv_store *store, bool *ret_changed, struct nv_error *error);

/* NV_OK while the file at the store's path is still the one that was opened; NV_CORRUPT with what to do where it was
 * replaced or removed. */
enum nv_status nv_store_check_file(struct nv_store *store, struct nv_error *error);
