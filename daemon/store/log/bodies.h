/* The bodies of changesets that stand in the log: let go in part, or filled where they were missing. The header, and
 * so the signature, holds either way. Internal to store/. */
#pragma once

#include "store/log/logs.h"
#include "wire/changeset.h"

/* Replaces the named bodies, those that it still has, by their digests. */
enum nv_status nv_bodies_redact(struct nv_store *store, int64_t changeset, const bool *named, struct nv_error *error);

/* Takes the bodies at the places that are set in `given` from another copy of the changeset, which has them and was
 * held against the header's ops root. */
enum nv_status nv_bodies_fill(struct nv_store *store, int64_t changeset, const struct nv_changeset_parts *copy,
                              const bool *given, struct nv_error *error);
