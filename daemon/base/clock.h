/* The machine's clocks. Every layer that needs the time asks here, and core never does: so a simulation that links
 * clocks of its own in the place of clock.c runs the same code in virtual time. */
#pragma once

#include "base/time.h"

struct nv_wall_ms nv_wall_now(void);
struct nv_mono_us nv_mono_now(void);

/* Sleeps for so long. */
void nv_pause_us(int64_t us);
