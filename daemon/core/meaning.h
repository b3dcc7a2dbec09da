/* The state of a record as a pure function of the set of its retained ops, in no order.
 *
 * The second definition beside core/record.h, and the one that counts: it is used where a record is derived anew (a
 * late body, a redaction, rebuild), and must give what the step-by-step merge gave.
 */
#pragma once

#include "core/record.h"

/* One retained put or delete, with all that it covers. */
struct nv_retained_op {
    const struct nv_op *op;
    nv_fields fields;      /* of a put: those that the schema accepts */
    struct nv_cover cover; /* .dot names the op */
    struct nv_site_id writer;
};

/* Sets `record` (cleared first) to the meaning of the ops. Quadratic in their number. NV_OK or NV_NO_MEMORY. */
enum nv_status nv_meaning(const struct nv_retained_op *ops, size_t count, struct nv_record *record);
