/* A store against what people, tools and hostile members do to it. Real files, real keys, no daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/care.h"
#include "store/log/logs.h"
#include "store/merge/rows.h"
#include "store/merge/versions.h"
#include "store/seal.h"
#include "stores.h"
#include "wire/changeset.h"

static struct nv_dice dice;
static struct nv_stores stores;

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

static int open_two(void **state)
{
    (void)state;
    dice = nv_dice_of(7);
    nv_stores_open(&stores, &dice, 2);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    nv_stores_close(&stores);
    return 0;
}

/* ---- what a member may sign ---- */

static struct nv_slice text_key(const char *text)
{
    static uint8_t bytes[2][256];
    static size_t turn;
    struct nv_buffer key = {0};
    nv_value_encode(&key, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)text, strlen(text)}});
    uint8_t *room = bytes[turn++ % 2];
    memcpy(room, key.data, key.size);
    struct nv_slice slice = {room, key.size};
    nv_buffer_done(&key);
    return slice;
}

static struct nv_value integer(int64_t value)
{
    return (struct nv_value){.type = NV_INTEGER, .integer = value};
}

/* A put of item's first field. */
static struct nv_op *put(struct nv_op *op, const char *key, struct nv_value value, int64_t time_ms)
{
    memset(op, 0, sizeof *op);
    op->kind = NV_OP_PUT;
    op->table = 1;
    op->key = text_key(key);
    op->time.ms = time_ms;
    op->fields = 1;
    op->value_count = 1;
    op->values[0] = value;
    return op;
}

static struct nv_far_dot dot_of(size_t site, uint64_t seq, uint32_t index)
{
    const struct nv_identity *identity = nv_store_identity(stores.sites[site].store);
    return (struct nv_far_dot){identity->site, identity->epoch, seq, index};
}

static struct nv_op *redact(struct nv_op *op, struct nv_far_dot *name)
{
    memset(op, 0, sizeof *op);
    op->kind = NV_OP_REDACT;
    op->name_count = 1;
    op->names = name;
    return op;
}

/* Signs the ops as the next changeset of a log of the site, whatever they say, and merges it there. */
static void sign_in_epoch(size_t site, uint64_t epoch, const struct nv_op *const *ops, size_t count)
{
    struct nv_store *store = stores.sites[site].store;
    struct nv_wall_ms now = nv_stores_turn(&stores, site);
    struct nv_log_id log = {store->identity.site, epoch, NV_SCOPE_NETWORK};
    struct nv_buffer *bytes = calloc(count + 1, sizeof *bytes);
    struct nv_slice *slices = calloc(count + 1, sizeof *slices);
    uint32_t *hashes = calloc(count + 1, sizeof *hashes);
    struct nv_error error;
    nv_log_number number;
    uint64_t seq;
    for (size_t i = 0; i < count; i++) {
        nv_op_encode(ops[i], &bytes[i]);
        slices[i] = nv_buffer_slice(&bytes[i]);
        hashes[i] = ops[i]->key.size == 0 ? 0 : nv_record_hash(ops[i]->table, ops[i]->key);
    }
    must(nv_begin(store, &error), &error);
    must(nv_log_append_sealed(store, &log, slices, count, hashes, store->signer, now, &number, &seq, &error), &error);
    must(nv_commit(store, &error), &error);
    must(nv_store_ingest(store, NULL, 0, now, 1000, &error), &error);
    for (size_t i = 0; i < count; i++)
        nv_buffer_done(&bytes[i]);
    free(bytes);
    free(slices);
    free(hashes);
}

static void sign(size_t site, const struct nv_op *const *ops, size_t count)
{
    sign_in_epoch(site, stores.sites[site].store->identity.epoch, ops, count);
}

/* ---- delivering and looking ---- */

static void deliver(size_t from, size_t to)
{
    static const struct nv_stores_line good = {.budget_bytes = 64 << 20, .reads = 1000};
    static struct nv_stores_parcel parcel;
    nv_stores_fetch(&stores, &dice, from, to, &good, &parcel);
    nv_stores_hand_over(&stores, &dice, to, &parcel);
}

static void write_sql(size_t site, const char *sql)
{
    nv_stores_sql(&stores, site, true, sql);
    nv_stores_seal(&stores, site);
}

static void assert_text(size_t site, const char *sql, const char *expected)
{
    char *found = nv_stores_text(&stores, site, sql);
    if (strcmp(found, expected) != 0)
        fail_msg("site %zu: %s\ngives\n%swhere this was expected:\n%s", site, sql, found, expected);
    free(found);
}

static struct nv_scope_digest digest_of(size_t site)
{
    struct nv_scope_digest digest;
    struct nv_error error;
    must(nv_store_digest(stores.sites[site].store, NV_SCOPE_NETWORK, &digest, &error), &error);
    return digest;
}

/* Both have merged the same, and so they are the same. */
static void assert_alike(size_t one, size_t other)
{
    struct nv_scope_digest a = digest_of(one), b = digest_of(other);
    assert_true(a.closed && b.closed);
    assert_memory_equal(&a.vector, &b.vector, sizeof a.vector);
    assert_memory_equal(&a.state, &b.state, sizeof a.state);
    static const char all[] = "SELECT quote(id), quote(a), quote(b), quote(c), quote(d) FROM item ORDER BY id";
    char *rows = nv_stores_text(&stores, one, all);
    assert_text(other, all, rows);
    free(rows);
}

static void assert_rebuilds_clean(size_t site)
{
    struct nv_rebuilt rebuilt;
    struct nv_error error;
    must(nv_store_rebuild(stores.sites[site].store, nv_stores_turn(&stores, site), &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended, 0);
    assert_int_equal(rebuilt.rows_mended, 0);
}

enum { JOINER = NV_STORES_ALL - 1 };

/* ---- redactions ---- */

static void a_redaction_beside_a_put_keeps_the_put(void **state)
{
    (void)state;
    static struct nv_op first, other, gone;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    struct nv_far_dot name = dot_of(0, 2, 0);
    sign(0, (const struct nv_op *[]){put(&first, "r1", integer(2), 1700000000001)}, 1);
    sign(0, (const struct nv_op *[]){put(&other, "r1", integer(3), 1700000000002), redact(&gone, &name)}, 2);
    deliver(0, 1);
    deliver(1, JOINER);
    assert_text(0, "SELECT a FROM item", "3\n");
    assert_text(1, "SELECT a FROM item", "3\n");
    assert_alike(0, 1);
    assert_alike(0, JOINER);
    assert_rebuilds_clean(0);
    assert_rebuilds_clean(1);
    assert_alike(0, 1);
}

static void a_redacted_create_leaves_defaults(void **state)
{
    (void)state;
    static struct nv_op kept, gone;
    write_sql(0, "INSERT INTO item(id, a, b, c, d) VALUES ('r1', 1, 2, 'secret', 'secret')");
    sign(0, (const struct nv_op *[]){put(&kept, "r1", integer(2), 1700000000001)}, 1);
    deliver(0, 1);
    struct nv_far_dot name = dot_of(0, 1, 0);
    sign(0, (const struct nv_op *[]){redact(&gone, &name)}, 1);
    deliver(0, 1);
    deliver(0, JOINER);
    assert_text(JOINER, "SELECT a, b, quote(c), d FROM item", "2|0|NULL|new\n");
    assert_text(1, "SELECT a, b, quote(c), d FROM item", "2|0|NULL|new\n");
    assert_alike(0, 1);
    assert_alike(0, JOINER);
    assert_rebuilds_clean(0);
    assert_rebuilds_clean(1);
}

static void a_record_whose_ops_all_went_is_no_record(void **state)
{
    (void)state;
    static struct nv_op gone;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    deliver(0, 1);
    struct nv_far_dot name = dot_of(0, 1, 0);
    sign(0, (const struct nv_op *[]){redact(&gone, &name)}, 1);
    deliver(0, 1);
    deliver(0, JOINER);
    assert_text(1, "SELECT * FROM item", "");
    assert_alike(0, 1);
    assert_alike(0, JOINER);
}

/* ---- what does not fit ---- */

static void a_value_too_long_to_send_stops_nothing(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a, c) VALUES ('r1', 1, 'x')");
    deliver(0, 1);
    nv_stores_sql(&stores, 1, true, "UPDATE item SET a = zeroblob(20 << 20)");
    nv_stores_sql(&stores, 1, true, "INSERT INTO item(id, a, c) VALUES ('r2', zeroblob(20 << 20), 'y')");
    nv_stores_seal(&stores, 1);
    write_sql(0, "UPDATE item SET c = 'z'");
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r2', 2)");
    deliver(0, 1);
    deliver(1, 0);
    assert_text(1, "SELECT id, typeof(a), c FROM item WHERE id = 'r1'", "r1|integer|z\n");
    assert_text(1, "SELECT length(value) FROM navette_quarantine", "20971520\n20971520\n");
    assert_alike(0, 1);
    assert_rebuilds_clean(1);
}

/* Candidates hold just the beginning of such values: what is shown, listed and hashed is whole. */
static void long_values_in_conflict_are_whole(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    deliver(0, 1);
    write_sql(0, "UPDATE item SET a = printf('%09000d', 0) || 'zero'");
    write_sql(1, "UPDATE item SET a = printf('%09000d', 0) || 'one'");
    deliver(0, 1);
    deliver(1, 0);
    for (size_t site = 0; site < 2; site++)
        assert_text(site, "SELECT substr(value, 9001) FROM navette_conflict ORDER BY 1", "one\nzero\n");
    deliver(1, JOINER);
    assert_alike(0, 1);
    assert_alike(0, JOINER);
    assert_rebuilds_clean(0);
    /* Without the row the digest reads the log. */
    struct nv_scope_digest before = digest_of(0);
    nv_stores_sql(&stores, 0, true,
                  "INSERT INTO navette_guard VALUES (1); DELETE FROM item;"
                  "DELETE FROM navette_guard");
    struct nv_scope_digest after = digest_of(0);
    assert_memory_equal(&before.state, &after.state, sizeof before.state);
}

static void what_nobody_takes_is_listed_once(void **state)
{
    (void)state;
    static struct nv_op op;
    for (int i = 0; i < 3; i++) {
        put(&op, "r1", (struct nv_value){.type = NV_NULL}, 1700000000001);
        op.fields = 2; /* b is NOT NULL */
        sign(0, (const struct nv_op *[]){&op}, 1);
    }
    deliver(0, 1);
    assert_text(1, "SELECT field, reason, count FROM navette_quarantine", "1|value|3\n");
}

static void a_check_that_fails_refuses_the_value(void **state)
{
    (void)state;
    static struct nv_op op;
    nv_stores_publish(&stores,
                      "CREATE TABLE small(id TEXT NOT NULL PRIMARY KEY, n INTEGER DEFAULT 0 CHECK (abs(n) < 9));"
                      "INSERT INTO navette_table(name, scope) VALUES ('small', 'network')");
    deliver(0, 1);
    put(&op, "r1", integer(INT64_MIN), 1700000000001);
    op.table = 2;
    sign(0, (const struct nv_op *[]){&op}, 1);
    deliver(0, 1);
    assert_text(1, "SELECT tbl, field, reason FROM navette_quarantine", "2|0|value\n");
    assert_alike(0, 1);
}

static void a_real_is_no_key(void **state)
{
    (void)state;
    nv_stores_publish(&stores, "CREATE TABLE pair(k NOT NULL PRIMARY KEY, v TEXT) WITHOUT ROWID;"
                               "INSERT INTO navette_table(name, scope) VALUES ('pair', 'network')");
    deliver(0, 1);
    write_sql(0, "INSERT INTO pair VALUES (1, 'one')");
    write_sql(1, "INSERT INTO pair VALUES (1.0, 'real')");
    deliver(0, 1);
    deliver(1, 0);
    deliver(0, 1);
    struct nv_scope_digest a = digest_of(0), b = digest_of(1);
    assert_memory_equal(&a.vector, &b.vector, sizeof a.vector);
    assert_memory_equal(&a.state, &b.state, sizeof a.state);
}

/* ---- tables ---- */

static void a_column_added_later_is_captured_whoever_writes_it(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1), ('r2', 2), ('r3', 3)");
    deliver(0, 1);
    nv_stores_publish(&stores, "ALTER TABLE item ADD COLUMN e TEXT DEFAULT 'none'");
    deliver(0, 1);
    write_sql(1, "REPLACE INTO item(id, a, e) VALUES ('r1', 1, 'replaced')");
    write_sql(1, "BEGIN; DELETE FROM item WHERE id = 'r2'; INSERT INTO item(id, a, e) VALUES ('r2', 2, 'again');"
                 " COMMIT");
    deliver(1, 0);
    assert_text(0, "SELECT id, e FROM item ORDER BY id", "r1|replaced\nr2|again\nr3|none\n");
    assert_alike(0, 1);
}

static void a_column_that_was_here_before_is_sealed(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    deliver(0, 1);
    write_sql(1, "ALTER TABLE item ADD COLUMN e TEXT DEFAULT 'none'; UPDATE item SET e = 'here'");
    nv_stores_publish(&stores, "ALTER TABLE item ADD COLUMN e TEXT DEFAULT 'none'");
    deliver(0, 1);
    nv_stores_seal(&stores, 1);
    deliver(1, 0);
    assert_text(0, "SELECT e FROM item", "here\n");
    assert_alike(0, 1);
}

static void a_unique_index_of_ones_own_stops_its_table_alone(void **state)
{
    (void)state;
    write_sql(1, "CREATE UNIQUE INDEX mine ON item(a)");
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1), ('r2', 1)");
    deliver(0, 1);
    write_sql(1, "DROP INDEX mine");
    write_sql(0, "UPDATE item SET c = 'go'");
    deliver(0, 1);
    assert_alike(0, 1);
}

static void an_index_on_json_is_in_nobodys_way(void **state)
{
    (void)state;
    write_sql(1, "CREATE INDEX mine ON item(json_extract(c, '$.x'))");
    write_sql(0, "INSERT INTO item(id, c) VALUES ('r1', '{\"x\": 1}')");
    deliver(0, 1);
    assert_alike(0, 1);
}

static void what_waited_for_a_table_comes_with_it(void **state)
{
    (void)state;
    write_sql(1, "ALTER TABLE item RENAME TO away");
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    deliver(0, 1);
    write_sql(1, "ALTER TABLE away RENAME TO item");
    assert_text(1, "SELECT a FROM item", "1\n");
    assert_alike(0, 1);
}

static void a_delete_sealed_in_a_later_slice_is_no_missing_row(void **state)
{
    (void)state;
    write_sql(1, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    write_sql(1, "REPLACE INTO item(id, a) VALUES ('r1', 2);"
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
                 "INSERT INTO item(id, a) SELECT 'n' || i, i FROM n;"
                 "DELETE FROM item WHERE id = 'r1'");
    assert_text(1, "SELECT count(*) FROM navette_missing", "0\n");
    deliver(1, 0);
    assert_text(0, "SELECT count(*) FROM item WHERE id = 'r1'", "0\n");
    assert_alike(0, 1);
}

/* ---- forms that are saved late ---- */

static const char values_of_a[] = "SELECT value FROM navette_conflict WHERE field = 'a' ORDER BY value";

static void a_form_that_missed_two_changes_hides_neither(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 'first')");
    deliver(0, 1);
    write_sql(0, "UPDATE item SET a = 'second'");
    deliver(0, 1);
    write_sql(0, "UPDATE item SET a = 'third'");
    deliver(0, 1);
    write_sql(1, "UPDATE item SET a = 'first'");
    deliver(1, 0);
    assert_text(0, values_of_a, "first\nthird\n");
    assert_alike(0, 1);
}

static void a_form_opened_in_a_conflict_hides_no_later_value(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 'first')");
    deliver(0, 1);
    write_sql(0, "UPDATE item SET a = 'apart'");
    write_sql(1, "UPDATE item SET a = 'shown'");
    deliver(0, 1);
    deliver(1, 0);
    assert_text(1, "SELECT a FROM item", "shown\n");
    write_sql(0, "UPDATE item SET a = 'written over it'");
    deliver(0, 1);
    write_sql(1, "UPDATE item SET a = 'shown'");
    deliver(1, 0);
    assert_text(0, values_of_a, "apart\nshown\nwritten over it\n");
    assert_alike(0, 1);
}

static void a_form_that_knew_a_default_alone_hides_no_value(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    deliver(0, 1);
    nv_stores_publish(&stores, "ALTER TABLE item ADD COLUMN e TEXT DEFAULT 'none'");
    deliver(0, 1);
    write_sql(0, "UPDATE item SET e = 'filled in'");
    deliver(0, 1);
    write_sql(1, "UPDATE item SET e = 'none', a = 2");
    deliver(1, 0);
    assert_text(0, "SELECT value FROM navette_conflict WHERE field = 'e' ORDER BY value", "filled in\nnone\n");
    assert_alike(0, 1);
    assert_rebuilds_clean(1);
}

static void what_stands_again_after_a_form_of_its_own_site_is_no_conflict(void **state)
{
    (void)state;
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 'first')");
    deliver(0, 1);
    write_sql(0, "UPDATE item SET a = 'second'");
    deliver(0, 1);
    write_sql(1, "UPDATE item SET a = 'own'");
    write_sql(1, "UPDATE item SET a = 'first'");
    deliver(1, 0);
    assert_text(0, values_of_a, "");
    assert_text(0, "SELECT a FROM item", "first\n");
    assert_alike(0, 1);
}

/* ---- triggers of the site's own ---- */

static void a_trigger_that_objects_loses_nothing(void **state)
{
    (void)state;
    static const char *const objections[] = {"IGNORE", "ABORT, 'no'", "FAIL, 'no'", "ROLLBACK, 'no'"};
    for (size_t i = 0; i < 4; i++) {
        char sql[256];
        snprintf(sql, sizeof sql,
                 "CREATE TRIGGER objection BEFORE INSERT ON item BEGIN SELECT RAISE(%s); END;"
                 "CREATE TRIGGER protest BEFORE UPDATE ON item BEGIN SELECT RAISE(%s); END;",
                 objections[i], objections[i]);
        write_sql(1, sql);
        snprintf(sql, sizeof sql, "INSERT INTO item(id, a) VALUES ('k%zu', 1)", i);
        write_sql(0, sql);
        deliver(0, 1);
        write_sql(0, "UPDATE item SET a = a + 1");
        deliver(0, 1);
        assert_alike(0, 1);
        write_sql(1, "DROP TRIGGER objection; DROP TRIGGER protest");
    }
    assert_rebuilds_clean(1);
}

/* ---- many logs ---- */

static void a_member_of_many_epochs_stops_nobody(void **state)
{
    (void)state;
    static struct nv_op op;
    struct nv_store *store = stores.sites[0].store;
    struct nv_wall_ms now = nv_stores_turn(&stores, 0);
    struct nv_error error;
    struct nv_buffer bytes = {0};
    nv_op_encode(put(&op, "r1", integer(1), 1700000000001), &bytes);
    struct nv_slice slice = nv_buffer_slice(&bytes);
    uint32_t hash = nv_record_hash(op.table, op.key);
    must(nv_begin(store, &error), &error);
    for (uint64_t epoch = 1; epoch <= 300; epoch++) {
        struct nv_log_id log = {store->identity.site, epoch, NV_SCOPE_NETWORK};
        nv_log_number number;
        uint64_t seq;
        must(nv_log_append_sealed(store, &log, &slice, 1, &hash, store->signer, now, &number, &seq, &error), &error);
    }
    must(nv_commit(store, &error), &error);
    nv_buffer_done(&bytes);
    for (int i = 0; i < 4; i++)
        deliver(0, 1);
    write_sql(1, "INSERT INTO item(id, a) VALUES ('mine', 1)");
    assert_text(1, "SELECT count(*) < 100 FROM navette_log", "1\n");
}

/* Nothing hangs on when a changeset was sealed: a clock that shows no time that a header can say stops no write. */
static void a_clock_out_of_its_mind_seals_all_the_same(void **state)
{
    (void)state;
    stores.sites[0].clock_ahead_ms = -4000000000000; /* before 1970 */
    write_sql(0, "INSERT INTO item(id, a) VALUES ('r1', 1)");
    stores.sites[1].clock_ahead_ms = 2 * NV_LIMIT_TIME_MS;
    write_sql(1, "INSERT INTO item(id, a) VALUES ('r2', 2)");
    deliver(0, 1);
    deliver(1, 0);
    assert_text(0, "SELECT id, a FROM item ORDER BY id", "r1|1\nr2|2\n");
    assert_alike(0, 1);
    assert_rebuilds_clean(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_two, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_redaction_beside_a_put_keeps_the_put),
        TEST(a_redacted_create_leaves_defaults),
        TEST(a_record_whose_ops_all_went_is_no_record),
        TEST(a_value_too_long_to_send_stops_nothing),
        TEST(long_values_in_conflict_are_whole),
        TEST(what_nobody_takes_is_listed_once),
        TEST(a_check_that_fails_refuses_the_value),
        TEST(a_real_is_no_key),
        TEST(a_column_added_later_is_captured_whoever_writes_it),
        TEST(a_column_that_was_here_before_is_sealed),
        TEST(a_unique_index_of_ones_own_stops_its_table_alone),
        TEST(an_index_on_json_is_in_nobodys_way),
        TEST(what_waited_for_a_table_comes_with_it),
        TEST(a_delete_sealed_in_a_later_slice_is_no_missing_row),
        TEST(a_form_that_missed_two_changes_hides_neither),
        TEST(a_form_opened_in_a_conflict_hides_no_later_value),
        TEST(a_form_that_knew_a_default_alone_hides_no_value),
        TEST(what_stands_again_after_a_form_of_its_own_site_is_no_conflict),
        TEST(a_trigger_that_objects_loses_nothing),
        TEST(a_member_of_many_epochs_stops_nobody),
        TEST(a_clock_out_of_its_mind_seals_all_the_same),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
