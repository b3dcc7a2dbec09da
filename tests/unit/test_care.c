/* History and rebuild: what people look at and mend, in stores that were damaged by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "store/care.h"
#include "store/log.h"
#include "store/merge/versions.h"
#include "store/seal.h"

/* A hub and a school that share a table, with a conflict, a delete beside an edit, and a value that was replaced. */
static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair, "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER);"
                          "INSERT INTO navette_table(name, scope) VALUES ('item', 'network')");
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, "INSERT INTO item VALUES ('a', 'one', 1), ('b', 'two', 2), ('c', 'three', 3)");
    nv_pair_seal(&pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->hub, "UPDATE item SET name = 'hub' WHERE id = 'a'; DELETE FROM item WHERE id = 'b'");
    nv_pair_sql(&pair->school, "UPDATE item SET name = 'school' WHERE id IN ('a', 'b')");
    nv_pair_seal(&pair->hub);
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    nv_pair_deliver(&pair->hub, &pair->school);
    nv_pair_sql(&pair->school, "UPDATE item SET size = 33 WHERE id = 'c'");
    nv_pair_seal(&pair->school);
    nv_pair_deliver(&pair->school, &pair->hub);
    return 0;
}

static struct nv_slice key_of(const char *text, struct nv_buffer *buffer)
{
    nv_buffer_clear(buffer);
    nv_value_encode(buffer, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)text, strlen(text)}});
    return nv_buffer_slice(buffer);
}

/* ---- history ---- */

struct told {
    size_t count, most;
    struct nv_history_entry entries[8];
    char names[8][16];
};

static bool tell(const struct nv_history_entry *entry, void *context)
{
    struct told *told = context;
    const struct nv_value *name = entry->kind == NV_OP_PUT && (entry->op->fields & 1) ? &entry->op->values[0] : NULL;
    told->entries[told->count] = *entry;
    snprintf(told->names[told->count], sizeof told->names[0], "%.*s", name == NULL ? 0 : (int)name->bytes.size,
             name == NULL ? "" : (const char *)name->bytes.data);
    return ++told->count < told->most;
}

static void history_tells_every_op_of_a_record_as_it_arrived(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_buffer key = {0};
    struct nv_error error;
    struct told told = {.most = 8};
    nv_pair_must(nv_store_history(pair->hub.store, "item", key_of("b", &key), tell, &told, &error), &error);
    assert_int_equal(told.count, 3);
    assert_string_equal(told.names[0], "two");
    assert_int_equal(told.entries[1].kind, NV_OP_DELETE);
    assert_string_equal(told.names[2], "school");
    struct nv_site_id hub = nv_store_identity(pair->hub.store)->site,
                      school = nv_store_identity(pair->school.store)->site;
    assert_int_equal(nv_site_id_compare(told.entries[1].site, hub), 0);
    assert_int_equal(nv_site_id_compare(told.entries[2].site, school), 0);
    assert_int_equal(told.entries[1].seq, 2);
    assert_int_equal(told.entries[2].seq, 1);
    assert_string_equal(told.entries[0].table->name, "item");

    told = (struct told){.most = 2}; /* whoever has seen enough says so */
    nv_pair_must(nv_store_history(pair->hub.store, "item", key_of("b", &key), tell, &told, &error), &error);
    assert_int_equal(told.count, 2);
    told = (struct told){.most = 8};
    nv_pair_must(nv_store_history(pair->hub.store, "item", key_of("nobody", &key), tell, &told, &error), &error);
    assert_int_equal(told.count, 0);
    assert_int_equal(nv_store_history(pair->hub.store, "nothing", key_of("b", &key), tell, &told, &error),
                     NV_NOT_FOUND);
    nv_buffer_done(&key);
}

/* ---- peers ---- */

static void what_is_known_of_a_peer_is_kept_once(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_peer_state peer = {
        .site = {{7}}, .connected = true, .since = {1}, .last_heard = {2}, .behind_changesets = 3};
    nv_pair_must(nv_store_save_peer(pair->hub.store, &peer, &error), &error);
    peer.connected = false;
    peer.ahead_changesets = 4;
    strcpy(peer.last_error, "it went away");
    nv_pair_must(nv_store_save_peer(pair->hub.store, &peer, &error), &error);
    nv_pair_check_text(pair->hub.tool, "SELECT count(*) FROM navette_peer", "1\n");
    nv_pair_check_text(
        pair->hub.tool,
        "SELECT hex(site) LIKE '0700%', 'it went away' IN (SELECT last_error FROM navette_peer) FROM navette_peer",
        "1|1\n");
}

/* ---- rebuild ---- */

static size_t told_times;
static uint64_t told_last, told_total;

static void count_progress(uint64_t done, uint64_t total)
{
    told_times++;
    told_last = done;
    told_total = total;
}

static char *everything_of(struct nv_pair *pair)
{
    return nv_pair_text(pair->hub.tool,
                        "SELECT 1, id, name, size, '' FROM item UNION ALL "
                        "SELECT 2, tbl, hex(key), scope, '' FROM navette_version UNION ALL "
                        "SELECT 3, key_text, field, value, choice FROM navette_conflict ORDER BY 1, 2, 3, 4, 5");
}

static void rebuild_mends_what_was_damaged(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_rebuilt rebuilt;
    struct nv_scope_digest before, after;
    nv_store_set_signer(pair->hub.store, &pair->hub.sign);
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.records, 3);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &before, &error), &error);
    char *good = everything_of(pair);
    static const struct {
        const char *what, *sql;
        uint64_t versions, rows;
    } harms[] = {
        {"a version that is gone", "DELETE FROM navette_version WHERE key = x'030161'", 1, 0},
        {"all versions gone", "DELETE FROM navette_version", 3, 0},
        {"a version of another record",
         "UPDATE navette_version SET version = (SELECT version FROM navette_version WHERE key = x'030162') WHERE key = "
         "x'030161'",
         1, 0},
        {"a version that is no version", "UPDATE navette_version SET version = x'ff' WHERE key = x'030161'", 1, 0},
        {"an empty version", "UPDATE navette_version SET version = x'' WHERE key = x'030163'", 1, 0},
        {"a row that is gone", "DELETE FROM item WHERE id = 'c'", 0, 1},
        {"a row that was changed", "UPDATE item SET size = 7 WHERE id = 'c'", 0, 1},
        {"a row and its version", "DELETE FROM item WHERE id = 'b'; DELETE FROM navette_version WHERE key = x'030162'",
         1, 1},
        {"the conflicts", "DELETE FROM navette_conflict", 0, 0},
    };
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        char sql[400];
        snprintf(sql, sizeof sql, "BEGIN; INSERT INTO navette_guard VALUES (1); %s; DELETE FROM navette_guard; COMMIT",
                 harms[i].sql);
        nv_pair_sql(&pair->hub, sql);
        told_times = 0;
        enum nv_status status = nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, count_progress, &error);
        if (status != NV_OK || rebuilt.versions_mended != harms[i].versions || rebuilt.rows_mended != harms[i].rows)
            fail_msg("%s: %s, %llu versions and %llu rows mended", harms[i].what, status == NV_OK ? "done" : error.text,
                     (unsigned long long)rebuilt.versions_mended, (unsigned long long)rebuilt.rows_mended);
        assert_true(told_times > 0 && told_last == told_total);
        char *mended = everything_of(pair);
        if (strcmp(mended, good) != 0)
            fail_msg("%s: it is now\n%swhere it was\n%s", harms[i].what, mended, good);
        free(mended);
        nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &after, &error), &error);
        assert_memory_equal(&before.state, &after.state, sizeof before.state);
    }
    free(good);
}

/* ---- damaged versions ---- */

static void no_part_of_a_version_decodes_as_one(void **state)
{
    struct nv_pair *pair = *state;
    sqlite3_stmt *rows;
    struct nv_error error;
    struct nv_version version = {0};
    size_t kinds = 0;
    assert_int_equal(sqlite3_prepare_v2(pair->hub.tool, "SELECT version FROM navette_version", -1, &rows, NULL),
                     SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        struct nv_slice whole = nv_db_blob(rows, 0);
        struct nv_buffer again = {0};
        nv_pair_must(nv_version_decode(pair->hub.store, whole, &version, &error), &error);
        nv_pair_must(nv_version_encode(pair->hub.store, &version, &again, &error), &error);
        assert_true(nv_slice_equal(whole, nv_buffer_slice(&again)));
        kinds |= version.record.delete_count > 0 ? 1u : 0;
        kinds |= version.replaced_count > 0 ? 2u : 0;
        for (size_t size = 0; size < whole.size; size++) {
            struct nv_slice cut = {whole.data, size};
            assert_int_equal(nv_version_decode(pair->hub.store, cut, &version, &error), NV_CORRUPT);
        }
        nv_buffer_append_byte(&again, 0);
        assert_int_equal(nv_version_decode(pair->hub.store, nv_buffer_slice(&again), &version, &error), NV_CORRUPT);
        nv_buffer_done(&again);
    }
    sqlite3_finalize(rows);
    assert_int_equal(kinds, 3); /* live deletes and replaced values were among them */
    nv_version_done(&version);
}

static void numbers_of_a_version_that_no_store_gives_are_damage(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_version version = {0};
    static const struct {
        const char *bytes;
        size_t size;
        enum nv_status expected;
    } versions[] = {
        {"\x00\x00", 2, NV_OK},
        {"\x01\x01\x00", 3, NV_OK},
        {"\x01\x00\x00", 3, NV_CORRUPT},                                  /* no site has the number 0 */
        {"\x01\x80\x80\x80\x80\x10\x00", 7, NV_CORRUPT},                  /* or one beyond 32 bits */
        {"\x00\x01\x02\x01\x00\x00\x01", 7, NV_OK},                       /* one sibling: dot, time, fields */
        {"\x00\x01\x80\x80\x80\x80\x10\x01\x00\x00\x01", 11, NV_CORRUPT}, /* of a log beyond 32 bits */
        {"\x00\x01\x02\x01\x80\x80\x80\x80\x10\x00\x01", 11, NV_CORRUPT}, /* or an index */
        {"\x10\x00\x7f", 3, NV_CORRUPT},                                  /* more replaced values than are kept */
    };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct nv_slice bytes = {(const uint8_t *)versions[i].bytes, versions[i].size};
        if (nv_version_decode(pair->hub.store, bytes, &version, &error) != versions[i].expected)
            fail_msg("the version number %zu", i);
    }
    nv_version_done(&version);
}

/* Without its key a site cannot seal what a person wrote, and a rebuild would write over it. */
static void rebuild_waits_for_writes_that_it_cannot_seal(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_rebuilt rebuilt;
    nv_store_set_signer(pair->hub.store, NULL);
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    nv_pair_sql(&pair->hub, "UPDATE item SET size = 77 WHERE id = 'c'");
    assert_int_equal(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), NV_BUSY);
    nv_pair_check_text(pair->hub.tool, "SELECT size FROM item WHERE id = 'c'", "77\n");
    nv_store_set_signer(pair->hub.store, &pair->hub.sign);
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    nv_pair_check_text(pair->hub.tool, "SELECT size FROM item WHERE id = 'c'", "77\n");
}

/* A person wrote to the very records whose versions cannot be read: the sealing stops there until a rebuild. */
static void rebuild_seals_writes_to_records_that_were_damaged(void **state)
{
    struct nv_pair *pair = *state;
    struct nv_error error;
    struct nv_rebuilt rebuilt;
    struct nv_sealed sealed;
    nv_pair_sql(&pair->hub, "UPDATE navette_version SET version = x'ff';"
                            "UPDATE item SET size = 77 WHERE id IN ('a', 'c'); DELETE FROM item WHERE id = 'b'");
    assert_int_equal(nv_store_seal(pair->hub.store, nv_pair_now, 1000, &sealed, &error), NV_CORRUPT);
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.records, 3);
    nv_pair_deliver(&pair->hub, &pair->school);
    struct nv_pair_site *const sites[] = {&pair->hub, &pair->school};
    for (size_t i = 0; i < 2; i++) {
        nv_pair_check_text(sites[i]->tool, "SELECT id, size FROM item ORDER BY id", "a|77\nc|77\n");
        nv_pair_check_text(sites[i]->tool, "SELECT key_text, field, value FROM navette_conflict ORDER BY 3",
                           "a|name|hub\na|name|school\n"); /* the write was of another field */
    }
    struct nv_scope_digest hub, school;
    nv_pair_must(nv_store_digest(pair->hub.store, NV_SCOPE_NETWORK, &hub, &error), &error);
    nv_pair_must(nv_store_digest(pair->school.store, NV_SCOPE_NETWORK, &school, &error), &error);
    assert_memory_equal(&hub.state, &school.state, sizeof hub.state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(history_tells_every_op_of_a_record_as_it_arrived),
        TEST(what_is_known_of_a_peer_is_kept_once),
        TEST(rebuild_mends_what_was_damaged),
        TEST(no_part_of_a_version_decodes_as_one),
        TEST(numbers_of_a_version_that_no_store_gives_are_damage),
        TEST(rebuild_waits_for_writes_that_it_cannot_seal),
        TEST(rebuild_seals_writes_to_records_that_were_damaged),
    };
    return cmocka_run_group_tests_name("care", tests, NULL, NULL);
}
