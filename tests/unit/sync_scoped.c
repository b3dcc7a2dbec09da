#include "sync_scoped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct nv_scope_id GROUP_A = {{0xa}}, GROUP_B = {{0xb}}, GROUP_C = {{0xc}};

/* The sets are the caller's, and nothing writes into them. */
struct nv_scope_set scoped_set(const struct nv_scope_id *scopes, size_t count)
{
    return (struct nv_scope_set){.scopes = (struct nv_scope_id *)(uintptr_t)scopes, .count = count};
}

void scoped_carries(struct probe *probe, uint8_t site, const struct nv_scope_id *scopes, size_t count)
{
    struct nv_scope_set set = scoped_set(scopes, count);
    probe_carries(probe, site, &set);
}

/* The authority log up to 5, and logs of the groups A and B; site 2 reads A, site 3 nothing of these. */
struct probe scoped_hub(void)
{
    struct probe probe = probe_of(1);
    scoped_carries(&probe, 2, &GROUP_A, 1);
    scoped_carries(&probe, 3, NULL, 0);
    probe_grow_in(&probe, NV_SCOPE_AUTHORITY, 0, 5);
    probe_grow_in(&probe, GROUP_A, 2, 7);
    probe_grow_in(&probe, GROUP_B, 3, 9);
    return probe;
}

struct nv_scopes_said scoped_said(uint64_t position, const struct nv_scope_id *scopes, size_t count)
{
    return (struct nv_scopes_said){.is_said = true, .authority_seq = position, .scopes = scoped_set(scopes, count)};
}

void scoped_greet(struct probe *probe, uint32_t session, uint8_t site, struct nv_scopes_said said)
{
    struct nv_message hello = probe_hello(site);
    hello.hello.scopes = said;
    probe_open(probe, session, site, true);
    probe_hear(probe, session, hello);
}

/* What the machine holds of these scopes. */
size_t scoped_heads(const struct probe *probe, const struct nv_scope_set *scopes, struct nv_far_head *heads)
{
    struct nv_far_head all[8 + PROBE_MORE];
    size_t count = 0, all_count = probe_heads(probe, all);
    for (size_t i = 0; i < all_count; i++)
        if (nv_scope_set_has(scopes, all[i].scope))
            heads[count++] = all[i];
    return count;
}

/* Site 2, which says what it should, and then that it has the same. */
void scoped_meet(struct probe *probe, uint32_t session, uint8_t site, const struct nv_scope_id *scopes, size_t count)
{
    struct nv_far_head heads[8 + PROBE_MORE];
    struct nv_scope_set shared = scoped_set(scopes, count);
    struct nv_message has = {.kind = NV_MESSAGE_HAS};
    scoped_greet(probe, session, site, scoped_said(5, scopes, count));
    has.has.digest = probe_digest(heads, scoped_heads(probe, &shared, heads));
    probe_hear(probe, session, has);
    assert_int_equal(probe->actions.count, 0);
}

struct nv_far_head scoped_head(struct nv_scope_id scope, uint8_t writer, uint64_t seq)
{
    struct nv_far_head head = probe_head(writer, seq);
    head.scope = scope;
    return head;
}

struct nv_sync_view scoped_look(const struct probe *probe, size_t place)
{
    struct nv_sync_view view;
    assert_true(nv_sync_look(probe->sync, place, (struct nv_mono_us){probe->now}, &view));
    return view;
}
