/* Sites by the names that people know. */
#pragma once

#include "store/authority.h"

enum { NV_SITE_TEXT = 65 };

/* The member's name; its id in hexadecimal where it is no member. */
void nv_site_name(const struct nv_store *store, struct nv_site_id site, char ret_text[NV_SITE_TEXT]);
