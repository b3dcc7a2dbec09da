/* Walks a function of base, core or wire through an allocator that fails: each probe is one call, or a few that belong
 * together. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct nv_probe {
    const char *name;
    /* NV_OK, with what it came to appended to `told`; or what the function returned. A buffer that failed is
     * NV_NO_MEMORY. */
    enum nv_status (*call)(struct nv_buffer *told);
};

/* Fails its allocations, ours and those from arenas, at the first, at the second, … until it needs no more of them:
 * each time the call says NV_NO_MEMORY, nothing is left allocated, and without the failure it comes to the same as
 * ever. Returns how many tests failed. */
int nv_probe_run(const char *name, const struct nv_probe *probes, size_t count);

/* NV_OK, or NV_NO_MEMORY where the buffer has failed; appends its bytes to `told`, and gives it back. */
enum nv_status nv_probe_tell(struct nv_buffer *told, struct nv_buffer *buffer);
