/* Answering conflicts, looking, verifying, mending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store/care.h"
#include "store/log.h"
#include "store/publish.h"
#include "store/seal.h"
#include "tests/fault/entries.h"

static enum nv_status resolve(struct nv_scene *scene, const char *record, const char *field, int choice,
                              const char *value, struct nv_error *error)
{
    struct nv_buffer key = {0};
    bool changed;
    enum nv_status status = nv_store_refresh(scene->store, &changed, error);
    if (status == NV_OK)
        status = nv_key_from_text(nv_store_table(scene->store, "item"), record, &key, error);
    if (status == NV_OK)
        status = nv_conflict_resolve(scene->store, "item", nv_buffer_slice(&key), field, choice, value, nv_network_now,
                                     error);
    nv_buffer_done(&key);
    return status;
}

static enum nv_status resolve_choice(struct nv_scene *scene, struct nv_error *error)
{
    return resolve(scene, "r4", "mark", 2, NULL, error);
}

static enum nv_status resolve_value(struct nv_scene *scene, struct nv_error *error)
{
    return resolve(scene, "r1", "name", 0, "ours", error);
}

static enum nv_status resolve_keep(struct nv_scene *scene, struct nv_error *error)
{
    return resolve(scene, "r2", NULL, 1, NULL, error);
}

static enum nv_status resolve_delete(struct nv_scene *scene, struct nv_error *error)
{
    return resolve(scene, "r2", NULL, 2, NULL, error);
}

static enum nv_status read_keys(struct nv_scene *scene, struct nv_error *error)
{
    static const char *const texts[] = {"plain/1", "t'c3a9'/x'00'", "a\\/b/n'5'"};
    const struct nv_table *pair = nv_store_table(scene->store, "pair");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct nv_buffer key = {0}, text = {0};
        enum nv_status status = nv_key_from_text(pair, texts[i], &key, error);
        if (status == NV_OK)
            nv_key_to_text(pair, nv_buffer_slice(&key), &text);
        if (status == NV_OK && text.failed)
            status = nv_no_memory(error);
        if (status == NV_OK)
            nv_entry_tell(scene, text.data, text.size);
        nv_buffer_done(&key);
        nv_buffer_done(&text);
        if (status != NV_OK)
            return status;
    }
    return NV_OK;
}

static bool tell_entry(const struct nv_history_entry *entry, void *context)
{
    struct nv_scene *scene = context;
    nv_entry_tell_number(scene, entry->seq);
    nv_entry_tell_number(scene, entry->op->fields);
    for (size_t i = 0; i < entry->op->value_count; i++)
        nv_value_encode(&scene->told, &entry->op->values[i]);
    return true;
}

static enum nv_status history(struct nv_scene *scene, struct nv_error *error)
{
    static const uint8_t r4[] = {0x03, 0x02, 'r', '4'};
    nv_buffer_clear(&scene->told);
    enum nv_status status =
        nv_store_history(scene->store, "item", (struct nv_slice){r4, sizeof r4}, tell_entry, scene, error);
    if (scene->told.failed)
        status = nv_no_memory(error);
    return status;
}

static enum nv_status verify(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_verified verified;
    enum nv_status status = nv_store_verify(scene->store, &verified, NULL, error);
    if (status == NV_OK) {
        nv_entry_tell_number(scene, verified.changesets);
        nv_entry_tell_number(scene, verified.ops);
        nv_entry_tell_number(scene, verified.redacted);
        nv_entry_tell_number(scene, verified.no_ops);
        nv_entry_tell_number(scene, verified.bad);
    }
    return status;
}

static enum nv_status digest(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_scope_digest digest;
    enum nv_status status = nv_store_digest(scene->store, NV_SCOPE_NETWORK, &digest, error);
    if (status == NV_OK) {
        nv_entry_tell(scene, &digest.state, sizeof digest.state);
        nv_entry_tell(scene, &digest.vector, sizeof digest.vector);
        nv_entry_tell_number(scene, digest.records);
        nv_entry_tell_number(scene, digest.closed);
    }
    return status;
}

static enum nv_status rebuild(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_rebuilt rebuilt;
    enum nv_status status = nv_store_rebuild(scene->store, nv_network_now, &rebuilt, NULL, error);
    if (status == NV_OK) {
        nv_entry_tell_number(scene, rebuilt.records);
        nv_entry_tell_number(scene, rebuilt.versions_mended);
        nv_entry_tell_number(scene, rebuilt.rows_mended);
    }
    return status;
}

static void take_redaction(struct nv_scene *scene)
{
    static const enum nv_parcel parcels[] = {NV_PARCEL_WRITES, NV_PARCEL_ODD, NV_PARCEL_REDACT};
    struct nv_error error;
    for (size_t i = 0; i < sizeof parcels / sizeof *parcels; i++)
        nv_network_must(nv_entry_ingest(scene, parcels[i], 0, SIZE_MAX, &error), &error);
    nv_buffer_clear(&scene->told);
}

/* Rows and versions that are not what the log says. */
static void damage(struct nv_scene *scene)
{
    take_redaction(scene);
    nv_scene_sql(scene,
                 "INSERT INTO navette_guard VALUES (1); UPDATE item SET name = 'damaged' WHERE id = 'r5';"
                 "DELETE FROM item WHERE id = 'r1'; INSERT INTO item(id) VALUES ('nobody'); DELETE FROM navette_guard;"
                 "DELETE FROM navette_version WHERE key = x'03027232';"
                 "UPDATE navette_version SET version = (SELECT version FROM navette_version WHERE key = x'03027231') "
                 "WHERE key = x'03027233'");
}

/* Versions that cannot be read, and writes to their records that are not sealed. */
static void damage_versions(struct nv_scene *scene)
{
    nv_scene_sql(scene, "UPDATE navette_version SET version = x'ff' WHERE key = x'03027231';"
                        "UPDATE navette_version SET version = CAST(version || x'00' AS BLOB) WHERE key = x'03026f31';"
                        "UPDATE item SET name = 'unsealed' WHERE id IN ('r1', 'r6', 'o1')");
}

static enum nv_status read_for(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    struct nv_far_head heads[64];
    size_t ends[64], count;
    int64_t cursor = 0;
    bool done;
    enum nv_status status = nv_store_read_for(scene->store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, 64,
                                              &count, &done, error);
    if (status == NV_OK) {
        assert_true(done && count > 0);
        nv_entry_tell(scene, bytes.data, bytes.size);
        nv_entry_tell(scene, heads, count * sizeof *heads);
    }
    nv_buffer_done(&bytes);
    return status;
}

/* Another process took a schema up: the state is read anew. */
static void change_elsewhere(struct nv_scene *scene)
{
    struct nv_scene other = {.disk = scene->disk};
    struct nv_error error;
    nv_scene_open(&other, NV_IMAGE_LIVED);
    nv_network_must(nv_entry_ingest(&other, NV_PARCEL_SCHEMA, 0, SIZE_MAX, &error), &error);
    nv_store_close(other.store);
    nv_buffer_done(&other.told);
}

static enum nv_status refresh(struct nv_scene *scene, struct nv_error *error)
{
    bool changed;
    enum nv_status status = nv_store_refresh(scene->store, &changed, error);
    if (status == NV_OK) {
        const struct nv_table *const *tables;
        const struct nv_far_head *has;
        size_t count;
        nv_store_tables(scene->store, &tables, &count);
        nv_entry_tell_number(scene, count);
        nv_entry_tell_number(scene, tables[0]->field_count);
        nv_store_has(scene->store, &has, &count);
        nv_entry_tell(scene, has, count * sizeof *has);
    }
    return status;
}

static void write_pending(struct nv_scene *scene)
{
    nv_scene_sql(scene, "UPDATE item SET name = 'pending' WHERE id = 'r5'");
}

static enum nv_status count_pending(struct nv_scene *scene, struct nv_error *error)
{
    uint64_t rows;
    enum nv_status status = nv_store_pending(scene->store, &rows, error);
    if (status == NV_OK)
        nv_entry_tell_number(scene, rows);
    return status;
}

static enum nv_status trouble(struct nv_scene *scene, struct nv_error *error)
{
    char text[NV_TROUBLE_TEXT];
    enum nv_status status = nv_store_table_trouble(scene->store, nv_store_table(scene->store, "item"), text, error);
    if (status == NV_OK)
        nv_entry_tell_text(scene, text);
    return status;
}

static enum nv_status note_refusal(struct nv_scene *scene, struct nv_error *error)
{
    return nv_store_note_refusal(scene->store, NV_REASON_FORK, NULL, "a fork", nv_network_now, error);
}

static enum nv_status save_peer(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_peer_state peer = {.site = {{5}}, .connected = true, .last_heard = nv_network_now};
    return nv_store_save_peer(scene->store, &peer, error);
}

static void write_kept(struct nv_scene *scene)
{
    nv_scene_sql(scene, "INSERT INTO kept(id, of_item) VALUES ('k1', 'r1'), ('k2', 'r2')");
}

static enum nv_status publish(struct nv_scene *scene, struct nv_error *error)
{
    struct nv_publication list[NV_PUBLICATIONS_MOST];
    size_t count = 0, rows = 0;
    char last[NV_PERIOD_TEXT] = "";
    enum nv_status status = nv_store_publications(scene->store, list, &count, error);
    if (status == NV_OK)
        status = nv_store_published_last(scene->store, &list[0], last, error);
    if (status == NV_OK && last[0] == '\0') /* a call whose answer was lost comes again */
        status = nv_store_publish(scene->store, &list[0], "2026-01", &rows, error);
    return status;
}

const struct nv_fault_entry nv_entries_of_care[] = {
    {"resolve: a choice", NV_IMAGE_LIVED, false, false, NULL, resolve_choice},
    {"resolve: a value", NV_IMAGE_LIVED, false, false, NULL, resolve_value},
    {"resolve: keep", NV_IMAGE_LIVED, false, false, NULL, resolve_keep},
    {"resolve: delete", NV_IMAGE_LIVED, false, false, NULL, resolve_delete},
    {"keys as text", NV_IMAGE_LIVED, false, false, NULL, read_keys},
    {"history", NV_IMAGE_LIVED, false, false, NULL, history},
    {"verify", NV_IMAGE_LIVED, false, false, take_redaction, verify},
    {"digest", NV_IMAGE_LIVED, false, false, take_redaction, digest},
    {"rebuild", NV_IMAGE_LIVED, false, true, write_pending, rebuild},
    {"rebuild: a damaged store", NV_IMAGE_LIVED, false, true, damage, rebuild},
    {"rebuild: damaged versions", NV_IMAGE_LIVED, false, true, damage_versions, rebuild},
    {"read for a peer", NV_IMAGE_LIVED, false, false, NULL, read_for},
    {"refresh", NV_IMAGE_LIVED, false, false, change_elsewhere, refresh},
    {"count what is pending", NV_IMAGE_LIVED, false, false, write_pending, count_pending},
    {"a table's trouble", NV_IMAGE_LIVED, false, false, NULL, trouble},
    {"note a refusal", NV_IMAGE_LIVED, false, false, NULL, note_refusal},
    {"save a peer", NV_IMAGE_LIVED, false, false, NULL, save_peer},
    {"publish", NV_IMAGE_LIVED, false, false, write_kept, publish},
};
const size_t nv_entries_of_care_count = sizeof nv_entries_of_care / sizeof *nv_entries_of_care;
