/* What happened, a line an event, and one hash over all of it: the same seed must give the same hash. */
#pragma once

#include <stdio.h>

#include "base/buffer.h"

/* Lines go to `file` (NULL: nowhere) as well as into the hash. */
void sim_trace_start(FILE *file);
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether somebody reads the lines: what is only for them need not be made. */
bool sim_trace_is_read(void);

/* Bytes that count, and are no line. */
void sim_trace_bytes(const void *bytes, size_t size);

enum { SIM_TRACE_HASH_TEXT = 33 };
void sim_trace_end(char ret_hash[SIM_TRACE_HASH_TEXT]);
