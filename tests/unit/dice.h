/* Random choices that a seed repeats: the same seed gives the same choices on every machine.
 *
 * NAVETTE_TEST_SEED replays one seed, NAVETTE_TEST_SCHEDULES sets how many are tried, NAVETTE_TEST_TRACE tells what is
 * done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/value.h"

struct nv_dice {
    uint64_t state;
    struct nv_reader script; /* choices that are given, before any are made up */
};

struct nv_dice nv_dice_of(uint64_t seed);

/* Dice that fall as the bytes say: a byte for a choice among at most 256. Where they end, those of seed 0 go on. */
struct nv_dice nv_dice_scripted(struct nv_slice script);

uint64_t nv_dice_bits(struct nv_dice *dice);
size_t nv_dice_below(struct nv_dice *dice, size_t bound); /* 0 … bound - 1; bound is at least 1 */
bool nv_dice_percent(struct nv_dice *dice, unsigned percent);
void nv_dice_bytes(struct nv_dice *dice, void *ret_bytes, size_t size);
void nv_dice_shuffle(struct nv_dice *dice, size_t *items, size_t count);

/* A value of any class, with a liking for those on which SQLite's rules turn. Text and blob are written to `bytes`. */
enum { NV_DICE_VALUE_BYTES = 64 };
struct nv_value nv_dice_value(struct nv_dice *dice, uint8_t bytes[NV_DICE_VALUE_BYTES]);

/* Runs `one` for the seed that NAVETTE_TEST_SEED names, or else for the seeds 1 … count (NAVETTE_TEST_SCHEDULES in
 * place of `count` where it is set). A test that fails finds the seed on stderr. */
void nv_dice_run(const char *name, uint64_t count, void (*one)(uint64_t seed));

/* Tells a step on stderr, where NAVETTE_TEST_TRACE is set. */
void nv_dice_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
