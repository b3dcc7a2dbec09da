/* Sealed scopes in real stores: what a reader writes the readers read, and nobody else; what is not as it must be is
 * nothing at every site; what cannot be read waits for its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "store/care.h"
#include "store/intake/keyless.h"
#include "store/internal.h"
#include "store/log.h"
#include "store/log/beyond.h"
#include "store/seal.h"
#include "store/statements.h"
#include "wire/recovery.h"

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

static void check_sound(struct nv_pair_site *site)
{
    struct nv_error error;
    struct nv_verified verified;
    struct nv_rebuilt rebuilt;
    must(nv_store_verify(site->store, &verified, NULL, &error), &error);
    if (verified.bad > 0)
        fail_msg("%s", verified.first);
    must(nv_store_rebuild(site->store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
}

static bool owes(struct nv_pair_site *site)
{
    struct nv_far_head before;
    struct nv_error error;
    int64_t cursor = 0;
    bool any;
    must(nv_store_owed(site->store, &cursor, &before, &any, &error), &error);
    return any;
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
    check_sound(a);
    check_sound(b);
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
    check_sound(b);
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
    check_sound(b);
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
    check_sound(b);
    nv_group_write(group, b, "x", 2);
    nv_group_check(b, "x|2\n");
    check_sound(b);
}

/* ---- what keeps to no rule ---- */

/* A member's hand-made changeset: ops in boxes for a key of its own log, which it makes itself. */
struct forgery {
    struct nv_group *group;
    struct nv_pair_site *site;
    struct nv_seed seed;
    struct nv_held_key key;
    struct nv_box_bound bound;
    struct nv_buffer bytes[8];
    struct nv_slice ops[8];
    size_t count;
};

static struct forgery forge(struct nv_group *group, struct nv_pair_site *site)
{
    struct forgery forgery = {.group = group, .site = site};
    struct nv_log_id id = nv_group_log(group, site);
    const struct nv_log *log = nv_log_find(site->store, &id);
    nv_seed_make(&forgery.seed);
    nv_content_key_make(&forgery.key.key);
    forgery.key.id = nv_content_key_id(&forgery.key.key, &id);
    forgery.bound = nv_box_bound_of(&forgery.key.id, &id, log == NULL ? 1 : log->has_seq + 1);
    return forgery;
}

static struct nv_buffer *next_op(struct forgery *forgery)
{
    return &forgery->bytes[forgery->count++];
}

static void box_up(struct forgery *forgery, struct nv_slice op, uint64_t key_number)
{
    struct nv_salt salts[8];
    uint32_t index = (uint32_t)forgery->count;
    nv_salts_of(forgery->seed.bytes, salts, 8);
    nv_box_append(&forgery->key.key, key_number, &forgery->bound, index, &salts[index], op, next_op(forgery));
}

static void box_put(struct forgery *forgery, const char *id, uint64_t key_number)
{
    struct nv_buffer put = {0};
    nv_group_put(id, 7, &put);
    box_up(forgery, nv_buffer_slice(&put), key_number);
    nv_buffer_done(&put);
}

static void grant_to(struct forgery *forgery, const struct nv_held_key *key, const struct nv_pair_site *site)
{
    struct nv_scope_reader reader = {nv_group_id(site), site->curve.public_key, {{0}}};
    struct nv_scope_readers readers = {&reader, 1};
    struct nv_error error;
    must(nv_grant_append(key, NULL, false, &readers, next_op(forgery), &error), &error);
}

static void sign(struct forgery *forgery)
{
    for (size_t i = 0; i < forgery->count; i++)
        forgery->ops[i] = nv_buffer_slice(&forgery->bytes[i]);
    nv_group_sign(forgery->group, forgery->site, &forgery->seed, forgery->ops, forgery->count);
    for (size_t i = 0; i < forgery->count; i++)
        nv_buffer_done(&forgery->bytes[i]);
}

static void what_is_in_the_clear_is_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery forgery = forge(group, a);
    nv_group_put("x", 1, next_op(&forgery));
    nv_group_delete("y", next_op(&forgery));
    box_put(&forgery, "z", 0);
    grant_to(&forgery, &forgery.key, b);
    sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "z|7\n");
    assert_int_equal(nv_group_malformed(b), 2);
    check_sound(b);
}

/* A box of another place, of another key, and boxes with something else in them. */
static void what_does_not_open_is_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_buffer other = {0};
    struct nv_error error;
    struct forgery forgery = forge(group, a);
    struct nv_held_key wrong = forgery.key, right = forgery.key;
    box_put(&forgery, "a", 0);
    nv_buffer_append(next_op(&forgery), forgery.bytes[0].data, forgery.bytes[0].size); /* the first one's box */
    wrong.key.bytes[0] ^= 1;
    forgery.key = wrong;
    box_put(&forgery, "b", 0);
    forgery.key = right;
    struct nv_scope_reader reader = {nv_group_id(b), b->curve.public_key, {{0}}};
    struct nv_scope_readers readers = {&reader, 1};
    must(nv_grant_append(&right, NULL, false, &readers, &other, &error), &error);
    box_up(&forgery, nv_buffer_slice(&other), 0); /* a grant in a box */
    box_up(&forgery, (struct nv_slice){(const uint8_t *)"no op", 5}, 0);
    box_put(&forgery, "c", 0);
    grant_to(&forgery, &right, b);
    sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "a|7\nc|7\n");
    assert_int_equal(nv_group_malformed(b), 4);
    check_sound(b);
    nv_buffer_done(&other);
}

/* No changeset introduces the key; or one that does not stand before it. */
static void what_names_no_key_is_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery first = forge(group, a);
    box_put(&first, "a", 0);
    sign(&first);
    struct forgery second = forge(group, a);
    box_put(&second, "b", 1);
    box_put(&second, "c", 2);
    box_put(&second, "d", 9);
    grant_to(&second, &second.key, b);
    sign(&second);
    struct forgery third = forge(group, a);
    third.key = second.key;
    third.bound = nv_box_bound_of(
        &third.key.id, &(struct nv_log_id){nv_group_id(a), nv_store_identity(a->store)->epoch, group->scope}, 3);
    box_put(&third, "e", 2);
    sign(&third);
    nv_pair_deliver(a, b);
    nv_group_check(b, "e|7\n");
    assert_int_equal(nv_group_malformed(b), 4);
    check_sound(b);
}

/* Gives a site the key that another one's log has, by a grant of a third one. */
static void give_key(struct nv_group *group, struct nv_pair_site *by, const struct nv_pair_site *of, uint64_t number,
                     const struct nv_pair_site *to, bool is_right)
{
    struct nv_error error;
    struct nv_log_id id = nv_group_log(group, of);
    const struct nv_log *log = nv_log_find(by->store, &id);
    struct nv_key_name name = {id.site, id.epoch, number};
    struct nv_scope_reader reader = {nv_group_id(to), to->curve.public_key, {{0}}};
    struct nv_scope_readers readers = {&reader, 1};
    enum nv_key_standing standing;
    struct nv_held_key key;
    struct nv_buffer grant = {0};
    nv_log_number own;
    uint64_t seq;
    must(nv_keyring_find(by->store, log, number, &standing, &key, &error), &error);
    assert_int_equal(standing, NV_KEY_HELD);
    if (!is_right)
        key.key.bytes[5] ^= 1;
    must(nv_grant_append(&key, &name, by != of, &readers, &grant, &error), &error);
    struct nv_slice op = nv_buffer_slice(&grant);
    struct nv_log_id own_id = nv_group_log(group, by);
    must(nv_begin(by->store, &error), &error);
    must(nv_log_append_sealed(by->store, &own_id, &op, 1, NULL, &by->sign, nv_pair_now, &own, &seq, &error), &error);
    must(nv_commit(by->store, &error), &error);
    nv_buffer_done(&grant);
    nv_group_settle(by);
}

/* Signs a changeset of the site's with one put, in a box of a key that was introduced before, which it names so. */
static void sign_put(struct nv_group *group, struct nv_pair_site *site, const struct nv_held_key *key, const char *id,
                     uint64_t key_number)
{
    struct nv_log_id log = nv_group_log(group, site);
    struct forgery forgery = forge(group, site);
    forgery.key = *key;
    forgery.bound = nv_box_bound_of(&key->id, &log, nv_log_find(site->store, &log)->has_seq + 1);
    box_put(&forgery, id, key_number);
    sign(&forgery);
}

/* A changeset that introduces no key is named as one that does, and its body is let go: its header says all the same
 * that none is introduced there. Who comes late holds what all hold, and waits for nothing. */
static void that_no_key_is_introduced_is_known_from_headers(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *c = &group->sites[GROUP_C];
    struct nv_log_id id = nv_group_log(group, a);
    struct nv_far_dot name = {id.site, id.epoch, 2, 0};
    struct nv_op redact = {.kind = NV_OP_REDACT, .time = nv_pair_now, .name_count = 1, .names = &name};
    struct forgery first = forge(group, a), last;
    box_put(&first, "a", 0);
    grant_to(&first, &first.key, b);
    sign(&first);
    sign_put(group, a, &first.key, "b", 1);
    sign_put(group, a, &first.key, "c", 2);
    last = forge(group, a);
    nv_op_encode(&redact, next_op(&last));
    sign(&last);
    nv_pair_deliver(a, b);
    nv_group_check(b, "a|7\n");
    give_key(group, b, a, 1, c, true);
    nv_pair_deliver(b, c);
    nv_group_check(c, "a|7\n");
    assert_int_equal(nv_group_malformed(b), 1);
    assert_int_equal(nv_group_malformed(c), 1);
    check_sound(b);
    check_sound(c);
}

/* A redact cannot let go of a grant, nor of another redact: who lacks the body goes on owing it. */
static void control_ops_are_never_let_go(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_log_id id = nv_group_log(group, a);
    struct nv_far_dot names[] = {{id.site, id.epoch, 1, 0}, {id.site, id.epoch, 1, 1}};
    struct nv_op redact = {.kind = NV_OP_REDACT, .time = nv_pair_now, .name_count = 2, .names = names};
    struct forgery first = forge(group, a), last;
    box_put(&first, "a", 0);
    grant_to(&first, &first.key, b);
    sign(&first);
    sign_put(group, a, &first.key, "b", 1);
    last = forge(group, a);
    nv_op_encode(&redact, next_op(&last));
    sign(&last);
    nv_pair_deliver(a, b);
    nv_group_check(b, "b|7\n");
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_grant WHERE opens = 1", "1\n");
    nv_pair_check_text(b->tool, "SELECT place FROM navette_redaction", "0\n");
    check_sound(b);
}

/* A grant introduces a key only where it is the last op: which one it is depends on no other body. */
static void a_grant_that_is_not_the_last_op_introduces_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery forgery = forge(group, a);
    grant_to(&forgery, &forgery.key, b);
    box_put(&forgery, "a", 0);
    sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "");
    assert_int_equal(nv_group_malformed(b), 2); /* the grant, and the box that it has no key for */
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_grant", "0\n");
}

/* What newer software puts into a box makes its changeset wait. */
static void an_unknown_kind_in_a_box_waits(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery forgery = forge(group, a);
    box_put(&forgery, "a", 0);
    box_up(&forgery, (struct nv_slice){(const uint8_t *)"\x08\x63", 2}, 0);
    grant_to(&forgery, &forgery.key, b);
    sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "");
    assert_int_equal(nv_group_merged(group, b, a), 0);
    assert_int_equal(nv_group_malformed(b), 0);
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
    check_sound(b);
}

/* Whoever was given it since, by the operator's word or because he asked, may read no more tomorrow. */
static void a_key_that_was_given_on_is_used_no_more(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A];
    nv_group_write(group, a, "x", 1);
    nv_group_write(group, a, "y", 1);
    give_key(group, a, a, 1, group->hub, true);
    nv_group_write(group, a, "z", 1);
    nv_group_write(group, a, "w", 1);
    nv_pair_check_text(a->tool, "SELECT number FROM navette_grant WHERE introduces", "1\n4\n");
    check_sound(a);
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
    give_key(group, b, b, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, ""); /* B's first changeset builds on A's */
    give_key(group, b, a, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, "x|2\ny|1\nz|3\n");
    must(nv_store_digest(d->store, group->scope, &digest, &error), &error);
    assert_true(digest.closed);
    check_sound(d);
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
    give_key(group, a, a, 1, d, true);
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
    give_key(group, b, a, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, "x|1\n");
    must(nv_begin(d->store, &error), &error);
    must(nv_beyond_put_back(d->store, nv_log_find(d->store, &of_b), 0, &error), &error);
    must(nv_commit(d->store, &error), &error);
    for (int i = 0; i < 2; i++) {
        must(nv_keyring_find(d->store, nv_log_find(d->store, &of_a), 1, &standing, &key, &error), &error);
        assert_int_equal(standing, NV_KEY_HELD);
        check_sound(d);
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
    give_key(group, b, a, 1, d, false);
    nv_pair_deliver(b, d);
    nv_group_check(d, "");
    assert_int_equal(nv_group_malformed(d), 1);
    nv_pair_check_text(d->tool, "SELECT opens FROM navette_grant ORDER BY changeset", "0\n0\n");
    give_key(group, b, a, 1, d, true);
    nv_pair_deliver(b, d);
    nv_group_check(d, "x|1\n");
}

/* The writer itself gives everybody but its friend another key than it says. */
static void a_key_that_is_introduced_wrongly_is_lacking(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *c = &group->sites[GROUP_C];
    struct forgery forgery = forge(group, a);
    struct nv_held_key wrong = forgery.key;
    struct nv_scope_reader readers[] = {{nv_group_id(b), b->curve.public_key, {{0}}}};
    struct nv_error error;
    wrong.key.bytes[3] ^= 1;
    box_put(&forgery, "x", 0);
    must(nv_grant_append(&wrong, NULL, false, &(struct nv_scope_readers){readers, 1}, next_op(&forgery), &error),
         &error);
    sign(&forgery);
    nv_pair_deliver(a, b);
    nv_pair_deliver(a, c);
    nv_group_check(b, "");
    assert_int_equal(nv_group_merged(group, b, a), 0);
    assert_int_equal(nv_group_malformed(b), 1);
    assert_int_equal(nv_group_malformed(c), 0);
}

/* ---- a hub that reads what it is given ---- */

static const char *const hub_name[] = {"hub"};

/* A lets the hub read, B does not: the hub shows what A wrote, and the rest once it has B's key. */
static void a_hub_merges_around_what_it_cannot_read(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *hub = group->hub;
    struct nv_scope_digest digest, whole;
    struct nv_error error;
    nv_group_let_hub_read(group);
    nv_store_set_hub_readers(a->store, hub_name, 1);
    nv_group_write(group, a, "xy", 1);
    nv_pair_deliver(a, b);
    nv_group_write(group, b, "yz", 2);
    nv_pair_deliver(b, a);
    nv_group_write(group, a, "xw", 3);
    nv_pair_deliver(a, hub);
    nv_group_check(hub, "w|3\nx|3\ny|1\n");
    assert_int_equal(nv_group_merged(group, hub, b), 1);
    nv_pair_check_text(hub->tool, "SELECT count(*) FROM navette_keyless", "1\n");
    must(nv_store_digest(hub->store, group->scope, &digest, &error), &error);
    assert_false(digest.closed);
    check_sound(hub);
    give_key(group, b, b, 1, hub, true);
    nv_pair_deliver(b, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "w|3\nx|3\ny|2\nz|2\n");
    nv_pair_check_text(hub->tool, "SELECT count(*) FROM navette_keyless", "0\n");
    nv_pair_deliver(b, a);
    must(nv_store_digest(hub->store, group->scope, &digest, &error), &error);
    must(nv_store_digest(a->store, group->scope, &whole, &error), &error);
    assert_true(digest.closed);
    assert_memory_equal(&digest.state, &whole.state, sizeof digest.state);
    check_sound(hub);
}

/* However many they are, they are derived a slice at a time; a restart goes on where it was. */
static void what_was_passed_is_taken_in_slices(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *hub = group->hub;
    enum { OPS = 600 };
    struct nv_buffer bytes[OPS] = {0};
    struct nv_slice ops[OPS];
    struct nv_error error;
    struct nv_log_id log = nv_group_log(group, a);
    nv_log_number number;
    uint64_t seq;
    nv_group_let_hub_read(group);
    for (size_t i = 0; i < OPS; i++) {
        char id[8];
        snprintf(id, sizeof id, "n%zu", i);
        nv_group_put(id, (int)i, &bytes[i]);
        ops[i] = nv_buffer_slice(&bytes[i]);
    }
    must(nv_begin(a->store, &error), &error);
    must(nv_log_append_sealed(a->store, &log, ops, OPS, NULL, &a->sign, nv_pair_now, &number, &seq, &error), &error);
    must(nv_commit(a->store, &error), &error);
    nv_group_settle(a);
    nv_pair_deliver(a, hub);
    nv_group_check(hub, "");
    give_key(group, a, a, 1, hub, true);
    nv_pair_deliver(a, hub);
    nv_pair_check_text(hub->tool, "SELECT count(*) > 0, count(*) < 600 FROM item", "1|1\n");
    nv_group_reopen(hub);
    assert_true(hub->store->owes_merge);
    nv_group_settle(hub);
    nv_pair_check_text(hub->tool, "SELECT count(*), sum(size) FROM item", "600|179700\n");
    check_sound(hub);
    for (size_t i = 0; i < OPS; i++)
        nv_buffer_done(&bytes[i]);
}

/* Its writer can let go of a body that the hub never read. */
static void what_was_passed_can_be_let_go(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *hub = group->hub;
    struct nv_error error;
    struct nv_log_id id = nv_group_log(group, a);
    struct nv_far_dot name = {id.site, id.epoch, 1, 0};
    struct nv_op redact = {.kind = NV_OP_REDACT, .time = nv_pair_now, .name_count = 1, .names = &name};
    struct nv_buffer bytes = {0};
    nv_log_number number;
    uint64_t seq;
    nv_group_let_hub_read(group);
    nv_group_write(group, a, "xy", 1);
    nv_op_encode(&redact, &bytes);
    struct nv_slice op = nv_buffer_slice(&bytes);
    must(nv_begin(a->store, &error), &error);
    must(nv_log_append_sealed(a->store, &id, &op, 1, NULL, &a->sign, nv_pair_now, &number, &seq, &error), &error);
    must(nv_commit(a->store, &error), &error);
    nv_pair_deliver(a, hub);
    nv_group_settle(a);
    nv_group_check(a, "y|1\n");
    give_key(group, a, a, 1, hub, true);
    nv_pair_deliver(a, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "y|1\n");
    assert_false(owes(hub));
    check_sound(hub);
    nv_buffer_done(&bytes);
}

/* ---- a body that is kept back ---- */

/* Hands over the log of `of` with the ops in `kept_back` (bits by place) of its first changeset replaced by digests. */
static enum nv_verdict hand_over(struct nv_group *group, struct nv_pair_site *from, struct nv_pair_site *to,
                                 unsigned kept_back)
{
    struct nv_error error;
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_log_id id = nv_group_log(group, from);
    struct nv_far_head has = {.site = id.site, .epoch = id.epoch, .scope = id.scope};
    struct nv_buffer raw = {0}, body = {0}, bytes = {0};
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_far_head heads[16];
    size_t ends[16], count;
    bool done, stripped[16];
    int64_t cursor = 0;
    must(nv_store_read_for(from->store, &has, 0, NULL, &cursor, SIZE_MAX, &raw, ends, heads, 16, &count, &done, &error),
         &error);
    struct nv_slice changeset = {raw.data + ends[count - 2], ends[count - 1] - ends[count - 2]};
    must(nv_changeset_split(changeset, &parts, &error), &error);
    must(nv_header_decode(parts.header, &arena, &header, &error), &error);
    for (size_t i = 0; i < 16; i++)
        stripped[i] = kept_back >> i & 1;
    must(nv_body_redact(&parts, &header, stripped, &arena, &body, &parts.compressed, &error), &error);
    parts.body = nv_buffer_slice(&body);
    nv_changeset_join(&parts, &bytes);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&bytes)};
    must(nv_store_ingest(to->store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    nv_buffer_done(&raw);
    nv_buffer_done(&body);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return incoming.verdict;
}

/* A relay that keeps back the grant: it is owed, and with it all that it opens. */
static void a_grant_that_is_kept_back_is_owed(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "xy", 1);
    assert_int_equal(hand_over(group, a, b, 1u << 2), NV_VERDICT_TAKEN);
    nv_group_check(b, "");
    assert_true(owes(b));
    assert_int_equal(hand_over(group, a, b, 1u << 0), NV_VERDICT_TAKEN);
    nv_group_settle(b);
    nv_group_check(b, "x|1\ny|1\n");
    assert_false(owes(b));
    assert_int_equal(nv_group_malformed(b), 0);
    check_sound(b);
}

/* And a change of a record, as anywhere. */
static void a_box_that_is_kept_back_is_owed(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "xy", 1);
    assert_int_equal(hand_over(group, a, b, 1u << 0), NV_VERDICT_TAKEN);
    nv_group_check(b, "y|1\n");
    assert_true(owes(b));
    assert_int_equal(hand_over(group, a, b, 0), NV_VERDICT_TAKEN);
    nv_group_check(b, "x|1\ny|1\n");
    assert_false(owes(b));
    check_sound(b);
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
        TEST(what_is_in_the_clear_is_nothing),
        TEST(what_does_not_open_is_nothing),
        TEST(what_names_no_key_is_nothing),
        TEST(that_no_key_is_introduced_is_known_from_headers),
        TEST(control_ops_are_never_let_go),
        TEST(a_grant_that_is_not_the_last_op_introduces_nothing),
        TEST(an_unknown_kind_in_a_box_waits),
        TEST(what_cannot_be_read_any_more_is_not_rebuilt_to_nothing),
        TEST(a_key_that_was_given_on_is_used_no_more),
        TEST(a_new_reader_waits_for_old_keys),
        TEST(what_builds_on_unread_changesets_is_not_opened),
        TEST(what_is_written_while_keys_are_lacking_covers_nothing),
        TEST(a_key_stays_where_its_grant_counts_no_more),
        TEST(a_grant_of_a_wrong_key_gives_none),
        TEST(a_key_that_is_introduced_wrongly_is_lacking),
        TEST(a_hub_merges_around_what_it_cannot_read),
        TEST(what_was_passed_is_taken_in_slices),
        TEST(what_was_passed_can_be_let_go),
        TEST(a_grant_that_is_kept_back_is_owed),
        TEST(a_box_that_is_kept_back_is_owed),
    };
    return cmocka_run_group_tests_name("sealed scopes", tests, NULL, NULL);
}
