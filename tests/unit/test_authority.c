/* The authority log: who begins it, who is certified, how a new site asks and what it believes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "store/internal.h"
#include "store/log.h"
#include "store/log/logs.h"
#include "wire/changeset.h"

enum { BATCH = 64, DAY_MS = 86400000 };

static void check_error(enum nv_status status, enum nv_status expected, const struct nv_error *error, const char *word)
{
    if (status != expected)
        fail_msg("%s where %s was expected: %s", nv_status_text(status), nv_status_text(expected), error->text);
    if (strstr(error->text, word) == NULL)
        fail_msg("the message has no \"%s\": %s", word, error->text);
}

static const char members[] = "SELECT name, role, endpoints, certified FROM navette_member ORDER BY certified";

/* ---- founding and certifying ---- */

static void test_a_network_is_founded_once(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_certificate self = nv_pair_certificate(&pair->hub, "hub");
    nv_pair_check_text(pair->hub.tool, members, "hub|2|tcp://127.0.0.1:7420|2\nschool|1|tcp://127.0.0.1:7420|3\n");
    nv_pair_check_text(pair->hub.tool, "SELECT value FROM navette_meta WHERE name = 'network_name'", "the network\n");
    check_error(nv_authority_found(pair->hub.store, "again", &pair->authority, &pair->successor.public_key, &self,
                                   nv_pair_now, &error),
                NV_REFUSED, &error, "once");
    const struct nv_member *member = nv_store_member(pair->school.store, nv_store_identity(pair->school.store)->site);
    assert_non_null(member);
    assert_string_equal(member->name, "school");
    assert_string_equal(member->endpoint, "tcp://127.0.0.1:7420");
    assert_memory_equal(member->curve_key.bytes, pair->school.curve.public_key.bytes, 32);
}

/* A half-made network must not be left behind. */
static void test_founding_fails_whole(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    struct nv_error error;
    nv_pair_site_make(pair, &site, "other");
    struct nv_certificate self = nv_pair_certificate(&site, "");
    check_error(
        nv_authority_found(site.store, "n", &pair->authority, &pair->successor.public_key, &self, nv_pair_now, &error),
        NV_REFUSED, &error, "name");
    assert_false(nv_store_identity(site.store)->has_network);
    nv_pair_check_text(site.tool,
                       "SELECT count(*) FROM navette_changeset UNION ALL SELECT count(*) FROM navette_meta "
                       "WHERE name GLOB 'network*'",
                       "0\n0\n");
    nv_pair_site_close(&site);
}

static void test_certificates_are_judged(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site other;
    struct nv_error error = {0};
    struct nv_store *hub = pair->hub.store;
    nv_pair_site_make(pair, &other, "other");
    static const char *const new_endpoints[] = {"tcp://pantin.example:1", "tcp://pantin.example:2"};

    struct nv_certificate wanted = nv_pair_certificate(&other, "SCHOOL");
    check_error(nv_authority_certify(hub, &pair->authority, &wanted, nv_pair_now, &error), NV_REFUSED, &error, "name");
    wanted = nv_pair_certificate(&other, "other");
    wanted.sign_key = pair->school.sign.public_key;
    check_error(nv_authority_certify(hub, &pair->authority, &wanted, nv_pair_now, &error), NV_REFUSED, &error, "key");
    wanted = nv_pair_certificate(&other, "other");
    wanted.curve_key = pair->school.curve.public_key;
    check_error(nv_authority_certify(hub, &pair->authority, &wanted, nv_pair_now, &error), NV_REFUSED, &error, "key");
    wanted = nv_pair_certificate(&other, "other");
    wanted.site = nv_store_identity(pair->school.store)->site;
    check_error(nv_authority_certify(hub, &pair->authority, &wanted, nv_pair_now, &error), NV_REFUSED, &error,
                "other keys");
    wanted = nv_pair_certificate(&other, "other");
    check_error(nv_authority_certify(hub, &pair->hub.sign, &wanted, nv_pair_now, &error), NV_REFUSED, &error,
                "authority");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_changeset", "3\n");

    wanted = nv_pair_certificate(&pair->school, "school of Pantin");
    wanted.endpoint_count = 2;
    wanted.endpoints = new_endpoints;
    nv_pair_must(nv_authority_certify(hub, &pair->authority, &wanted, nv_pair_now, &error), &error);
    nv_pair_check_text(pair->hub.tool, members,
                       "hub|2|tcp://127.0.0.1:7420|2\n"
                       "school of Pantin|1|tcp://pantin.example:1\ntcp://pantin.example:2|3\n");
    assert_string_equal(nv_store_member(hub, wanted.site)->endpoint, new_endpoints[0]);
    nv_pair_deliver(&pair->hub, &pair->school);
    assert_string_equal(nv_store_member(pair->school.store, wanted.site)->name, "school of Pantin");
    nv_pair_site_close(&other);
}

static void check_take(struct nv_pair *pair, uint64_t seq, struct nv_buffer *op, const char *word)
{
    struct nv_error error = {0};
    struct nv_store *store = pair->school.store;
    nv_pair_must(nv_begin(store, &error), &error);
    check_error(nv_authority_take(store, seq, nv_buffer_slice(op), &error), NV_REFUSED, &error, word);
    nv_rollback(store);
    nv_buffer_clear(op);
}

/* What the authority's own key signs is judged all the same, alike at every site. */
static void test_ops_against_the_rules_are_no_ops(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_buffer op = {0};
    struct nv_genesis genesis = {"again", pair->authority.public_key, pair->successor.public_key};
    struct nv_error error;
    nv_genesis_encode(&genesis, nv_pair_now, &op);
    check_take(pair, 4, &op, "begun already");
    nv_genesis_encode(&genesis, nv_pair_now, &op);
    check_take(pair, 1, &op, "begun already");
    struct nv_certificate certificate = nv_pair_certificate(&pair->hub, "school");
    nv_certificate_encode(&certificate, nv_pair_now, &op);
    check_take(pair, 4, &op, "name");
    struct nv_op put = {.kind = NV_OP_DELETE, .table = 1, .key = {(const uint8_t *)"\3\1a", 3}};
    nv_op_encode(&put, &op);
    check_take(pair, 4, &op, "no records");

    nv_pair_must(nv_begin(pair->school.store, &error), &error);
    nv_pair_must(
        nv_db_exec(nv_store_db(pair->school.store), "DELETE FROM navette_meta WHERE name = 'network_name'", &error),
        &error);
    genesis.authority_key = pair->successor.public_key;
    nv_genesis_encode(&genesis, nv_pair_now, &op);
    assert_int_equal(nv_authority_take(pair->school.store, 1, nv_buffer_slice(&op), &error), NV_REFUSED);
    nv_buffer_clear(&op);
    nv_certificate_encode(&certificate, nv_pair_now, &op);
    check_error(nv_authority_take(pair->school.store, 1, nv_buffer_slice(&op), &error), NV_REFUSED, &error, "before");
    nv_rollback(pair->school.store);
    nv_buffer_done(&op);
}

/* ---- adopting ---- */

struct log_copy {
    struct nv_buffer bytes;
    struct nv_slice changesets[BATCH];
    size_t count;
};

static void copy_log(struct nv_store *store, struct log_copy *copy)
{
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH];
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    nv_pair_must(nv_store_read_for(store, NULL, 0, NULL, &cursor, SIZE_MAX, &copy->bytes, ends, heads, BATCH,
                                   &copy->count, &done, &error),
                 &error);
    for (size_t i = 0, start = 0; i < copy->count; start = ends[i++])
        copy->changesets[i] = (struct nv_slice){copy->bytes.data + start, ends[i] - start};
}

static const char what_stays_empty[] =
    "SELECT count(*) FROM navette_changeset UNION ALL SELECT count(*) FROM navette_member "
    "UNION ALL SELECT count(*) FROM navette_meta WHERE name GLOB 'network*'";

static void check_not_adopted(struct nv_pair_site *site, const struct nv_public_key *authority,
                              const struct nv_slice *changesets, size_t count, const char *word)
{
    struct nv_error error = {0};
    check_error(nv_authority_adopt(site->store, authority, changesets, count, nv_pair_now, &error), NV_REFUSED, &error,
                word);
    assert_false(nv_store_identity(site->store)->has_network);
    nv_pair_check_text(site->tool, what_stays_empty, "0\n0\n0\n");
}

static void test_a_new_site_believes_the_invitations_key_alone(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    struct log_copy copy = {0};
    struct nv_error error;
    const struct nv_public_key *authority = &pair->authority.public_key;
    nv_pair_site_make(pair, &site, "new");
    copy_log(pair->hub.store, &copy);
    check_not_adopted(&site, authority, copy.changesets, copy.count, "no site of ours");
    nv_buffer_clear(&copy.bytes);
    struct nv_certificate certificate = nv_pair_certificate(&site, "new");
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &certificate, nv_pair_now, &error), &error);
    copy_log(pair->hub.store, &copy);
    assert_int_equal(copy.count, 4);

    check_not_adopted(&site, &pair->successor.public_key, copy.changesets, copy.count, "another authority");
    check_not_adopted(&site, authority, copy.changesets, 0, "beginning");
    check_not_adopted(&site, authority, copy.changesets + 1, 3, "chain");
    struct nv_slice without_second[] = {copy.changesets[0], copy.changesets[2], copy.changesets[3]};
    check_not_adopted(&site, authority, without_second, 3, "chain");
    nv_store_set_signer(site.store, &pair->hub.sign);
    check_not_adopted(&site, authority, copy.changesets, copy.count, "other keys");
    nv_store_set_signer(site.store, &site.sign);
    for (size_t place = 0; place < copy.bytes.size; place += 7) {
        copy.bytes.data[place] ^= 1;
        check_not_adopted(&site, authority, copy.changesets, copy.count, "");
        copy.bytes.data[place] ^= 1;
    }
    nv_pair_must(nv_authority_adopt(site.store, authority, copy.changesets, copy.count, nv_pair_now, &error), &error);
    assert_true(nv_store_identity(site.store)->has_network);
    assert_string_equal(nv_store_member(site.store, certificate.site)->name, "new");
    /* The same answer once more, and one of another network. */
    nv_pair_must(nv_authority_adopt(site.store, authority, copy.changesets, copy.count, nv_pair_now, &error), &error);
    check_error(
        nv_authority_adopt(site.store, &pair->successor.public_key, copy.changesets, copy.count, nv_pair_now, &error),
        NV_REFUSED, &error, "another network");
    assert_true(nv_store_identity(site.store)->has_network);
    nv_buffer_done(&copy.bytes);
    nv_pair_site_close(&site);
}

/* The next changeset of the authority log, signed by the authority whatever it holds. */
static struct forged next_of_authority(struct nv_pair *pair, const struct nv_slice *op)
{
    struct forged forged = forged_begin(pair);
    const struct nv_log *authority = nv_authority_log(pair->hub.store);
    forged.header.log = authority->id;
    forged.header.seq = authority->has_seq + 1;
    forged.header.previous = authority->has_hash;
    forged.header.authority_seq = 0;
    forged.header.authority_pin = (struct nv_pin){{0}};
    forged.header.absolute = false;
    forged.key = &pair->authority;
    forged_sign_ops(&forged, op, 1);
    return forged;
}

/* All of it verifies, and yet it cannot be taken up to its end: then the site is in no network, as before. */
static void test_a_log_is_adopted_whole_or_not_at_all(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    struct log_copy copy = {0};
    struct nv_buffer op = {0};
    struct nv_error error;
    const struct nv_public_key *authority = &pair->authority.public_key;
    nv_pair_site_make(pair, &site, "new");
    struct nv_certificate certificate = nv_pair_certificate(&site, "hub"); /* a name that is taken */
    nv_certificate_encode(&certificate, nv_pair_now, &op);
    struct nv_slice slice = nv_buffer_slice(&op);
    struct forged wrong = next_of_authority(pair, &slice);
    copy_log(pair->hub.store, &copy);
    copy.changesets[copy.count] = nv_buffer_slice(&wrong.bytes);
    check_not_adopted(&site, authority, copy.changesets, copy.count + 1, "against the rules");

    certificate.name = "new";
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &certificate, nv_pair_now, &error), &error);
    static const struct nv_slice newer_op = {(const uint8_t *)"\x08\x63", 2};
    struct forged newer = next_of_authority(pair, &newer_op);
    nv_buffer_clear(&copy.bytes);
    copy_log(pair->hub.store, &copy);
    copy.changesets[copy.count] = nv_buffer_slice(&newer.bytes);
    check_error(nv_authority_adopt(site.store, authority, copy.changesets, copy.count + 1, nv_pair_now, &error),
                NV_NOT_YET, &error, "cannot be taken here yet");
    assert_false(nv_store_identity(site.store)->has_network);
    nv_pair_check_text(site.tool, what_stays_empty, "0\n0\n0\n");
    nv_pair_must(nv_authority_adopt(site.store, authority, copy.changesets, copy.count, nv_pair_now, &error), &error);
    nv_buffer_done(&op);
    nv_buffer_done(&copy.bytes);
    forged_done(&wrong);
    forged_done(&newer);
    nv_pair_site_close(&site);
}

/* ---- invitations ---- */

static struct nv_invitation invite(struct nv_pair *pair, uint64_t number, const char *name, enum nv_role role)
{
    struct nv_error error;
    struct nv_invitation invitation = {.number = number,
                                       .endpoint = "tcp://127.0.0.1:7421",
                                       .hub_curve_key = pair->hub.curve.public_key,
                                       .authority_key = pair->authority.public_key,
                                       .expires = {nv_pair_now.ms + DAY_MS}};
    nv_random(invitation.secret, sizeof invitation.secret);
    nv_pair_must(nv_invitation_keep(pair->hub.store, &invitation, name, role, &error), &error);
    return invitation;
}

/* Asks at `now`, with the secret of the invitation; the reply is decoded into `arena`. */
static struct nv_enrol_reply ask(struct nv_pair *pair, const struct nv_pair_site *site, const char *name,
                                 const struct nv_invitation *invitation, struct nv_wall_ms now, struct nv_arena *arena)
{
    struct nv_buffer request = {0}, reply = {0};
    struct nv_enrol_reply decoded;
    struct nv_error error;
    struct nv_certificate wanted = nv_pair_certificate(site, name);
    wanted.role = NV_ROLE_HUB; /* not its to say */
    nv_enrol_request_encode(&wanted, invitation->number, invitation->secret, &site->sign, &request);
    nv_pair_must(nv_authority_enrol(pair->hub.store, &pair->authority, nv_buffer_slice(&request), now, &reply, &error),
                 &error);
    uint8_t *bytes = nv_arena_alloc(arena, reply.size);
    memcpy(bytes, reply.data, reply.size);
    nv_pair_must(nv_enrol_reply_decode((struct nv_slice){bytes, reply.size}, arena, &decoded, &error), &error);
    nv_buffer_done(&request);
    nv_buffer_done(&reply);
    return decoded;
}

static void check_not_admitted(struct nv_pair *pair, const struct nv_pair_site *site, const char *name,
                               const struct nv_invitation *invitation, struct nv_wall_ms now, const char *word)
{
    struct nv_arena arena = {.limit = 1 << 20};
    char *before = nv_pair_text(pair->hub.tool, members);
    struct nv_enrol_reply reply = ask(pair, site, name, invitation, now, &arena);
    assert_false(reply.admitted);
    assert_int_equal(reply.authority_count, 0);
    if (strstr(reply.text, word) == NULL)
        fail_msg("the answer has no \"%s\": %s", word, reply.text);
    nv_pair_check_text(pair->hub.tool, members, before);
    nv_arena_done(&arena);
    free(before);
}

static void check_admitted(struct nv_pair *pair, const struct nv_pair_site *site, const char *name,
                           const struct nv_invitation *invitation, struct nv_wall_ms now, size_t changesets)
{
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_enrol_reply reply = ask(pair, site, name, invitation, now, &arena);
    if (!reply.admitted)
        fail_msg("not admitted: %s", reply.text);
    assert_int_equal(reply.authority_count, changesets);
    nv_pair_must(nv_authority_adopt(site->store, &invitation->authority_key, reply.authority, reply.authority_count,
                                    now, &error),
                 &error);
    nv_arena_done(&arena);
}

static void test_a_site_is_enrolled_once_by_one_invitation(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site first, second;
    nv_pair_site_make(pair, &first, "first");
    nv_pair_site_make(pair, &second, "second");
    struct nv_invitation invitation = invite(pair, 7, "first", NV_ROLE_SITE);
    struct nv_wall_ms late = {nv_pair_now.ms + 2 * DAY_MS};

    struct nv_invitation wrong = invitation;
    wrong.secret[0] ^= 1;
    check_not_admitted(pair, &first, "first", &wrong, nv_pair_now, "no such invitation");
    wrong = invitation;
    wrong.number = 8;
    check_not_admitted(pair, &first, "first", &wrong, nv_pair_now, "no such invitation");
    check_not_admitted(pair, &first, "first", &invitation, late, "expired");

    check_admitted(pair, &first, "first", &invitation, nv_pair_now, 4);
    nv_pair_check_text(pair->hub.tool, "SELECT name, role FROM navette_member WHERE certified = 4", "first|1\n");
    /* The answer was lost: the same one again, also after the day it was good for. */
    check_admitted(pair, &first, "first", &invitation, nv_pair_now, 4);
    check_admitted(pair, &first, "first", &invitation, late, 4);
    check_not_admitted(pair, &second, "second", &invitation, nv_pair_now, "another site");

    invitation = invite(pair, 9, "second hub", NV_ROLE_HUB);
    check_admitted(pair, &second, "second hub", &invitation, nv_pair_now, 5);
    nv_pair_check_text(pair->hub.tool, "SELECT name, role FROM navette_member WHERE certified = 5", "second hub|2\n");
    nv_pair_site_close(&first);
    nv_pair_site_close(&second);
}

static void test_what_an_invitation_cannot_do(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    struct nv_error error;
    nv_pair_site_make(pair, &site, "site");
    struct nv_invitation invitation = invite(pair, 1, "School", NV_ROLE_SITE);
    check_not_admitted(pair, &site, "School", &invitation, nv_pair_now, "name");
    /* Nobody takes a site's place by its id. */
    invitation = invite(pair, 2, "thief", NV_ROLE_SITE);
    struct nv_pair_site thief = site;
    thief.store = pair->school.store;
    check_not_admitted(pair, &thief, "thief", &invitation, nv_pair_now, "other keys");
    /* Nor by its key. */
    thief = site;
    thief.sign = pair->school.sign;
    check_not_admitted(pair, &thief, "thief", &invitation, nv_pair_now, "key");
    /* What fails leaves the invitation good. */
    check_admitted(pair, &site, "thief", &invitation, nv_pair_now, 4);

    struct nv_buffer reply = {0};
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_enrol_reply decoded;
    nv_pair_must(nv_authority_enrol(pair->hub.store, &pair->authority, (struct nv_slice){(const uint8_t *)"garbage", 7},
                                    nv_pair_now, &reply, &error),
                 &error);
    nv_pair_must(nv_enrol_reply_decode(nv_buffer_slice(&reply), &arena, &decoded, &error), &error);
    assert_false(decoded.admitted);
    nv_buffer_done(&reply);
    nv_arena_done(&arena);
    nv_pair_site_close(&site);
}

static void test_nobody_but_the_authority_certifies_and_invites_by_good_names(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site lonely;
    struct nv_error error;
    struct nv_invitation invitation = {.number = 1};
    nv_pair_site_make(pair, &lonely, "lonely");
    struct nv_certificate certificate = nv_pair_certificate(&lonely, "lonely");
    check_error(nv_authority_certify(lonely.store, &pair->authority, &certificate, nv_pair_now, &error), NV_REFUSED,
                &error, "not the key of this network's authority");
    check_error(nv_authority_certify(pair->hub.store, &pair->successor, &certificate, nv_pair_now, &error), NV_REFUSED,
                &error, "not the key of this network's authority");
    check_error(nv_invitation_keep(pair->hub.store, &invitation, "", NV_ROLE_SITE, &error), NV_REFUSED, &error, "name");
    check_error(nv_invitation_keep(pair->hub.store, &invitation, "two\nlines", NV_ROLE_SITE, &error), NV_REFUSED,
                &error, "name");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_invitation", "0\n");
    nv_pair_site_close(&lonely);
}

/* It lost one of its keys, and asks again with another one: nobody could tell it from a thief. */
static void test_a_site_with_another_transport_key_is_another_site(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    nv_pair_site_make(pair, &site, "new");
    struct nv_invitation invitation = invite(pair, 7, "new", NV_ROLE_SITE);
    check_admitted(pair, &site, "new", &invitation, nv_pair_now, 4);
    struct nv_pair_site again = site;
    again.curve.public_key.bytes[0] ^= 1;
    check_not_admitted(pair, &again, "new", &invitation, nv_pair_now, "other keys");
    nv_pair_site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_network_is_founded_once, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_founding_fails_whole, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_certificates_are_judged, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_ops_against_the_rules_are_no_ops, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_new_site_believes_the_invitations_key_alone, nv_pair_setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_log_is_adopted_whole_or_not_at_all, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_site_is_enrolled_once_by_one_invitation, nv_pair_setup,
                                        nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_what_an_invitation_cannot_do, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_but_the_authority_certifies_and_invites_by_good_names,
                                        nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(test_a_site_with_another_transport_key_is_another_site, nv_pair_setup,
                                        nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
