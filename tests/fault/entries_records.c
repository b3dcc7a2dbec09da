/* Sealing what people wrote, and taking in what others did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store/care.h"
#include "store/log.h"
#include "store/seal.h"
#include "tests/fault/entries.h"

void nv_entry_tell(struct nv_scene *scene, const void *bytes, size_t size)
{
    nv_buffer_append(&scene->told, bytes, size);
}

void nv_entry_tell_number(struct nv_scene *scene, uint64_t number)
{
    nv_entry_tell(scene, &number, sizeof number);
}

void nv_entry_tell_text(struct nv_scene *scene, const char *text)
{
    nv_entry_tell(scene, text, strlen(text) + 1);
}

/* ---- sealing ---- */

static enum nv_status seal(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_sealed sealed;
    enum nv_status status;
    do
        status = nv_store_seal(scene->store, nv_network_now, NV_NETWORK_LONG_MS, &sealed, error);
    while (status == NV_OK && sealed.more);
    return status;
}

static void write_first_rows(struct nv_scene *scene)
{
    nv_scene_sql(scene, "INSERT INTO item(id, name, size) VALUES ('a', 'first', 1), ('b', zeroblob(3000), 2);"
                        "INSERT INTO pair VALUES ('k', 1, 'note', 2.5); UPDATE item SET mark = NULL WHERE id = 'a'");
}

/* Over an open conflict, over a delete, back to what was there, and of a row that is gone again. */
static void write_over(struct nv_scene *scene)
{
    nv_scene_sql(scene, "UPDATE item SET name = 'uno', seen = 'x' WHERE id = 'r1'; DELETE FROM item WHERE id = 'r4';"
                        "UPDATE item SET size = 21 WHERE id = 'r2'; REPLACE INTO item(id, name) VALUES ('r5', 'new');"
                        "UPDATE pair SET a = 'moved' WHERE a = 'x'; INSERT INTO item(id) VALUES ('gone');"
                        "DELETE FROM item WHERE id = 'gone'; UPDATE item SET size = 3 WHERE id = 'r3'");
}

static void answer(struct nv_scene *scene)
{
    struct nv_error error;
    static const uint8_t r1[] = {0x03, 0x02, 'r', '1'}, r2[] = {0x03, 0x02, 'r', '2'};
    nv_network_must(nv_conflict_resolve(scene->store, "item", (struct nv_slice){r1, sizeof r1}, "name", 2, NULL,
                                        nv_network_now, &error),
                    &error);
    nv_network_must(nv_conflict_resolve(scene->store, "item", (struct nv_slice){r2, sizeof r2}, NULL, 2, NULL,
                                        nv_network_now, &error),
                    &error);
}

/* Keys that no site takes. */
static void write_bad_keys(struct nv_scene *scene)
{
    nv_scene_sql(scene,
                 "INSERT INTO pair VALUES ('real', 1.5, '', 0); "
                 "INSERT INTO item(id) VALUES (CAST(zeroblob(5000) AS TEXT)); INSERT INTO item(id) VALUES ('g')");
}

/* A tool that rebuilt the table: rows are changed, new and gone, and no trigger told. */
static void rebuild_table(struct nv_scene *scene)
{
    nv_scene_sql(scene, "CREATE TABLE copy AS SELECT * FROM item; DROP TABLE item;"
                        "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER NOT NULL DEFAULT 0 "
                        "CHECK (size >= 0), mark DEFAULT 'new' CHECK (mark IS NULL OR mark <> 'never'), seen TEXT);"
                        "INSERT INTO item SELECT * FROM copy; DROP TABLE copy;"
                        "UPDATE item SET name = 'tool' WHERE id = 'r5'; DELETE FROM item WHERE id = 'r3';"
                        "INSERT INTO item(id, name) VALUES ('t', 'tool')");
}

static void take_table_away(struct nv_scene *scene)
{
    nv_scene_sql(scene, "ALTER TABLE pair RENAME TO away; UPDATE item SET name = 'here' WHERE id = 'r5'");
}

static enum nv_status ingest_writes(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_WRITES, 0, SIZE_MAX, error);
}

/* Changesets that came while a table was away wait in the log; then it is back. */
static void bring_table_back(struct nv_scene *scene)
{
    struct nv_error error;
    take_table_away(scene);
    nv_network_must(seal(scene, &error), &error);
    nv_network_must(ingest_writes(scene, &error), &error);
    nv_scene_sql(scene, "ALTER TABLE away RENAME TO pair");
    nv_buffer_clear(&scene->told);
}

/* ---- ingesting ---- */

enum nv_status nv_entry_ingest(struct nv_scene *scene, enum nv_parcel parcel, size_t first, size_t most,
                               struct nv_error *error)
{
    struct nv_incoming incoming[64] = {0};
    size_t count;
    const struct nv_slice *changesets = nv_network_parcel(parcel, &count);
    assert_true(first < count && count <= 64);
    count = count - first < most ? count - first : most;
    for (size_t i = 0; i < count; i++)
        incoming[i].bytes = changesets[first + i];
    enum nv_status status = nv_store_ingest(scene->store, incoming, count, nv_network_now, NV_NETWORK_LONG_MS, error);
    for (size_t i = 0; i < count; i++) {
        if (status != NV_OK) {
            assert_int_equal(incoming[i].verdict, NV_VERDICT_PENDING);
            continue;
        }
        nv_entry_tell_number(scene, incoming[i].verdict);
        nv_entry_tell_number(scene, incoming[i].reason);
        nv_entry_tell_text(scene, incoming[i].text);
    }
    return status;
}

static void ingest_before(struct nv_scene *scene, enum nv_parcel parcel)
{
    struct nv_error error;
    nv_network_must(nv_entry_ingest(scene, parcel, 0, SIZE_MAX, &error), &error);
    nv_buffer_clear(&scene->told);
}

static void take_writes(struct nv_scene *scene)
{
    ingest_before(scene, NV_PARCEL_WRITES);
}

static void take_writes_and_odd(struct nv_scene *scene)
{
    take_writes(scene);
    ingest_before(scene, NV_PARCEL_ODD);
}

static enum nv_status ingest_second(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_WRITES, 1, 1, error);
}

static enum nv_status ingest_odd(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_ODD, 0, SIZE_MAX, error);
}

static enum nv_status ingest_redact(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_REDACT, 0, SIZE_MAX, error);
}

/* Bodies that a relay kept back: they are owed, and taken once another copy of the changeset brings them. */
static enum nv_status ingest_stripped(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_STRIPPED, 0, SIZE_MAX, error);
}

static void take_stripped(struct nv_scene *scene)
{
    ingest_before(scene, NV_PARCEL_STRIPPED);
}

static void take_stripped_and_write(struct nv_scene *scene)
{
    take_stripped(scene);
    nv_scene_sql(scene, "UPDATE item SET name = 'late' WHERE id = 'r5'; DELETE FROM item WHERE id = 'r1'");
}

static void take_no_redact(struct nv_scene *scene)
{
    take_writes_and_odd(scene);
    ingest_before(scene, NV_PARCEL_NO_REDACT);
}

static enum nv_status next_owed(struct nv_scene *scene, struct nv_error *error)
{
    int64_t cursor = 0;
    struct nv_far_head before = {0};
    bool any;
    enum nv_status status = nv_store_owed(scene->store, &cursor, &before, &any, error);
    if (status == NV_OK) {
        nv_entry_tell_number(scene, any);
        nv_entry_tell_number(scene, (uint64_t)cursor);
        nv_entry_tell(scene, &before, sizeof before);
    }
    return status;
}

static enum nv_status ingest_fork(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_FORK, 0, SIZE_MAX, error);
}

static void take_first_write(struct nv_scene *scene)
{
    struct nv_error error;
    nv_network_must(nv_entry_ingest(scene, NV_PARCEL_WRITES, 0, 1, &error), &error);
    nv_buffer_clear(&scene->told);
}

/* It stands where the next one of our history would, and names another one before it. */
static enum nv_status ingest_next_of_fork(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_FORK, 1, 1, error);
}

/* What is sealed names the authority position from before. */
static void take_schema(struct nv_scene *scene)
{
    ingest_before(scene, NV_PARCEL_SCHEMA);
}

static void lose_rows(struct nv_scene *scene)
{
    nv_scene_sql(scene, "INSERT INTO navette_guard VALUES (1); DELETE FROM item WHERE id IN ('r1', 'r4', 'r5');"
                        "DELETE FROM navette_guard");
}

static enum nv_status ingest_own(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_OWN, 0, SIZE_MAX, error);
}

static enum nv_status ingest_schema(struct nv_scene *scene, struct nv_error *error)
{
    return nv_entry_ingest(scene, NV_PARCEL_SCHEMA, 0, SIZE_MAX, error);
}

static enum nv_status ingest_garbage(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_incoming incoming[2] = {0};
    size_t count;
    struct nv_slice whole = nv_network_parcel(NV_PARCEL_WRITES, &count)[0];
    uint8_t bytes[8192];
    assert_true(whole.size < sizeof bytes);
    memcpy(bytes, whole.data, whole.size);
    bytes[whole.size - 1] ^= 1; /* in the body */
    incoming[0].bytes = (struct nv_slice){bytes, whole.size};
    incoming[1].bytes = (struct nv_slice){(const uint8_t *)"garbage", 7};
    enum nv_status status = nv_store_ingest(scene->store, incoming, 2, nv_network_now, NV_NETWORK_LONG_MS, error);
    for (size_t i = 0; status == NV_OK && i < 2; i++) {
        nv_entry_tell_number(scene, incoming[i].verdict);
        nv_entry_tell_number(scene, incoming[i].reason);
    }
    return status;
}

/* What is pending is sealed first: an apply overwrites no unsealed write. */
static void write_same_records(struct nv_scene *scene)
{
    nv_scene_sql(scene, "UPDATE item SET name = 'fünf', size = 7 WHERE id = 'r5'; DELETE FROM item WHERE id = 'r1';"
                        "INSERT INTO item(id, name) VALUES ('o2', 'mine')");
}

/* As many pending rows as a long import has, by their numbers: then only those of the records at hand are sealed. */
static void write_much(struct nv_scene *scene)
{
    write_same_records(scene);
    nv_scene_sql(scene, "UPDATE item SET name = 'later' WHERE id = 'r3';"
                        "UPDATE navette_old_1 SET n = n + 5000 WHERE n = (SELECT max(n) FROM navette_pending_1);"
                        "UPDATE navette_pending_1 SET n = n + 5000 WHERE n = (SELECT max(n) FROM navette_pending_1)");
}

/* A row that was written and no trigger told: sealed as it is found, before anything is merged into it. */
static void write_without_triggers(struct nv_scene *scene)
{
    nv_scene_sql(scene, "INSERT INTO navette_guard VALUES (1); UPDATE item SET name = 'silent' WHERE id = 'r5';"
                        "INSERT INTO item(id, name) VALUES ('o2', 'silent'); DELETE FROM navette_guard");
}

static void take_item_away(struct nv_scene *scene)
{
    struct nv_error error;
    nv_scene_sql(scene, "ALTER TABLE item RENAME TO away");
    nv_network_must(seal(scene, &error), &error);
    nv_buffer_clear(&scene->told);
}

/* What the schema is about to publish stands here already, and is another one. */
static void stand_in_the_way(struct nv_scene *scene)
{
    nv_scene_sql(scene, "CREATE TABLE third(id INTEGER PRIMARY KEY); ALTER TABLE item ADD COLUMN extra TEXT");
}

const struct nv_fault_entry nv_entries_of_records[] = {
    {"seal: first rows", NV_IMAGE_JOINED, false, true, write_first_rows, seal},
    {"seal: over conflicts and deletes", NV_IMAGE_LIVED, false, false, write_over, seal},
    {"seal: answers", NV_IMAGE_LIVED, false, false, answer, seal},
    {"seal: bad keys", NV_IMAGE_LIVED, false, false, write_bad_keys, seal},
    {"seal: a rebuilt table", NV_IMAGE_LIVED, false, true, rebuild_table, seal},
    {"seal: a table is away", NV_IMAGE_LIVED, false, true, take_table_away, seal},
    {"seal: a table is back", NV_IMAGE_LIVED, false, true, bring_table_back, seal},
    {"seal: nothing", NV_IMAGE_LIVED, false, false, NULL, seal},
    {"ingest", NV_IMAGE_LIVED, false, false, NULL, ingest_writes},
    {"ingest: over unsealed writes", NV_IMAGE_LIVED, false, false, write_same_records, ingest_writes},
    {"ingest: over many unsealed writes", NV_IMAGE_LIVED, false, false, write_much, ingest_writes},
    {"ingest: over writes without triggers", NV_IMAGE_LIVED, false, false, write_without_triggers, ingest_writes},
    {"ingest: a table is away", NV_IMAGE_LIVED, false, false, take_item_away, ingest_writes},
    {"ingest: known", NV_IMAGE_LIVED, false, false, take_writes, ingest_writes},
    {"ingest: out of order", NV_IMAGE_LIVED, false, false, NULL, ingest_second},
    {"ingest: against the rules", NV_IMAGE_LIVED, false, false, take_writes, ingest_odd},
    {"ingest: a redaction", NV_IMAGE_LIVED, false, false, take_writes_and_odd, ingest_redact},
    {"ingest: bodies are missing", NV_IMAGE_LIVED, false, false, NULL, ingest_stripped},
    {"ingest: bodies that were missing", NV_IMAGE_LIVED, false, false, take_stripped, ingest_writes},
    {"ingest: bodies that were missing, over writes", NV_IMAGE_LIVED, false, false, take_stripped_and_write,
     ingest_writes},
    {"ingest: a redaction that was missing", NV_IMAGE_LIVED, false, false, take_no_redact, ingest_redact},
    {"the next that is owed", NV_IMAGE_LIVED, false, false, take_stripped, next_owed},
    {"ingest: a fork", NV_IMAGE_LIVED, false, false, take_writes, ingest_fork},
    {"ingest: the next of a fork", NV_IMAGE_LIVED, false, false, take_first_write, ingest_next_of_fork},
    {"ingest: from before a schema", NV_IMAGE_LIVED, false, false, take_schema, ingest_writes},
    {"ingest: over rows that are gone", NV_IMAGE_LIVED, false, false, lose_rows, ingest_writes},
    {"ingest: our own, lost", NV_IMAGE_LIVED, false, false, NULL, ingest_own},
    {"ingest: a schema", NV_IMAGE_LIVED, false, false, NULL, ingest_schema},
    {"ingest: a schema that does not fit", NV_IMAGE_LIVED, false, false, stand_in_the_way, ingest_schema},
    {"ingest: garbage", NV_IMAGE_LIVED, false, false, NULL, ingest_garbage},
};
const size_t nv_entries_of_records_count = sizeof nv_entries_of_records / sizeof *nv_entries_of_records;
