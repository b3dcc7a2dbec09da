/* What counts where rights were taken away (PROTOCOL.md, "What counts"): the least fixed point over the headers of one
 * scope.
 *
 * A log in which nothing is in question is told by its end alone, so that this costs what is in question and no more:
 * the headers beyond the ends, each of which is valid and builds only on what is told too. The pins of heads are what
 * is compared, never their places alone: whoever names another branch of a log says nothing of this one. A log may be
 * in question with several branches, of which each is judged for itself.
 *
 * Tell all there is, in any order; settle; then ask.
 */
#pragma once

#include "core/vector.h"

struct nv_counting;

/* A header that may count or not. */
struct nv_counting_header {
    nv_log_number log;
    uint64_t seq;
    struct nv_pin pin, previous; /* of itself, and of the one before; where seq is 1 there is none before */
    uint64_t authority_seq;
    const struct nv_head *context; /* the heads of other logs that it names: those that changed are enough */
    size_t context_count;
};

struct nv_counting *nv_counting_new(void); /* NULL where memory ran out */
void nv_counting_free(struct nv_counting *counting);

/* A log of the scope and its site. All of it up to `end` counts for certain; NULL: nothing does. */
enum nv_status nv_counting_log(struct nv_counting *counting, nv_log_number log, struct nv_site_id site,
                               const struct nv_head *end);

/* An op at that authority position that takes a right in this scope from a site, and the heads that it names. */
enum nv_status nv_counting_taking(struct nv_counting *counting, struct nv_site_id site, uint64_t position,
                                  const struct nv_head *named, size_t count);

/* A head that is named by a changeset which counts for certain. */
enum nv_status nv_counting_named(struct nv_counting *counting, const struct nv_head *head);

enum nv_status nv_counting_header(struct nv_counting *counting, const struct nv_counting_header *header);

/* Finds what counts. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_counting_settle(struct nv_counting *counting);

/* Whether a header that was told counts. */
bool nv_counting_counts(const struct nv_counting *counting, const struct nv_head *head);

/* The `place`-th header that counts, from 0; false where there are not so many. Each stands after all that it builds
 * on, unless what counts for certain named some of it. */
bool nv_counting_at(const struct nv_counting *counting, size_t place, struct nv_head *ret_head);

/* Whether a site has to vouch for what it merged before it takes up an op that takes a right from `loser` in a scope:
 * by an empty changeset at its old authority position. `reads` the site the scope; `has_news`: it merged something
 * since its last changeset there. */
bool nv_vouch_is_due(struct nv_site_id self, struct nv_site_id loser, bool reads, bool has_news);
