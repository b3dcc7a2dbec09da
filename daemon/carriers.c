/* Who carries what, by the authority log: what the machine (core/sync.h) shares with each peer. */
#include <stdlib.h>
#include <string.h>

#include "service_internal.h"
#include "store/authority.h"
#include "store/log.h"
#include "store/trust/rights.h"

void nv_service_forget_carriers(struct nv_service *service)
{
    for (size_t i = 0; i < service->carrier_count; i++)
        nv_scope_set_done(&service->carriers[i].scopes);
    free(service->carriers);
    service->carriers = NULL;
    service->carrier_count = 0;
}

_Static_assert(NV_LIMIT_GROUPS + 1 <= NV_LIMIT_SCOPES, "what two sites carry both fits one message");

/* The scopes that a site may carry: its own and the groups, ascending. `room` is for all scopes that there are. */
static size_t list_scopes(const struct nv_store *store, struct nv_site_id site, struct nv_scope_id *room)
{
    const struct nv_scope *scopes;
    size_t count, listed = 0;
    nv_scopes(store, &scopes, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_own = scopes[i].kind == NV_SCOPE_IS_SITE && memcmp(scopes[i].id.bytes, site.bytes, 16) == 0;
        if ((is_own || scopes[i].kind == NV_SCOPE_IS_GROUP) &&
            nv_right_carries(store, scopes[i].id, site, NV_POSITION_NOW))
            room[listed++] = scopes[i].id;
    }
    return listed;
}

static enum nv_status list_all(struct nv_service *service, const struct nv_member *members, size_t count,
                               struct nv_scope_id *room)
{
    for (size_t i = 0; i < count; i++) {
        struct nv_carrier *carrier = &service->carriers[service->carrier_count++];
        struct nv_scope_set scopes = {.has_all = members[i].role == NV_ROLE_HUB, .scopes = room};
        scopes.count = scopes.has_all ? 0 : list_scopes(service->store, members[i].site, room);
        carrier->site = members[i].site;
        if (nv_scope_set_copy(&carrier->scopes, &scopes) != NV_OK)
            return NV_NO_MEMORY;
    }
    return NV_OK;
}

enum nv_status nv_service_list_carriers(struct nv_service *service, const struct nv_carrier **ret_carriers,
                                        size_t *ret_count, struct nv_error *error)
{
    const struct nv_member *members;
    const struct nv_scope *scopes;
    size_t count, scope_count;
    nv_store_members(service->store, &members, &count);
    nv_scopes(service->store, &scopes, &scope_count);
    nv_service_forget_carriers(service);
    service->carriers = calloc(count + 1, sizeof *service->carriers);
    struct nv_scope_id *room = calloc(scope_count + 1, sizeof *room);
    enum nv_status status = NV_NO_MEMORY;
    if (service->carriers != NULL && room != NULL)
        status = list_all(service, members, count, room);
    free(room);
    if (status != NV_OK)
        return nv_fail(error, status, "no memory for what the members carry");
    *ret_carriers = service->carriers;
    *ret_count = service->carrier_count;
    return NV_OK;
}

/* ---- what comes for a site that is away ---------------------------------------------------------------------------
 */

static bool both_carry(const struct nv_service *service, struct nv_scope_id scope, struct nv_site_id site)
{
    struct nv_site_id self = nv_store_identity(service->store)->site;
    return nv_right_carries(service->store, scope, self, NV_POSITION_NOW) &&
           nv_right_carries(service->store, scope, site, NV_POSITION_NOW);
}

uint64_t nv_service_came_for(const struct nv_service *service, struct nv_site_id site)
{
    const struct nv_far_head *heads;
    size_t count;
    uint64_t came = 0;
    bool is_shared = false;
    nv_store_has(service->store, &heads, &count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !nv_scope_id_equal(heads[i - 1].scope, heads[i].scope))
            is_shared = both_carry(service, heads[i].scope, site);
        uint64_t before = is_shared ? nv_heads_seq(&service->counted, &heads[i]) : heads[i].seq;
        came += heads[i].seq > before ? heads[i].seq - before : 0;
    }
    return came;
}

enum nv_status nv_service_count_held(struct nv_service *service, struct nv_error *error)
{
    const struct nv_far_head *heads;
    size_t count;
    nv_store_has(service->store, &heads, &count);
    if (nv_heads_assign(&service->counted, heads, count) != NV_OK)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the state of the peers");
    return NV_OK;
}
