/* Writing headers; reading them is in wire/changeset.h. Internal to wire/. */
#pragma once

#include "wire/changeset.h"

/* Appends the encoded Header. NV_BUG where no site would take it, NV_NO_MEMORY. */
enum nv_status nv_header_encode(const struct nv_header *header, struct nv_buffer *buffer, struct nv_error *error);
