/* Who has which right, by position: what the authority log says of keys, memberships, groups and their readers.
 *
 * A position is a seq of the authority log. All ops of one of its changesets take effect there together, and a right
 * holds from its own position up to the one where it is taken, which is not included. NV_POSITION_NOW asks about the
 * newest. All of it is in memory, so asking needs no SQL; what is given back is the store's own, valid until its next
 * change.
 */
#pragma once

#include "store/authority.h"

#define NV_POSITION_NOW UINT64_MAX

bool nv_right_member(const struct nv_store *store, struct nv_site_id site, uint64_t position);

/* The key that the site's changesets are signed with there; NULL where it was no member. */
const struct nv_public_key *nv_right_sign_key(const struct nv_store *store, struct nv_site_id site, uint64_t position);

/* Whether the site reads the scope, and so may write in it. `network`: every member; a site's own scope: that site; a
 * group: the sites that are listed in it. Nobody reads a scope that is not known. */
bool nv_right_reads(const struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site, uint64_t position);

/* The newest position at which somebody that was listed in the scope's group was taken out of it; 0 where nobody was.
 */
uint64_t nv_right_left(const struct nv_store *store, struct nv_scope_id scope);

/* Whether it is a hub that may be let read any scope: what it is granted keys of, it reads. */
bool nv_right_reads_granted(const struct nv_store *store, struct nv_site_id site, uint64_t position);

/* The newest position at which it was a member: NV_POSITION_NOW while it is one; 0 where it never was. */
uint64_t nv_right_last(const struct nv_store *store, struct nv_site_id site);

/* Whether the site keeps and passes on the scope's logs: a hub those of every scope, a site those that it reads; every
 * member the authority log. */
bool nv_right_carries(const struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site,
                      uint64_t position);

/* ---- scopes and their names ---- */

enum { NV_SCOPE_TEXT = NV_LIMIT_NAME + 8 };

enum nv_scope_kind { NV_SCOPE_IS_NETWORK, NV_SCOPE_IS_SITE, NV_SCOPE_IS_GROUP };

struct nv_scope {
    struct nv_scope_id id;
    enum nv_scope_kind kind;
    uint64_t made;            /* the position of the op that made it; of a site's scope: of its first certificate */
    char name[NV_SCOPE_TEXT]; /* "network", "site/NAME", "group/NAME"; in hexadecimal where the name of a site
                                 that is no member any more was given to another one */
    char called[NV_LIMIT_NAME + 1]; /* the site's or the group's own name */
};

/* Every scope that there is but the authority log's, ascending by id; empty before there is a network. */
void nv_scopes(const struct nv_store *store, const struct nv_scope **ret_scopes, size_t *ret_count);

/* NULL where it is not known. */
const struct nv_scope *nv_scope_find(const struct nv_store *store, struct nv_scope_id id);

/* Names are compared without the case of ASCII letters, as nothing else tells two names apart. NV_NOT_FOUND with a
 * sentence for people. */
enum nv_status nv_scope_from_name(const struct nv_store *store, const char *name, struct nv_scope_id *ret_id,
                                  struct nv_error *error);

/* The scope's name; in hexadecimal where it is not known. */
void nv_scope_name(const struct nv_store *store, struct nv_scope_id id, char ret_text[NV_SCOPE_TEXT]);

/* The name that a site has, or had while it was a member; NULL where it never was one. */
const char *nv_store_site_name(const struct nv_store *store, struct nv_site_id site);

/* ---- what was taken away ---- */

/* An op that takes a right away from a site: a Removal in one scope; a Revocation, or a certificate that begins anew,
 * in every one (then `scope` is that of the authority log). */
struct nv_taking {
    uint64_t position;
    struct nv_site_id site;
    struct nv_scope_id scope;
    size_t head_count;
    const struct nv_far_head *heads; /* the heads of the site's logs that it names, ascending */
};

/* The first op after `after` (NULL: the first of all) that takes something from the site in that scope, in the order of
 * the authority log; NULL where there is none. */
const struct nv_taking *nv_taking_next(const struct nv_store *store, struct nv_site_id site, struct nv_scope_id scope,
                                       const struct nv_taking *after);

/* What it names of one log; NULL where it names nothing of it. */
const struct nv_far_head *nv_taking_head(const struct nv_taking *taking, const struct nv_log_id *log);
