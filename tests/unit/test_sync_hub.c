/* What a hub computes for each of its sites, where each has a scope of its own: heads are hashed once for all of them
 * when they change, and of what is not a site's nothing is looked at for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync.h"
#include "wire/digest.h"

enum { SITES = 130, HEADS = 1 + 2 * SITES, SEC = 1000000 };

static size_t part_calls, part_heads, whole_calls, whole_parts;

static struct nv_digest count_part(const struct nv_far_head *heads, size_t count)
{
    part_calls++;
    part_heads += count;
    return nv_heads_digest(heads, count);
}

static struct nv_digest count_whole(const struct nv_part_digest *parts, size_t count)
{
    whole_calls++;
    whole_parts += count;
    return nv_vector_digest(parts, count);
}

static const struct nv_digests counting = {count_part, count_whole};

struct hub {
    struct nv_sync *sync;
    struct nv_actions actions;
    struct nv_far_head heads[HEADS]; /* of the authority log, of `network`, of the sites' scopes */
    int64_t now, newest;
};

static struct nv_site_id site_of(size_t place)
{
    return (struct nv_site_id){{0x80, (uint8_t)(place + 1)}};
}

static struct nv_scope_id scope_of(size_t place)
{
    struct nv_scope_id scope;
    memcpy(scope.bytes, site_of(place).bytes, sizeof scope.bytes);
    return scope;
}

static void step(struct hub *hub, struct nv_event event)
{
    nv_actions_clear(&hub->actions);
    event.now.us = hub->now;
    assert_int_equal(nv_sync_step(hub->sync, &event, &hub->actions), NV_OK);
}

static size_t count_actions(const struct hub *hub, enum nv_action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < hub->actions.count; i++)
        count += hub->actions.items[i].kind == kind;
    return count;
}

static void grow(struct hub *hub, const struct nv_carrier *carriers)
{
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = hub->heads;
    event.grew.count = HEADS;
    event.grew.newest = ++hub->newest;
    event.grew.carriers = carriers;
    event.grew.carrier_count = carriers == NULL ? 0 : SITES + 1;
    step(hub, event);
}

/* What the hub shares with a site, as a digest. */
static struct nv_digest shared_with(const struct hub *hub, size_t place)
{
    struct nv_part_digest parts[3] = {
        {NV_SCOPE_AUTHORITY, nv_heads_digest(hub->heads, 1)},
        {NV_SCOPE_NETWORK, nv_heads_digest(hub->heads + 1, SITES)},
        {scope_of(place), nv_heads_digest(hub->heads + 1 + SITES + place, 1)},
    };
    return nv_vector_digest(parts, 3);
}

static void hear(struct hub *hub, size_t place, struct nv_message message)
{
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = (uint32_t)place + 1};
    event.message.message = &message;
    step(hub, event);
}

static void meet(struct hub *hub, size_t place)
{
    struct nv_event opened = {.kind = NV_EVENT_OPENED, .session = (uint32_t)place + 1};
    struct nv_scope_id own = scope_of(place);
    struct nv_message hello = {.kind = NV_MESSAGE_HELLO}, has = {.kind = NV_MESSAGE_HAS};
    opened.opened.site = site_of(place);
    step(hub, opened);
    hello.hello.protocol = NV_PROTOCOL;
    hello.hello.site = site_of(place);
    hello.hello.scopes =
        (struct nv_scopes_said){.is_said = true, .authority_seq = 1, .scopes = {.scopes = &own, .count = 1}};
    hear(hub, place, hello);
    has.has.digest = shared_with(hub, place);
    hear(hub, place, has);
    assert_int_equal(hub->actions.count, 0);
}

static int setup(void **state)
{
    static struct hub hub;
    static const uint8_t network[32];
    static struct nv_scope_id scopes[SITES];
    static struct nv_carrier carriers[SITES + 1];
    hub = (struct hub){.sync = nv_sync_new((struct nv_site_id){{1}}, network, &counting), .now = 1000 * (int64_t)SEC};
    carriers[0] = (struct nv_carrier){.site = {{1}}, .scopes = {.has_all = true}};
    hub.heads[0] = (struct nv_far_head){.epoch = 1, .seq = 1};
    for (size_t i = 0; i < SITES; i++) {
        scopes[i] = scope_of(i);
        carriers[i + 1] = (struct nv_carrier){.site = site_of(i), .scopes = {.scopes = &scopes[i], .count = 1}};
        hub.heads[1 + i] = (struct nv_far_head){.site = site_of(i), .epoch = 1, .scope = NV_SCOPE_NETWORK, .seq = 1};
        hub.heads[1 + SITES + i] = (struct nv_far_head){.site = site_of(i), .epoch = 1, .scope = scopes[i], .seq = 1};
    }
    grow(&hub, carriers);
    for (size_t i = 0; i < SITES; i++)
        meet(&hub, i);
    part_calls = part_heads = whole_calls = whole_parts = 0;
    *state = &hub;
    return 0;
}

static int teardown(void **state)
{
    struct hub *hub = *state;
    nv_sync_free(hub->sync);
    nv_actions_done(&hub->actions);
    return 0;
}

static void what_one_site_writes_for_itself_concerns_no_other(void **state)
{
    struct hub *hub = *state;
    hub->heads[1 + SITES + 7].seq++;
    grow(hub, NULL);
    assert_int_equal(part_calls, 1);
    assert_int_equal(part_heads, 1);
    assert_int_equal(whole_calls, 0);
    assert_int_equal(hub->actions.count, 1);
    assert_int_equal(hub->actions.items[0].kind, NV_ACTION_SERVE);
    assert_int_equal(hub->actions.items[0].session, 8);
}

static void what_is_for_all_is_hashed_once_for_all(void **state)
{
    struct hub *hub = *state;
    hub->heads[1 + 3].seq++;
    grow(hub, NULL);
    assert_int_equal(part_calls, 1);
    assert_int_equal(part_heads, SITES);
    assert_int_equal(count_actions(hub, NV_ACTION_SERVE), SITES);
    /* Each says that it has it: what is compared for that are the digests of three scopes. */
    part_calls = whole_calls = whole_parts = 0;
    for (size_t i = 0; i < SITES; i++) {
        struct nv_message has = {.kind = NV_MESSAGE_HAS};
        has.has.heads = &hub->heads[1 + 3];
        has.has.head_count = 1;
        has.has.digest = shared_with(hub, i);
        hear(hub, i, has);
    }
    assert_int_equal(part_calls, 0);
    assert_int_equal(whole_calls, SITES);
    assert_int_equal(whole_parts, 3 * SITES);
    struct nv_sync_view view;
    for (size_t i = 0; i < SITES; i++) {
        assert_true(nv_sync_look(hub->sync, i, (struct nv_mono_us){hub->now}, &view));
        assert_true(view.in_step && view.behind == 0);
    }
}

static void comparing_costs_three_digests_a_site(void **state)
{
    struct hub *hub = *state;
    hub->now += 19 * (int64_t)SEC;
    step(hub, (struct nv_event){.kind = NV_EVENT_TICK});
    assert_int_equal(part_calls, 0);
    assert_int_equal(whole_calls, SITES);
    assert_int_equal(whole_parts, 3 * SITES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_one_site_writes_for_itself_concerns_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_for_all_is_hashed_once_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(comparing_costs_three_digests_a_site, setup, teardown),
    };
    return cmocka_run_group_tests_name("sync: a hub", tests, NULL, NULL);
}
