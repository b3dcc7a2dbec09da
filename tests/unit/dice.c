#include "dice.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t current_seed;
static const char *current_name;
static bool is_running;

/* The next `size` bytes of the script, as a number; false where it has not so many. */
static bool scripted(struct nv_dice *dice, size_t size, uint64_t *ret_number)
{
    struct nv_slice bytes;
    if (!nv_take_bytes(&dice->script, size, &bytes))
        return false;
    *ret_number = 0;
    for (size_t i = 0; i < size; i++)
        *ret_number |= (uint64_t)bytes.data[i] << (8 * i);
    return true;
}

/* Steele et al., "Fast Splittable Pseudorandom Number Generators" (2014): SplitMix64. */
uint64_t nv_dice_bits(struct nv_dice *dice)
{
    uint64_t given;
    if (scripted(dice, sizeof given, &given))
        return given;
    uint64_t bits = dice->state += 0x9e3779b97f4a7c15;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
}

struct nv_dice nv_dice_of(uint64_t seed)
{
    struct nv_dice dice = {.state = seed};
    dice.state = nv_dice_bits(&dice);
    return dice;
}

struct nv_dice nv_dice_scripted(struct nv_slice script)
{
    struct nv_dice dice = nv_dice_of(0);
    dice.script = nv_reader_of(script);
    return dice;
}

size_t nv_dice_below(struct nv_dice *dice, size_t bound)
{
    uint64_t given;
    if (bound <= 256 && scripted(dice, 1, &given))
        return (size_t)(given % bound);
    return (size_t)(nv_dice_bits(dice) % bound);
}

bool nv_dice_percent(struct nv_dice *dice, unsigned percent)
{
    return nv_dice_below(dice, 100) < percent;
}

void nv_dice_bytes(struct nv_dice *dice, void *ret_bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)ret_bytes)[i] = (uint8_t)nv_dice_below(dice, 256);
}

void nv_dice_shuffle(struct nv_dice *dice, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = nv_dice_below(dice, i), kept = items[i - 1];
        items[i - 1] = items[other];
        items[other] = kept;
    }
}

static int64_t some_integer(struct nv_dice *dice)
{
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    63,
                                    64,
                                    -64,
                                    -65,
                                    127,
                                    128,
                                    1 << 20,
                                    ((int64_t)1 << 53) - 1,
                                    (int64_t)1 << 53,
                                    ((int64_t)1 << 53) + 1,
                                    INT64_MAX,
                                    INT64_MAX - 1,
                                    INT64_MIN,
                                    INT64_MIN + 1,
                                    (int64_t)1 << 62,
                                    500,
                                    12};
    if (nv_dice_percent(dice, 60))
        return edges[nv_dice_below(dice, sizeof edges / sizeof *edges)];
    return (int64_t)(nv_dice_bits(dice) >> nv_dice_below(dice, 64));
}

static double some_real(struct nv_dice *dice)
{
    static const double edges[] = {0.0,
                                   -0.0,
                                   1.0,
                                   -1.0,
                                   0.5,
                                   12.0,
                                   500.0,
                                   1e15,
                                   1e18,
                                   1e19,
                                   -1e19,
                                   1e300,
                                   5e-324,
                                   9223372036854775807.0,
                                   -9223372036854775808.0,
                                   9223372036854774784.0,
                                   9007199254740992.0,
                                   9007199254740994.0,
                                   4503599627370496.5,
                                   0.1,
                                   1e-7};
    if (nv_dice_percent(dice, 60))
        return edges[nv_dice_below(dice, sizeof edges / sizeof *edges)];
    if (nv_dice_percent(dice, 50))
        return (double)some_integer(dice);
    double real;
    do {
        uint64_t bits = nv_dice_bits(dice);
        memcpy(&real, &bits, sizeof real);
    } while (real != real);
    return real;
}

/* Mostly the letters that numbers are written with, in an order that often makes one. */
static size_t some_text(struct nv_dice *dice, uint8_t *bytes)
{
    static const char *const whole[] = {"",
                                        "0",
                                        "012",
                                        "12",
                                        "1.0",
                                        "-0",
                                        "+5",
                                        "1e5",
                                        "1e",
                                        "e5",
                                        ".5",
                                        "5.",
                                        ".",
                                        "-",
                                        "1e400",
                                        "0x1",
                                        " 7 ",
                                        "7\t",
                                        "\v7",
                                        "1 2",
                                        "1e+5",
                                        "1e+",
                                        "1.5.2",
                                        "inf",
                                        "nan",
                                        "é",
                                        "12é",
                                        "--1",
                                        "1_0",
                                        "1E-3",
                                        "+.5e1",
                                        "1. 5",
                                        "\f9\r",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "00000000000000000000000000001",
                                        "1e0005",
                                        "0.1e1",
                                        "123456789012345678901234567890",
                                        "1\xc2\xa0"};
    static const char letters[] = "0123456789.+-eE \t\n\v\f\rxXaf\0_,\xc3\xa9";
    if (nv_dice_percent(dice, 40)) {
        const char *text = whole[nv_dice_below(dice, sizeof whole / sizeof *whole)];
        memcpy(bytes, text, strlen(text));
        return strlen(text);
    }
    size_t size = nv_dice_below(dice, nv_dice_percent(dice, 80) ? 7 : NV_DICE_VALUE_BYTES),
           few = 10 + nv_dice_below(dice, 20);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)letters[nv_dice_below(dice, few)];
    return size;
}

struct nv_value nv_dice_value(struct nv_dice *dice, uint8_t bytes[NV_DICE_VALUE_BYTES])
{
    struct nv_value value = {.type = (enum nv_value_type)nv_dice_below(dice, 5)};
    switch (value.type) {
    case NV_NULL:
        break;
    case NV_INTEGER:
        value.integer = some_integer(dice);
        break;
    case NV_REAL:
        value.real = some_real(dice);
        break;
    case NV_TEXT:
        value.bytes = (struct nv_slice){bytes, some_text(dice, bytes)};
        break;
    case NV_BLOB:
        value.bytes =
            (struct nv_slice){bytes, nv_dice_percent(dice, 50) ? some_text(dice, bytes) : nv_dice_below(dice, 20)};
        if (nv_dice_percent(dice, 50))
            nv_dice_bytes(dice, bytes, value.bytes.size);
        else
            memset(bytes, '1', value.bytes.size);
        break;
    }
    return value;
}

static void say_seed(void)
{
    if (is_running)
        fprintf(stderr, "%s failed with NAVETTE_TEST_SEED=%llu\n", current_name, (unsigned long long)current_seed);
}

/* An assert in a helper ends the program without its exit handlers. */
static void say_seed_of_abort(int number)
{
    (void)number;
    say_seed();
}

void nv_dice_run(const char *name, uint64_t count, void (*one)(uint64_t seed))
{
    static bool is_registered;
    const char *only = getenv("NAVETTE_TEST_SEED"), *wanted = getenv("NAVETTE_TEST_SCHEDULES");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only != NULL ? first : wanted != NULL ? strtoull(wanted, NULL, 10) : count;
    if (!is_registered) {
        atexit(say_seed);
        signal(SIGABRT, say_seed_of_abort);
    }
    is_registered = true;
    say_seed(); /* a test before this one was left by a jump */
    current_name = name;
    for (current_seed = first; current_seed <= last; current_seed++) {
        is_running = true;
        one(current_seed);
        is_running = false;
    }
}

void nv_dice_trace(const char *format, ...)
{
    if (getenv("NAVETTE_TEST_TRACE") == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
