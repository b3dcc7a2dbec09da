#include "tests/fault/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store/db.h"
#include "wire/hash.h"

enum { TOLD_BYTES = 256 << 10 };

const char nv_scene_path[] = "file:s/store.db";

void nv_scene_begin(struct nv_scene *scene, enum nv_image image, bool is_open)
{
    *scene = (struct nv_scene){.disk = nv_disk_new("s", 1)};
    /* What is told is the test's own: no memory runs out for it. */
    assert_non_null(nv_buffer_extend(&scene->told, TOLD_BYTES));
    nv_buffer_clear(&scene->told);
    if (image != NV_IMAGE_NONE)
        nv_disk_put(scene->disk, "store.db", nv_network_image(image));
    nv_network_reseed();
    if (is_open)
        nv_scene_open(scene, image);
    if (image != NV_IMAGE_NONE)
        nv_scene_watch(scene);
}

void nv_scene_open(struct nv_scene *scene, enum nv_image image)
{
    struct nv_error error;
    nv_network_must(nv_store_open(nv_scene_path, &scene->store, &error), &error);
    nv_store_set_signer(scene->store, nv_network_signer(image));
}

void nv_scene_watch(struct nv_scene *scene)
{
    nv_disk_set_program(scene->disk, NV_SCENE_WATCHER);
    assert_int_equal(sqlite3_open_v2(nv_scene_path, &scene->watcher, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL),
                     SQLITE_OK);
    nv_disk_set_program(scene->disk, NV_SCENE_PROGRAM);
}

void nv_scene_close(struct nv_scene *scene)
{
    nv_store_close(scene->store);
    sqlite3_close(scene->watcher);
    scene->store = NULL;
    scene->watcher = NULL;
}

void nv_scene_end(struct nv_scene *scene)
{
    nv_scene_close(scene);
    nv_buffer_done(&scene->told);
    nv_disk_free(scene->disk);
}

void nv_scene_sql(struct nv_scene *scene, const char *sql)
{
    if (sqlite3_exec(scene->watcher, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(scene->watcher));
}

static void add_part(struct nv_picture *picture, const char *name, struct nv_slice bytes)
{
    assert_true(picture->count < NV_PICTURE_PARTS);
    memset(&picture->parts[picture->count], 0, sizeof *picture->parts);
    sqlite3_snprintf(sizeof picture->parts->name, picture->parts[picture->count].name, "%s", name);
    picture->parts[picture->count++].hash = nv_hash_of(bytes);
}

static void add_rows(struct nv_picture *picture, sqlite3 *db, const char *name, const char *sql)
{
    struct nv_buffer bytes = {0};
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            struct nv_value value = nv_db_value(rows, i);
            nv_value_encode(&bytes, &value);
        }
    assert_int_equal(result, SQLITE_DONE);
    assert_false(bytes.failed);
    sqlite3_finalize(rows);
    add_part(picture, name, nv_buffer_slice(&bytes));
    nv_buffer_done(&bytes);
}

void nv_scene_picture(struct nv_scene *scene, struct nv_picture *ret_picture)
{
    sqlite3_stmt *tables;
    ret_picture->count = 0;
    add_part(ret_picture, "what was told", nv_buffer_slice(&scene->told));
    add_rows(ret_picture, scene->watcher, "the schema", "SELECT type, name, sql FROM sqlite_schema ORDER BY name");
    assert_int_equal(sqlite3_prepare_v2(scene->watcher,
                                        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", -1,
                                        &tables, NULL),
                     SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        char sql[160];
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        sqlite3_snprintf(sizeof sql, sql, "SELECT * FROM \"%w\"", name);
        add_rows(ret_picture, scene->watcher, name, sql);
    }
    sqlite3_finalize(tables);
}
