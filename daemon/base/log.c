#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static enum nv_log_level most_shown = NV_LOG_INFO;

void nv_log_set_level(enum nv_log_level most)
{
    most_shown = most;
}

void nv_log(enum nv_log_level level, const char *format, ...)
{
    static const char *const words[] = {"error", "warning", "info", "debug"};
    if (level > most_shown)
        return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "navetted: %s: %s\n", words[level], line);
}
