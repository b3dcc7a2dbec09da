/* The network of nv_groups, with a site that is lost: who it was, and the machine that takes its place. */
#pragma once

#include "groups.h"
#include "wire/invitation.h"

struct nv_lost {
    struct nv_groups *groups;
    struct nv_pair_site old, new;
    struct nv_curve_key recovery; /* certified with the site, which is called "Lost" and reads group/both */
    uint64_t invitations;
};

/* cmocka's setup and teardown. There is a table item(id, text, who), whose records are in the scope that the last
 * column says. */
int nv_lost_setup(void **state);
int nv_lost_teardown(void **state);

struct nv_site_id nv_lost_id(const struct nv_pair_site *site);

/* An invitation under that name, as the hub keeps it. */
struct nv_invitation nv_lost_invite(struct nv_lost *lost, const char *name);

/* Asks the hub, with the keys of `site`; `recovery` NULL: as one that joins. The answer is decoded into `arena`. */
struct nv_enrol_reply nv_lost_ask(struct nv_lost *lost, const struct nv_pair_site *site,
                                  const struct nv_invitation *invitation, const struct nv_curve_key *recovery,
                                  struct nv_wall_ms now, struct nv_arena *arena);

/* The new machine takes an answer up. */
enum nv_status nv_lost_take(struct nv_lost *lost, const struct nv_enrol_reply *reply, struct nv_error *error);

/* The new machine asks with that invitation, and becomes the lost site. */
void nv_lost_recover(struct nv_lost *lost, const struct nv_invitation *invitation);

/* The lost site and another reader have written; the hub carries it. */
void nv_lost_live(struct nv_lost *lost);
