#include "watch.h"

#include "notify.h"

static const int64_t FALLBACK_US = 500000;
static const int64_t pauses_us[] = {0, 100, 200, 700, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 72000};
static const int64_t SOON_US = 300; /* for a write that comes while the looks for another still go on */
enum { PAUSES = sizeof pauses_us / sizeof pauses_us[0], AFTER_SOON = 2 };

enum nv_status nv_watch_open(struct nv_watch *watch, const char *home, struct nv_mono_us now, struct nv_error *error)
{
    *watch = (struct nv_watch){.descriptor = -1, .look_at = now.us, .looks = PAUSES};
    return nv_notify_open(home, &watch->descriptor, error);
}

void nv_watch_close(struct nv_watch *watch)
{
    nv_notify_close(watch->descriptor);
    watch->descriptor = -1;
}

void nv_watch_read(struct nv_watch *watch, struct nv_mono_us now)
{
    if (!nv_notify_take(watch->descriptor))
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
