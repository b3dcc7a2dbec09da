#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "trace.h"

static struct sim_report own;
struct sim_report *sim_report = &own;

void sim_fail(const char *checker, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim_report->text, sizeof sim_report->text, format, arguments);
    va_end(arguments);
    snprintf(sim_report->checker, sizeof sim_report->checker, "%s", checker);
    sim_trace("WRONG (%s): %s", checker, sim_report->text);
    fflush(NULL);
    _exit(SIM_EXIT_FAILED);
}
