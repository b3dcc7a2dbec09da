/* What `status` says to people: how the site stands, in sentences. */
#pragma once

#include "client/standing.h"

/* The rows that were found gone, by table and key: calls `each` with a readable key, for at most `limit` of them. */
enum nv_status nv_missing_rows(struct nv_store *store, int limit,
                               void (*each)(const char *table, const char *key, int64_t seen_ms, void *context),
                               void *context, struct nv_error *error);

enum nv_status nv_status_say(struct nv_store *store, const struct nv_standing *standing, struct nv_error *error);
