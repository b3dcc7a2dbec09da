/* What the system tells of writes to a home's store file: inotify. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* `*ret_descriptor` is readable where something may have been written. */
enum nv_status nv_notify_open(const char *home, int *ret_descriptor, struct nv_error *error);
void nv_notify_close(int descriptor); /* -1: nothing to close */

/* Reads all that was told; whether the store or its WAL may have been written since the last time. Never waits. */
bool nv_notify_take(int descriptor);
