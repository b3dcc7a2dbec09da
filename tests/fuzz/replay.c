/* Runs a target over a corpus: replay FILE-OR-FOLDER…
 *
 * Each file as it is, each beginning of it, and with a few bits turned; the bits are the same in every run. One whose
 * name begins with "found-" was an error once, and may take long: it runs as it is. Where the environment has
 * NAVETTE_FUZZ_WHOLE, all do. */
#include <assert.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"
#include "tests/unit/dice.h"

enum { FLIPS = 48, FILE_BYTES_MAX = 1 << 20, FILES_MAX = 1024, PATH_BYTES = 512 };

static const char *current; /* the file at hand */
static size_t files, inputs;

/* A copy that is exactly so long, so that the sanitizer sees who reads beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static void run_flipped(uint8_t *data, size_t size)
{
    struct nv_dice dice = nv_dice_of(size);
    for (size_t i = 0; size > 0 && i < FLIPS; i++) {
        size_t place = nv_dice_below(&dice, size);
        uint8_t bit = (uint8_t)(1u << nv_dice_below(&dice, 8));
        data[place] ^= bit;
        run(data, size);
        data[place] ^= bit;
    }
}

static void replay_file(const char *path)
{
    static uint8_t data[FILE_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    current = path;
    files++;
    run(data, size);
    if (strstr(path, "/found-") != NULL || getenv("NAVETTE_FUZZ_WHOLE") != NULL)
        return;
    for (size_t cut = 0; cut < size; cut++)
        run(data, cut);
    run_flipped(data, size);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0) { /* no folder */
        replay_file(path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char file[PATH_BYTES];
        int length = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        assert(length > 0 && length < PATH_BYTES);
        replay_file(file);
        free(entries[i]);
    }
    free(entries);
}

static void say_file(int number)
{
    (void)number;
    fprintf(stderr, "while at %s\n", current == NULL ? "nothing" : current);
}

int main(int count, char **arguments)
{
    signal(SIGABRT, say_file);
    for (int i = 1; i < count; i++)
        replay(arguments[i]);
    if (files == 0) {
        fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", arguments[0]);
        return 2;
    }
    printf("%-16s %zu files, %zu inputs\n", strrchr(arguments[0], '/') + 1, files, inputs);
    return 0;
}
