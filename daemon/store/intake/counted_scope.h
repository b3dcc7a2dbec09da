/* The logs of one scope, as core/counting.h is told of them. Internal to store/intake/. */
#pragma once

#include "core/counting.h"
#include "store/log/beyond.h"
#include "store/trust/rights.h"

struct nv_counted_scope {
    struct nv_store *store;
    struct nv_scope_id id;
    struct nv_counting *counting;
    uint64_t *ends; /* by log number - 1: how far each log counts for certain */
    size_t log_count;
};

enum nv_status nv_counted_scope_init(struct nv_counted_scope *scope, struct nv_store *store, struct nv_scope_id id,
                                     struct nv_error *error);
void nv_counted_scope_done(struct nv_counted_scope *scope);

/* The log of that place, from 0, where it is one of the scope; else NULL. */
struct nv_log *nv_counted_log(const struct nv_counted_scope *scope, size_t place);

/* Tells the logs up to their ends, and all ops that take rights. */
enum nv_status nv_counted_tell_logs(struct nv_counted_scope *scope, struct nv_error *error);

/* Tells a header that may count or not. Heads of logs that are not known here name nothing. */
enum nv_status nv_counted_tell_header(struct nv_counted_scope *scope, const struct nv_log *log,
                                      const struct nv_header *header, const struct nv_pin *pin, struct nv_error *error);

/* Tells all that is held beyond the scope's logs. */
enum nv_status nv_counted_tell_beyond(struct nv_counted_scope *scope, struct nv_error *error);
