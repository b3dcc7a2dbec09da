/* Who may take the place of a site that lost its keys: what the hub asks before it certifies new ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lost.h"
#include "store/trust/rights.h"
#include "wire/recovery.h"

enum { DAY_MS = 86400000 };

/* The hub refuses, with that word, and nothing changes there. */
static void check_refused(struct nv_lost *lost, const struct nv_pair_site *site, const struct nv_invitation *invitation,
                          const struct nv_curve_key *recovery, struct nv_wall_ms now, const char *word)
{
    static const char all[] = "SELECT name, hex(sign_key), certified, ends FROM navette_member ORDER BY certified";
    struct nv_arena arena = {.limit = 1 << 20};
    sqlite3 *hub = lost->groups->hub->tool;
    char *before = nv_pair_text(hub, all), *used = nv_pair_text(hub, "SELECT number, used_by FROM navette_invitation");
    struct nv_enrol_reply reply = nv_lost_ask(lost, site, invitation, recovery, now, &arena);
    assert_false(reply.admitted);
    assert_int_equal(reply.authority_count, 0);
    assert_int_equal(reply.key_count, 0);
    if (strstr(reply.text, word) == NULL)
        fail_msg("the answer has no \"%s\": %s", word, reply.text);
    nv_pair_check_text(hub, all, before);
    nv_pair_check_text(hub, "SELECT number, used_by FROM navette_invitation", used);
    free(before);
    free(used);
    nv_arena_done(&arena);
}

static void nobody_takes_a_place_without_the_secret_and_the_invitation(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_invitation invitation = nv_lost_invite(lost, "lost"),
                         fresh = nv_lost_invite(lost, "fresh"); /* names have no case */
    struct nv_wall_ms late = {nv_pair_now.ms + 2 * DAY_MS};
    struct nv_curve_key wrong;
    struct nv_error error;
    nv_pair_must(nv_recovery_make(&wrong, &error), &error);
    check_refused(lost, &lost->new, &invitation, NULL, nv_pair_now, "--recover");
    check_refused(lost, &lost->new, &invitation, &wrong, nv_pair_now, "not the recovery secret");
    check_refused(lost, &lost->new, &fresh, &lost->recovery, nv_pair_now, "without --recover");
    check_refused(lost, &lost->new, &invitation, &lost->recovery, late, "expired");
    struct nv_invitation guessed = invitation;
    guessed.secret[0] ^= 1;
    check_refused(lost, &lost->new, &guessed, &lost->recovery, nv_pair_now, "no such invitation");
    /* Who knows which recovery key it is has not its secret. */
    struct nv_curve_key thief = wrong;
    thief.public_key = lost->recovery.public_key;
    check_refused(lost, &lost->new, &invitation, &thief, nv_pair_now, "not the recovery secret");
    /* A proof for another hub. */
    struct nv_invitation elsewhere = invitation;
    elsewhere.hub_curve_key = wrong.public_key;
    check_refused(lost, &lost->new, &elsewhere, &lost->recovery, nv_pair_now, "not the recovery secret");
    /* Keys that another site has. */
    struct nv_pair_site other = lost->new;
    other.sign = lost->groups->south->sign;
    check_refused(lost, &other, &invitation, &lost->recovery, nv_pair_now, "one of these keys");
    nv_lost_recover(lost, &invitation);
    assert_memory_equal(nv_lost_id(&lost->new).bytes, nv_lost_id(&lost->old).bytes, 16);
}

static void an_invitation_recovers_once(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_invitation invitation = nv_lost_invite(lost, "Lost");
    struct nv_pair_site other;
    nv_lost_recover(lost, &invitation);
    nv_lost_recover(lost, &invitation); /* the answer was lost */
    nv_pair_check_text(lost->groups->hub->tool, "SELECT count(*) FROM navette_membership WHERE ends IS NOT NULL",
                       "1\n");
    nv_pair_site_make(lost->groups->pair, &other, "other");
    check_refused(lost, &other, &invitation, &lost->recovery, nv_pair_now, "was used");
    /* A home that holds another site. */
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_enrol_reply reply = nv_lost_ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena);
    nv_store_set_signer(lost->groups->south->store, &lost->new.sign);
    assert_int_equal(nv_authority_recover(lost->groups->south->store, &invitation.authority_key, &reply,
                                          &lost->recovery, &lost->new.curve.public_key, nv_pair_now, &error),
                     NV_REFUSED);
    assert_non_null(strstr(error.text, "another site"));
    nv_arena_done(&arena);
    nv_pair_site_close(&other);
}

static void who_was_revoked_needs_an_invitation_that_was_made_since(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_pair *pair = lost->groups->pair;
    struct nv_error error;
    struct nv_invitation before = nv_lost_invite(lost, "Lost");
    nv_pair_must(nv_authority_revoke(pair->hub.store, &pair->authority, nv_lost_id(&lost->old), nv_pair_now, &error),
                 &error);
    check_refused(lost, &lost->new, &before, &lost->recovery, nv_pair_now, "taken out");
    struct nv_invitation since = nv_lost_invite(lost, "Lost");
    nv_lost_recover(lost, &since);
    nv_lost_recover(lost, &since);
    assert_memory_equal(nv_lost_id(&lost->new).bytes, nv_lost_id(&lost->old).bytes, 16);
    assert_false(nv_right_reads(lost->new.store, nv_groups_scope(lost->groups, "group/both"), nv_lost_id(&lost->new),
                                NV_POSITION_NOW));
}

static void it_keeps_its_name_its_role_and_its_recovery_key(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_pair *pair = lost->groups->pair;
    struct nv_error error;
    struct nv_certificate hub = nv_pair_certificate(&lost->old, "Lost");
    hub.role = NV_ROLE_HUB;
    hub.reader = true;
    hub.recovery_key = lost->recovery.public_key;
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &hub, nv_pair_now, &error), &error);
    struct nv_invitation invitation = nv_lost_invite(lost, "LOST");
    nv_lost_recover(lost, &invitation);
    const struct nv_member *member = nv_store_member(lost->new.store, nv_lost_id(&lost->old));
    assert_string_equal(member->name, "Lost");
    assert_int_equal(member->role, NV_ROLE_HUB);
    assert_true(member->reader);
    assert_memory_equal(&member->recovery_key, &lost->recovery.public_key, 32);
    assert_memory_equal(&member->sign_key, &lost->new.sign.public_key, 32);
    assert_memory_equal(&member->curve_key, &lost->new.curve.public_key, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_lost_setup, nv_lost_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_takes_a_place_without_the_secret_and_the_invitation),
        TEST(an_invitation_recovers_once),
        TEST(who_was_revoked_needs_an_invitation_that_was_made_since),
        TEST(it_keeps_its_name_its_role_and_its_recovery_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
