/* daemon/notify.h: what inotify would tell of a machine's store file. The home of a simulated machine is its place. */
#include <stdlib.h>

#include "machine.h"
#include "notify.h"

enum { FIRST_DESCRIPTOR = 1 << 20 }; /* nobody polls it */

static bool is_told[SIM_PLACES];

void sim_notify(size_t place)
{
    is_told[place] = true;
}

enum nv_status nv_notify_open(const char *home, int *ret_descriptor, struct nv_error *error)
{
    (void)error;
    *ret_descriptor = FIRST_DESCRIPTOR + atoi(home);
    is_told[atoi(home)] = false;
    return NV_OK;
}

void nv_notify_close(int descriptor)
{
    (void)descriptor;
}

bool nv_notify_take(int descriptor)
{
    bool was = is_told[descriptor - FIRST_DESCRIPTOR];
    is_told[descriptor - FIRST_DESCRIPTOR] = false;
    return was;
}
