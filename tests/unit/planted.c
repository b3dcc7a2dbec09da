/* In a build with PLANTED=1 a unit test wakes the bug that NAVETTE_PLANTED names: so one sees which tests find it. */
#include "base/planted.h"

#ifdef NAVETTE_PLANTED
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void wake_planted(void)
{
    const char *name = getenv("NAVETTE_PLANTED");
    if (name == NULL || nv_planted_choose(name))
        return;
    fprintf(stderr, "NAVETTE_PLANTED=%s: no bug in daemon/base/planted.h is called so\n", name);
    exit(2);
}
#endif
