#include "tests/fault/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static int64_t data_version(struct nv_scene *scene)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(scene->watcher, "PRAGMA data_version", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t version = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

static void begin(struct nv_walk *walk)
{
    nv_scene_begin(&walk->scene, walk->entry->image, !walk->entry->opens);
    if (walk->entry->prepare != NULL)
        walk->entry->prepare(&walk->scene);
    walk->data_version = walk->scene.watcher == NULL ? 0 : data_version(&walk->scene);
}

void nv_walk_init(struct nv_walk *walk, const struct nv_fault_entry *entry)
{
    struct nv_error error;
    *walk = (struct nv_walk){.entry = entry};
    begin(walk);
    nv_network_must(nv_walk_call(walk, &error), &error);
    if (walk->scene.watcher == NULL)
        nv_scene_watch(&walk->scene);
    nv_scene_picture(&walk->scene, &walk->expected);
    nv_walk_restore(walk);
}

void nv_walk_done(struct nv_walk *walk)
{
    nv_scene_end(&walk->scene);
}

void nv_walk_restore(struct nv_walk *walk)
{
    struct nv_scene *scene = &walk->scene;
    if (scene->store != NULL && !walk->entry->opens && data_version(scene) == walk->data_version)
        return;
    nv_scene_end(&walk->scene);
    begin(walk);
}

/* What `navette init` does before it tries again. */
static void remove_half_made(struct nv_walk *walk)
{
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-journal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        nv_disk_remove(walk->scene.disk, names[i]);
}

enum nv_status nv_walk_call(struct nv_walk *walk, struct nv_error *error)
{
    if (walk->entry->opens) {
        nv_store_close(walk->scene.store);
        walk->scene.store = NULL;
    }
    if (walk->scene.watcher == NULL)
        remove_half_made(walk);
    nv_buffer_clear(&walk->scene.told);
    nv_network_reseed();
    *error = (struct nv_error){NV_OK, ""};
    return walk->entry->call(&walk->scene, error);
}

void nv_walk_check_done(struct nv_walk *walk)
{
    if (walk->scene.watcher == NULL)
        nv_scene_watch(&walk->scene);
    struct nv_picture picture;
    nv_scene_picture(&walk->scene, &picture);
    for (size_t i = 0; i < picture.count && i < walk->expected.count; i++)
        if (memcmp(&picture.parts[i], &walk->expected.parts[i], sizeof picture.parts[i]) != 0)
            fail_msg("%s: it succeeded, and %s is not what it is where nothing fails", walk->entry->name,
                     walk->expected.parts[i].name);
    assert_int_equal(picture.count, walk->expected.count);
}

void nv_walk_check_failed(struct nv_walk *walk, enum nv_status status, enum nv_status wanted,
                          const struct nv_error *error)
{
    if (status != wanted)
        fail_msg("%s: %s (%s) where it had to be %s", walk->entry->name, nv_status_text(status), error->text,
                 nv_status_text(wanted));
    if (error->status != status || error->text[0] == '\0')
        fail_msg("%s: %s, and the words are of %s: %s", walk->entry->name, nv_status_text(status),
                 nv_status_text(error->status), error->text);
    if (!walk->entry->in_steps && walk->scene.watcher != NULL && data_version(&walk->scene) != walk->data_version)
        fail_msg("%s: it failed (%s), and something was committed", walk->entry->name, error->text);
}

bool nv_walk_is_tried(uint64_t at, uint64_t total, uint64_t most)
{
    static int all = -1;
    if (all < 0)
        all = getenv("NAVETTE_FAULT_ALL") != NULL;
    uint64_t step = all || total <= most ? 1 : (total + most - 1) / most;
    return at <= most / 4 || at % step == 0 || (at <= total && at + most / 8 >= total);
}

static size_t add_tests(struct CMUnitTest *tests, const struct nv_fault_entry *entries, size_t count,
                        void (*test)(void **state))
{
    const char *only = getenv("NAVETTE_TEST_ONLY");
    size_t added = 0;
    for (size_t i = 0; i < count; i++)
        if (only == NULL || strncmp(entries[i].name, only, strlen(only)) == 0)
            tests[added++] = (struct CMUnitTest){entries[i].name, test, NULL, NULL, (void *)(uintptr_t)&entries[i]};
    return added;
}

int nv_walk_run(const char *name, void (*test)(void **state))
{
    struct CMUnitTest tests[128];
    assert_true(nv_entries_of_records_count + nv_entries_of_networks_count + nv_entries_of_rights_count +
                    nv_entries_of_care_count <=
                128);
    size_t count = add_tests(tests, nv_entries_of_networks, nv_entries_of_networks_count, test);
    count += add_tests(tests + count, nv_entries_of_rights, nv_entries_of_rights_count, test);
    count += add_tests(tests + count, nv_entries_of_records, nv_entries_of_records_count, test);
    count += add_tests(tests + count, nv_entries_of_care, nv_entries_of_care_count, test);
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}
