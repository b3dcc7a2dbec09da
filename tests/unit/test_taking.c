/* Groups, removals, revocations and new beginnings at the authority: what the ops name, what is taken of whom then, and
 * how a site comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "forged.h"
#include "store/care.h"
#include "store/internal.h"
#include "store/log.h"
#include "store/log/logs.h"
#include "store/trust/state.h"

enum { DAY_MS = 86400000 };

static void check_error(enum nv_status status, enum nv_status expected, const struct nv_error *error, const char *word)
{
    if (status != expected)
        fail_msg("%s where %s was expected: %s", nv_status_text(status), nv_status_text(expected), error->text);
    if (strstr(error->text, word) == NULL)
        fail_msg("the message has no \"%s\": %s", word, error->text);
}

static struct nv_site_id site_of(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->site;
}

static struct nv_scope_id make_group(struct nv_pair *pair, const char *name)
{
    char scope_name[NV_SCOPE_TEXT];
    struct nv_scope_id scope = {{0}};
    struct nv_error error;
    nv_pair_must(nv_authority_group(pair->hub.store, &pair->authority, name, nv_pair_now, &error), &error);
    snprintf(scope_name, sizeof scope_name, "group/%s", name);
    nv_pair_must(nv_scope_from_name(pair->hub.store, scope_name, &scope, &error), &error);
    return scope;
}

static void revoke(struct nv_pair *pair, struct nv_site_id site)
{
    struct nv_error error;
    nv_pair_must(nv_authority_revoke(pair->hub.store, &pair->authority, site, nv_pair_now, &error), &error);
}

/* Offers it to the hub as it is signed now. */
static void check(const char *what, struct forged *forged, enum nv_verdict verdict, enum nv_reason reason)
{
    struct nv_error error;
    forged_sign(forged, "");
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged->bytes)};
    nv_pair_must(nv_store_ingest(forged->pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    if (incoming.verdict != verdict || incoming.reason != reason)
        fail_msg("%s: verdict %d, reason %s: %s", what, incoming.verdict, nv_reason_name(incoming.reason),
                 incoming.text);
}

/* Names the newest authority position. */
static void renew_position(struct forged *forged)
{
    const struct nv_log *authority = nv_authority_log(forged->pair->hub.store);
    forged->header.authority_seq = authority->applied_seq;
    forged->header.authority_pin = nv_pin_of(&authority->applied_hash);
}

/* ---- groups ---- */

static void groups_are_made_once_and_list_members(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_store *hub = pair->hub.store;
    struct nv_site_id school = site_of(&pair->school), nobody = {{7}};
    struct nv_error error = {0};
    struct nv_scope_id nord = make_group(pair, "nord");
    const struct nv_sign_key *key = &pair->authority;
    check_error(nv_authority_group(hub, key, "NORD", nv_pair_now, &error), NV_REFUSED, &error, "named nord");
    check_error(nv_authority_group(hub, key, "", nv_pair_now, &error), NV_REFUSED, &error, "name");
    check_error(nv_authority_group(hub, &pair->successor, "sud", nv_pair_now, &error), NV_REFUSED, &error, "authority");
    check_error(nv_authority_add_reader(hub, key, nord, nobody, nv_pair_now, &error), NV_REFUSED, &error, "no member");
    check_error(nv_authority_add_reader(hub, key, NV_SCOPE_NETWORK, school, nv_pair_now, &error), NV_REFUSED, &error,
                "no group");
    check_error(nv_authority_remove_reader(hub, key, nord, school, nv_pair_now, &error), NV_REFUSED, &error,
                "in which it is not");
    nv_pair_must(nv_authority_add_reader(hub, key, nord, school, nv_pair_now, &error), &error);
    check_error(nv_authority_add_reader(hub, key, nord, school, nv_pair_now, &error), NV_REFUSED, &error, "already");
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_changeset", "5\n");

    nv_pair_deliver(&pair->hub, &pair->school);
    assert_true(nv_right_reads(pair->school.store, nord, school, 5));
    assert_false(nv_right_reads(pair->school.store, nord, school, 4));
    assert_false(nv_right_reads(pair->school.store, nord, site_of(&pair->hub), 5));
    assert_true(nv_right_carries(pair->school.store, nord, site_of(&pair->hub), 5));
    assert_string_equal(nv_scope_find(pair->school.store, nord)->name, "group/nord");
    assert_int_equal(nv_scope_find(pair->school.store, nord)->made, 4);
}

static void a_network_has_so_many_groups(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    char sql[300];
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO navette_group(scope, name, made) SELECT randomblob(16), 'g' || i, 3 FROM n",
             NV_LIMIT_GROUPS);
    nv_pair_sql(&pair->hub, sql);
    nv_store_close(pair->hub.store);
    nv_pair_must(nv_store_open(pair->hub.path, &pair->hub.store, &error), &error);
    make_group(pair, "the last one");
    check_error(nv_authority_group(pair->hub.store, &pair->authority, "one more", nv_pair_now, &error), NV_REFUSED,
                &error, "as many as one may have");
}

/* ---- certificates ---- */

static void try_id(struct nv_pair *pair, struct nv_pair_site *other, const uint8_t bytes[16])
{
    struct nv_error error = {0};
    struct nv_certificate wanted = nv_pair_certificate(other, "other");
    memcpy(wanted.site.bytes, bytes, 16);
    check_error(nv_authority_certify(pair->hub.store, &pair->authority, &wanted, nv_pair_now, &error), NV_REFUSED,
                &error, "means something else");
}

/* A site whose id is that of a group would read the group, as its own scope. */
static void no_site_has_the_id_of_another_scope(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site other;
    struct nv_scope_id nord = make_group(pair, "nord");
    nv_pair_site_make(pair, &other, "other");
    try_id(pair, &other, nord.bytes);
    try_id(pair, &other, NV_SCOPE_AUTHORITY.bytes);
    try_id(pair, &other, NV_SCOPE_NETWORK.bytes);
    try_id(pair, &other, pair->authority.public_key.bytes);
    nv_pair_site_close(&other);
}

static void who_begins_anew_has_other_keys_from_there_on(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site again;
    struct nv_error error;
    struct nv_site_id school = site_of(&pair->school);
    struct nv_scope_id nord = make_group(pair, "nord");
    nv_pair_must(nv_authority_add_reader(pair->hub.store, &pair->authority, nord, school, nv_pair_now, &error), &error);
    struct forged old = forged_begin(pair), new = forged_begin(pair);
    check("the first", &old, NV_VERDICT_TAKEN, NV_REASON_NONE);
    nv_pair_site_make(pair, &again, "again");
    struct nv_certificate certificate = nv_pair_certificate(&again, "school");
    certificate.site = school;
    certificate.anew = true;
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &certificate, nv_pair_now, &error), &error);
    assert_memory_equal(nv_right_sign_key(pair->hub.store, school, 5), &pair->school.sign.public_key, 32);
    assert_memory_equal(nv_right_sign_key(pair->hub.store, school, 6), &again.sign.public_key, 32);
    assert_memory_equal(&nv_store_member(pair->hub.store, school)->curve_key, &again.curve.public_key, 32);
    assert_true(nv_right_reads(pair->hub.store, nord, school, NV_POSITION_NOW));

    /* Each header by the key of its position. */
    forged_follow(&old);
    check("an old key at an old position", &old, NV_VERDICT_TAKEN, NV_REASON_NONE);
    forged_follow(&old);
    old.key = &again.sign;
    check("the new key at an old position", &old, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    renew_position(&new);
    check("the old key at the new position", &new, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    new.key = &again.sign;
    check("the new key", &new, NV_VERDICT_TAKEN, NV_REASON_NONE);

    const struct nv_taking *taking = nv_taking_next(pair->hub.store, school, nord, NULL);
    assert_true(taking->position == 6 && taking->head_count == 1);
    assert_int_equal(nv_taking_head(taking, &old.header.log)->seq, 1);
    struct nv_verified verified;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    if (verified.bad > 0)
        fail_msg("%s", verified.first);
    forged_done(&old);
    forged_done(&new);
    nv_pair_site_close(&again);
}

/* ---- what is taken away ---- */

static void a_revocation_names_every_log_of_the_site(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_site_id school = site_of(&pair->school), hub = site_of(&pair->hub);
    struct nv_error error = {0};
    const struct nv_taking *taking;
    struct forged first = forged_begin(pair), second = forged_begin(pair), others = forged_begin(pair);
    check("a log", &first, NV_VERDICT_TAKEN, NV_REASON_NONE);
    forged_follow(&first);
    check("its second", &first, NV_VERDICT_TAKEN, NV_REASON_NONE);
    check("another log", &second, NV_VERDICT_TAKEN, NV_REASON_NONE);
    others.header.log.site = hub;
    others.key = &pair->hub.sign;
    check("another site's log", &others, NV_VERDICT_TAKEN, NV_REASON_NONE);

    revoke(pair, school);
    check_error(nv_authority_revoke(pair->hub.store, &pair->authority, school, nv_pair_now, &error), NV_REFUSED, &error,
                "no member");
    nv_pair_deliver(&pair->hub, &pair->school);
    for (size_t i = 0; i < 2; i++) {
        const struct nv_store *store = i == 0 ? pair->hub.store : pair->school.store;
        assert_null(nv_store_member(store, school));
        assert_string_equal(nv_store_site_name(store, school), "school");
        taking = nv_taking_next(store, school, NV_SCOPE_NETWORK, NULL);
        assert_non_null(taking);
        assert_null(nv_taking_next(store, school, NV_SCOPE_NETWORK, taking));
        assert_null(nv_taking_next(store, hub, NV_SCOPE_NETWORK, NULL));
        assert_int_equal(taking->position, 4);
        assert_int_equal(taking->head_count, 2);
        const struct nv_far_head *head = nv_taking_head(taking, &first.header.log);
        struct nv_pin pin = nv_pin_of(&first.hash);
        assert_int_equal(head->seq, 2);
        assert_memory_equal(&head->pin, &pin, sizeof pin);
        assert_int_equal(nv_taking_head(taking, &second.header.log)->seq, 1);
        assert_null(nv_taking_head(taking, &others.header.log));
    }
    forged_done(&first);
    forged_done(&second);
    forged_done(&others);
}

static void a_removal_names_the_logs_of_its_scope(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_site_id school = site_of(&pair->school);
    struct nv_error error;
    struct nv_heads cuts = {0};
    struct nv_scope_id nord = make_group(pair, "nord");
    nv_pair_must(nv_authority_add_reader(pair->hub.store, &pair->authority, nord, school, nv_pair_now, &error), &error);
    struct forged forged = forged_begin(pair);
    check("of the network", &forged, NV_VERDICT_TAKEN, NV_REASON_NONE);
    /* A log of the group, as it is once such logs are taken in. */
    struct nv_log_id id = {school, 77, nord};
    struct nv_log *log;
    nv_pair_must(nv_begin(pair->hub.store, &error), &error);
    nv_pair_must(nv_log_intern(pair->hub.store, &id, &log, &error), &error);
    log->has_seq = 5;
    log->has_hash.bytes[0] = 9;
    log->is_dirty = true;
    nv_pair_must(nv_commit(pair->hub.store, &error), &error);

    nv_pair_must(nv_authority_remove_reader(pair->hub.store, &pair->authority, nord, school, nv_pair_now, &error),
                 &error);
    const struct nv_taking *taking = nv_taking_next(pair->hub.store, school, nord, NULL);
    assert_true(taking->position == 6 && taking->head_count == 1);
    assert_int_equal(nv_taking_head(taking, &id)->seq, 5);
    assert_int_equal(nv_taking_head(taking, &id)->pin.bytes[0], 9);
    assert_null(nv_taking_next(pair->hub.store, school, NV_SCOPE_NETWORK, NULL));
    assert_false(nv_right_reads(pair->hub.store, nord, school, 6));
    assert_true(nv_right_reads(pair->hub.store, nord, school, 5));
    assert_true(nv_right_member(pair->hub.store, school, 6));

    nv_pair_must(nv_cuts_of(pair->hub.store, school, NULL, &cuts, &error), &error);
    assert_int_equal(cuts.count, 2);
    nv_heads_done(&cuts);
    forged_done(&forged);
}

/* ---- what is taken of whom ---- */

static void who_was_revoked_is_judged_by_position(void **state)
{
    struct nv_pair *pair = *state;
    struct forged before = forged_begin(pair), after = forged_begin(pair);
    check("a member's", &before, NV_VERDICT_TAKEN, NV_REASON_NONE);
    revoke(pair, site_of(&pair->school));
    renew_position(&after);
    check("at the position of its revocation", &after, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    struct nv_verified verified;
    struct nv_error error;
    nv_pair_must(nv_store_verify(pair->hub.store, &verified, NULL, &error), &error);
    assert_int_equal(verified.bad, 0);
    forged_done(&before);
    forged_done(&after);
}

static void a_scope_is_written_by_who_reads_it(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_site_id school = site_of(&pair->school), hub = site_of(&pair->hub);
    struct nv_error error;
    struct forged forged = forged_begin(pair);
    struct nv_scope_id nord = make_group(pair, "nord");
    forged.header.log.scope = nord;
    check("before the group was made", &forged, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    renew_position(&forged);
    check("by a member that is not in it", &forged, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    nv_pair_must(nv_authority_add_reader(pair->hub.store, &pair->authority, nord, school, nv_pair_now, &error), &error);
    check("before it was listed", &forged, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    renew_position(&forged);
    forged.key = &pair->hub.sign;
    check("by somebody else's hand", &forged, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    memcpy(forged.header.log.scope.bytes, hub.bytes, 16);
    forged.key = &pair->school.sign;
    check("in another site's own scope", &forged, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    forged_done(&forged);
}

/* ---- coming back ---- */

static struct nv_invitation invite(struct nv_pair *pair, uint64_t number, const char *name)
{
    struct nv_error error;
    struct nv_invitation invitation = {.number = number,
                                       .endpoint = "tcp://127.0.0.1:7421",
                                       .hub_curve_key = pair->hub.curve.public_key,
                                       .authority_key = pair->authority.public_key,
                                       .expires = {nv_pair_now.ms + DAY_MS}};
    nv_random(invitation.secret, sizeof invitation.secret);
    nv_pair_must(nv_invitation_keep(pair->hub.store, &invitation, name, NV_ROLE_SITE, &error), &error);
    return invitation;
}

/* The site asks and, where it is admitted, takes up the answer. `word`: of the refusal; NULL: it must be admitted. */
static void ask(struct nv_pair *pair, const struct nv_pair_site *site, const struct nv_invitation *invitation,
                const char *word)
{
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_buffer request = {0}, reply = {0};
    struct nv_enrol_reply decoded;
    struct nv_error error;
    struct nv_certificate wanted = nv_pair_certificate(site, "whatever");
    nv_enrol_request_encode(&wanted, invitation->number, invitation->secret, &site->sign, &request);
    nv_pair_must(
        nv_authority_enrol(pair->hub.store, &pair->authority, nv_buffer_slice(&request), nv_pair_now, &reply, &error),
        &error);
    nv_pair_must(nv_enrol_reply_decode(nv_buffer_slice(&reply), &arena, &decoded, &error), &error);
    if (decoded.admitted != (word == NULL) || (word != NULL && strstr(decoded.text, word) == NULL))
        fail_msg("the answer: %s", decoded.text);
    if (decoded.admitted)
        nv_pair_must(nv_authority_adopt(site->store, &invitation->authority_key, decoded.authority,
                                        decoded.authority_count, nv_pair_now, &error),
                     &error);
    nv_arena_done(&arena);
    nv_buffer_done(&request);
    nv_buffer_done(&reply);
}

static void who_was_revoked_comes_back_by_a_new_invitation(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    struct nv_error error;
    nv_pair_site_make(pair, &site, "new");
    struct nv_invitation first = invite(pair, 1, "new"), unused = invite(pair, 2, "spare");
    ask(pair, &site, &first, NULL);
    ask(pair, &site, &unused, "a member of the network already");
    struct nv_scope_id nord = make_group(pair, "nord");
    nv_pair_must(nv_authority_add_reader(pair->hub.store, &pair->authority, nord, site_of(&site), nv_pair_now, &error),
                 &error);
    revoke(pair, site_of(&site));
    /* The invitation that it was given is used up; its id and its keys are nobody else's. */
    ask(pair, &site, &first, "ask for a new one");
    struct nv_pair_site thief = site;
    thief.sign = pair->successor;
    ask(pair, &thief, &unused, "other keys");
    struct nv_certificate plain = nv_pair_certificate(&site, "new");
    check_error(nv_authority_certify(pair->hub.store, &pair->authority, &plain, nv_pair_now, &error), NV_REFUSED,
                &error, "begin anew");
    struct nv_certificate key_thief = nv_pair_certificate(&site, "thief");
    key_thief.site.bytes[0] ^= 1;
    check_error(nv_authority_certify(pair->hub.store, &pair->authority, &key_thief, nv_pair_now, &error), NV_REFUSED,
                &error, "or had it");
    assert_null(nv_store_member(pair->hub.store, site_of(&site)));

    struct nv_invitation second = invite(pair, 3, "new again");
    ask(pair, &site, &second, NULL);
    assert_string_equal(nv_store_member(site.store, site_of(&site))->name, "new again");
    assert_false(nv_right_member(site.store, site_of(&site), 7));
    assert_true(nv_right_member(site.store, site_of(&site), 8));
    assert_false(nv_right_reads(site.store, nord, site_of(&site), 8));
    nv_pair_site_close(&site);
}

/* Two sites of one name, one after the other. */
static void a_name_that_is_free_again_is_the_next_ones(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    struct nv_error error;
    struct nv_scope_id scope;
    char text[NV_SCOPE_TEXT];
    struct nv_site_id old = site_of(&pair->school);
    revoke(pair, old);
    nv_pair_must(nv_scope_from_name(pair->hub.store, "site/school", &scope, &error), &error);
    assert_memory_equal(scope.bytes, old.bytes, 16);
    nv_pair_site_make(pair, &site, "new");
    struct nv_certificate certificate = nv_pair_certificate(&site, "School");
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &certificate, nv_pair_now, &error), &error);
    nv_pair_must(nv_scope_from_name(pair->hub.store, "site/school", &scope, &error), &error);
    assert_memory_equal(scope.bytes, site_of(&site).bytes, 16);
    memcpy(scope.bytes, old.bytes, 16);
    nv_scope_name(pair->hub.store, scope, text);
    assert_int_equal(strlen(text), 32);
    assert_string_equal(nv_store_site_name(pair->hub.store, old), "school");
    nv_pair_site_close(&site);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_pair_setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_are_made_once_and_list_members),
        TEST(a_network_has_so_many_groups),
        TEST(no_site_has_the_id_of_another_scope),
        TEST(who_begins_anew_has_other_keys_from_there_on),
        TEST(a_revocation_names_every_log_of_the_site),
        TEST(a_removal_names_the_logs_of_its_scope),
        TEST(who_was_revoked_is_judged_by_position),
        TEST(a_scope_is_written_by_who_reads_it),
        TEST(who_was_revoked_comes_back_by_a_new_invitation),
        TEST(a_name_that_is_free_again_is_the_next_ones),
    };
    return cmocka_run_group_tests_name("taking rights away", tests, NULL, NULL);
}
