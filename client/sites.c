#include "client/sites.h"

#include <stdio.h>

#include "base/hex.h"
#include "client/language.h"

void nv_site_name(const struct nv_store *store, struct nv_site_id site, char ret_text[NV_SITE_TEXT])
{
    const char *name = nv_store_site_name(store, site);
    if (name != NULL)
        snprintf(ret_text, NV_SITE_TEXT, "%s", name);
    else
        nv_hex(site.bytes, sizeof site.bytes, ret_text);
}

enum nv_status nv_site_find(const struct nv_store *store, const char *name, const struct nv_member **ret_member,
                            struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++) {
        if (sqlite3_stricmp(members[i].name, name) != 0)
            continue;
        *ret_member = &members[i];
        return NV_OK;
    }
    return nv_fail(error, NV_NOT_FOUND, "%.64s is no member of this network: `navette members` lists them", name);
}

const char *nv_role_text(enum nv_role role, bool reader)
{
    switch (role) {
    case NV_ROLE_SITE:
        return N_("site");
    case NV_ROLE_HUB:
        return reader ? N_("reading hub") : N_("hub");
    }
    return "?";
}
