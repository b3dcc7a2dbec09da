#include "tests/fault/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fault/memory.h"

enum { TOLD_BYTES = 1 << 20, PROBES = 64 };

enum nv_status nv_probe_tell(struct nv_buffer *told, struct nv_buffer *buffer)
{
    enum nv_status status = buffer->failed ? NV_NO_MEMORY : NV_OK;
    if (status == NV_OK)
        nv_buffer_append(told, buffer->data, buffer->size);
    nv_buffer_done(buffer);
    return status;
}

/* Room that no failing allocation is needed for. */
static struct nv_buffer told_init(void)
{
    struct nv_buffer told = {0};
    assert_non_null(nv_buffer_extend(&told, TOLD_BYTES));
    nv_buffer_clear(&told);
    return told;
}

static void call_once(const struct nv_probe *probe, struct nv_buffer *told)
{
    nv_buffer_clear(told);
    enum nv_status status = probe->call(told);
    if (status != NV_OK)
        fail_msg("%s: %s, and nothing failed", probe->name, nv_status_text(status));
}

/* Returns how many allocations there were to fail. */
static uint64_t fail_everywhere(const struct nv_probe *probe, enum nv_memory_source source, bool for_ever,
                                const struct nv_buffer *expected)
{
    struct nv_buffer told = told_init();
    uint64_t at = 0, failed;
    do {
        nv_buffer_clear(&told);
        nv_memory_plan(source, ++at, for_ever);
        enum nv_status status = probe->call(&told);
        failed = nv_memory_end(NULL);
        if (status == NV_OK) /* nothing failed, or it goes on as well without */
            assert_true(nv_slice_equal(nv_buffer_slice(&told), nv_buffer_slice(expected)));
        else if (status != NV_NO_MEMORY || failed == 0)
            fail_msg("%s: %s where allocation %llu (%s) failed", probe->name, nv_status_text(status),
                     (unsigned long long)at, nv_memory_names[source]);
        call_once(probe, &told);
        assert_true(nv_slice_equal(nv_buffer_slice(&told), nv_buffer_slice(expected)));
    } while (failed > 0);
    nv_buffer_done(&told);
    return at - 1;
}

static void walk_probe(void **state)
{
    const struct nv_probe *probe = *state;
    struct nv_buffer expected = told_init();
    nv_memory_end(NULL);         /* where the test before this one failed */
    call_once(probe, &expected); /* what is kept for good is made by now */
    struct nv_memory_held before = nv_memory_held();
    uint64_t allocations = 0;
    for (int i = 0; i < 2; i++) {
        allocations += fail_everywhere(probe, NV_MEMORY_OWN, i == 1, &expected);
        allocations += fail_everywhere(probe, NV_MEMORY_ARENA, i == 1, &expected);
    }
    struct nv_memory_held after = nv_memory_held();
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
    assert_true(allocations > 0);
    nv_buffer_done(&expected);
}

int nv_probe_run(const char *name, const struct nv_probe *probes, size_t count)
{
    struct CMUnitTest tests[PROBES];
    assert_true(count <= PROBES);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){probes[i].name, walk_probe, NULL, NULL, (void *)(uintptr_t)&probes[i]};
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}
