/* Scopes and their names: store/trust/rights.h. */
#include <string.h>

#include "base/hex.h"
#include "store/trust/state.h"

void nv_scopes(const struct nv_store *store, const struct nv_scope **ret_scopes, size_t *ret_count)
{
    *ret_scopes = store->rights->scopes;
    *ret_count = store->rights->scope_count;
}

const struct nv_scope *nv_scope_find(const struct nv_store *store, struct nv_scope_id id)
{
    size_t low = 0, high = store->rights->scope_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct nv_scope *scope = &store->rights->scopes[middle];
        int order = memcmp(scope->id.bytes, id.bytes, sizeof id.bytes);
        if (order == 0)
            return scope;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

enum nv_status nv_scope_from_name(const struct nv_store *store, const char *name, struct nv_scope_id *ret_id,
                                  struct nv_error *error)
{
    for (size_t i = 0; i < store->rights->scope_count; i++) {
        const struct nv_scope *scope = &store->rights->scopes[i];
        if (sqlite3_stricmp(scope->name, name) != 0)
            continue;
        *ret_id = scope->id;
        return NV_OK;
    }
    return nv_fail(error, NV_NOT_FOUND,
                   "there is no scope %.80s: it is network, site/NAME of a member, or group/NAME of a group that "
                   "`navette group` made",
                   name);
}

void nv_scope_name(const struct nv_store *store, struct nv_scope_id id, char ret_text[NV_SCOPE_TEXT])
{
    const struct nv_scope *scope = nv_scope_find(store, id);
    if (scope != NULL)
        memcpy(ret_text, scope->name, sizeof scope->name);
    else
        nv_hex(id.bytes, sizeof id.bytes, ret_text);
}

const char *nv_store_site_name(const struct nv_store *store, struct nv_site_id site)
{
    struct nv_scope_id own;
    memcpy(own.bytes, site.bytes, sizeof own.bytes);
    const struct nv_scope *scope = nv_scope_find(store, own);
    return scope != NULL && scope->kind == NV_SCOPE_IS_SITE ? scope->called : NULL;
}
