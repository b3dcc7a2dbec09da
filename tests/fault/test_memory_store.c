/* Every entry point of the store, where memory runs out at any of its allocations: it says so, the store is as it was,
 * and the next call does all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fault/memory.h"
#include "tests/fault/walk.h"
#include "tests/unit/dice.h"

enum { MOST = 50, AFRESH_EVERY = 7 };

/* Without the failure, in the same process: as where nothing failed. Then from the beginning. */
static void call_again(struct nv_walk *walk)
{
    struct nv_error error;
    nv_network_must(nv_walk_call(walk, &error), &error);
    nv_walk_check_done(walk);
    nv_walk_restore(walk);
}

/* Fails at the first allocation, at the second, … until a call needs no more of them; returns how many there were. */
static uint64_t fail_everywhere(struct nv_walk *walk, enum nv_memory_source source, bool for_ever, uint64_t total)
{
    uint64_t failures = 0, asked, at = 0;
    for (;;) {
        struct nv_error error;
        do
            at++;
        while (!nv_walk_is_tried(at, total, MOST));
        nv_memory_plan(source, at, for_ever);
        enum nv_status status = nv_walk_call(walk, &error);
        uint64_t failed = nv_memory_end(&asked);
        nv_dice_trace("%s: allocation %llu (%s)%s: %s", walk->entry->name, (unsigned long long)at,
                      nv_memory_names[source], for_ever ? " and all after it" : "", nv_status_text(status));
        if (status == NV_OK) { /* there was no such allocation, or SQLite went on without it */
            nv_walk_check_done(walk);
            nv_walk_restore(walk);
            if (failed == 0)
                return asked;
            continue;
        }
        if (failed == 0)
            fail_msg("%s: after %llu failures: %s", walk->entry->name, (unsigned long long)failures, error.text);
        nv_walk_check_failed(walk, status, NV_NO_MEMORY, &error);
        if (++failures % AFRESH_EVERY == 0)
            call_again(walk);
    }
}

static uint64_t count_allocations(struct nv_walk *walk, enum nv_memory_source source)
{
    struct nv_error error;
    uint64_t asked;
    nv_memory_plan(source, UINT64_MAX, false);
    nv_network_must(nv_walk_call(walk, &error), &error);
    nv_memory_end(&asked);
    nv_walk_restore(walk);
    return asked;
}

static void walk_entry(void **state)
{
    const struct nv_fault_entry *entry = *state;
    nv_memory_end(NULL); /* where the test before this one failed */
    struct nv_memory_held before = nv_memory_held();
    struct nv_walk walk;
    nv_walk_init(&walk, entry);
    for (enum nv_memory_source source = 0; source < NV_MEMORY_SOURCES; source++) {
        uint64_t total = count_allocations(&walk, source);
        fail_everywhere(&walk, source, false, total);
        fail_everywhere(&walk, source, true, total);
        nv_dice_trace("%s: %llu allocations (%s)", entry->name, (unsigned long long)total, nv_memory_names[source]);
    }
    nv_walk_done(&walk);
    struct nv_memory_held after = nv_memory_held();
    if (after.blocks != before.blocks || after.bytes != before.bytes)
        fail_msg("%s: %lld blocks and %lld bytes of SQLite's were not given back", entry->name,
                 (long long)(after.blocks - before.blocks), (long long)(after.bytes - before.bytes));
}

int main(void)
{
    nv_memory_start();
    nv_network_start();
    return nv_walk_run("memory", walk_entry);
}
