#include "sync_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/digest.h"

const uint8_t probe_network[32] = {42};

struct nv_site_id probe_site(uint8_t number)
{
    return (struct nv_site_id){{number}};
}

struct nv_far_head probe_head(uint8_t writer, uint64_t seq)
{
    return (struct nv_far_head){.site = probe_site(writer), .epoch = 1, .scope = NV_SCOPE_NETWORK, .seq = seq};
}

static size_t heads_of(const uint64_t seqs[8], struct nv_far_head heads[8])
{
    size_t count = 0;
    for (uint8_t i = 0; i < 8; i++)
        if (seqs[i] > 0)
            heads[count++] = probe_head(i, seqs[i]);
    return count;
}

size_t probe_heads(const struct probe *probe, struct nv_far_head heads[8 + PROBE_MORE])
{
    size_t count = 0, more = 0;
    for (; more < probe->more_count && nv_scope_id_equal(probe->more[more].scope, NV_SCOPE_AUTHORITY); more++)
        heads[count++] = probe->more[more];
    count += heads_of(probe->own, heads + count);
    for (; more < probe->more_count; more++)
        heads[count++] = probe->more[more];
    return count;
}

struct nv_digest probe_digest(const struct nv_far_head *heads, size_t count)
{
    struct nv_part_digest parts[8 + PROBE_MORE];
    size_t part_count = 0;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && nv_scope_id_equal(heads[first].scope, heads[end].scope);)
            end++;
        parts[part_count].scope = heads[first].scope;
        parts[part_count++].digest = nv_heads_digest(heads + first, end - first);
    }
    return nv_vector_digest(parts, part_count);
}

static struct nv_digest digest_of(const uint64_t seqs[8])
{
    struct nv_far_head heads[8];
    return probe_digest(heads, heads_of(seqs, heads));
}

void probe_step(struct probe *probe, struct nv_event event)
{
    nv_actions_clear(&probe->actions);
    event.now.us = probe->now;
    assert_int_equal(nv_sync_step(probe->sync, &event, &probe->actions), NV_OK);
}

void probe_tick(struct probe *probe, int64_t later)
{
    probe->now += later;
    probe_step(probe, (struct nv_event){.kind = NV_EVENT_TICK});
}

static void tell_growth(struct probe *probe)
{
    struct nv_far_head heads[8 + PROBE_MORE];
    struct nv_carrier carriers[PROBE_SITES];
    struct nv_event event = {.kind = NV_EVENT_GREW};
    event.grew.heads = heads;
    event.grew.count = probe_heads(probe, heads);
    event.grew.newest = ++probe->newest;
    for (size_t i = 0; i < PROBE_SITES; i++)
        if (!probe->carriers[i].scopes.is_empty)
            carriers[event.grew.carrier_count++] = probe->carriers[i];
    event.grew.carriers = probe->has_news ? carriers : NULL;
    probe->has_news = false;
    probe_step(probe, event);
}

void probe_grow(struct probe *probe, uint8_t writer, uint64_t seq)
{
    probe->own[writer] = seq;
    tell_growth(probe);
}

void probe_grow_in(struct probe *probe, struct nv_scope_id scope, uint8_t writer, uint64_t seq)
{
    struct nv_far_head head = probe_head(writer, seq);
    struct nv_heads more = {.heads = probe->more, .count = probe->more_count, .capacity = PROBE_MORE};
    head.scope = scope;
    assert_true(probe->more_count < PROBE_MORE);
    assert_int_equal(nv_heads_raise(&more, &head), NV_OK);
    probe->more_count = more.count;
    tell_growth(probe);
}

void probe_carries(struct probe *probe, uint8_t site, struct nv_scope_set *scopes)
{
    static const struct nv_scope_set nothing = {.is_empty = true};
    probe->carriers[site - 1].scopes = scopes == NULL ? nothing : *scopes;
    probe->has_news = true;
}

struct probe probe_of(uint8_t self)
{
    struct probe probe = {.sync = nv_sync_new(probe_site(self), probe_network, &nv_digests),
                          .now = 1000 * (int64_t)SEC,
                          .has_news = true};
    assert_non_null(probe.sync);
    for (uint8_t i = 0; i < PROBE_SITES; i++)
        probe.carriers[i] = (struct nv_carrier){.site = probe_site(i + 1), .scopes = {.has_all = true}};
    probe_grow(&probe, self, 1);
    return probe;
}

void probe_done(struct probe *probe)
{
    nv_sync_free(probe->sync);
    nv_actions_done(&probe->actions);
}

void probe_open(struct probe *probe, uint32_t session, uint8_t site, bool dialled)
{
    struct nv_event event = {.kind = NV_EVENT_OPENED, .session = session};
    event.opened.site = probe_site(site);
    event.opened.dialled = dialled;
    probe_step(probe, event);
}

void probe_hear(struct probe *probe, uint32_t session, struct nv_message message)
{
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    event.message.message = &message;
    probe_step(probe, event);
}

struct nv_message probe_hello(uint8_t site)
{
    struct nv_message message = {.kind = NV_MESSAGE_HELLO};
    message.hello.protocol = NV_PROTOCOL;
    memcpy(message.hello.network, probe_network, sizeof probe_network);
    message.hello.site = probe_site(site);
    message.hello.scopes.is_said = true;
    message.hello.scopes.scopes.has_all = true;
    return message;
}

void probe_hear_digest(struct probe *probe, uint32_t session, const uint64_t seqs[8])
{
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.digest = digest_of(seqs);
    probe_hear(probe, session, message);
}

void probe_hear_has(struct probe *probe, uint32_t session, const uint64_t seqs[8], bool whole, bool please)
{
    struct nv_far_head heads[8];
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    message.has.digest.bytes[15] = 0xff; /* of something else than ours */
    message.has.heads = heads;
    message.has.head_count = heads_of(seqs, heads);
    message.has.whole = whole;
    message.has.please = please;
    probe_hear(probe, session, message);
}

void probe_hear_pull(struct probe *probe, uint32_t session, uint64_t number, uint64_t credit)
{
    struct nv_message message = {.kind = NV_MESSAGE_PULL};
    message.pull.pull = number;
    message.pull.credit_bytes = credit;
    probe_hear(probe, session, message);
}

void probe_hear_batch(struct probe *probe, uint32_t session, uint64_t pull, uint8_t writer, uint64_t seq, size_t size,
                      bool last)
{
    struct nv_far_head head = probe_head(writer, seq);
    struct nv_slice changeset = {(const uint8_t *)"", size}; /* only its size is looked at */
    struct nv_message message = {.kind = NV_MESSAGE_BATCH};
    message.batch.pull = pull;
    message.batch.changesets = &changeset;
    message.batch.changeset_count = size > 0;
    message.batch.last = last;
    struct nv_event event = {.kind = NV_EVENT_MESSAGE, .session = session};
    event.message.message = &message;
    event.message.heads = &head;
    probe_step(probe, event);
}

void probe_ingested(struct probe *probe, uint32_t session, uint64_t pull, size_t bytes, size_t taken, size_t refused)
{
    struct nv_event event = {.kind = NV_EVENT_INGESTED, .session = session};
    event.ingested.pull = pull;
    event.ingested.bytes = bytes;
    event.ingested.taken = taken;
    event.ingested.refused = refused;
    event.ingested.text = "a signature that does not hold";
    probe_step(probe, event);
}

void probe_served(struct probe *probe, uint32_t session, uint64_t pull, uint8_t writer, uint64_t seq, size_t bytes,
                  bool is_done)
{
    struct nv_far_head head = probe_head(writer, seq);
    struct nv_event event = {.kind = NV_EVENT_SERVED, .session = session};
    event.served.pull = pull;
    event.served.heads = &head;
    event.served.count = bytes > 0;
    event.served.bytes = bytes;
    event.served.cursor = is_done ? probe->newest : 1;
    event.served.done = is_done;
    probe_step(probe, event);
}

const struct nv_action *probe_wanted(const struct probe *probe, enum nv_action_kind kind, uint32_t session)
{
    for (size_t i = 0; i < probe->actions.count; i++)
        if (probe->actions.items[i].kind == kind && (session == 0 || probe->actions.items[i].session == session))
            return &probe->actions.items[i];
    return NULL;
}

const struct nv_message *probe_said(const struct probe *probe, enum nv_message_kind kind, uint32_t session)
{
    for (size_t i = 0; i < probe->actions.count; i++) {
        const struct nv_action *action = &probe->actions.items[i];
        if (action->kind == NV_ACTION_SEND && action->send.kind == kind && (session == 0 || action->session == session))
            return &action->send;
    }
    return NULL;
}

void probe_meet(struct probe *probe, uint32_t session, uint8_t site)
{
    probe_open(probe, session, site, true);
    probe_hear(probe, session, probe_hello(site));
    probe_hear_digest(probe, session, probe->own);
    assert_int_equal(probe->actions.count, 0);
}

void probe_meet_ahead(struct probe *probe, uint32_t session, uint8_t site, uint64_t seq)
{
    probe_open(probe, session, site, true);
    probe_hear(probe, session, probe_hello(site));
    uint64_t seqs[8];
    memcpy(seqs, probe->own, sizeof seqs);
    seqs[7] = seq;
    probe_hear_has(probe, session, seqs, true, false);
}
