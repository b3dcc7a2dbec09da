/* One store in a situation, on a simulated disk: what every entry point is called in while something fails.
 *
 * A scene begins from an image of the network, so that the same call on the same image leaves the same bytes. A second
 * connection sees whether anything was committed.
 */
#pragma once

#include <sqlite3.h>

#include "base/buffer.h"
#include "tests/fault/network.h"
#include "tests/sim/disk.h"

struct nv_scene {
    struct nv_disk *disk;
    struct nv_store *store; /* NULL: not open */
    sqlite3 *watcher;       /* NULL: there is no file */
    struct nv_buffer told;  /* what the call told beside what it did to the store */
};

enum { NV_SCENE_PROGRAM = 0, NV_SCENE_WATCHER = 1 }; /* on the disk: the store's program, and the watcher's */
extern const char nv_scene_path[];

/* Puts the image on the disk, and opens it (`is_open`) and the watcher. */
void nv_scene_begin(struct nv_scene *scene, enum nv_image image, bool is_open);
void nv_scene_open(struct nv_scene *scene, enum nv_image image); /* the store alone, once more */
void nv_scene_watch(struct nv_scene *scene);                     /* the watcher */
void nv_scene_close(struct nv_scene *scene);
void nv_scene_end(struct nv_scene *scene);

/* Runs SQL as any program does; it must succeed. */
void nv_scene_sql(struct nv_scene *scene, const char *sql);

/* All rows of all tables, and what was told, as hashes. */
enum { NV_PICTURE_PARTS = 64 };
struct nv_picture {
    size_t count;
    struct {
        char name[48];
        struct nv_hash hash;
    } parts[NV_PICTURE_PARTS];
};
void nv_scene_picture(struct nv_scene *scene, struct nv_picture *ret_picture);
