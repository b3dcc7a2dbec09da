#include "lost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "store/trust/rights.h"
#include "wire/recovery.h"

enum { DAY_MS = 86400000 };

static const char items[] = "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, text TEXT, who TEXT);"
                            "INSERT INTO navette_table(name, scope) VALUES ('item', 'column:who')";

struct nv_site_id nv_lost_id(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->site;
}

struct nv_invitation nv_lost_invite(struct nv_lost *lost, const char *name)
{
    struct nv_pair *pair = lost->groups->pair;
    struct nv_error error;
    struct nv_invitation invitation = {.number = ++lost->invitations,
                                       .endpoint = "tcp://127.0.0.1:7421",
                                       .hub_curve_key = pair->hub.curve.public_key,
                                       .authority_key = pair->authority.public_key,
                                       .expires = {nv_pair_now.ms + DAY_MS}};
    nv_random(invitation.secret, sizeof invitation.secret);
    nv_pair_must(nv_invitation_keep(pair->hub.store, &invitation, name, NV_ROLE_SITE, &error), &error);
    return invitation;
}

/* The hub's answer, in `arena`, to a request that is encoded. */
static struct nv_enrol_reply answer(struct nv_lost *lost, struct nv_slice request, struct nv_wall_ms now,
                                    struct nv_arena *arena)
{
    struct nv_pair *pair = lost->groups->pair;
    struct nv_buffer reply = {0};
    struct nv_enrol_reply decoded;
    struct nv_error error;
    nv_pair_must(nv_authority_enrol(pair->hub.store, &pair->authority, request, now, &reply, &error), &error);
    uint8_t *bytes = nv_arena_alloc(arena, reply.size);
    memcpy(bytes, reply.data, reply.size);
    nv_pair_must(nv_enrol_reply_decode((struct nv_slice){bytes, reply.size}, arena, &decoded, &error), &error);
    nv_buffer_done(&reply);
    return decoded;
}

struct nv_enrol_reply nv_lost_ask(struct nv_lost *lost, const struct nv_pair_site *site,
                                  const struct nv_invitation *invitation, const struct nv_curve_key *recovery,
                                  struct nv_wall_ms now, struct nv_arena *arena)
{
    struct nv_buffer request = {0};
    struct nv_error error;
    struct nv_certificate wanted = nv_pair_certificate(site, "whatever");
    wanted.role = NV_ROLE_HUB; /* not its to say */
    if (recovery == NULL)
        nv_enrol_request_encode(&wanted, invitation->number, invitation->secret, &site->sign, &request);
    else
        nv_pair_must(nv_enrol_recovery_encode(&wanted, invitation, &site->sign, recovery, &request, &error), &error);
    struct nv_enrol_reply reply = answer(lost, nv_buffer_slice(&request), now, arena);
    nv_buffer_done(&request);
    return reply;
}

enum nv_status nv_lost_take(struct nv_lost *lost, const struct nv_enrol_reply *reply, struct nv_error *error)
{
    return nv_authority_recover(lost->new.store, &lost->groups->pair->authority.public_key, reply, &lost->recovery,
                                &lost->new.curve.public_key, nv_pair_now, error);
}

void nv_lost_recover(struct nv_lost *lost, const struct nv_invitation *invitation)
{
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_enrol_reply reply = nv_lost_ask(lost, &lost->new, invitation, &lost->recovery, nv_pair_now, &arena);
    if (!reply.admitted)
        fail_msg("not admitted: %s", reply.text);
    nv_pair_must(nv_lost_take(lost, &reply, &error), &error);
    nv_arena_done(&arena);
}

static void add_to_group(struct nv_lost *lost, const struct nv_pair_site *site)
{
    struct nv_groups *groups = lost->groups;
    struct nv_error error;
    nv_pair_must(nv_authority_add_reader(groups->hub->store, &groups->pair->authority,
                                         nv_groups_scope(groups, "group/both"), nv_lost_id(site), nv_pair_now, &error),
                 &error);
}

int nv_lost_setup(void **state)
{
    struct nv_lost *lost = calloc(1, sizeof *lost);
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    void *groups;
    assert_non_null(lost);
    assert_int_equal(nv_groups_setup(&groups), 0);
    lost->groups = groups;
    nv_pair_site_make(lost->groups->pair, &lost->old, "old");
    nv_pair_site_make(lost->groups->pair, &lost->new, "new");
    nv_pair_must(nv_recovery_make(&lost->recovery, &error), &error);
    nv_groups_publish(lost->groups, items);
    struct nv_certificate certificate = nv_pair_certificate(&lost->old, "Lost");
    certificate.recovery_key = lost->recovery.public_key;
    nv_pair_must(nv_authority_certify(lost->groups->hub->store, &lost->groups->pair->authority, &certificate,
                                      nv_pair_now, &error),
                 &error);
    add_to_group(lost, &lost->old);
    /* It has the network's log by asking again for what it is. */
    struct nv_invitation spare = nv_lost_invite(lost, "spare");
    nv_pair_sql(lost->groups->hub, "UPDATE navette_invitation SET used_by = (SELECT site FROM navette_member WHERE "
                                   "name = 'Lost') WHERE name = 'spare'");
    struct nv_enrol_reply reply = nv_lost_ask(lost, &lost->old, &spare, NULL, nv_pair_now, &arena);
    assert_true(reply.admitted);
    nv_pair_must(nv_authority_adopt(lost->old.store, &spare.authority_key, reply.authority, reply.authority_count,
                                    nv_pair_now, &error),
                 &error);
    nv_arena_done(&arena);
    *state = lost;
    return 0;
}

int nv_lost_teardown(void **state)
{
    struct nv_lost *lost = *state;
    void *groups = lost->groups;
    if (lost->old.store != NULL)
        nv_pair_site_close(&lost->old);
    nv_pair_site_close(&lost->new);
    free(lost);
    return nv_groups_teardown(&groups);
}

void nv_lost_live(struct nv_lost *lost)
{
    struct nv_groups *groups = lost->groups;
    nv_groups_settle(groups);
    nv_pair_sql(&lost->old, "INSERT INTO item VALUES ('own', 'old', NULL), ('g', 'old', 'group/both'), "
                            "('n', 'old', 'network')");
    nv_pair_seal(&lost->old);
    nv_pair_sql(groups->south, "INSERT INTO item VALUES ('s', 'south', 'group/both')");
    nv_pair_seal(groups->south);
    nv_groups_deliver(groups->south, groups->hub);
    nv_groups_deliver(&lost->old, groups->hub);
    nv_groups_deliver(groups->hub, &lost->old);
}
