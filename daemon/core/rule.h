/* Which sibling a row shows. The same pure function at every site, total to the last tie. */
#pragma once

#include "base/time.h"
#include "core/ident.h"
#include "core/value.h"

enum nv_rule { NV_RULE_LAST = 0, NV_RULE_HOME = 1, NV_RULE_MIN = 2, NV_RULE_MAX = 3 };

/* A sibling with all that the rules look at. */
struct nv_candidate {
    struct nv_value value;
    struct nv_wall_ms time; /* capture time */
    struct nv_site_id site;
    uint64_t epoch;
    uint64_t seq;
    struct nv_hash header; /* of the changeset */
    uint32_t index;
};

/* The place of the candidate that is shown; `count` is at least 1.
 * last: the greatest capture time; home: a write of the record's home, where there is one; min, max: by SQLite's order.
 * Ties, and several writes of the home, go to the greatest (time, site id, epoch, seq, header hash, index). */
size_t nv_rule_choose(enum nv_rule rule, const struct nv_candidate *candidates, size_t count, struct nv_site_id home);

/* How many distinct values there are among them: one means that there is no conflict. */
size_t nv_rule_distinct(const struct nv_candidate *candidates, size_t count);

/* The rule's name in a schema file, and back; false for an unknown name. */
const char *nv_rule_name(enum nv_rule rule);
bool nv_rule_from_name(const char *name, enum nv_rule *ret_rule);
