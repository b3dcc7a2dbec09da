#include "trace.h"

#include <sodium.h>
#include <stdarg.h>

#include "base/hex.h"
#include "clock.h"

static struct {
    FILE *file;
    crypto_generichash_state hash;
} sim_log;

void sim_trace_start(FILE *file)
{
    sim_log.file = file;
    crypto_generichash_init(&sim_log.hash, NULL, 0, 16);
}

bool sim_trace_is_read(void)
{
    return sim_log.file != NULL;
}

void sim_trace_bytes(const void *bytes, size_t size)
{
    crypto_generichash_update(&sim_log.hash, bytes, size);
}

void sim_trace(const char *format, ...)
{
    char line[1024];
    int64_t us = sim_clock_us() - SIM_START_US;
    int start = snprintf(line, sizeof line, "%7lld.%03lld  ", (long long)(us / 1000), (long long)(us % 1000));
    va_list arguments;
    va_start(arguments, format);
    int size = start + vsnprintf(line + start, sizeof line - (size_t)start, format, arguments);
    va_end(arguments);
    if (size >= (int)sizeof line)
        size = sizeof line - 1;
    sim_trace_bytes(line, (size_t)size);
    if (sim_log.file != NULL)
        fprintf(sim_log.file, "%s\n", line);
}

void sim_trace_end(char ret_hash[SIM_TRACE_HASH_TEXT])
{
    uint8_t hash[16];
    crypto_generichash_final(&sim_log.hash, hash, sizeof hash);
    nv_hex(hash, sizeof hash, ret_hash);
}
