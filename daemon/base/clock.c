#include "base/clock.h"

#include <time.h>

struct nv_wall_ms nv_wall_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct nv_wall_ms){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

struct nv_mono_us nv_mono_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct nv_mono_us){(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000};
}

void nv_pause_us(int64_t us)
{
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}
