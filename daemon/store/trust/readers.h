/* Who is granted the content keys of a scope. Internal to store/. */
#pragma once

#include "store/trust/rights.h"

/* A site, and the keys that content keys are sealed to. */
struct nv_scope_reader {
    struct nv_site_id site;
    struct nv_public_key curve_key;
    struct nv_public_key recovery_key; /* zeros: none */
};

struct nv_scope_readers {
    struct nv_scope_reader *readers; /* ascending by site id */
    size_t count;
};

/* The readers of a scope by the newest authority position, and the hubs that this site's operator lets read. Give it
 * back with nv_readers_done. */
enum nv_status nv_readers_of(const struct nv_store *store, struct nv_scope_id scope,
                             struct nv_scope_readers *ret_readers, struct nv_error *error);
/* Those hubs alone. */
enum nv_status nv_readers_let(const struct nv_store *store, struct nv_scope_readers *ret_readers,
                              struct nv_error *error);
void nv_readers_done(struct nv_scope_readers *readers);

/* NULL where the site is not among them. */
const struct nv_scope_reader *nv_readers_find(const struct nv_scope_readers *readers, struct nv_site_id site);
