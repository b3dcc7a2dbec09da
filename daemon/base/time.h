/* Time as types, so that no two clocks are mixed up. Only main, the client and the adapters read a clock. */
#pragma once

#include <stdint.h>

struct nv_wall_ms { /* milliseconds since 1970-01-01T00:00:00Z, as the site's clock says; it may be wrong */
    int64_t ms;
};

struct nv_mono_us { /* microseconds of a clock that never jumps; only differences mean anything */
    int64_t us;
};
