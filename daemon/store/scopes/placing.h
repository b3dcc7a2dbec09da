/* The scope of a new record, decided when it is sealed and kept with it. Internal to store/.
 *
 * What cannot be placed where it asks to be (a name that nobody knows or that this site does not read, a parent that is
 * not here) stands in the site's own scope, and is listed in navette_unplaced. */
#pragma once

#include "store/merge/merge.h"

/* Sets merge->scope to that of the new record of that key, whose row is loaded. */
enum nv_status nv_scope_of_new(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                               struct nv_error *error);

/* The scope that the row at hand asks for; *ret_known false: it cannot be had, or not yet. */
enum nv_status nv_scope_asked(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                              struct nv_scope_id *ret_scope, bool *ret_known, struct nv_error *error);

/* Whether this site may write records of that number: it reads their scope, and where only the home writes them it is
 * that. */
bool nv_scope_may_write(const struct nv_store *store, nv_scope_number number);
