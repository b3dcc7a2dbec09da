/* What the authority of a simulated network gave and took: by the commands that were carried out, and not by what any
 * store makes of them. Positions are seqs of the authority log.
 */
#pragma once

#include "core/heads.h"
#include "network.h"
#include "wire/keys.h"

enum { SIM_GROUPS = 3, SIM_SPANS = 256, SIM_TAKINGS = 64 };

/* Sets of scopes, a bit each: the network, the groups, the places' own. */
typedef uint64_t sim_scopes;
enum { SIM_BIT_NETWORK = 0, SIM_BIT_GROUP = 1, SIM_BIT_OWN = SIM_BIT_GROUP + SIM_GROUPS, SIM_BITS = 64 };

/* What a site had from one position up to another one, which is not included. */
struct sim_span {
    size_t scope; /* its bit */
    size_t place;
    uint64_t begins, ends;         /* UINT64_MAX while it goes on */
    struct nv_public_key sign_key; /* of a membership */
};

/* A right was taken. */
struct sim_taking {
    size_t scope; /* its bit; SIM_BITS: in every one */
    size_t place;
    uint64_t position;
    struct nv_heads named; /* what the authority held of the site's logs */
    bool is_known_to_all;  /* and of all others that were taken by then */
    struct nv_heads last;  /* what the site had signed when all knew: nothing after that may count */
};

struct sim_rights {
    struct nv_site_id sites[SIM_PLACES];
    size_t places;
    struct nv_scope_id groups[SIM_GROUPS];
    bool is_made[SIM_GROUPS];
    struct sim_span spans[SIM_SPANS];
    size_t span_count;
    struct sim_taking takings[SIM_TAKINGS];
    size_t taking_count;
};

void sim_rights_done(struct sim_rights *rights);

/* Memberships are spans of the network's scope; a site's own scope is its own for ever. */
void sim_rights_give(struct sim_rights *rights, size_t scope, size_t place, uint64_t position,
                     const struct nv_public_key *sign_key);
void sim_rights_take_all(struct sim_rights *rights, size_t place, uint64_t position);
void sim_rights_take(struct sim_rights *rights, size_t scope, size_t place, uint64_t position);

/* Whether the site reads that scope there; or at any position from there on. */
bool sim_rights_reads(const struct sim_rights *rights, size_t scope, size_t place, uint64_t position);
bool sim_rights_reads_from(const struct sim_rights *rights, size_t scope, size_t place, uint64_t position);

/* The key of its membership there; NULL: it was no member. */
const struct nv_public_key *sim_rights_sign_key(const struct sim_rights *rights, size_t place, uint64_t position);

/* SIZE_MAX where the site is nobody's here. */
size_t sim_rights_place(const struct sim_rights *rights, struct nv_site_id site);

/* The bit of a scope; SIM_BITS where it is unknown here. */
size_t sim_rights_bit(const struct sim_rights *rights, struct nv_scope_id scope);

struct nv_scope_id sim_rights_scope(const struct sim_rights *rights, size_t bit);
