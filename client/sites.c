#include "client/sites.h"

#include <stdio.h>

#include "base/hex.h"

void nv_site_name(const struct nv_store *store, struct nv_site_id site, char ret_text[NV_SITE_TEXT])
{
    const struct nv_member *member = nv_store_member(store, site);
    if (member != NULL)
        snprintf(ret_text, NV_SITE_TEXT, "%s", member->name);
    else
        nv_hex(site.bytes, sizeof site.bytes, ret_text);
}
