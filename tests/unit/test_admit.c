/* What a store takes of others: every rule of PROTOCOL.md, "Taking a changeset", by changesets that a member signed
 * with its own key and that break this one rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "store/log/logs.h"
#include "wire/changeset.h"

static struct nv_incoming offer_to(struct nv_store *store, struct nv_slice bytes)
{
    struct nv_incoming incoming = {.bytes = bytes};
    struct nv_error error;
    nv_pair_must(nv_store_ingest(store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    return incoming;
}

/* Signs, offers, and holds the hub's verdict to what it must be. */
static void check(const char *what, struct forged *forged, enum nv_verdict verdict, enum nv_reason reason)
{
    forged_sign(forged, "");
    struct nv_incoming incoming = offer_to(forged->pair->hub.store, nv_buffer_slice(&forged->bytes));
    if (incoming.verdict != verdict || incoming.reason != reason)
        fail_msg("%s: verdict %d, reason %s: %s", what, incoming.verdict, nv_reason_name(incoming.reason),
                 incoming.text);
    assert_true(verdict == NV_VERDICT_TAKEN || verdict == NV_VERDICT_KNOWN || strlen(incoming.text) > 10);
}

static void check_taken(struct forged *forged)
{
    check("a good one", forged, NV_VERDICT_TAKEN, NV_REASON_NONE);
}

static void check_forks(struct nv_pair *pair, const char *expected)
{
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_fork", expected);
}

static void a_good_one_is_taken_once(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    check_taken(&forged);
    struct nv_incoming again = offer_to(pair->hub.store, nv_buffer_slice(&forged.bytes));
    assert_int_equal(again.verdict, NV_VERDICT_KNOWN);
    forged_follow(&forged);
    check_taken(&forged);
    forged_follow(&forged);
    forged.header.seq++;
    check("one is missing before it", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.header.log.epoch = 7;
    check("all are missing before it", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged_done(&forged);
}

static void two_histories_are_seen_and_the_evidence_is_kept(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    check_taken(&forged);
    struct nv_hash first = forged.hash;
    forged.header.sealed.ms = 1;
    forged.key = &pair->hub.sign;
    check("another one at its place, by somebody else", &forged, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    check_forks(pair, "0\n");
    forged.key = &pair->school.sign;
    check("another one at its place", &forged, NV_VERDICT_REFUSED, NV_REASON_FORK);
    check_forks(pair, "1\n");
    check("the same once more", &forged, NV_VERDICT_REFUSED, NV_REASON_FORK);
    check_forks(pair, "1\n");
    /* What builds on the other history. */
    forged_follow(&forged);
    forged.key = &pair->hub.sign;
    check("on another history, by somebody else", &forged, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    forged.key = &pair->school.sign;
    check("on another history", &forged, NV_VERDICT_REFUSED, NV_REASON_CHAIN);
    check_forks(pair, "2\n");
    forged.header.previous = first;
    check_taken(&forged);
    forged_done(&forged);
}

/* The evidence is judged like all else: it may be of a position that has not arrived. */
static void a_fork_whose_signer_cannot_be_judged_yet_waits(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    check_taken(&forged);
    forged.header.authority_seq += 5;
    check("another one at its place", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged_follow(&forged);
    check("on another history", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    check_forks(pair, "0\n");
    forged_done(&forged);
}

static struct nv_pin pin_at(struct nv_pair *pair, uint64_t seq)
{
    int64_t changeset;
    struct nv_hash hash;
    struct nv_error error;
    nv_pair_must(
        nv_changeset_at(pair->hub.store, nv_authority_log(pair->hub.store)->number, seq, &changeset, &hash, &error),
        &error);
    return nv_pin_of(&hash);
}

static void the_authority_position_says_who_may_sign(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    struct nv_header good = forged.header;
    forged.header.authority_seq++;
    check("a position to come", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.header = good;
    forged.header.authority_pin.bytes[15] ^= 1;
    check("another header at the newest position", &forged, NV_VERDICT_REFUSED, NV_REASON_AUTHORITY);
    forged.header = good;
    forged.header.authority_seq = 1;
    check("another header at an older position", &forged, NV_VERDICT_REFUSED, NV_REASON_AUTHORITY);
    forged.header.authority_pin = pin_at(pair, 1);
    check("before it was certified", &forged, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    forged.header = good;
    forged.header.log.site.bytes[0] ^= 1;
    check("of a site that nobody knows", &forged, NV_VERDICT_REFUSED, NV_REASON_MEMBER);
    forged.header = good;
    forged.key = &pair->authority;
    check("by another key", &forged, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    forged.key = &pair->school.sign;
    check_taken(&forged);
    /* The position never sinks, although the older one would do. */
    nv_pair_publish(pair, "CREATE TABLE later(id TEXT NOT NULL PRIMARY KEY, name TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('later', 'network')");
    forged_follow(&forged);
    const struct nv_log *authority = nv_authority_log(pair->hub.store);
    forged.header.authority_seq = authority->applied_seq;
    forged.header.authority_pin = nv_pin_of(&authority->applied_hash);
    check_taken(&forged);
    forged_follow(&forged);
    forged.header.authority_seq = good.authority_seq;
    forged.header.authority_pin = good.authority_pin;
    check("a position that sinks", &forged, NV_VERDICT_REFUSED, NV_REASON_CHAIN);
    forged_done(&forged);
}

static void scopes_that_are_not_known_wait_and_another_authority_is_none(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    forged.header.log.scope.bytes[0] = 9;
    check("of a scope to come", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.header.log.scope = NV_SCOPE_AUTHORITY;
    forged.header.authority_seq = 0;
    forged.header.authority_pin = (struct nv_pin){{0}};
    check("of another authority", &forged, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    forged.header.log = nv_authority_log_id(pair->hub.store);
    forged.key = &pair->authority;
    forged.header.seq = nv_authority_log(pair->hub.store)->has_seq + 1;
    forged.header.previous = nv_authority_log(pair->hub.store)->has_hash;
    check_taken(&forged);
    forged_follow(&forged);
    forged.key = &pair->school.sign;
    check("of the authority, by a member", &forged, NV_VERDICT_REFUSED, NV_REASON_SIGNATURE);
    forged_done(&forged);
}

/* It was on its way when the site left the scope, or came before the op that makes the site a reader. Whoever may write
 * there: nothing of it is kept. */
static void what_this_site_does_not_carry_is_not_kept(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    forged.header.log.site = nv_store_identity(pair->hub.store)->site;
    memcpy(forged.header.log.scope.bytes, forged.header.log.site.bytes, sizeof forged.header.log.scope.bytes);
    forged.key = &pair->hub.sign;
    forged_sign(&forged, "");
    struct nv_incoming incoming = offer_to(pair->school.store, nv_buffer_slice(&forged.bytes));
    assert_int_equal(incoming.verdict, NV_VERDICT_WAITS);
    assert_non_null(strstr(incoming.text, "does not carry"));
    nv_pair_check_text(pair->school.tool, "SELECT count(*) FROM navette_log WHERE scope <> zeroblob(16)", "0\n");
    forged_done(&forged);
}

/* A log of the hub with two changesets that the school may name. */
static struct nv_far_head name_log_of_hub(struct nv_pair *pair, struct nv_pin *ret_first)
{
    struct forged forged = forged_begin(pair);
    forged.header.log.site = nv_store_identity(pair->hub.store)->site;
    forged.key = &pair->hub.sign;
    check_taken(&forged);
    *ret_first = nv_pin_of(&forged.hash);
    forged_follow(&forged);
    check_taken(&forged);
    struct nv_far_head head = {forged.header.log.site, forged.header.log.epoch, NV_SCOPE_NETWORK, 2,
                               nv_pin_of(&forged.hash)};
    forged_done(&forged);
    return head;
}

static void a_context_names_what_is_held_and_never_sinks(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pin first;
    struct nv_far_head head = name_log_of_hub(pair, &first);
    struct forged forged = forged_begin(pair);
    forged.header.absolute = false;
    check("not whole where it must be", &forged, NV_VERDICT_REFUSED, NV_REASON_CHAIN);
    forged.header.absolute = true;
    forged.header.context_count = 1;
    forged.context[0] = head;
    forged.context[0].epoch = 7;
    check("a log that has not arrived", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.context[0] = head;
    forged.context[0].seq = 3;
    check("a changeset that has not arrived", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.context[0] = head;
    forged.context[0].pin = first;
    check("another history at the newest place", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.context[0].seq = 1;
    forged.context[0].pin = head.pin;
    check("another history at an older place", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.context[0] = head;
    check_taken(&forged);
    forged_follow(&forged);
    forged.header.context_count = 1;
    forged.context[0].seq = 1;
    forged.context[0].pin = first;
    check("a head that sinks", &forged, NV_VERDICT_REFUSED, NV_REASON_CHAIN);
    forged.header.absolute = true;
    forged.header.context_count = 0;
    check("a head that is left out", &forged, NV_VERDICT_REFUSED, NV_REASON_CHAIN);
    forged.header.absolute = false;
    check_taken(&forged);
    /* The older one may be named by who knew no more. */
    struct forged other = forged_begin(pair);
    other.header.context_count = 1;
    other.context[0] = head;
    other.context[0].seq = 1;
    other.context[0].pin = first;
    check_taken(&other);
    forged_done(&other);
    forged_done(&forged);
}

static void a_body_that_was_changed_or_is_none_is_refused(void **state)
{
    struct nv_pair *pair = *state;
    struct forged one = forged_begin(pair), other = one;
    forged_sign(&one, "one op");
    forged_sign(&other, "another op");
    struct nv_changeset_parts parts, donor;
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&one.bytes), &parts, NULL), NV_OK);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&other.bytes), &donor, NULL), NV_OK);
    parts.body = donor.body;
    parts.compressed = donor.compressed;
    struct nv_buffer bytes = {0};
    nv_changeset_join(&parts, &bytes);
    struct nv_incoming incoming = offer_to(pair->hub.store, nv_buffer_slice(&bytes));
    assert_int_equal(incoming.verdict, NV_VERDICT_REFUSED);
    assert_int_equal(incoming.reason, NV_REASON_BODY);
    incoming = offer_to(pair->hub.store, nv_buffer_slice(&one.bytes));
    assert_int_equal(incoming.verdict, NV_VERDICT_TAKEN); /* its op is none: a no-op, and the signature holds */
    nv_buffer_done(&bytes);
    forged_done(&one);
    forged_done(&other);
}

static void bytes_that_are_no_changeset_are_refused_and_newer_ones_wait(void **state)
{
    struct nv_pair *pair = *state;
    static const uint8_t signature[64];
    static const uint8_t newer[] = {0x08, 0x05}, none[] = {0x08, 0x00};
    const struct {
        struct nv_slice header;
        enum nv_verdict verdict;
        enum nv_reason reason;
    } headers[] = {{{newer, sizeof newer}, NV_VERDICT_WAITS, NV_REASON_NONE},
                   {{none, sizeof none}, NV_VERDICT_REFUSED, NV_REASON_MALFORMED},
                   {{none, 0}, NV_VERDICT_REFUSED, NV_REASON_MALFORMED}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct nv_changeset_parts parts = {.header = headers[i].header, .signature = {signature, sizeof signature}};
        struct nv_buffer bytes = {0};
        nv_changeset_join(&parts, &bytes);
        struct nv_incoming incoming = offer_to(pair->hub.store, nv_buffer_slice(&bytes));
        assert_int_equal(incoming.verdict, headers[i].verdict);
        assert_int_equal(incoming.reason, headers[i].reason);
        nv_buffer_done(&bytes);
    }
}

static void a_site_without_a_network_lets_all_wait(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site lonely = {0};
    nv_pair_site_make(pair, &lonely, "lonely");
    struct forged forged = forged_begin(pair);
    forged_sign(&forged, "");
    struct nv_incoming incoming = offer_to(lonely.store, nv_buffer_slice(&forged.bytes));
    assert_int_equal(incoming.verdict, NV_VERDICT_WAITS);
    forged_done(&forged);
    nv_pair_site_close(&lonely);
}

/* The school begins logs as fast as it can. */
static void a_site_begins_so_many_logs_and_takes_nobody_elses_place(void **state)
{
    struct nv_pair *pair = *state;
    for (size_t i = 0; i < NV_LIMIT_LOGS_OF_SITE; i++) {
        struct forged forged = forged_begin(pair);
        check_taken(&forged);
        forged_done(&forged);
    }
    struct forged forged = forged_begin(pair);
    check("one log more", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged.header.log.site = nv_store_identity(pair->hub.store)->site;
    forged.key = &pair->hub.sign;
    check_taken(&forged);
    forged_done(&forged);
}

static void a_network_has_so_many_logs(void **state)
{
    struct nv_pair *pair = *state;
    size_t count = nv_log_count(pair->hub.store);
    char sql[400];
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT %zu UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
             "INSERT INTO navette_log(number, site, epoch, scope, has_seq, applied_seq) "
             "SELECT i, randomblob(16), i, randomblob(16), 1, 1 FROM n",
             count + 1, NV_LIMIT_LOGS - 1);
    nv_pair_sql(&pair->hub, sql);
    struct nv_error error;
    nv_store_close(pair->hub.store);
    nv_pair_must(nv_store_open(pair->hub.path, &pair->hub.store, &error), &error);
    struct forged last = forged_begin(pair), forged = forged_begin(pair);
    check_taken(&last);
    check("one log more than a network may have", &forged, NV_VERDICT_WAITS, NV_REASON_NONE);
    forged_follow(&last);
    check_taken(&last);
    forged_done(&last);
    forged_done(&forged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_pair_setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_is_taken_once),
        TEST(two_histories_are_seen_and_the_evidence_is_kept),
        TEST(a_fork_whose_signer_cannot_be_judged_yet_waits),
        TEST(the_authority_position_says_who_may_sign),
        TEST(scopes_that_are_not_known_wait_and_another_authority_is_none),
        TEST(what_this_site_does_not_carry_is_not_kept),
        TEST(a_context_names_what_is_held_and_never_sinks),
        TEST(a_body_that_was_changed_or_is_none_is_refused),
        TEST(bytes_that_are_no_changeset_are_refused_and_newer_ones_wait),
        TEST(a_site_without_a_network_lets_all_wait),
        TEST(a_site_begins_so_many_logs_and_takes_nobody_elses_place),
        TEST(a_network_has_so_many_logs),
    };
    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
