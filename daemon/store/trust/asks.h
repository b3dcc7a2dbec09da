/* Content keys that this site lacks: whom it asks for them. One site is asked at a time for a key: its log's own site
 * first, then those that have merged what it opens, then the other readers; after a minute the next one, and round
 * again. Each round waits twice as long as the one before: an ask stands in the log for ever, who was away answers it
 * once he is back, and a key that nobody has any more must not fill the log. Internal to store/. */
#pragma once

#include "store/trust/tend.h"

enum { NV_ASK_AGAIN_MS = 60000, NV_ASK_LONGEST_MS = 6 * 3600000 };

/* Who may be asked for a key, in the order in which they are. */
enum nv_ask_rank { NV_ASK_OWN, NV_ASK_MERGED, NV_ASK_OTHER };

struct nv_ask_candidate {
    struct nv_site_id site;
    enum nv_ask_rank rank;
};

/* Whose turn it is after `last` (NULL: nobody was asked yet); `candidates` are in any order. SIZE_MAX: there are none.
 * *ret_round: all were asked, and it is the first one's turn again. */
size_t nv_ask_next(const struct nv_ask_candidate *candidates, size_t count, const struct nv_site_id *last,
                   bool *ret_round);

/* Whether it is time to ask for a key for which somebody was asked then, and given so long. */
bool nv_ask_is_due(struct nv_wall_ms asked, int64_t wait_ms, struct nv_wall_ms now);

/* Whether any key is lacking in the scopes that this site writes in; and whether it is time to ask for one. */
enum nv_status nv_asks_look(struct nv_store *store, struct nv_wall_ms now, bool *ret_lacking, bool *ret_due,
                            struct nv_error *error);

/* Appends asks for the keys of a scope that are lacking, and notes whom it asked. */
enum nv_status nv_asks_append(struct nv_tending *tending, struct nv_error *error);
