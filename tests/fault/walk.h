/* Walks one entry point through its failures: begins its scene as often as it takes, and judges what a failed or a
 * successful call left behind. */
#pragma once

#include "tests/fault/entries.h"

struct nv_walk {
    const struct nv_fault_entry *entry;
    struct nv_scene scene;
    struct nv_picture expected; /* after the call, where nothing fails */
    int64_t data_version;       /* the watcher's, before the call */
};

/* Begins the scene; what nothing failing leaves is known then. */
void nv_walk_init(struct nv_walk *walk, const struct nv_fault_entry *entry);
void nv_walk_done(struct nv_walk *walk);

/* Begins it anew, if a call has changed anything. */
void nv_walk_restore(struct nv_walk *walk);

/* The call itself, with everything that is random as it was. */
enum nv_status nv_walk_call(struct nv_walk *walk, struct nv_error *error);

/* It succeeded: the store, and what was told, are as expected. */
void nv_walk_check_done(struct nv_walk *walk);

/* It failed with this status, which is said in words too; nothing was committed, and no file of a store that could not
 * be made stands in the way. */
void nv_walk_check_failed(struct nv_walk *walk, enum nv_status status, enum nv_status wanted,
                          const struct nv_error *error);

/* Whether a count is one of those that are tried: all of the first ones, then some, so that there are not many more
 * than `most` of `total`; with NAVETTE_FAULT_ALL in the environment all of them. */
bool nv_walk_is_tried(uint64_t at, uint64_t total, uint64_t most);

/* Runs the test for every entry point, as a cmocka test of its own whose state is the entry, or for those alone whose
 * names NAVETTE_TEST_ONLY begins. Returns how many failed. */
int nv_walk_run(const char *name, void (*test)(void **state));
