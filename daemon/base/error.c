#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/catalogue.h"

enum nv_status nv_fail(struct nv_error *error, enum nv_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, _(format), arguments);
    va_end(arguments);
    return status;
}

enum nv_status nv_no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY,
                   "out of memory: nothing was changed: end other programs, or give this one more");
}

enum nv_status nv_fail_in(struct nv_error *error, const char *prefix)
{
    if (error == NULL)
        return NV_BUG;
    char before[sizeof error->text];
    memcpy(before, error->text, sizeof before);
    snprintf(error->text, sizeof error->text, _("%s: %.500s"), prefix, before);
    return error->status;
}

const char *nv_status_text(enum nv_status status)
{
    switch (status) {
    case NV_OK:
        return "done";
    case NV_NO_MEMORY:
        return "out of memory";
    case NV_IO:
        return "input/output error";
    case NV_FULL:
        return "disk full";
    case NV_BUSY:
        return "busy";
    case NV_CORRUPT:
        return "damaged data";
    case NV_REFUSED:
        return "refused";
    case NV_NOT_FOUND:
        return "not found";
    case NV_NOT_SO:
        return "not so";
    case NV_NOT_YET:
        return "not yet";
    case NV_USAGE:
        return "wrong usage";
    case NV_UNREACHABLE:
        return "not reachable";
    case NV_BUG:
        return "internal error";
    }
    return "unknown status";
}

int nv_exit_code(enum nv_status status)
{
    switch (status) {
    case NV_OK:
        return 0;
    case NV_NOT_FOUND:
    case NV_NOT_SO:
    case NV_NOT_YET:
        return 1;
    case NV_USAGE:
        return 2;
    case NV_REFUSED:
    case NV_CORRUPT:
        return 3;
    case NV_IO:
    case NV_FULL:
    case NV_BUSY:
    case NV_UNREACHABLE:
        return 4;
    case NV_NO_MEMORY:
    case NV_BUG:
        return 70;
    }
    return 70;
}
