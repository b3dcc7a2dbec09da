/* A command's own writes, in one transaction. */
#pragma once

#include "store/store.h"

enum nv_status nv_transaction_begin(struct nv_store *store, struct nv_error *error);

/* Ends it, well where `status` is NV_OK; else nothing was written. Returns what came of it. */
enum nv_status nv_transaction_end(struct nv_store *store, enum nv_status status, struct nv_error *error);
