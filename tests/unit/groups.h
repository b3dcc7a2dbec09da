/* A pair with a third site, and groups: what the tests of scopes work on. */
#pragma once

#include "pair.h"

struct nv_groups {
    struct nv_pair *pair;
    struct nv_pair_site *hub, *north, *south; /* the pair's hub and school, and one more school */
    struct nv_pair_site third;
};

/* cmocka's setup and teardown: three sites of one network that have the authority log. `group/both` is read by the two
 * schools, `group/north` by the one alone, `group/hub` by the hub and the north. */
int nv_groups_setup(void **state);
int nv_groups_teardown(void **state);

/* Publishes a schema; every site takes it up. */
void nv_groups_publish(struct nv_groups *groups, const char *sql);

/* Lists a site in a group, or takes it out; every site hears of it. */
void nv_groups_list(struct nv_groups *groups, const char *group, struct nv_pair_site *site, bool reads);

/* Gives `to` what it lacks of what it carries. */
void nv_groups_deliver(struct nv_pair_site *from, struct nv_pair_site *to);

/* Seals at every site, and gives all to all. */
void nv_groups_settle(struct nv_groups *groups);

/* Everything is at rest: the digests of each scope are equal among its readers, a rebuild finds nothing to mend and no
 * store holds a version of a scope that its site does not read. */
void nv_groups_check(struct nv_groups *groups);

/* The id of a scope, by its name. */
struct nv_scope_id nv_groups_scope(struct nv_groups *groups, const char *name);
