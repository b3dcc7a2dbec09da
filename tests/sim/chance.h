/* libsodium's randomness, from a seed: keys, ids, salts and epochs replay. SQLite's comes from the disk's VFS. */
#pragma once

#include <stdint.h>

void sim_chance_start(uint64_t seed);
