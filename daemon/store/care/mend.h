/* Versions that cannot be read. Internal to store/. */
#pragma once

#include "store/internal.h"

/* Makes them anew, in a transaction of its own: such a version stops the sealing of its record, and with it what has to
 * come before a rebuild. */
enum nv_status nv_mend_unreadable(struct nv_store *store, struct nv_wall_ms now, struct nv_error *error);
