/* Sealed scopes in real stores: what a reader writes the readers read, and nobody else; what cannot be read waits for
 * its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forgery.h"
#include "store/care.h"
#include "store/log/beyond.h"
#include "store/seal.h"

static void must(enum nv_status status, const struct nv_error *error)
{
    nv_pair_must(status, error);
}

/* Whether the bytes stand anywhere in a changeset that the store holds. */
static bool holds(struct nv_pair_site *site, const char *text)
{
    struct nv_error error;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(site->store),
                                       "SELECT 1 FROM navette_changeset WHERE instr(body, CAST(?1 AS BLOB))", &error);
    assert_non_null(rows);
    sqlite3_bind_text(rows, 1, text, -1, SQLITE_STATIC);
    bool found;
    must(nv_db_step(rows, &found, &error), &error);
    sqlite3_finalize(rows);
    return found;
}

/* ---- who reads ---- */

static void readers_read_and_carriers_do_not(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *c = &group->sites[GROUP_C];
    nv_group_write(group, a, "xyz", 1);
    nv_pair_deliver(a, group->hub);
    nv_group_check(group->hub, "");
    assert_false(holds(a, "\x03\x01x") || holds(group->hub, "\x03\x01x"));
    nv_pair_deliver(group->hub, b);
    nv_pair_deliver(group->hub, c);
    nv_group_check(a, "x|1\ny|1\nz|1\n");
    nv_group_check(b, "x|1\ny|1\nz|1\n");
    nv_group_check(c, "x|1\ny|1\nz|1\n");
    nv_group_write(group, b, "y", 2);
    nv_pair_deliver(b, group->hub);
    nv_pair_deliver(group->hub, a);
    nv_group_check(a, "x|1\ny|2\nz|1\n");
    nv_group_check_sound(a);
    nv_group_check_sound(b);
    assert_int_equal(nv_group_malformed(a) + nv_group_malformed(b) + nv_group_malformed(group->hub), 0);
}

/* Keys are kept nowhere: they are found again in the log. */
static void keys_are_found_again(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_group_reopen(a);
    nv_group_reopen(b);
    nv_group_write(group, a, "y", 2);
    nv_pair_deliver(a, b);
    nv_group_check(b, "x|1\ny|2\n");
    nv_group_check_sound(b);
    /* One key is enough for both. */
    nv_pair_check_text(a->tool, "SELECT number, introduces, opens FROM navette_grant", "1|1|1\n");
    nv_pair_check_text(b->tool, "SELECT number, introduces, opens FROM navette_grant", "1|1|1\n");
}

/* A program without the site's keys does not take what it cannot read for nothing. */
static void without_the_keys_nothing_is_derived(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_rebuilt rebuilt;
    struct nv_error error;
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_store_set_opener(b->store, NULL);
    assert_int_equal(nv_store_rebuild(b->store, nv_pair_now, &rebuilt, NULL, &error), NV_NOT_YET);
    nv_group_check(b, "x|1\n");
    nv_store_set_opener(b->store, &b->curve);
    nv_group_check_sound(b);
}

/* Whether the grant by which the site's changeset introduces a key has a box for another one. */
static bool gives(struct nv_group *group, struct nv_pair_site *site, uint64_t number, const struct nv_pair_site *to)
{
    struct nv_error error;
    struct nv_opened opened;
    struct nv_grant grant;
    struct nv_log_id id = nv_group_log(group, site);
    struct nv_content_key key;
    int64_t changeset;
    bool any = false;
    must(nv_changeset_at(site->store, nv_log_find(site->store, &id)->number, number, &changeset, NULL, &error), &error);
    must(nv_opened_read_sealed(site->store, changeset, &opened, &error), &error);
    must(nv_grant_introduced(&opened, &grant, &error), &error);
    for (size_t i = 0; i < grant.box_count; i++)
        any = any || nv_content_key_open(grant.boxes[i].sealed, &to->curve, &key);
    nv_arena_done(&opened.arena);
    return any;
}

static void a_new_key_is_made_when_the_readers_change(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *c = &group->sites[GROUP_C];
    nv_group_write(group, a, "x", 1);
    nv_group_write(group, a, "y", 1);
    nv_pair_check_text(a->tool, "SELECT number FROM navette_grant", "1\n");
    nv_group_stop_reading(group, nv_group_id(c));
    nv_group_write(group, a, "z", 1);
    nv_group_write(group, a, "w", 1);
    nv_pair_check_text(a->tool, "SELECT number FROM navette_grant", "1\n3\n");
    nv_pair_deliver(a, group->hub);
    nv_pair_deliver(group->hub, b);
    nv_group_check(b, "w|1\nx|1\ny|1\nz|1\n");
    assert_true(gives(group, a, 1, c));
    assert_false(gives(group, a, 3, c)); /* who reads no more has the first key and not the second */
    assert_true(gives(group, a, 3, b));
    nv_group_let_read(group, nv_group_id(&group->sites[GROUP_D]));
    nv_group_write(group, a, "v", 1);
    nv_pair_check_text(a->tool, "SELECT number FROM navette_grant", "1\n3\n5\n");
}

static void the_recovery_key_reads_what_the_lost_one_did(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, group->hub);
    nv_group_recover(group, b);
    nv_pair_deliver(group->hub, b);
    nv_group_check(b, "x|1\n");
    nv_pair_check_text(b->tool, "SELECT opens FROM navette_grant", "2\n");
}

/* It lost its keys and not its store: what the lost key opened the recovery key opens. */
static void what_was_merged_before_the_keys_were_lost_is_read_on(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, group->hub);
    nv_pair_deliver(group->hub, b);
    nv_group_recover(group, b);
    nv_group_reopen(b);
    nv_group_check_sound(b);
    nv_group_write(group, b, "x", 2);
    nv_group_check(b, "x|2\n");
    nv_group_check_sound(b);
}

/* ---- what waits for its key ---- */

/* The site's key is another one, and nobody has given it the content keys again: rebuilding takes no row away. */
static void what_cannot_be_read_any_more_is_not_rebuilt_to_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_curve_key other;
    struct nv_rebuilt rebuilt;
    struct nv_error error;
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_group_check(b, "x|1\n");
    must(nv_curve_key_create(group->pair->folder, "other.curve", &other, &error), &error);
    nv_store_set_opener(b->store, &other);
    assert_int_equal(nv_store_rebuild(b->store, nv_pair_now, &rebuilt, NULL, &error), NV_NOT_YET);
    nv_group_check(b, "x|1\n");
    nv_store_set_opener(b->store, &b->curve);
    nv_group_check_sound(b);
}

/* Whoever was given it since, by the operator's word or because he asked, may read no more tomorrow. */
static void a_key_that_was_given_on_is_used_no_more(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A];
    nv_group_write(group, a, "x", 1);
    nv_group_write(group, a, "y", 1);
    nv_group_give_key(group, a, a, 1, group->hub, true);
    nv_group_write(group, a, "z", 1);
    nv_group_write(group, a, "w", 1);
    nv_pair_check_text(a->tool, "SELECT number FROM navette_grant WHERE introduces", "1\n4\n");
    nv_group_check_sound(a);
}

/* A reader that was added later: what was written before is not merged, nor what builds on it, until it has the keys.
 */
static void a_new_reader_waits_for_old_keys(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *d = &group->sites[GROUP_D];
    struct nv_scope_digest digest;
    struct nv_error error;
    nv_group_write(group, a, "xy", 1);
    nv_pair_deliver(a, b);
    nv_group_write(group, b, "x", 2);
    nv_group_let_read(group, nv_group_id(d));
    nv_group_write(group, b, "z", 3); /* with a key that D has, on top of what it cannot read */
    nv_pair_deliver(b, d);
    nv_group_check(d, "");
    assert_int_equal(nv_group_merged(group, d, a) + nv_group_merged(group, d, b), 0);
    must(nv_store_digest(d->store, group->scope, &digest, &error), &error);
    assert_false(digest.closed);
    nv_group_give_key(group, b, b, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, ""); /* B's first changeset builds on A's */
    nv_group_give_key(group, b, a, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, "x|2\ny|1\nz|3\n");
    must(nv_store_digest(d->store, group->scope, &digest, &error), &error);
    assert_true(digest.closed);
    nv_group_check_sound(d);
    /* By its hash each record is found, also where it could not be read when it came. */
    nv_pair_check_text(d->tool,
                       "SELECT count(*) FROM navette_changeset WHERE records = zeroblob(length(records)) "
                       "AND ops > 1",
                       "0\n");
}

/* What waits costs no more than its header, however large it is: its body is not even looked at. */
static void what_builds_on_unread_changesets_is_not_opened(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_group_let_read(group, nv_group_id(d));
    nv_group_write(group, b, "z", 3);
    nv_pair_deliver(b, d);
    nv_pair_sql(d, "UPDATE navette_changeset SET body = x'07' WHERE log = (SELECT log FROM navette_changeset "
                   "ORDER BY number DESC LIMIT 1)");
    nv_group_settle(d);
    nv_group_check(d, "");
}

static void what_is_written_while_keys_are_lacking_covers_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_group_let_read(group, nv_group_id(d));
    nv_pair_deliver(a, d);
    nv_group_write(group, d, "x", 9);
    nv_pair_deliver(d, a);
    nv_group_give_key(group, a, a, 1, d, true);
    nv_pair_deliver(a, d);
    nv_pair_check_text(d->tool, "SELECT value FROM navette_conflict ORDER BY 1", "1\n9\n");
    nv_pair_check_text(a->tool, "SELECT value FROM navette_conflict ORDER BY 1", "1\n9\n");
}

/* Who gave it the key loses the right, and that grant counts no more: what was read is read on, and the key is granted
 * anew by who has it. */
static void a_key_stays_where_its_grant_counts_no_more(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *d = &group->sites[GROUP_D];
    struct nv_log_id of_a = nv_group_log(group, a), of_b = nv_group_log(group, b);
    enum nv_key_standing standing;
    struct nv_held_key key;
    struct nv_error error;
    struct nv_sealed sealed;
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_group_let_read(group, nv_group_id(d));
    nv_group_give_key(group, b, a, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, "x|1\n");
    must(nv_begin(d->store, &error), &error);
    must(nv_beyond_put_back(d->store, nv_log_find(d->store, &of_b), 0, &error), &error);
    must(nv_commit(d->store, &error), &error);
    for (int i = 0; i < 2; i++) {
        must(nv_keyring_find(d->store, nv_log_find(d->store, &of_a), 1, &standing, &key, &error), &error);
        assert_int_equal(standing, NV_KEY_HELD);
        nv_group_check_sound(d);
        must(nv_store_seal(d->store, nv_pair_now, 60000, &sealed, &error), &error);
        nv_group_reopen(d);
    }
    nv_pair_check_text(d->tool, "SELECT count(*) FROM navette_recovered", "0\n");
    nv_pair_check_text(d->tool, "SELECT DISTINCT introduces, opens FROM navette_grant ORDER BY changeset",
                       "1|2\n0|1\n");
}

static void a_grant_of_a_wrong_key_gives_none(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_group_let_read(group, nv_group_id(d));
    nv_pair_deliver(a, d);
    nv_group_give_key(group, b, a, 1, d, false);
    nv_pair_deliver(b, d);
    nv_group_check(d, "");
    assert_int_equal(nv_group_malformed(d), 1);
    nv_pair_check_text(d->tool, "SELECT opens FROM navette_grant ORDER BY changeset", "0\n0\n");
    nv_group_give_key(group, b, a, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, "x|1\n");
}

/* The writer itself gives everybody but its friend another key than it says. */
static void a_key_that_is_introduced_wrongly_is_lacking(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *c = &group->sites[GROUP_C];
    struct forgery forgery = forgery_begin(group, a);
    struct nv_held_key wrong = forgery.key;
    struct nv_scope_reader readers[] = {{nv_group_id(b), b->curve.public_key, {{0}}}};
    struct nv_error error;
    wrong.key.bytes[3] ^= 1;
    forgery_put(&forgery, "x", 0);
    must(nv_grant_append(&wrong, NULL, false, &(struct nv_scope_readers){readers, 1}, forgery_op(&forgery), &error),
         &error);
    forgery_sign(&forgery);
    nv_pair_deliver(a, b);
    nv_pair_deliver(a, c);
    nv_group_check(b, "");
    assert_int_equal(nv_group_merged(group, b, a), 0);
    assert_int_equal(nv_group_malformed(b), 1);
    assert_int_equal(nv_group_malformed(c), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_group_setup, nv_group_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(readers_read_and_carriers_do_not),
        TEST(keys_are_found_again),
        TEST(without_the_keys_nothing_is_derived),
        TEST(a_new_key_is_made_when_the_readers_change),
        TEST(the_recovery_key_reads_what_the_lost_one_did),
        TEST(what_was_merged_before_the_keys_were_lost_is_read_on),
        TEST(what_cannot_be_read_any_more_is_not_rebuilt_to_nothing),
        TEST(a_key_that_was_given_on_is_used_no_more),
        TEST(a_new_reader_waits_for_old_keys),
        TEST(what_builds_on_unread_changesets_is_not_opened),
        TEST(what_is_written_while_keys_are_lacking_covers_nothing),
        TEST(a_key_stays_where_its_grant_counts_no_more),
        TEST(a_grant_of_a_wrong_key_gives_none),
        TEST(a_key_that_is_introduced_wrongly_is_lacking),
    };
    return cmocka_run_group_tests_name("sealed scopes", tests, NULL, NULL);
}
