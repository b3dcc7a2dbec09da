/* What the daemons say goes into the trace, in the place of daemon/base/log.c. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "founding.h"
#include "trace.h"

void nv_log_set_level(enum nv_log_level most)
{
    (void)most;
}

void nv_log(enum nv_log_level level, const char *format, ...)
{
    char line[1024];
    if (level == NV_LOG_DEBUG)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    sim_trace("%s says: %s", sim_place_name(sim_network_place()), line);
}
