/* A site that lost its keys and its store: what the hub answers, and what the new store makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "lost.h"
#include "store/internal.h"
#include "store/log/logs.h"
#include "store/trust/grants.h"

enum { KEYS = 32 };

static const char shown[] = "SELECT id, text FROM item ORDER BY id";

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
    nv_pair_must(nv_grant_introduced(&opened, &grant, &error), &error);
    for (size_t i = 0; i < grant.box_count; i++)
        opens = opens || nv_content_key_open(grant.boxes[i].sealed, curve, &key);
    nv_arena_done(&opened.arena);
    return opens;
}

static void all_that_it_could_read_comes_back(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_groups *groups = lost->groups;
    struct nv_error error;
    nv_lost_live(lost);
    nv_pair_check_text(lost->old.tool, shown, "g|old\nn|old\nown|old\ns|south\n");
    struct nv_invitation invitation = nv_lost_invite(lost, "Lost");
    nv_lost_recover(lost, &invitation);
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
    struct nv_lost *lost = *state;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_buffer bytes = {0};
    struct nv_recovered_key key;
    struct nv_slice keys[KEYS];
    struct nv_error error;
    nv_lost_live(lost);
    struct nv_invitation invitation = nv_lost_invite(lost, "Lost");
    struct nv_enrol_reply reply = nv_lost_ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena);
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
    nv_pair_must(nv_lost_take(lost, &reply, &error), &error);
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
    struct nv_lost *lost = *state;
    struct nv_groups *groups = lost->groups;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    nv_lost_live(lost);
    nv_pair_must(nv_authority_remove_reader(groups->hub->store, &groups->pair->authority,
                                            nv_groups_scope(groups, "group/both"), nv_lost_id(&lost->old), nv_pair_now,
                                            &error),
                 &error);
    struct nv_invitation invitation = nv_lost_invite(lost, "Lost");
    struct nv_enrol_reply reply = nv_lost_ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena);
    assert_true(reply.admitted);
    assert_int_equal(reply.key_count, 1); /* of its own scope */
    nv_arena_done(&arena);
}

/* It is in the network and has no certificate yet: the log was not taken up. */
static void a_recovery_that_was_cut_short_goes_on(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_error error;
    nv_lost_live(lost);
    struct nv_invitation invitation = nv_lost_invite(lost, "Lost");
    nv_lost_recover(lost, &invitation);
    nv_pair_sql(&lost->new, "DELETE FROM navette_member; DELETE FROM navette_membership; DELETE FROM navette_group; "
                            "DELETE FROM navette_readership; DELETE FROM navette_cut; DELETE FROM navette_changeset; "
                            "DELETE FROM navette_log; DELETE FROM navette_table; DELETE FROM navette_column; "
                            "DELETE FROM navette_statement; DELETE FROM navette_recovered; DROP TABLE item; "
                            "DELETE FROM navette_meta WHERE name IN ('network_name', 'successor_key')");
    nv_store_close(lost->new.store);
    nv_pair_must(nv_store_open(lost->new.path, &lost->new.store, &error), &error);
    nv_store_set_signer(lost->new.store, &lost->new.sign);
    nv_store_set_opener(lost->new.store, &lost->new.curve);
    nv_lost_recover(lost, &invitation);
    nv_groups_deliver(lost->groups->hub, &lost->new);
    nv_pair_check_text(lost->new.tool, shown, "g|old\nn|old\nown|old\ns|south\n");
}

/* What the hub answers does not verify: the new store is as it was, and who it was. */
static void a_bad_answer_leaves_the_new_store_as_it_was(void **state)
{
    struct nv_lost *lost = *state;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error;
    struct nv_site_id before = nv_lost_id(&lost->new);
    nv_lost_live(lost);
    struct nv_invitation invitation = nv_lost_invite(lost, "Lost");
    struct nv_enrol_reply reply = nv_lost_ask(lost, &lost->new, &invitation, &lost->recovery, nv_pair_now, &arena),
                          cut = reply;
    cut.authority_count--; /* without its certificate */
    assert_int_equal(nv_lost_take(lost, &cut, &error), NV_REFUSED);
    assert_memory_equal(nv_lost_id(&lost->new).bytes, before.bytes, 16);
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
    assert_int_equal(nv_lost_take(lost, &cut, &error), NV_NOT_YET);
    assert_memory_equal(nv_lost_id(&lost->new).bytes, before.bytes, 16);
    assert_false(nv_store_identity(lost->new.store)->has_network);
    nv_pair_check_text(lost->new.tool, "SELECT count(*) FROM navette_recovered", "0\n");
    forged_done(&newer);
    nv_pair_must(nv_lost_take(lost, &reply, &error), &error);
    nv_arena_done(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_lost_setup, nv_lost_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_it_could_read_comes_back),
        TEST(what_does_not_give_its_id_is_passed_over),
        TEST(of_a_scope_that_it_reads_no_more_it_gets_no_key),
        TEST(a_recovery_that_was_cut_short_goes_on),
        TEST(a_bad_answer_leaves_the_new_store_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
