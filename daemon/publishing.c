/* Publishing by itself, where the site's settings say so: once a period, soon after it has begun. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "service_internal.h"
#include "store/publish.h"

enum { LOOK_EVERY_US = 600 * 1000000 };

static enum nv_status publish_one(struct nv_service *service, const struct nv_publication *publication,
                                  struct nv_error *error)
{
    char period[NV_PERIOD_TEXT], last[NV_PERIOD_TEXT];
    size_t rows = 0;
    nv_period_of(publication->every, nv_wall_now(), period);
    enum nv_status status = nv_store_published_last(service->store, publication, last, error);
    if (status != NV_OK || strcmp(last, period) >= 0)
        return status;
    status = nv_store_publish(service->store, publication, period, &rows, error);
    if (status == NV_OK)
        nv_log(NV_LOG_INFO, "published for %s: %zu counts into %s", period, rows, publication->table);
    return status;
}

void nv_service_publish(struct nv_service *service)
{
    struct nv_publication list[NV_PUBLICATIONS_MOST];
    struct nv_error error;
    size_t count = 0;
    if (!service->settings.config->publishes || service->now.us < service->publish_at)
        return;
    service->publish_at = service->now.us + LOOK_EVERY_US;
    enum nv_status status = nv_store_publications(service->store, list, &count, &error);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        status = publish_one(service, &list[i], &error);
    /* Nothing else waits for it, and it is tried again: a store that cannot be used any more is found by what does. */
    if (status != NV_OK)
        nv_log(NV_LOG_WARNING, "counts were not published, and are tried again in ten minutes: %s", error.text);
    nv_service_ask_seal(service);
}
