/* What a schema says of its tables: numbers, scopes, rules, labels. Internal to store/. */
#pragma once

#include "store/schema/published.h"
#include "wire/authority.h"

/* Whether a schema op gives every table and column its number by the rules, and every table of it can be tracked.
 * `published` stands where the op's statements were run. NV_REFUSED with what is wrong, alike at every site; NV_NOT_YET
 * where the op wants what newer software does. */
enum nv_status nv_manifest_judge(struct nv_store *store, const struct nv_schema_op *op, struct nv_error *error);

/* Writes what the op says to navette_table and navette_column. */
enum nv_status nv_manifest_write(struct nv_store *store, uint64_t authority_seq, const struct nv_schema_op *op,
                                 struct nv_error *error);
