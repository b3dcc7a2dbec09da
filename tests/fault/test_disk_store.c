/* Every entry point of the store, on a disk that fails at any of its calls, that is full, or under a program that is
 * killed at any of them: what was acknowledged is there, what failed is said and left nothing, and the next call does
 * all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>

#include "tests/fault/walk.h"
#include "tests/unit/dice.h"

enum { MOST = 10 };

static const char *name_of(enum nv_disk_fault fault)
{
    switch (fault) {
    case NV_DISK_EIO:
        return "EIO";
    case NV_DISK_FSYNC_LOST:
        return "fsync fails and the power goes";
    case NV_DISK_FSYNC_KEPT:
        return "fsync fails";
    case NV_DISK_KILL:
        return "kill";
    case NV_DISK_POWER_CUT:
        return "power cut";
    }
    return "";
}

static uint64_t faults_so_far(void)
{
    const struct nv_disk_counts *counts = nv_disk_counts();
    return counts->faults + counts->kills + counts->power_cuts;
}

/* The machine is up again, and the programs are started anew. */
static void start_again(struct nv_walk *walk)
{
    struct nv_scene *scene = &walk->scene;
    bool had_store = scene->store != NULL, had_file = scene->watcher != NULL;
    nv_scene_close(scene);
    nv_disk_plan_fault(scene->disk, NV_SCENE_PROGRAM, NV_DISK_EIO, 0, 0);
    nv_disk_revive(scene->disk, NV_SCENE_PROGRAM);
    nv_disk_revive(scene->disk, NV_SCENE_WATCHER);
    walk->data_version = -1; /* another watcher counts otherwise */
    if (had_file)
        nv_scene_watch(scene);
    if (had_store)
        nv_scene_open(scene, walk->entry->image);
}

/* The call once more, with nothing in its way. */
static void call_again(struct nv_walk *walk)
{
    struct nv_error error;
    nv_network_must(nv_walk_call(walk, &error), &error);
    nv_walk_check_done(walk);
    nv_walk_restore(walk);
}

/* Plans the fault at one call. Returns false where the entry had ended before. */
static bool fail_at(struct nv_walk *walk, enum nv_disk_fault fault, uint64_t at, unsigned times)
{
    struct nv_error error;
    uint64_t before = faults_so_far();
    nv_disk_plan_fault(walk->scene.disk, NV_SCENE_PROGRAM, fault, at, times);
    enum nv_status status = nv_walk_call(walk, &error);
    bool had_fault = faults_so_far() > before, is_dead = nv_disk_is_dead(walk->scene.disk, NV_SCENE_PROGRAM);
    nv_disk_plan_fault(walk->scene.disk, NV_SCENE_PROGRAM, NV_DISK_EIO, 0, 0);
    nv_dice_trace("%s: %s at call %llu, %u times: %s", walk->entry->name, name_of(fault), (unsigned long long)at, times,
                  nv_status_text(status));
    if (status != NV_OK && !had_fault)
        fail_msg("%s: %s", walk->entry->name, error.text);
    if (status != NV_OK && !is_dead)
        nv_walk_check_failed(walk, status, NV_IO, &error);
    if (is_dead)
        start_again(walk);
    if (status == NV_OK) {
        nv_walk_check_done(walk);
        nv_walk_restore(walk);
    } else {
        call_again(walk);
    }
    return had_fault;
}

static uint64_t count_calls(struct nv_walk *walk)
{
    struct nv_error error;
    uint64_t before = nv_disk_counts()->calls;
    nv_network_must(nv_walk_call(walk, &error), &error);
    uint64_t calls = nv_disk_counts()->calls - before;
    nv_walk_restore(walk);
    return calls;
}

static void fail_everywhere(struct nv_walk *walk, enum nv_disk_fault fault, unsigned times, uint64_t total)
{
    for (uint64_t at = 1; at <= total; at++)
        if (nv_walk_is_tried(at, total, MOST) && !fail_at(walk, fault, at, times))
            break;
}

/* With room for so many bytes more; returns whether they were enough. */
static bool fill_up(struct nv_walk *walk, size_t more)
{
    struct nv_error error;
    uint64_t before = nv_disk_counts()->full;
    nv_disk_set_room(walk->scene.disk, nv_disk_used(walk->scene.disk) + more);
    enum nv_status status = nv_walk_call(walk, &error);
    bool was_full = nv_disk_counts()->full > before;
    nv_disk_set_room(walk->scene.disk, SIZE_MAX);
    nv_dice_trace("%s: room for %zu bytes: %s", walk->entry->name, more, nv_status_text(status));
    if (status == NV_OK) {
        nv_walk_check_done(walk);
        nv_walk_restore(walk);
        return !was_full;
    }
    nv_walk_check_failed(walk, status, NV_FULL, &error);
    call_again(walk);
    return false;
}

static void fill_everywhere(struct nv_walk *walk)
{
    struct nv_error error;
    size_t used = nv_disk_used(walk->scene.disk);
    nv_network_must(nv_walk_call(walk, &error), &error);
    size_t grown = nv_disk_used(walk->scene.disk) - used;
    nv_walk_restore(walk);
    for (size_t more = 0; !fill_up(walk, more);)
        more += grown / MOST < 500 ? 500 : grown / MOST;
}

static void walk_entry(void **state)
{
    struct nv_walk walk;
    nv_walk_init(&walk, *state);
    uint64_t total = count_calls(&walk);
    fail_everywhere(&walk, NV_DISK_EIO, 1, total);
    fail_everywhere(&walk, NV_DISK_EIO, UINT_MAX, total);
    fail_everywhere(&walk, NV_DISK_FSYNC_KEPT, 1, total);
    fail_everywhere(&walk, NV_DISK_FSYNC_LOST, 1, total);
    fail_everywhere(&walk, NV_DISK_KILL, 1, total);
    fail_everywhere(&walk, NV_DISK_POWER_CUT, 1, total);
    fill_everywhere(&walk);
    nv_walk_done(&walk);
}

int main(void)
{
    nv_network_start();
    return nv_walk_run("disk", walk_entry);
}
