/* Rights by position: who is a member with which key, who reads and who carries a scope, and what scopes are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pair.h"
#include "store/internal.h"
#include "store/trust/rights.h"

static struct nv_site_id site_of(const struct nv_pair_site *site)
{
    return nv_store_identity(site->store)->site;
}

static struct nv_scope_id scope_of(struct nv_site_id site)
{
    struct nv_scope_id scope;
    memcpy(scope.bytes, site.bytes, sizeof scope.bytes);
    return scope;
}

/* ---- members ---- */

/* The genesis stands at 1, the hub's certificate at 2, the school's at 3. */
static void a_right_holds_from_its_position_on(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_site_id hub = site_of(&pair->hub), school = site_of(&pair->school), nobody = {{7}};
    const struct nv_store *stores[] = {pair->hub.store, pair->school.store};
    for (size_t i = 0; i < 2; i++) {
        assert_false(nv_right_member(stores[i], hub, 1));
        assert_true(nv_right_member(stores[i], hub, 2));
        assert_false(nv_right_member(stores[i], school, 2));
        assert_true(nv_right_member(stores[i], school, 3));
        assert_true(nv_right_member(stores[i], school, NV_POSITION_NOW));
        assert_false(nv_right_member(stores[i], nobody, NV_POSITION_NOW));
        assert_null(nv_right_sign_key(stores[i], school, 2));
        assert_memory_equal(nv_right_sign_key(stores[i], school, 3), &pair->school.sign.public_key, 32);
    }
}

static void hubs_carry_what_sites_read(void **state)
{
    struct nv_pair *pair = *state;
    const struct nv_store *store = pair->school.store;
    struct nv_site_id hub = site_of(&pair->hub), school = site_of(&pair->school);
    static const struct nv_scope_id unknown = {{9}};

    assert_true(nv_right_reads(store, NV_SCOPE_NETWORK, school, 3));
    assert_false(nv_right_reads(store, NV_SCOPE_NETWORK, school, 2));
    assert_true(nv_right_reads(store, scope_of(school), school, 3));
    assert_false(nv_right_reads(store, scope_of(school), hub, 3));
    assert_false(nv_right_reads(store, unknown, school, NV_POSITION_NOW));

    assert_true(nv_right_carries(store, scope_of(school), hub, 2));
    assert_true(nv_right_carries(store, unknown, hub, 2));
    assert_false(nv_right_carries(store, unknown, hub, 1));
    assert_true(nv_right_carries(store, NV_SCOPE_AUTHORITY, school, 3));
    assert_false(nv_right_carries(store, NV_SCOPE_AUTHORITY, school, 2));
    assert_true(nv_right_carries(store, NV_SCOPE_NETWORK, school, 3));
    assert_true(nv_right_carries(store, scope_of(school), school, 3));
    assert_false(nv_right_carries(store, scope_of(hub), school, NV_POSITION_NOW));
    assert_false(nv_right_carries(store, unknown, school, NV_POSITION_NOW));
}

/* ---- scopes ---- */

static void check_name(const struct nv_store *store, const char *name, struct nv_scope_id expected)
{
    struct nv_scope_id id;
    struct nv_error error;
    char text[NV_SCOPE_TEXT];
    nv_pair_must(nv_scope_from_name(store, name, &id, &error), &error);
    assert_memory_equal(id.bytes, expected.bytes, sizeof id.bytes);
    nv_scope_name(store, id, text);
    assert_string_equal(text, name);
}

static void scopes_have_names(void **state)
{
    struct nv_pair *pair = *state;
    const struct nv_store *store = pair->hub.store;
    const struct nv_scope *scopes;
    struct nv_scope_id id = {{0}};
    struct nv_error error = {0};
    char text[NV_SCOPE_TEXT];
    size_t count;
    check_name(store, "network", NV_SCOPE_NETWORK);
    check_name(store, "site/hub", scope_of(site_of(&pair->hub)));
    check_name(store, "site/school", scope_of(site_of(&pair->school)));
    nv_pair_must(nv_scope_from_name(store, "SITE/School", &id, &error), &error);
    assert_int_equal(nv_scope_from_name(store, "site/nobody", &id, &error), NV_NOT_FOUND);
    assert_non_null(strstr(error.text, "site/nobody"));
    assert_memory_equal(id.bytes, site_of(&pair->school).bytes, sizeof id.bytes);
    nv_scope_name(store, (struct nv_scope_id){{0xab}}, text);
    assert_string_equal(text, "ab000000000000000000000000000000");

    nv_scopes(store, &scopes, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || memcmp(scopes[i - 1].id.bytes, scopes[i].id.bytes, sizeof scopes[i].id.bytes) < 0);
        assert_ptr_equal(nv_scope_find(store, scopes[i].id), &scopes[i]);
    }
    assert_int_equal(nv_scope_find(store, NV_SCOPE_NETWORK)->kind, NV_SCOPE_IS_NETWORK);
    assert_int_equal(nv_scope_find(store, scope_of(site_of(&pair->school)))->kind, NV_SCOPE_IS_SITE);
    assert_int_equal(nv_scope_find(store, scope_of(site_of(&pair->school)))->made, 3);
    assert_null(nv_scope_find(store, NV_SCOPE_AUTHORITY));
}

static void before_there_is_a_network_nobody_has_a_right(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_pair_site site;
    const struct nv_scope *scopes;
    size_t count;
    nv_pair_site_make(pair, &site, "new");
    nv_scopes(site.store, &scopes, &count);
    assert_int_equal(count, 0);
    assert_false(nv_right_reads(site.store, NV_SCOPE_NETWORK, site_of(&site), NV_POSITION_NOW));
    assert_false(nv_right_carries(site.store, NV_SCOPE_NETWORK, site_of(&site), NV_POSITION_NOW));
    nv_pair_site_close(&site);
}

/* ---- the file ---- */

/* What stood in a store before there were rights by position is taken over. */
static void an_older_store_is_migrated(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_site_id school = site_of(&pair->school);
    nv_store_close(pair->school.store);
    nv_pair_sql(
        &pair->school,
        "DROP TABLE navette_import; DROP TABLE navette_import_record; DROP TABLE navette_import_cell; "
        "DROP VIEW navette_open_conflict; ALTER TABLE navette_peer DROP COLUMN clock_off_ms; "
        "DROP TABLE navette_beyond; DROP TABLE navette_membership; DROP TABLE navette_group; DROP TABLE navette_cut; "
        "DROP TABLE navette_readership; DROP TABLE navette_scope; DROP TABLE navette_unplaced; "
        "DROP TABLE navette_move; DROP TABLE navette_moved; DROP TABLE navette_grant; DROP TABLE navette_keyless; "
        "DROP TABLE navette_ask; DROP TABLE navette_asked; DROP TABLE navette_recovered; "
        "ALTER TABLE navette_invitation DROP COLUMN recovers; "
        "ALTER TABLE navette_member DROP COLUMN reader; "
        "ALTER TABLE navette_conflict DROP COLUMN scope; "
        "ALTER TABLE navette_quarantine DROP COLUMN scope; "
        "ALTER TABLE navette_member DROP COLUMN ends; PRAGMA user_version = 1");
    nv_pair_must(nv_store_open(pair->school.path, &pair->school.store, &error), &error);
    assert_false(nv_right_member(pair->school.store, school, 2));
    assert_true(nv_right_member(pair->school.store, school, 3));
    assert_memory_equal(nv_right_sign_key(pair->school.store, school, 3), &pair->school.sign.public_key, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_right_holds_from_its_position_on, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(hubs_carry_what_sites_read, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(scopes_have_names, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(before_there_is_a_network_nobody_has_a_right, nv_pair_setup, nv_pair_teardown),
        cmocka_unit_test_setup_teardown(an_older_store_is_migrated, nv_pair_setup, nv_pair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
