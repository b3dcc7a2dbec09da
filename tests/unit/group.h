/* A network with a group: a hub that only carries, sites that read the group and one that does not; each store in a
 * file, no daemons. What the tests of sealed scopes work on. */
#pragma once

#include "pair.h"
#include "store/trust/boxing.h"

enum { GROUP_A, GROUP_B, GROUP_C, GROUP_D, GROUP_SITES }; /* A, B and C read it from the start */

struct nv_group {
    struct nv_pair *pair; /* its hub is the network's; its school has nothing to do with the group */
    struct nv_pair_site *hub;
    struct nv_pair_site sites[GROUP_SITES];
    struct nv_curve_key recovery[GROUP_SITES];
    struct nv_scope_id scope;
    uint64_t position; /* since when the group is there */
};

/* cmocka's setup and teardown. There is a table item(id, size, who), whose
 * records are in the scope that the last column says. */
int nv_group_setup(void **state);
int nv_group_teardown(void **state);

/* Makes a site a reader of the group from now on, or no longer, at every store. */
void nv_group_let_read(struct nv_group *group, struct nv_site_id site);
void nv_group_stop_reading(struct nv_group *group, struct nv_site_id site);

/* Certifies at every store that the hub may be granted keys. */
void nv_group_let_hub_read(struct nv_group *group);

struct nv_site_id nv_group_id(const struct nv_pair_site *site);
struct nv_log_id nv_group_log(const struct nv_group *group, const struct nv_pair_site *site);

/* Closes the store and opens it anew, as another start of the program does, with its keys. */
void nv_group_reopen(struct nv_pair_site *site);

/* The site lost its X25519 key: every store has it certified with another one, and of the content keys it has what the
 * hub's store has for its recovery key. */
void nv_group_recover(struct nv_group *group, struct nv_pair_site *site);

/* Appends a changeset of the site's own with a put of each of these items, all of that size, as it seals it for whoever
 * reads the group; and merges it here. `ids` are letters. */
void nv_group_write(struct nv_group *group, struct nv_pair_site *site, const char *ids, int size);

/* The same with ops as they are, in no boxes: what a member can sign that keeps to no rule. The seed is the one that
 * boxes in them were sealed for. */
void nv_group_sign(struct nv_group *group, struct nv_pair_site *site, const struct nv_seed *seed,
                   const struct nv_slice *ops, size_t count);

/* An encoded put of an item; a delete of it. */
void nv_group_put(const char *id, int size, struct nv_buffer *buffer);
void nv_group_delete(const char *id, struct nv_buffer *buffer);

/* Merges what is held and can be merged, until nothing is left. */
void nv_group_settle(struct nv_pair_site *site);

/* Checks the items of a site: "a|1\nb|2\n". */
void nv_group_check(struct nv_pair_site *site, const char *expected);

/* How often a site's ops were refused as `malformed`. */
int64_t nv_group_malformed(struct nv_pair_site *site);

/* How far a store has merged the log of `of` in the group. */
uint64_t nv_group_merged(const struct nv_group *group, struct nv_pair_site *site, const struct nv_pair_site *of);

/* Gives a site the key that a log of `of` has under that number, by a grant of the site `by`: the right key, or another
 * one. */
void nv_group_give_key(struct nv_group *group, struct nv_pair_site *by, const struct nv_pair_site *of, uint64_t number,
                       const struct nv_pair_site *to, bool is_right);

/* Checks that every log of a store verifies, and that rebuilding it mends nothing. */
void nv_group_check_sound(struct nv_pair_site *site);
