/* Changesets that a reader of a group signs by hand, kept to no rule: what tests of sealed scopes offer to stores. */
#pragma once

#include "group.h"

/* A member's hand-made changeset: ops in boxes for a key of its own log, which it makes itself. */
struct forgery {
    struct nv_group *group;
    struct nv_pair_site *site;
    struct nv_seed seed;
    struct nv_held_key key;
    struct nv_box_bound bound;
    struct nv_buffer bytes[8];
    struct nv_slice ops[8];
    size_t count;
};

struct forgery forgery_begin(struct nv_group *group, struct nv_pair_site *site);

/* Room for the next op, to be encoded into. */
struct nv_buffer *forgery_op(struct forgery *forgery);

/* The next op: this one, in a box; a put of that item, in a box; a grant that introduces a key, to one site alone. */
void forgery_box(struct forgery *forgery, struct nv_slice op, uint64_t key_number);
void forgery_put(struct forgery *forgery, const char *id, uint64_t key_number);
void forgery_grant(struct forgery *forgery, const struct nv_held_key *key, const struct nv_pair_site *site);

/* Appends it to the site's own log. The forgery is done. */
void forgery_sign(struct forgery *forgery);

/* One put, in a box of a key that was introduced before, which it names so. */
void forgery_sign_put(struct nv_group *group, struct nv_pair_site *site, const struct nv_held_key *key, const char *id,
                      uint64_t key_number);
