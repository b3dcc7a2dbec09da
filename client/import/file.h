/* The bytes of a file that a spreadsheet wrote, as UTF-8. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

/* Reads the file, without its byte order mark. What is not UTF-8 as a whole is taken for Windows-1252, as French
 * spreadsheets write it, and converted. NV_REFUSED, with what to do, where it is no text or too large. */
enum nv_status nv_import_read_file(const char *path, struct nv_buffer *ret_text, bool *ret_converted,
                                   struct nv_error *error);
