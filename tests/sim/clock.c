#include "clock.h"

#include "base/clock.h"
#include "disk.h"

static struct {
    int64_t us, ahead_ms, cost_us;
} sim_clock;

static void tell_sqlite(void)
{
    nv_disks_set_clock(sim_clock_wall_ms());
}

void sim_clock_start(void)
{
    sim_clock.us = SIM_START_US;
    sim_clock.ahead_ms = 0;
    sim_clock.cost_us = 1;
    tell_sqlite();
}

int64_t sim_clock_us(void)
{
    return sim_clock.us;
}

void sim_clock_advance_to(int64_t us)
{
    if (us > sim_clock.us)
        sim_clock.us = us;
    tell_sqlite();
}

void sim_clock_set_ahead(int64_t ms)
{
    sim_clock.ahead_ms = ms;
    tell_sqlite();
}

int64_t sim_clock_wall_ms(void)
{
    return SIM_EPOCH_MS + (sim_clock.us - SIM_START_US) / 1000 + sim_clock.ahead_ms;
}

void sim_clock_set_cost(int64_t us)
{
    sim_clock.cost_us = us;
}

/* ---- what the product calls ---- */

struct nv_wall_ms nv_wall_now(void)
{
    return (struct nv_wall_ms){sim_clock_wall_ms()};
}

struct nv_mono_us nv_mono_now(void)
{
    sim_clock.us += sim_clock.cost_us;
    return (struct nv_mono_us){sim_clock.us};
}

void nv_pause_us(int64_t us)
{
    sim_clock_advance_to(sim_clock.us + us);
}
