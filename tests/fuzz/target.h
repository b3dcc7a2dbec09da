/* A fuzz target: one function that takes any bytes and must return. What must hold is asserted; what must not be read
 * or leaked the sanitizers see. A target is a round trip where there is an encoder: decode, encode, decode, and the
 * same comes back.
 *
 * Bytes that nobody sealed or signed get no further than the first hash. So in most targets the first byte says what
 * the rest is: the bytes as they come from outside, or the script of dice (tests/unit/dice.h) that build what is valid
 * and then turn a bit of it.
 *
 * `make fuzz` drives the targets with libFuzzer; `make test-fuzz` runs each over its corpus (replay.c). There, seed- is
 * what our own encoders write (seeds.c), kept- is what reaches code that the seeds do not, and found- is what was an
 * error once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's name for it. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
