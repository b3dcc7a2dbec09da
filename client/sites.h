/* Sites by the names that people know. */
#pragma once

#include "store/trust/rights.h"

enum { NV_SITE_TEXT = 65 };

/* The name that the site has, or had while it was a member; its id in hexadecimal where it never was one. */
void nv_site_name(const struct nv_store *store, struct nv_site_id site, char ret_text[NV_SITE_TEXT]);

/* The member of that name, without the case of ASCII letters. NV_NOT_FOUND. */
enum nv_status nv_site_find(const struct nv_store *store, const char *name, const struct nv_member **ret_member,
                            struct nv_error *error);

/* "site", "hub", "reading hub": the role's code, which the catalogue knows. */
const char *nv_role_text(enum nv_role role, bool reader);
