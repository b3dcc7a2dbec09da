/* Sealed scopes in real stores: what is not as it must be is nothing, at every site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forgery.h"

static void must(enum nv_status status, const struct nv_error *error)
{
    nv_pair_must(status, error);
}

static void what_is_in_the_clear_is_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery forgery = forgery_begin(group, a);
    nv_group_put("x", 1, forgery_op(&forgery));
    nv_group_delete("y", forgery_op(&forgery));
    forgery_put(&forgery, "z", 0);
    forgery_grant(&forgery, &forgery.key, b);
    forgery_sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "z|7\n");
    assert_int_equal(nv_group_malformed(b), 2);
    nv_group_check_sound(b);
}

/* A box of another place, of another key, and boxes with something else in them. */
static void what_does_not_open_is_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_buffer other = {0};
    struct nv_error error;
    struct forgery forgery = forgery_begin(group, a);
    struct nv_held_key wrong = forgery.key, right = forgery.key;
    forgery_put(&forgery, "a", 0);
    nv_buffer_append(forgery_op(&forgery), forgery.bytes[0].data, forgery.bytes[0].size); /* the first one's box */
    wrong.key.bytes[0] ^= 1;
    forgery.key = wrong;
    forgery_put(&forgery, "b", 0);
    forgery.key = right;
    struct nv_scope_reader reader = {nv_group_id(b), b->curve.public_key, {{0}}};
    struct nv_scope_readers readers = {&reader, 1};
    must(nv_grant_append(&right, NULL, false, &readers, &other, &error), &error);
    forgery_box(&forgery, nv_buffer_slice(&other), 0); /* a grant in a box */
    forgery_box(&forgery, (struct nv_slice){(const uint8_t *)"no op", 5}, 0);
    forgery_put(&forgery, "c", 0);
    forgery_grant(&forgery, &right, b);
    forgery_sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "a|7\nc|7\n");
    assert_int_equal(nv_group_malformed(b), 4);
    nv_group_check_sound(b);
    nv_buffer_done(&other);
}

/* No changeset introduces the key; or one that does not stand before it. */
static void what_names_no_key_is_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery first = forgery_begin(group, a);
    forgery_put(&first, "a", 0);
    forgery_sign(&first);
    struct forgery second = forgery_begin(group, a);
    forgery_put(&second, "b", 1);
    forgery_put(&second, "c", 2);
    forgery_put(&second, "d", 9);
    forgery_grant(&second, &second.key, b);
    forgery_sign(&second);
    struct forgery third = forgery_begin(group, a);
    third.key = second.key;
    third.bound = nv_box_bound_of(
        &third.key.id, &(struct nv_log_id){nv_group_id(a), nv_store_identity(a->store)->epoch, group->scope}, 3);
    forgery_put(&third, "e", 2);
    forgery_sign(&third);
    nv_pair_deliver(a, b);
    nv_group_check(b, "e|7\n");
    assert_int_equal(nv_group_malformed(b), 4);
    nv_group_check_sound(b);
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
    struct forgery first = forgery_begin(group, a), last;
    forgery_put(&first, "a", 0);
    forgery_grant(&first, &first.key, b);
    forgery_sign(&first);
    forgery_sign_put(group, a, &first.key, "b", 1);
    forgery_sign_put(group, a, &first.key, "c", 2);
    last = forgery_begin(group, a);
    nv_op_encode(&redact, forgery_op(&last));
    forgery_sign(&last);
    nv_pair_deliver(a, b);
    nv_group_check(b, "a|7\n");
    nv_group_give_key(group, b, a, 1, c, true);
    nv_pair_deliver(b, c);
    nv_group_check(c, "a|7\n");
    assert_int_equal(nv_group_malformed(b), 1);
    assert_int_equal(nv_group_malformed(c), 1);
    nv_group_check_sound(b);
    nv_group_check_sound(c);
}

/* A redact cannot let go of a grant, nor of another redact: who lacks the body goes on owing it. */
static void control_ops_are_never_let_go(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_log_id id = nv_group_log(group, a);
    struct nv_far_dot names[] = {{id.site, id.epoch, 1, 0}, {id.site, id.epoch, 1, 1}};
    struct nv_op redact = {.kind = NV_OP_REDACT, .time = nv_pair_now, .name_count = 2, .names = names};
    struct forgery first = forgery_begin(group, a), last;
    forgery_put(&first, "a", 0);
    forgery_grant(&first, &first.key, b);
    forgery_sign(&first);
    forgery_sign_put(group, a, &first.key, "b", 1);
    last = forgery_begin(group, a);
    nv_op_encode(&redact, forgery_op(&last));
    forgery_sign(&last);
    nv_pair_deliver(a, b);
    nv_group_check(b, "b|7\n");
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_grant WHERE opens = 1", "1\n");
    nv_pair_check_text(b->tool, "SELECT place FROM navette_redaction", "0\n");
    nv_group_check_sound(b);
}

/* A grant introduces a key only where it is the last op: which one it is depends on no other body. */
static void a_grant_that_is_not_the_last_op_introduces_nothing(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct forgery forgery = forgery_begin(group, a);
    forgery_grant(&forgery, &forgery.key, b);
    forgery_put(&forgery, "a", 0);
    forgery_sign(&forgery);
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
    struct forgery forgery = forgery_begin(group, a);
    forgery_put(&forgery, "a", 0);
    forgery_box(&forgery, (struct nv_slice){(const uint8_t *)"\x08\x63", 2}, 0);
    forgery_grant(&forgery, &forgery.key, b);
    forgery_sign(&forgery);
    nv_pair_deliver(a, b);
    nv_group_check(b, "");
    assert_int_equal(nv_group_merged(group, b, a), 0);
    assert_int_equal(nv_group_malformed(b), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_group_setup, nv_group_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_in_the_clear_is_nothing), TEST(what_does_not_open_is_nothing),
        TEST(what_names_no_key_is_nothing),    TEST(that_no_key_is_introduced_is_known_from_headers),
        TEST(control_ops_are_never_let_go),    TEST(a_grant_that_is_not_the_last_op_introduces_nothing),
        TEST(an_unknown_kind_in_a_box_waits),
    };
    return cmocka_run_group_tests_name("sealed: rules", tests, NULL, NULL);
}
