/* Bytes as lower-case hexadecimal text, and back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * size characters and a NUL; `ret_text` has room for them. */
void nv_hex(const uint8_t *bytes, size_t size, char *ret_text);

/* Reads exactly 2 * size hexadecimal digits; false (ret_bytes untouched) where the text is anything else. */
bool nv_unhex(const char *text, uint8_t *ret_bytes, size_t size);
