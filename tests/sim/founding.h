/* The network that every simulation begins with: a hub, and schools that it has certified, with nothing written yet.
 * Made once, by the product's own functions; each seed then begins with copies of its store files.
 */
#pragma once

#include "network.h"
#include "wire/authority.h"
#include "wire/keys.h"

enum { SIM_LATECOMERS = 2 }; /* the last places: their stores are made, and nobody has certified them */

struct sim_founding {
    size_t certified; /* places 0 (the hub) … certified - 1 */
    struct nv_sign_key authority;
    struct nv_sign_key sign[SIM_PLACES];
    struct nv_curve_key curve[SIM_PLACES];
    struct nv_curve_key recovery[SIM_PLACES]; /* whose secrets are kept away from the machines */
    struct nv_site_id sites[SIM_PLACES];
    struct nv_buffer files[SIM_PLACES];
};

/* Of 8 places or of SIM_PLACES. */
const struct sim_founding *sim_founding_of(size_t places);

/* How the machine at a place is called. */
const char *sim_place_name(size_t place);

/* Of the founding that was asked for last. */
const char *sim_site_name(struct nv_site_id site);

/* What the others dial. */
void sim_place_endpoint(size_t place, char ret_endpoint[64]);

/* The certificate that a place asks for; it points into memory of this function. */
struct nv_certificate sim_certificate(const struct sim_founding *founding, size_t place);
