/* A site of the network while its images and parcels are made. */
#pragma once

#include "base/buffer.h"
#include "store/store.h"
#include "tests/sim/disk.h"

struct site {
    struct nv_disk *disk;
    char path[32];
    struct nv_store *store;
};

/* A new store on a disk of that name. */
struct site site_open(const char *name, const struct nv_sign_key *key);
void site_done(struct site *site);

/* Its file as it is now; and back to it. */
void site_keep(struct site *site, const struct nv_sign_key *key, struct nv_buffer *ret_image);
void site_restore(struct site *site, const struct nv_sign_key *key, const struct nv_buffer *image);

/* Runs SQL and seals what it wrote. */
void site_write(struct site *site, const char *sql);

/* Signs what no program would: a table that nobody published, a key that is none, values that their columns refuse, an
 * op that is against the protocol. */
void site_sign_odd(struct site *site);

/* Lets go of the first two ops of one of its changesets. */
void site_sign_redact(struct site *site, uint64_t seq);
