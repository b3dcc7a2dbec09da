/* Text from elsewhere: what a name, a label or an endpoint may be. Internal to wire/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether it has `least` to `most` bytes, is UTF-8, and has no control characters (C0, DEL, C1). */
bool nv_text_is_good(const char *text, size_t least, size_t most);

/* The same, but line ends and tabs may stand in it: SQL. */
bool nv_long_text_is_good(const char *text, size_t least, size_t most);

/* At most NV_LIMIT_ENDPOINTS endpoints, each of at most NV_LIMIT_ENDPOINT_BYTES. */
bool nv_endpoints_are_good(char *const *endpoints, size_t count);
