/* Records on their way from one scope to another end where they were once another node has them where they go. */
#include "store/moves.h"
#include "service_internal.h"

enum { AT_ONCE = 64 };

enum nv_status nv_service_end_moves(struct nv_service *service, struct nv_error *error)
{
    struct nv_far_head awaited[AT_ONCE];
    size_t count;
    enum nv_status status = nv_store_moves_awaited(service->store, awaited, AT_ONCE, &count, error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (!nv_sync_is_held(service->sync, &awaited[i]))
            continue;
        status = nv_store_moves_held(service->store, &awaited[i], error);
        nv_service_ask_seal(service);
    }
    return status == NV_BUSY || status == NV_FULL ? NV_OK : status; /* it is tried again in a second */
}
