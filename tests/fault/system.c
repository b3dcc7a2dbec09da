#include "tests/fault/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    unsigned at; /* 0: none is planned */
    int cause;
    bool interrupts, was_interrupted, had_any;
} plan;

void nv_system_plan(unsigned at, int cause)
{
    plan.at = at;
    plan.cause = cause;
    plan.interrupts = plan.had_any = false;
}

void nv_system_interrupt(int cause)
{
    plan.at = 0;
    plan.cause = cause;
    plan.interrupts = true;
    plan.was_interrupted = plan.had_any = false;
}

bool nv_system_end(void)
{
    plan.at = 0;
    plan.interrupts = false;
    return plan.had_any;
}

static bool fails(void)
{
    if (plan.at == 0 || --plan.at > 0)
        return false;
    plan.had_any = true;
    errno = plan.cause;
    return true;
}

/* Every second transfer is cut short. */
static bool is_cut_short(void)
{
    if (!plan.interrupts)
        return false;
    plan.was_interrupted = !plan.was_interrupted;
    plan.had_any = plan.had_any || plan.was_interrupted;
    return plan.was_interrupted;
}

/* The linker's names: __real_NAME is what NAME would have been. */
int __real_open(const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_fstat(int file, struct stat *ret_facts);
int __real_fchmod(int file, mode_t mode);
int __real_fsync(int file);
int __real_close(int file);
ssize_t __real_read(int file, void *ret_bytes, size_t size);
ssize_t __real_write(int file, const void *bytes, size_t size);
int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_fstat(int file, struct stat *ret_facts);
int __wrap_fchmod(int file, mode_t mode);
int __wrap_fsync(int file);
int __wrap_close(int file);
ssize_t __wrap_read(int file, void *ret_bytes, size_t size);
ssize_t __wrap_write(int file, const void *bytes, size_t size);

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) == 0 ? 0 : va_arg(arguments, mode_t);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails() ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails() ? -1 : __real_openat(folder, path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails() ? -1 : __real_mkdir(path, mode);
}

int __wrap_fstat(int file, struct stat *ret_facts)
{
    return fails() ? -1 : __real_fstat(file, ret_facts);
}

int __wrap_fchmod(int file, mode_t mode)
{
    return fails() ? -1 : __real_fchmod(file, mode);
}

int __wrap_fsync(int file)
{
    return fails() ? -1 : __real_fsync(file);
}

/* The file is closed all the same, as by Linux. */
int __wrap_close(int file)
{
    bool is_failing = fails();
    int cause = errno, result = __real_close(file);
    if (!is_failing)
        return result;
    errno = cause;
    return -1;
}

ssize_t __wrap_read(int file, void *ret_bytes, size_t size)
{
    if (fails())
        return -1;
    if (!is_cut_short())
        return __real_read(file, ret_bytes, size);
    errno = plan.cause;
    return plan.cause != 0 ? -1 : __real_read(file, ret_bytes, size > 0 ? 1 : 0);
}

ssize_t __wrap_write(int file, const void *bytes, size_t size)
{
    if (fails())
        return -1;
    if (!is_cut_short())
        return __real_write(file, bytes, size);
    errno = plan.cause;
    return plan.cause != 0 ? -1 : __real_write(file, bytes, size > 0 ? 1 : 0);
}
