/* A site that lost its keys and its store: what the hub asks before it certifies new ones, what it answers, and what
 * the new store makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "groups.h"
#include "store/internal.h"
#include "store/log/logs.h"
#include "store/trust/grants.h"
#include "store/trust/recovered.h"
#include "store/trust/rights.h"
#include "wire/recovery.h"

enum { DAY_MS = 86400000, KEYS = 32 };

static const char items[] = "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, text TEXT, who TEXT);"
                            "INSERT INTO navette_table(name, scope) VALUES ('item', 'column:who')";
static const char shown[] = "SELECT id, text FROM item ORDER BY id";

/* The network of nv_groups, with a site that is lost: who it was, and the machine that takes its place. */
struct lost {
    struct nv_groups *groups;
    struct nv_pair_site old, new;
    struct nv_curve_key recovery;
    uint64_t invitations;
};

static struct nv_site_id id_of(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->site;
}

static struct nv_invitation invite(struct lost *lost, const char *name)
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
static struct nv_enrol_reply answer(struct lost *lost, struct nv_slice request, struct nv_wall_ms now,
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

static struct nv_enrol_reply ask(struct lost *lost, const struct nv_pair_site *site,
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

/* The hub refuses, with that word, and nothing changes there. */
static void check_refused(struct lost *lost, const struct nv_pair_site *site, const struct nv_invitation *invitation,
                          const struct nv_curve_key *recovery, struct nv_wall_ms now, const char *word)
{
    static const char all[] = "SELECT name, hex(sign_key), certified, ends FROM navette_member ORDER BY certified";
    struct nv_arena arena = {.limit = 1 << 20};
    sqlite3 *hub = lost->groups->hub->tool;
    char *before = nv_pair_text(hub, all), *used = nv_pair_text(hub, "SELECT number, used_by FROM navette_invitation");
    struct nv_enrol_reply reply = ask(lost, site, invitation, recovery, now, &arena);
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

static enum nv_status take(struct lost *lost, const struct nv_enrol_reply *reply, struct nv_error *error)
{
    return nv_authority_recover(lost->new.store, &lost->groups->pair->authority.public_key, reply, &lost->recovery,
                                &lost->new.curve.public_key, nv_pair_now, error);
}

/* The new machine asks with that invitation, and becomes the lost site. */
static void recover(struct lost *lost, const struct nv_invitation *invitation)
{
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_enrol_reply reply = ask(lost, &lost->new, invitation, &lost->recovery, nv_pair_now, &arena);
    if (!reply.admitted)
        fail_msg("not admitted: %s", reply.text);
    nv_pair_must(take(lost, &reply, &error), &error);
    nv_arena_done(&arena);
}

static void add_to_group(struct lost *lost, const struct nv_pair_site *site)
{
    struct nv_groups *groups = lost->groups;
    struct nv_error error;
    nv_pair_must(nv_authority_add_reader(groups->hub->store, &groups->pair->authority,
                                         nv_groups_scope(groups, "group/both"), id_of(site), nv_pair_now, &error),
                 &error);
}

static int setup(void **state)
{
    struct lost *lost = calloc(1, sizeof *lost);
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
    struct nv_invitation spare = invite(lost, "spare");
    nv_pair_sql(lost->groups->hub, "UPDATE navette_invitation SET used_by = (SELECT site FROM navette_member WHERE "
                                   "name = 'Lost') WHERE name = 'spare'");
    struct nv_enrol_reply reply = ask(lost, &lost->old, &spare, NULL, nv_pair_now, &arena);
    assert_true(reply.admitted);
    nv_pair_must(nv_authority_adopt(lost->old.store, &spare.authority_key, reply.authority, reply.authority_count,
                                    nv_pair_now, &error),
                 &error);
    nv_arena_done(&arena);
    *state = lost;
    return 0;
}

static int teardown(void **state)
{
    struct lost *lost = *state;
    void *groups = lost->groups;
    if (lost->old.store != NULL)
        nv_pair_site_close(&lost->old);
    nv_pair_site_close(&lost->new);
    free(lost);
    return nv_groups_teardown(&groups);
}

/* The lost site and another reader have written; the hub carries it. */
static void live(struct lost *lost)
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

/* ---- who may ---- */

static void nobody_takes_a_place_without_the_secret_and_the_invitation(void **state)
{
    struct lost *lost = *state;
    struct nv_invitation invitation = invite(lost, "lost"), fresh = invite(lost, "fresh"); /* names have no case */
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
    recover(lost, &invitation);
    assert_memory_equal(id_of(&lost->new).bytes, id_of(&lost->old).bytes, 16);
}

static void an_invitation_recovers_once(void **state)
{
    struct lost *lost = *state;
    struct nv_invitation invitation = invite(lost, "Lost");
    struct nv_pair_site other;
    recover(lost, &invitation);
    recover(lost, &invitation); /* the answer was lost */
    nv_pair_check_text(lost->groups->hub->tool, "SELECT count(*) FROM navette_membership WHERE ends IS NOT NULL",
                       "1\n");
    nv_pair_site_make(lost->groups->pair, &other, "other");
    check_refused(lost, &other, &invitation, &lost->recovery, nv_pair_now, "was used");
    /* A home that holds another site. */
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_enrol_reply reply = ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena);
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
    struct lost *lost = *state;
    struct nv_pair *pair = lost->groups->pair;
    struct nv_error error;
    struct nv_invitation before = invite(lost, "Lost");
    nv_pair_must(nv_authority_revoke(pair->hub.store, &pair->authority, id_of(&lost->old), nv_pair_now, &error),
                 &error);
    check_refused(lost, &lost->new, &before, &lost->recovery, nv_pair_now, "taken out");
    struct nv_invitation since = invite(lost, "Lost");
    recover(lost, &since);
    recover(lost, &since);
    assert_memory_equal(id_of(&lost->new).bytes, id_of(&lost->old).bytes, 16);
    assert_false(nv_right_reads(lost->new.store, nv_groups_scope(lost->groups, "group/both"), id_of(&lost->new),
                                NV_POSITION_NOW));
}

static void it_keeps_its_name_its_role_and_its_recovery_key(void **state)
{
    struct lost *lost = *state;
    struct nv_pair *pair = lost->groups->pair;
    struct nv_error error;
    struct nv_certificate hub = nv_pair_certificate(&lost->old, "Lost");
    hub.role = NV_ROLE_HUB;
    hub.reader = true;
    hub.recovery_key = lost->recovery.public_key;
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &hub, nv_pair_now, &error), &error);
    struct nv_invitation invitation = invite(lost, "LOST");
    recover(lost, &invitation);
    const struct nv_member *member = nv_store_member(lost->new.store, id_of(&lost->old));
    assert_string_equal(member->name, "Lost");
    assert_int_equal(member->role, NV_ROLE_HUB);
    assert_true(member->reader);
    assert_memory_equal(&member->recovery_key, &lost->recovery.public_key, 32);
    assert_memory_equal(&member->sign_key, &lost->new.sign.public_key, 32);
    assert_memory_equal(&member->curve_key, &lost->new.curve.public_key, 32);
}

/* ---- what comes back ---- */

/* Whether that key opens a box of the last grant by which the site introduced a content key. */
static bool newest_grant_opens(struct nv_pair_site *site, const struct nv_curve_key *curve)
{
    struct nv_opened opened;
    struct nv_grant grant;
    struct nv_content_key key;
    struct nv_error error;
    int64_t changeset;
    bool opens = false;
    nv_pair_must(nv_db_integer(nv_store_db(site->store),
                               "SELECT g.changeset FROM navette_grant AS g JOIN navette_log AS l ON l.number = g.log "
                               "WHERE g.introduces AND l.site = (SELECT value FROM navette_meta WHERE name = 'site') "
                               "ORDER BY g.changeset DESC LIMIT 1",
                               0, &changeset, &error),
                 &error);
    nv_pair_must(nv_opened_read_sealed(site->store, changeset, &opened, &error), &error);
    nv_pair_must(nv_grant_introduced(&opened.body, &opened.arena, &grant, &error), &error);
    for (size_t i = 0; i < grant.box_count; i++)
        opens = opens || nv_content_key_open(grant.boxes[i].sealed, curve, &key);
    nv_arena_done(&opened.arena);
    return opens;
}

static void all_that_it_could_read_comes_back(void **state)
{
    struct lost *lost = *state;
    struct nv_groups *groups = lost->groups;
    struct nv_error error;
    live(lost);
    nv_pair_check_text(lost->old.tool, shown, "g|old\nn|old\nown|old\ns|south\n");
    struct nv_invitation invitation = invite(lost, "Lost");
    recover(lost, &invitation);
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "3\n");
    nv_groups_deliver(groups->hub, &lost->new);
    nv_pair_check_text(lost->new.tool, shown, "g|old\nn|old\nown|old\ns|south\n");
    nv_pair_seal(&lost->new); /* it grants itself what it has */
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "0\n");
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_ask", "0\n");
    nv_store_close(lost->new.store);
    nv_pair_must(nv_store_open(lost->new.path, &lost->new.store, &error), &error);
    nv_store_set_signer(lost->new.store, &lost->new.sign);
    nv_store_set_opener(lost->new.store, &lost->new.curve);

    /* What the old keys sign now counts nowhere; what the new ones do is read by the others. */
    nv_pair_sql(&lost->old, "UPDATE item SET text = 'thief'");
    nv_pair_seal(&lost->old);
    nv_pair_sql(&lost->new, "UPDATE item SET text = 'new'");
    nv_pair_seal(&lost->new);
    nv_groups_deliver(&lost->new, groups->hub);
    nv_groups_deliver(groups->hub, groups->south);
    nv_pair_check_text(groups->south->tool, shown, "g|new\nn|new\ns|new\n");
    /* From now on others grant to the new key alone. */
    nv_pair_sql(groups->south, "UPDATE item SET text = 'later' WHERE id = 's'");
    nv_pair_seal(groups->south);
    nv_groups_deliver(groups->south, groups->hub);
    assert_true(newest_grant_opens(groups->south, &lost->new.curve));
    assert_false(newest_grant_opens(groups->south, &lost->old.curve));
    assert_true(newest_grant_opens(groups->south, &lost->recovery));
    nv_groups_deliver(groups->hub, &lost->new);
    nv_pair_check_text(lost->new.tool, shown, "g|new\nn|new\nown|new\ns|later\n");
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "0\n");
}

/* A grant under the id of somebody else's key, with something else in it, comes before the good one or behind it. */
static void what_does_not_give_its_id_is_passed_over(void **state)
{
    struct lost *lost = *state;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_buffer bytes = {0};
    struct nv_recovered_key key;
    struct nv_slice keys[KEYS];
    struct nv_error error;
    live(lost);
    struct nv_invitation invitation = invite(lost, "Lost");
    struct nv_enrol_reply reply = ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena);
    assert_int_equal(reply.key_count, 3);
    nv_recovered_key_read(reply.keys[0].data, &key);
    nv_buffer_append(&bytes, reply.keys[0].data, reply.keys[0].size);
    struct nv_content_key other;
    nv_content_key_make(&other);
    assert_true(nv_content_key_seal(&other, &lost->recovery.public_key, key.sealed));
    nv_recovered_key_append(&key, &bytes); /* another key */
    memset(key.sealed, 7, sizeof key.sealed);
    nv_recovered_key_append(&key, &bytes); /* none */
    for (size_t i = 0; i < 3; i++)
        keys[i] = (struct nv_slice){bytes.data + i * NV_RECOVERED_KEY_BYTES, NV_RECOVERED_KEY_BYTES};
    keys[3] = reply.keys[1];
    keys[4] = keys[1];
    struct nv_slice good = keys[0];
    keys[0] = keys[1];
    keys[1] = good; /* between others */
    reply.keys = keys;
    reply.key_count = 5;
    nv_pair_must(take(lost, &reply, &error), &error);
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "2\n");
    nv_groups_deliver(lost->groups->hub, &lost->new);
    char *there = nv_pair_text(lost->new.tool, "SELECT count(*) FROM item");
    assert_string_equal(there, "3\n"); /* two scopes' keys of three, and network */
    free(there);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void of_a_scope_that_it_reads_no_more_it_gets_no_key(void **state)
{
    struct lost *lost = *state;
    struct nv_groups *groups = lost->groups;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    live(lost);
    nv_pair_must(nv_authority_remove_reader(groups->hub->store, &groups->pair->authority,
                                            nv_groups_scope(groups, "group/both"), id_of(&lost->old), nv_pair_now,
                                            &error),
                 &error);
    struct nv_invitation invitation = invite(lost, "Lost");
    struct nv_enrol_reply reply = ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena);
    assert_true(reply.admitted);
    assert_int_equal(reply.key_count, 1); /* of its own scope */
    nv_arena_done(&arena);
}

/* It is in the network and has no certificate yet: the log was not taken up. */
static void a_recovery_that_was_cut_short_goes_on(void **state)
{
    struct lost *lost = *state;
    struct nv_error error;
    live(lost);
    struct nv_invitation invitation = invite(lost, "Lost");
    recover(lost, &invitation);
    nv_pair_sql(&lost->new, "DELETE FROM navette_member; DELETE FROM navette_membership; DELETE FROM navette_group; "
                            "DELETE FROM navette_readership; DELETE FROM navette_cut; DELETE FROM navette_changeset; "
                            "DELETE FROM navette_log; DELETE FROM navette_table; DELETE FROM navette_column; "
                            "DELETE FROM navette_statement; DELETE FROM navette_recovered; DROP TABLE item; "
                            "DELETE FROM navette_meta WHERE name IN ('network_name', 'successor_key')");
    nv_store_close(lost->new.store);
    nv_pair_must(nv_store_open(lost->new.path, &lost->new.store, &error), &error);
    nv_store_set_signer(lost->new.store, &lost->new.sign);
    nv_store_set_opener(lost->new.store, &lost->new.curve);
    recover(lost, &invitation);
    nv_groups_deliver(lost->groups->hub, &lost->new);
    nv_pair_check_text(lost->new.tool, shown, "g|old\nn|old\nown|old\ns|south\n");
}

/* What the hub answers does not verify: the new store is as it was, and who it was. */
static void a_bad_answer_leaves_the_new_store_as_it_was(void **state)
{
    struct lost *lost = *state;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_site_id before = id_of(&lost->new);
    live(lost);
    struct nv_invitation invitation = invite(lost, "Lost");
    struct nv_enrol_reply reply = ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena), cut = reply;
    cut.authority_count--; /* without its certificate */
    assert_int_equal(take(lost, &cut, &error), NV_REFUSED);
    assert_memory_equal(id_of(&lost->new).bytes, before.bytes, 16);
    assert_false(nv_store_identity(lost->new.store)->has_network);
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "0\n");
    /* All of it verifies, and yet it cannot be taken up to its end. */
    static const struct nv_slice newer_op = {(const uint8_t *)"\x08\x63", 2};
    struct forged newer = forged_begin(lost->groups->pair);
    const struct nv_log *authority = nv_authority_log(lost->groups->hub->store);
    newer.header.log = authority->id;
    newer.header.seq = authority->has_seq + 1;
    newer.header.previous = authority->has_hash;
    newer.header.authority_seq = 0;
    newer.header.authority_pin = (struct nv_pin){{0}};
    newer.header.absolute = false;
    newer.key = &lost->groups->pair->authority;
    forged_sign_ops(&newer, &newer_op, 1);
    struct nv_slice longer[KEYS];
    assert_in_range(reply.authority_count, 1, KEYS - 1);
    memcpy(longer, reply.authority, reply.authority_count * sizeof *longer);
    longer[reply.authority_count] = nv_buffer_slice(&newer.bytes);
    cut = reply;
    cut.authority = longer;
    cut.authority_count++;
    assert_int_equal(take(lost, &cut, &error), NV_NOT_YET);
    assert_memory_equal(id_of(&lost->new).bytes, before.bytes, 16);
    assert_false(nv_store_identity(lost->new.store)->has_network);
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "0\n");
    forged_done(&newer);
    nv_pair_must(take(lost, &reply, &error), &error);
    nv_arena_done(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_takes_a_place_without_the_secret_and_the_invitation),
        TEST(an_invitation_recovers_once),
        TEST(who_was_revoked_needs_an_invitation_that_was_made_since),
        TEST(it_keeps_its_name_its_role_and_its_recovery_key),
        TEST(all_that_it_could_read_comes_back),
        TEST(what_does_not_give_its_id_is_passed_over),
        TEST(of_a_scope_that_it_reads_no_more_it_gets_no_key),
        TEST(a_recovery_that_was_cut_short_goes_on),
        TEST(a_bad_answer_leaves_the_new_store_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
