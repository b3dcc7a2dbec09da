#include "store/scopes/reads.h"

#include "base/planted.h"
#include "store/internal.h"

bool nv_scope_is_due(const struct nv_store *store, struct nv_scope_id scope)
{
    struct nv_site_id self = store->identity.site;
    uint64_t position = nv_right_last(store, self);
    if (memcmp(scope.bytes, self.bytes, sizeof scope.bytes) == 0)
        return true;
    bool may_be_granted = nv_right_reads_granted(store, self, position) && nv_scope_find(store, scope) != NULL;
    return may_be_granted || nv_right_reads(store, scope, self, position);
}

bool nv_scope_is_read(const struct nv_store *store, struct nv_scope_id scope)
{
    nv_scope_number number = nv_scope_number_find(store, scope, NULL);
    return (number == 0 || !nv_scope_numbered(store, number)->is_leaving) && nv_scope_is_due(store, scope);
}

/* The wider, the greater. */
static int width(const struct nv_store *store, struct nv_scope_id id)
{
    const struct nv_scope *scope = nv_scope_find(store, id);
    if (scope == NULL)
        return 2;
    switch (scope->kind) {
    case NV_SCOPE_IS_SITE:
        return memcmp(id.bytes, store->identity.site.bytes, sizeof id.bytes) == 0 ? 0 : 1;
    case NV_SCOPE_IS_GROUP:
        return 2;
    case NV_SCOPE_IS_NETWORK:
        break;
    }
    return 3;
}

static bool is_own(const struct nv_store *store, struct nv_site_id site)
{
    return nv_site_id_compare(site, store->identity.site) == 0;
}

bool nv_scope_is_narrower(const struct nv_store *store, nv_scope_number one, nv_scope_number other)
{
    const struct nv_numbered_scope *a = nv_scope_numbered(store, one), *b = nv_scope_numbered(store, other);
    int width_a = width(store, a->id), width_b = width(store, b->id);
    if (width_a != width_b)
        return NV_PLANTED(WIDER_FIRST) ? width_a > width_b : width_a < width_b;
    int order = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
    if (order != 0)
        return order < 0;
    if (is_own(store, a->home) != is_own(store, b->home))
        return is_own(store, a->home);
    return nv_site_id_compare(a->home, b->home) < 0;
}
