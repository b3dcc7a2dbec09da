/* A site from which a right was taken, and which is given it again: it goes on in another epoch, so that what it wrote
 * between, for which nobody vouches, blocks nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "groups.h"
#include "store/store.h"
#include "store/trust/rights.h"

static const char items[] = "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, text TEXT, who TEXT);"
                            "INSERT INTO navette_table(name, scope) VALUES ('item', 'column:who')";
static const char shown[] = "SELECT id, text FROM item ORDER BY id";

static struct nv_site_id id_of(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->site;
}

static uint64_t epoch_of(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->epoch;
}

static void write(struct nv_pair_site *site, const char *sql)
{
    nv_pair_sql(site, sql);
    nv_pair_seal(site);
}

/* The hub alone knows: the south is taken out of the group and listed again. */
static void list_again(struct nv_groups *groups)
{
    struct nv_scope_id both = nv_groups_scope(groups, "group/both");
    const struct nv_sign_key *authority = &groups->pair->authority;
    struct nv_store *hub = groups->hub->store;
    struct nv_error error;
    nv_pair_must(nv_authority_remove_reader(hub, authority, both, id_of(groups->south), nv_pair_now, &error), &error);
    nv_pair_must(nv_authority_add_reader(hub, authority, both, id_of(groups->south), nv_pair_now, &error), &error);
}

/* The hub alone knows: the south is taken out of the network, and certified anew with the keys that it has. */
static void certify_again(struct nv_groups *groups)
{
    struct nv_certificate certificate = nv_pair_certificate(groups->south, "south");
    const struct nv_sign_key *authority = &groups->pair->authority;
    struct nv_store *hub = groups->hub->store;
    struct nv_error error;
    certificate.anew = true;
    nv_pair_must(nv_authority_revoke(hub, authority, id_of(groups->south), nv_pair_now, &error), &error);
    nv_pair_must(nv_authority_certify(hub, authority, &certificate, nv_pair_now, &error), &error);
}

/* Nothing that any site holds is kept from counting but what the south wrote for nobody. */
static void check_not_blocked(struct nv_groups *groups)
{
    static const char beyond[] = "SELECT count(*) FROM navette_beyond";
    nv_pair_check_text(groups->hub->tool, beyond, "0\n");
    nv_pair_check_text(groups->north->tool, beyond, "0\n");
    nv_groups_check(groups);
}

static void who_is_listed_again_goes_on_in_another_epoch(void **state)
{
    struct nv_groups *groups = *state;
    nv_groups_publish(groups, items);
    write(groups->south, "INSERT INTO item VALUES ('a', 'before', 'group/both')");
    nv_groups_settle(groups);
    uint64_t before = epoch_of(groups->south);

    list_again(groups);
    write(groups->south, "INSERT INTO item VALUES ('b', 'between', 'group/both'); UPDATE item SET text = 'between'");
    assert_true(epoch_of(groups->south) == before);
    nv_groups_deliver(groups->hub, groups->south);
    nv_groups_settle(groups);
    assert_true(epoch_of(groups->south) != before);
    nv_pair_check_text(groups->south->tool, shown, "a|before\n"); /* nobody had it */
    write(groups->south, "INSERT INTO item VALUES ('c', 'after', 'group/both'); UPDATE item SET text = 'after'");
    nv_groups_settle(groups);
    nv_pair_check_text(groups->north->tool, shown, "a|after\nc|after\n");
    nv_pair_check_text(groups->south->tool, shown, "a|after\nc|after\n");
    check_not_blocked(groups);
}

static void what_another_merged_between_counts_beside_it(void **state)
{
    struct nv_groups *groups = *state;
    nv_groups_publish(groups, items);
    write(groups->south, "INSERT INTO item VALUES ('a', 'before', 'group/both')");
    nv_groups_settle(groups);
    uint64_t before = epoch_of(groups->south);
    list_again(groups);
    write(groups->south, "INSERT INTO item VALUES ('b', 'between', 'group/both')");
    nv_groups_deliver(groups->south, groups->north);
    write(groups->south, "UPDATE item SET text = 'for nobody' WHERE id = 'a'");
    nv_groups_deliver(groups->hub, groups->south);
    nv_pair_check_text(groups->south->tool, shown, "a|before\n"); /* before it hears who has merged what */
    nv_groups_settle(groups);
    assert_true(epoch_of(groups->south) != before);
    write(groups->south, "UPDATE item SET text = 'after' WHERE id = 'b'");
    nv_groups_settle(groups);
    nv_pair_check_text(groups->north->tool, shown, "a|before\nb|after\n");
    nv_pair_check_text(groups->south->tool, shown, "a|before\nb|after\n");
    check_not_blocked(groups);
}

static void who_was_revoked_and_is_certified_anew_goes_on_in_another_epoch(void **state)
{
    struct nv_groups *groups = *state;
    nv_groups_publish(groups, items);
    write(groups->south, "INSERT INTO item VALUES ('a', 'before', 'network'), ('own', 'before', NULL)");
    nv_groups_settle(groups);
    uint64_t before = epoch_of(groups->south);

    certify_again(groups);
    write(groups->south, "INSERT INTO item VALUES ('b', 'between', 'network'); UPDATE item SET text = 'between'");
    assert_true(epoch_of(groups->south) == before);
    nv_groups_deliver(groups->hub, groups->south);
    nv_groups_settle(groups);
    assert_true(epoch_of(groups->south) != before);
    nv_pair_check_text(groups->south->tool, shown, "a|before\nown|before\n");
    write(groups->south, "INSERT INTO item VALUES ('c', 'after', 'network'); UPDATE item SET text = 'after'");
    nv_groups_settle(groups);
    nv_pair_check_text(groups->north->tool, shown, "a|after\nc|after\n");
    nv_pair_check_text(groups->south->tool, shown, "a|after\nc|after\nown|after\n");
    check_not_blocked(groups);
}

/* It hears of the one, writes elsewhere, and of the other later. */
static void what_is_written_elsewhere_between_goes_on(void **state)
{
    struct nv_groups *groups = *state;
    nv_groups_publish(groups, items);
    write(groups->south, "INSERT INTO item VALUES ('a', 'before', 'group/both'), ('n', 'before', 'network')");
    nv_groups_settle(groups);
    uint64_t before = epoch_of(groups->south);
    nv_groups_list(groups, "group/both", groups->south, false);
    uint64_t between = epoch_of(groups->south);
    assert_true(between != before);
    write(groups->south, "UPDATE item SET text = 'between'");
    nv_groups_settle(groups);
    nv_groups_list(groups, "group/both", groups->south, true);
    nv_groups_settle(groups);
    write(groups->south, "UPDATE item SET text = 'after'");
    nv_groups_settle(groups);
    nv_pair_check_text(groups->north->tool, shown, "a|after\nn|after\n");
    nv_pair_check_text(groups->south->tool, shown, "a|after\nn|after\n");
    check_not_blocked(groups);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nv_groups_setup, nv_groups_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_listed_again_goes_on_in_another_epoch),
        TEST(what_another_merged_between_counts_beside_it),
        TEST(who_was_revoked_and_is_certified_anew_goes_on_in_another_epoch),
        TEST(what_is_written_elsewhere_between_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
