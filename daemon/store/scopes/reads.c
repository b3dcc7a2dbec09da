#include "store/scopes/reads.h"

#include "store/internal.h"

bool nv_scope_is_read(const struct nv_store *store, struct nv_scope_id scope)
{
    const struct nv_member *self = nv_store_member(store, store->identity.site);
    bool may_be_granted = self != NULL && self->reader && nv_scope_find(store, scope) != NULL;
    return may_be_granted || nv_right_reads(store, scope, store->identity.site, NV_POSITION_NOW);
}
