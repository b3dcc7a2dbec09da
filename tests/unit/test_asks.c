/* Content keys that are asked for and given: whose turn it is, who gets an answer, and what a site gives by its
 * operator's word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "group.h"
#include "store/internal.h"
#include "store/seal.h"
#include "store/trust/asks.h"
#include "wire/recovery.h"

static void must(enum nv_status status, const struct nv_error *error)
{
    nv_pair_must(status, error);
}

/* ---- whose turn it is ---- */

static void one_is_asked_after_the_other(void **state)
{
    (void)state;
    const struct nv_ask_candidate candidates[] = {{{{4}}, NV_ASK_OTHER},
                                                  {{{2}}, NV_ASK_MERGED},
                                                  {{{9}}, NV_ASK_OWN},
                                                  {{{1}}, NV_ASK_MERGED},
                                                  {{{3}}, NV_ASK_OTHER}};
    static const uint8_t expected[] = {9, 1, 2, 3, 4, 9, 1};
    struct nv_site_id last;
    bool is_round;
    for (size_t i = 0; i < sizeof expected; i++) {
        size_t next = nv_ask_next(candidates, 5, i == 0 ? NULL : &last, &is_round);
        assert_true(next < 5);
        assert_int_equal(is_round, i == 5);
        last = candidates[next].site;
        assert_int_equal(last.bytes[0], expected[i]);
    }
    /* Who was asked last reads no more: it begins anew. */
    assert_int_equal(nv_ask_next(candidates, 5, &(struct nv_site_id){{7}}, &is_round), 2);
    assert_int_equal(nv_ask_next(candidates, 0, NULL, &is_round), SIZE_MAX);
}

static void it_is_asked_again_after_a_while(void **state)
{
    (void)state;
    const struct nv_wall_ms asked = {1000000};
    assert_false(nv_ask_is_due(asked, 60000, (struct nv_wall_ms){1000000}));
    assert_false(nv_ask_is_due(asked, 60000, (struct nv_wall_ms){1059999}));
    assert_true(nv_ask_is_due(asked, 60000, (struct nv_wall_ms){1060000}));
    assert_true(nv_ask_is_due(asked, 60000, (struct nv_wall_ms){999999})); /* the clock was set back */
    assert_false(nv_ask_is_due(asked, 120000, (struct nv_wall_ms){1060000}));
}

/* ---- in stores ---- */

/* Lets the site say what there is to say, so many ms after the start; how many changesets that made. */
static size_t tend(struct nv_pair_site *site, int64_t after_ms)
{
    struct nv_sealed sealed;
    struct nv_error error;
    size_t changesets = 0;
    do {
        must(nv_store_seal(site->store, (struct nv_wall_ms){nv_pair_now.ms + after_ms}, 60000, &sealed, &error),
             &error);
        changesets += sealed.changesets;
    } while (sealed.more);
    return changesets;
}

/* Whom a site has asked. */
static void check_asked(struct nv_pair_site *site, const struct nv_pair_site *of)
{
    struct nv_error error;
    sqlite3_stmt *rows = nv_db_prepare(nv_store_db(site->store), "SELECT of FROM navette_ask", &error);
    struct nv_site_id id = nv_group_id(of);
    bool row;
    assert_non_null(rows);
    must(nv_db_step(rows, &row, &error), &error);
    assert_true(row);
    assert_memory_equal(sqlite3_column_blob(rows, 0), id.bytes, sizeof id.bytes);
    sqlite3_finalize(rows);
}

/* Nobody has anything to say: no changeset, and no look at the tables. */
static void where_nothing_is_lacking_nothing_is_said(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    assert_int_equal(tend(a, 0) + tend(b, 0) + tend(group->hub, 0), 0);
    assert_false(nv_store_keys_wait(b->store, nv_pair_now));
    assert_false(nv_store_keys_wait(b->store, (struct nv_wall_ms){nv_pair_now.ms + 86400000}));
}

static void who_wrote_it_is_asked_and_answers(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_group_let_read(group, nv_group_id(d));
    nv_pair_deliver(a, d);
    assert_true(nv_store_keys_wait(d->store, nv_pair_now));
    assert_int_equal(tend(d, 0), 1);
    check_asked(d, a);
    assert_int_equal(tend(d, 1000), 0); /* it was just asked */
    nv_pair_deliver(d, &group->sites[GROUP_B]);
    assert_int_equal(tend(&group->sites[GROUP_B], 0), 0); /* nobody asked it */
    nv_pair_check_text(group->sites[GROUP_B].tool, "SELECT count(*) FROM navette_asked WHERE given IS NULL", "0\n");
    nv_pair_deliver(d, a);
    assert_int_equal(tend(a, 0), 1);
    assert_int_equal(tend(a, 1000), 0); /* answered once */
    nv_pair_deliver(a, d);
    nv_group_settle(d);
    nv_group_check(d, "x|1\n");
    assert_int_equal(tend(d, 90000), 0);
}

/* The writer is away: who has merged it is asked next, be his site id the greater one. */
static void after_a_minute_another_one_is_asked(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *c = &group->sites[GROUP_C],
                        *d = &group->sites[GROUP_D];
    if (nv_site_id_compare(nv_group_id(b), nv_group_id(c)) > 0) {
        b = &group->sites[GROUP_C];
        c = &group->sites[GROUP_B];
    }
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, c);
    nv_group_let_read(group, nv_group_id(d));
    nv_group_write(group, c, "y", 2); /* its header says that it has merged what A wrote */
    nv_pair_deliver(c, d);
    assert_int_equal(tend(d, 0), 1);
    check_asked(d, a);
    assert_int_equal(tend(d, NV_ASK_AGAIN_MS - 1), 0);
    assert_int_equal(tend(d, NV_ASK_AGAIN_MS), 1);
    check_asked(d, c);
    assert_int_equal(tend(d, 2 * NV_ASK_AGAIN_MS), 1);
    check_asked(d, b);
    nv_pair_deliver(d, c);
    assert_int_equal(tend(c, 0), 1);
    nv_pair_deliver(c, d);
    nv_group_settle(d);
    nv_group_check(d, "x|1\ny|2\n");
}

/* Nobody has the key any more: each round waits twice as long, so that a month of asking is a few changesets. */
static void who_is_never_answered_asks_ever_less(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_group_let_read(group, nv_group_id(d));
    nv_pair_deliver(a, d);
    size_t asked = 0, in_first_hour = 0;
    for (int64_t minute = 0; minute < 30 * 24 * 60; minute++) {
        asked += tend(d, minute * NV_ASK_AGAIN_MS);
        in_first_hour = minute == 59 ? asked : in_first_hour;
    }
    assert_in_range(in_first_hour, 9, 20); /* three may be asked: all of them three times at the least */
    assert_in_range(asked - in_first_hour, 100, 150);
}

/* An ask that comes again is not answered again, or who asks could fill others' logs. */
static void a_key_is_given_once(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_group_let_read(group, nv_group_id(d));
    nv_pair_deliver(a, d);
    assert_int_equal(tend(d, 0), 1);
    nv_pair_deliver(d, a);
    assert_int_equal(tend(a, 0), 1);
    for (int minute = 1; minute <= 3; minute++) /* the answer has not come: B, C, and A once more */
        assert_int_equal(tend(d, minute * NV_ASK_AGAIN_MS), 1);
    check_asked(d, a);
    nv_pair_deliver(d, a);
    assert_int_equal(tend(a, 4 * NV_ASK_AGAIN_MS), 0);
    nv_pair_deliver(a, d);
    nv_group_settle(d);
    nv_group_check(d, "x|1\n");
}

/* The authority lists a hub in the group: it is granted nothing all the same, until the writer's operator says so. */
static void a_hub_that_is_listed_reads_by_word_alone(void **state)
{
    static const char *const name[] = {"hub"};
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A];
    nv_group_let_read(group, nv_group_id(group->hub));
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, group->hub);
    nv_pair_check_text(group->hub->tool, "SELECT count(*) FROM navette_grant WHERE sealed IS NOT NULL", "0\n");
    nv_group_check(group->hub, "");
    nv_store_set_hub_readers(a->store, name, 1);
    nv_group_write(group, a, "y", 2);
    nv_pair_deliver(a, group->hub);
    nv_pair_check_text(group->hub->tool, "SELECT number FROM navette_grant WHERE sealed IS NOT NULL", "2\n");
}

/* Who asked and reads no more gets no answer; nor does who asks for what nobody introduced. */
static void who_does_not_read_gets_no_answer(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *d = &group->sites[GROUP_D];
    nv_group_write(group, a, "x", 1);
    nv_group_let_read(group, nv_group_id(d));
    nv_pair_deliver(a, d);
    assert_int_equal(tend(d, 0), 1);
    nv_pair_deliver(d, a);
    nv_pair_check_text(a->tool, "SELECT count(*) FROM navette_asked", "1\n");
    nv_group_stop_reading(group, nv_group_id(d));
    assert_int_equal(tend(a, 0), 0);
    nv_pair_check_text(a->tool, "SELECT count(*) FROM navette_asked", "0\n");
}

static void keys_that_are_none_are_not_kept(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    struct nv_log_id log = nv_group_log(group, a), own = nv_group_log(group, b);
    struct nv_key_name names[] = {{log.site, log.epoch, 1}, {log.site, log.epoch, 7}, {own.site, own.epoch, 1}};
    struct nv_ask ask = {.of = log.site, .key_count = 3, .keys = names};
    struct nv_buffer bytes = {0};
    struct nv_error error;
    nv_log_number number;
    uint64_t seq;
    nv_group_write(group, a, "x", 1);
    if (nv_key_name_compare(&names[2], &names[0]) < 0) {
        names[2] = names[1];
        names[1] = names[0];
        names[0] = (struct nv_key_name){own.site, own.epoch, 1};
    }
    nv_ask_encode(&ask, &bytes);
    struct nv_slice op = nv_buffer_slice(&bytes);
    must(nv_begin(b->store, &error), &error);
    must(nv_log_append_sealed(b->store, &own, &op, 1, NULL, &b->sign, nv_pair_now, &number, &seq, &error), &error);
    must(nv_commit(b->store, &error), &error);
    nv_pair_deliver(b, a);
    nv_pair_check_text(a->tool, "SELECT number FROM navette_asked", "1\n");
    nv_buffer_done(&bytes);
}

/* Many keys: no ask names more than it may, and all are given. */
static void many_keys_are_asked_for_at_once(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *c = &group->sites[GROUP_C], *d = &group->sites[GROUP_D];
    enum { KEYS = NV_LIMIT_ASKED_KEYS + 20 };
    nv_group_let_read(group, nv_group_id(d));
    for (int i = 0; i < KEYS; i++) {
        const struct nv_curve_key *key = i % 2 == 0 ? &c->curve : &d->curve;
        struct nv_scope_reader readers[] = {{nv_group_id(a), a->curve.public_key, {{0}}},
                                            {nv_group_id(c), key->public_key, {{0}}}};
        if (nv_site_id_compare(readers[0].site, readers[1].site) > 0) {
            struct nv_scope_reader first = readers[1];
            readers[1] = readers[0];
            readers[0] = first;
        }
        struct nv_log_id log = nv_group_log(group, a);
        struct nv_buffer put = {0};
        struct nv_error error;
        nv_log_number number;
        uint64_t seq;
        nv_group_put("x", i, &put);
        struct nv_slice op = nv_buffer_slice(&put);
        must(nv_begin(a->store, &error), &error);
        must(nv_log_append_for(a->store, &log, &(struct nv_scope_readers){readers, 2}, &op, 1, NULL, &a->sign,
                               nv_pair_now, &number, &seq, &error),
             &error);
        must(nv_commit(a->store, &error), &error);
        nv_buffer_done(&put);
        if (i % 200 == 0)
            nv_pair_deliver(a, d);
    }
    nv_group_settle(a);
    nv_pair_deliver(a, d);
    nv_pair_check_text(d->tool, "SELECT count(*) FROM navette_grant", "276\n");
    assert_int_equal(tend(d, 0), 1);
    nv_pair_check_text(d->tool, "SELECT count(*) FROM navette_ask", "256\n"); /* of one log no more at once */
    nv_pair_deliver(d, a);
    assert_int_equal(tend(a, 0), 1);
    nv_pair_deliver(a, d);
    nv_group_settle(d);
    nv_group_check(d, "x|255\n");
    assert_int_equal(tend(d, NV_ASK_AGAIN_MS), 1);
    nv_pair_check_text(d->tool, "SELECT count(*) FROM navette_ask", "276\n");
    nv_pair_deliver(d, a);
    assert_int_equal(tend(a, NV_ASK_AGAIN_MS), 1);
    nv_pair_deliver(a, d);
    nv_group_settle(d);
    nv_group_check(d, "x|275\n");
}

/* ---- by word ---- */

static const char *const hub_name[] = {"hub"};

/* A hub gets nothing until the operator of a site lets it read; then also what was written before. */
static void a_hub_is_given_keys_by_word_alone(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B], *hub = group->hub;
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, b);
    nv_group_write(group, b, "y", 1);
    nv_store_set_hub_readers(a->store, hub_name, 1);
    assert_int_equal(tend(a, 0), 0); /* its certificate does not say that it may read */
    nv_group_let_hub_read(group);
    nv_store_set_hub_readers(a->store, hub_name, 1);
    assert_int_equal(tend(a, 0), 1);
    assert_int_equal(tend(b, 0), 0);
    nv_pair_deliver(a, hub);
    nv_pair_deliver(b, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "x|1\n");
    assert_int_equal(tend(hub, 0), 0); /* it writes in no such scope, so it does not ask */
    nv_group_reopen(a);
    nv_store_set_hub_readers(a->store, hub_name, 1);
    assert_int_equal(tend(a, 0), 0); /* it has been given */
    nv_store_set_hub_readers(b->store, hub_name, 1);
    assert_int_equal(tend(b, 0), 1);
    nv_pair_deliver(b, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "x|1\ny|1\n");
}

/* The word is taken back and given again: then the hub gets what was written in between, for it cannot ask. */
static void a_hub_that_is_let_read_again_is_given_what_it_missed(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *hub = group->hub;
    nv_group_let_hub_read(group);
    nv_store_set_hub_readers(a->store, hub_name, 1);
    nv_group_write(group, a, "x", 1);
    tend(a, 0);
    nv_store_set_hub_readers(a->store, NULL, 0);
    assert_int_equal(tend(a, 0), 0);
    nv_group_write(group, a, "y", 1);
    nv_pair_deliver(a, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "x|1\n");
    nv_store_set_hub_readers(a->store, hub_name, 1);
    assert_int_equal(tend(a, 0), 1);
    nv_pair_deliver(a, hub);
    nv_group_settle(hub);
    nv_group_check(hub, "x|1\ny|1\n");
}

/* A site that comes back with its recovery key grants itself, with its new key, what that one opens. */
static void what_the_recovery_key_opens_is_granted_anew(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, group->hub);
    nv_group_recover(group, b);
    assert_int_equal(tend(b, 0), 0); /* before it has what introduces the key, a grant of it would be void */
    nv_pair_deliver(a, b);
    nv_group_check(b, "x|1\n");
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_recovered", "1\n");
    assert_int_equal(tend(b, 0), 1);
    assert_int_equal(tend(b, 90000), 0);
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_ask", "0\n");
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_recovered", "0\n");
    nv_pair_check_text(b->tool, "SELECT opens FROM navette_grant ORDER BY changeset", "2\n1\n");
    nv_group_reopen(b);
    nv_group_write(group, a, "x", 2);
    nv_pair_deliver(a, b);
    nv_group_check(b, "x|2\n");
}

/* What introduces the key is there, and cannot be merged yet: a grant would be void. */
static void what_was_recovered_is_granted_once_it_is_merged(void **state)
{
    struct nv_group *group = *state;
    struct nv_pair_site *a = &group->sites[GROUP_A], *b = &group->sites[GROUP_B];
    nv_group_write(group, a, "x", 1);
    nv_pair_deliver(a, group->hub);
    nv_group_recover(group, b);
    nv_pair_sql(b, "DROP TABLE item");
    nv_pair_deliver(a, b);
    nv_pair_check_text(b->tool, "SELECT opens FROM navette_grant", "2\n");
    assert_int_equal(nv_group_merged(group, b, a), 0);
    assert_int_equal(tend(b, 0), 0);
    assert_int_equal(tend(b, 90000), 0);
    nv_pair_sql(b, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, size INTEGER, who TEXT)");
    tend(b, 90000); /* it finds the table again */
    nv_group_settle(b);
    nv_group_check(b, "x|1\n");
    tend(b, 90000);
    nv_pair_check_text(b->tool, "SELECT count(*) FROM navette_recovered", "0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_group_setup, nv_group_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_asked_after_the_other),
        cmocka_unit_test(it_is_asked_again_after_a_while),
        TEST(where_nothing_is_lacking_nothing_is_said),
        TEST(who_wrote_it_is_asked_and_answers),
        TEST(after_a_minute_another_one_is_asked),
        TEST(who_is_never_answered_asks_ever_less),
        TEST(a_key_is_given_once),
        TEST(a_hub_that_is_listed_reads_by_word_alone),
        TEST(who_does_not_read_gets_no_answer),
        TEST(keys_that_are_none_are_not_kept),
        TEST(many_keys_are_asked_for_at_once),
        TEST(a_hub_is_given_keys_by_word_alone),
        TEST(a_hub_that_is_let_read_again_is_given_what_it_missed),
        TEST(what_the_recovery_key_opens_is_granted_anew),
        TEST(what_was_recovered_is_granted_once_it_is_merged),
    };
    return cmocka_run_group_tests_name("asks", tests, NULL, NULL);
}
