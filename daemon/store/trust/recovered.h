/* Content keys of a site that lost its own keys (PROTOCOL.md, "Recovering a site"): the hub finds them, sealed to the
 * site's recovery key, in the logs that it carries; the site opens them when it joins again, and keeps each, sealed to
 * the key that it has now, until a grant in its own log gives it. Internal to store/.
 */
#pragma once

#include "store/internal.h"

/* At the hub: appends to `bytes` what there is for the recovery key of that site, in the scopes that it reads now: at
 * most NV_LIMIT_RECOVERED_KEYS. */
enum nv_status nv_recovered_list(struct nv_store *store, struct nv_site_id site, struct nv_buffer *bytes,
                                 struct nv_error *error);

/* At the site, inside the caller's transaction: keeps those of the hub's answer (NV_RECOVERED_KEY_BYTES each)
 * that the recovery key opens, for its new key `to`. The rest are asked for like any key that is lacking. */
enum nv_status nv_recovered_keep(struct nv_store *store, const struct nv_slice *keys, size_t count,
                                 const struct nv_curve_key *recovery, const struct nv_public_key *to,
                                 struct nv_error *error);

/* The changesets of a log behind that seq are about to go, and with them their grants: drops those. Keys of other logs
 * that only they gave this site are kept like recovered ones, for what was merged has to be read on. */
enum nv_status nv_recovered_instead(struct nv_store *store, nv_log_number log, uint64_t seq, struct nv_error *error);

/* The key with that id, sealed to this site; *ret_found where it is kept. */
enum nv_status nv_recovered_find(struct nv_store *store, const struct nv_hash *key_id,
                                 uint8_t ret_sealed[NV_SEALED_KEY_BYTES], bool *ret_found, struct nv_error *error);

/* A grant gives it: it is kept no longer. */
enum nv_status nv_recovered_drop(struct nv_store *store, const struct nv_hash *key_id, struct nv_error *error);
