/* Opened changesets of sealed scopes, read: what stands in boxes is put in the place of the boxes, so that whoever
 * reads ops reads plain ones. Internal to store/. */
#pragma once

#include "store/log/opened.h"

/* Opens what is in boxes, into the changeset's own arena. Entries of which the content key is lacking stay as they are,
 * marked as keyless; what is a no-op at every site (a change of a record in the clear, a box that does not open with
 * its key, or with something else in it) is left without an op. In the scopes where nothing is sealed nothing changes.
 */
enum nv_status nv_unbox(struct nv_store *store, struct nv_opened *opened, struct nv_error *error);

/* Whether content keys are lacking for any of the entries. */
bool nv_opened_is_keyless(const struct nv_opened *opened);
