/* System calls on files that fail at a chosen moment, as seen by wire/keys.c. The linker brings them here (--wrap). */
#pragma once

#include <stdbool.h>

/* The `at`th call from now (1: the next) fails with that errno. */
void nv_system_plan(unsigned at, int cause);

/* Every read and write is cut short once: EINTR before its first byte, or (0) after one. */
void nv_system_interrupt(int cause);

/* Forgets the plan; whether anything came of it. */
bool nv_system_end(void);
