/* The golden texts: each scenario's trace is what golden/NAME.txt has, to the last byte. NAVETTE_GOLDEN=write makes the
 * files anew; a change in them is a change of what sites do, to be read before it is committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "founding.h"
#include "golden.h"

enum { TOLD_LINES = 5 };

static void path_of(const struct sim_scenario *scenario, char ret_path[128])
{
    snprintf(ret_path, 128, "tests/sim/golden/%s.txt", scenario->name);
}

static void write_file(const char *path, const struct nv_buffer *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const char *path, struct nv_buffer *ret_text)
{
    char bytes[4096];
    size_t size;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        nv_buffer_append(ret_text, bytes, size);
    fclose(file);
}

static struct nv_slice take_line(struct nv_reader *reader)
{
    const uint8_t *start = reader->at;
    while (reader->at < reader->end && *reader->at != '\n')
        reader->at++;
    const struct nv_slice line = {start, (size_t)(reader->at - start)};
    if (reader->at < reader->end)
        reader->at++;
    return line;
}

static void tell_difference(const struct sim_scenario *scenario, const struct nv_buffer *golden,
                            const struct nv_buffer *text)
{
    struct nv_reader was = nv_reader_of(nv_buffer_slice(golden)), is = nv_reader_of(nv_buffer_slice(text));
    unsigned told = 0;
    for (unsigned line = 1; told < TOLD_LINES && (was.at < was.end || is.at < is.end); line++) {
        struct nv_slice old = take_line(&was), new = take_line(&is);
        if (nv_slice_equal(old, new))
            continue;
        fprintf(stderr, "%s, line %u\n  golden: %.*s\n  now:    %.*s\n", scenario->name, line, (int)old.size,
                (const char *)old.data, (int)new.size, (const char *)new.data);
        told++;
    }
    fprintf(stderr,
            "simulate --scenario %s tells it all, and with --trace more than that. If it is as it should be:\n"
            "NAVETTE_GOLDEN=write make test-sim\n",
            scenario->name);
}

static bool is_as_its_golden_text(const struct sim_scenario *scenario, bool writes)
{
    struct nv_buffer golden = {0}, text = {0};
    char path[128];
    path_of(scenario, path);
    bool is_good = sim_golden_take(scenario, &text);
    if (is_good && writes)
        write_file(path, &text);
    read_file(path, &golden);
    bool is_alike = nv_slice_equal(nv_buffer_slice(&golden), nv_buffer_slice(&text));
    if (!is_alike)
        tell_difference(scenario, &golden, &text);
    nv_buffer_done(&golden);
    nv_buffer_done(&text);
    return is_good && is_alike;
}

static void every_scenario_is_as_its_golden_text(void **state)
{
    (void)state;
    const char *wanted = getenv("NAVETTE_GOLDEN");
    bool writes = wanted != NULL && strcmp(wanted, "write") == 0;
    size_t different = 0;
    for (size_t i = 0; i < sim_scenario_count; i++)
        different += !is_as_its_golden_text(&sim_scenarios[i], writes);
    assert_int_equal(different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_scenario_is_as_its_golden_text)};
    struct nv_error error;
    if (nv_wire_start(&error) != NV_OK)
        return 70;
    nv_disks_start();
    sim_founding_of(2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
