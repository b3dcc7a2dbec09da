/* The home of a record decides what a field of the rule `home` shows: also where an op that gives another field moves
 * it. Our own sealing makes no such op, the protocol allows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "forged.h"
#include "store/care.h"

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, a INTEGER, c INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network');"
                          "INSERT INTO navette_column(table_name, name, rule) VALUES ('item', 'c', 'home')");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('r', 0, 1)");
    nv_pair_seal(&pair->hub);
    return 0;
}

/* The hub takes a put of one field of r that names that home, captured after whatever is there. */
static void hand_in(struct forged *forged, unsigned field, int64_t value, struct nv_site_id home)
{
    static struct nv_op op;
    const uint8_t key[] = {3, 1, 'r'};
    struct nv_buffer bytes = {0};
    struct nv_error error;
    memset(&op, 0, sizeof op);
    op.kind = NV_OP_PUT;
    op.table = 1;
    op.key = (struct nv_slice){key, sizeof key};
    op.time.ms = NV_LIMIT_TIME_MS;
    op.has_home = true;
    op.home = home;
    op.fields = (nv_fields)1 << field;
    op.value_count = 1;
    op.values[0] = (struct nv_value){.type = NV_INTEGER, .integer = value};
    nv_op_encode(&op, &bytes);
    struct nv_slice ops[] = {nv_buffer_slice(&bytes)};
    forged_sign_ops(forged, ops, 1);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged->bytes)};
    nv_pair_must(nv_store_ingest(forged->pair->hub.store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    assert_int_equal(incoming.verdict, NV_VERDICT_TAKEN);
    forged_follow(forged);
    nv_buffer_done(&bytes);
}

static void an_op_that_moves_the_home_shows_what_competes_anew(void **state)
{
    struct nv_pair *pair = *state;
    struct forged forged = forged_begin(pair);
    struct nv_rebuilt rebuilt;
    struct nv_error error;
    hand_in(&forged, 1, 2, nv_store_identity(pair->hub.store)->site);
    nv_pair_check_text(pair->hub.tool, "SELECT c FROM item", "1\n"); /* the hub is the home */
    hand_in(&forged, 0, 5, (struct nv_site_id){{0}});
    nv_pair_check_text(pair->hub.tool, "SELECT a, c FROM item", "5|2\n"); /* nobody's: the last one */
    nv_pair_check_text(pair->hub.tool, "SELECT value FROM navette_conflict WHERE field = 'c' AND shown", "2\n");
    /* Who writes over what is shown has not seen the other value. */
    nv_pair_sql(&pair->hub, "UPDATE item SET c = 3");
    nv_pair_seal(&pair->hub);
    nv_pair_check_text(pair->hub.tool, "SELECT value FROM navette_conflict WHERE field = 'c' ORDER BY 1", "1\n3\n");
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    forged_done(&forged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_op_that_moves_the_home_shows_what_competes_anew, setup, nv_pair_teardown),
    };
    return cmocka_run_group_tests_name("home", tests, NULL, NULL);
}
