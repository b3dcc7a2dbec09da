/* Part of builds with PLANTED=1 alone. */
#include "base/planted.h"

#include <string.h>

static enum nv_planted chosen = NV_PLANTED_NONE;

#define AS_NAME(name, text) #name,
static const char *const names[] = {"", NV_PLANTED_BUGS(AS_NAME)};

bool nv_planted_is(enum nv_planted bug)
{
    return bug == chosen;
}

bool nv_planted_choose(const char *name)
{
    for (size_t i = NV_PLANTED_NONE + 1; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        chosen = (enum nv_planted)i;
        return true;
    }
    return false;
}
