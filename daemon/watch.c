#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static const int64_t FALLBACK_US = 500000;
static const int64_t pauses_us[] = {0, 100, 200, 700, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 72000};
static const int64_t SOON_US = 300; /* for a write that comes while the looks for another still go on */
enum { PAUSES = sizeof pauses_us / sizeof pauses_us[0], AFTER_SOON = 2 };

enum nv_status nv_watch_open(struct nv_watch *watch, const char *home, struct nv_mono_us now, struct nv_error *error)
{
    *watch =
        (struct nv_watch){.descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .look_at = now.us, .looks = PAUSES};
    if (watch->descriptor < 0 || inotify_add_watch(watch->descriptor, home, IN_MODIFY) < 0) {
        nv_watch_close(watch);
        return nv_fail(error, NV_IO, "cannot watch %s for writes: %s: raise fs.inotify.max_user_watches or _instances",
                       home, strerror(errno));
    }
    return NV_OK;
}

void nv_watch_close(struct nv_watch *watch)
{
    if (watch->descriptor >= 0)
        close(watch->descriptor);
    watch->descriptor = -1;
}

static bool is_of_store(const char *name)
{
    return strcmp(name, "store.db-wal") == 0 || strcmp(name, "store.db") == 0;
}

void nv_watch_read(struct nv_watch *watch, struct nv_mono_us now)
{
    union {
        struct inotify_event event;
        char bytes[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    } buffer;
    bool written = false;
    ssize_t size;
    while ((size = read(watch->descriptor, buffer.bytes, sizeof buffer.bytes)) > 0) {
        for (size_t at = 0; at < (size_t)size;) {
            struct inotify_event event;
            memcpy(&event, buffer.bytes + at, sizeof event);
            /* An overflowed queue says nothing of what was lost: look. */
            if ((event.mask & IN_Q_OVERFLOW) != 0 || (event.len > 0 && is_of_store(buffer.bytes + at + sizeof event)))
                written = true;
            at += sizeof event + event.len;
        }
    }
    if (!written)
        return;
    bool is_over = watch->looks >= PAUSES;
    int64_t soon = now.us + (is_over ? 0 : SOON_US);
    /* A program that never stops writing must not put the look off for ever: only bring it forward. */
    if (soon < watch->look_at)
        watch->look_at = soon;
    watch->looks = is_over ? 0 : AFTER_SOON;
}

bool nv_watch_is_due(struct nv_watch *watch, struct nv_mono_us now)
{
    if (now.us < watch->look_at)
        return false;
    if (watch->looks < PAUSES)
        watch->looks++;
    watch->look_at = now.us + (watch->looks < PAUSES ? pauses_us[watch->looks] : FALLBACK_US);
    return true;
}
