/* A hub's machine under a test's hands, and peers that carry groups: what the tests of scopes begin with. */
#pragma once

#include "sync_probe.h"

extern const struct nv_scope_id GROUP_A, GROUP_B, GROUP_C;

/* The sets are the caller's, and nothing writes into them. */
struct nv_scope_set scoped_set(const struct nv_scope_id *scopes, size_t count);
struct nv_scopes_said scoped_said(uint64_t position, const struct nv_scope_id *scopes, size_t count);

/* The site 1, with the authority log up to 5, and logs of the groups A and B. Site 2 reads A, site 3 none of these, and
 * all others are hubs. */
struct probe scoped_hub(void);

/* From the next growth on. */
void scoped_carries(struct probe *probe, uint8_t site, const struct nv_scope_id *scopes, size_t count);

/* What the machine holds of some scopes; and a head in one. */
size_t scoped_heads(const struct probe *probe, const struct nv_scope_set *scopes, struct nv_far_head *heads);
struct nv_far_head scoped_head(struct nv_scope_id scope, uint8_t writer, uint64_t seq);

/* A session with a site that says of scopes what is given; and one that then says that it has the same. */
void scoped_greet(struct probe *probe, uint32_t session, uint8_t site, struct nv_scopes_said said);
void scoped_meet(struct probe *probe, uint32_t session, uint8_t site, const struct nv_scope_id *scopes, size_t count);

struct nv_sync_view scoped_look(const struct probe *probe, size_t place);
