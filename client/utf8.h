/* UTF-8, one character at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Length of the UTF-8 character at `at`, 0 where there is none (RFC 3629, section 4). `left` is at least 1. */
size_t nv_utf8_character(const uint8_t *at, size_t left, uint32_t *ret_code);

bool nv_utf8_is_valid(struct nv_slice text);

/* Appends a character. */
void nv_utf8_append(struct nv_buffer *text, uint32_t code);
