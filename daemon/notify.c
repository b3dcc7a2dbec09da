#include "notify.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum nv_status nv_notify_open(const char *home, int *ret_descriptor, struct nv_error *error)
{
    int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0 || inotify_add_watch(descriptor, home, IN_MODIFY) < 0) {
        nv_fail(error, NV_IO, "cannot watch %s for writes: %s: raise fs.inotify.max_user_watches or _instances", home,
                strerror(errno));
        nv_notify_close(descriptor);
        return NV_IO;
    }
    *ret_descriptor = descriptor;
    return NV_OK;
}

void nv_notify_close(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

static bool is_of_store(const char *name)
{
    return strcmp(name, "store.db-wal") == 0 || strcmp(name, "store.db") == 0;
}

bool nv_notify_take(int descriptor)
{
    union {
        struct inotify_event event;
        char bytes[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    } buffer;
    bool written = false;
    ssize_t size;
    while ((size = read(descriptor, buffer.bytes, sizeof buffer.bytes)) > 0) {
        for (size_t at = 0; at < (size_t)size;) {
            struct inotify_event event;
            memcpy(&event, buffer.bytes + at, sizeof event);
            /* An overflowed queue says nothing of what was lost: look. */
            if ((event.mask & IN_Q_OVERFLOW) != 0 || (event.len > 0 && is_of_store(buffer.bytes + at + sizeof event)))
                written = true;
            at += sizeof event + event.len;
        }
    }
    return written;
}
