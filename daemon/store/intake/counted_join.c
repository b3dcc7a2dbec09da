/* What was held beyond the logs, and counts: store/intake/counted.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/planted.h"
#include "store/intake/apply.h"
#include "store/intake/counted.h"
#include "store/intake/counted_scope.h"
#include "store/intake/taken.h"

struct joining {
    struct nv_merge *merge;
    struct nv_counted_scope scope;
    int64_t end_us;
    uint32_t *record_hashes;
    size_t joined;
    bool has_fallen; /* another history of some log was taken */
    bool more;
};

/* What is in the logs counts, and names nothing beyond them. */
static enum nv_status settle_beyond(struct nv_counted_scope *scope, struct nv_error *error)
{
    for (size_t i = 0; i < scope->log_count; i++) {
        const struct nv_log *log = nv_counted_log(scope, i);
        if (log != NULL)
            scope->ends[i] = log->has_seq;
    }
    enum nv_status status = nv_counted_tell_logs(scope, error);
    if (status == NV_OK)
        status = nv_counted_tell_beyond(scope, error);
    if (status == NV_OK && nv_counting_settle(scope->counting) != NV_OK)
        status = nv_no_memory(error);
    return status;
}

/* Whether all that its header names is in the logs: it is not where another history was taken. */
static enum nv_status builds_on_logs(struct nv_store *store, const struct nv_log *log, const struct nv_header *header,
                                     bool *ret_builds, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    *ret_builds = header->seq == log->has_seq + 1 &&
                  memcmp(header->previous.bytes, log->has_hash.bytes, sizeof header->previous.bytes) == 0;
    for (size_t i = 0; status == NV_OK && *ret_builds && i < header->context_count; i++) {
        const struct nv_far_head *far = &header->context[i];
        struct nv_log_id id = {far->site, far->epoch, header->log.scope};
        const struct nv_log *named = nv_log_find(store, &id);
        *ret_builds = named != NULL && far->seq <= named->has_seq;
        if (*ret_builds)
            status = nv_changeset_is(store, named, far->seq, &far->pin, ret_builds, error);
    }
    return status;
}

static enum nv_status join_opened(struct joining *joining, struct nv_arrival *arrival, const struct nv_head *head,
                                  struct nv_error *error)
{
    struct nv_store *store = joining->merge->store;
    const struct nv_header *header = &arrival->opened.header;
    size_t branches = 0;
    bool builds;
    enum nv_status status = builds_on_logs(store, arrival->log, header, &builds, error);
    joining->has_fallen = joining->has_fallen || (status == NV_OK && !builds);
    if (status != NV_OK || !builds)
        return status;
    status = nv_context_take(store, header, &arrival->log->context, &arrival->context, error);
    if (status == NV_OK)
        status = nv_record_hashes(&arrival->opened, joining->record_hashes, error);
    if (status == NV_OK)
        status = nv_beyond_drop(store, head, arrival->parts.header.size + arrival->parts.body.size, error);
    if (status == NV_OK)
        status = nv_taken_append(joining->merge, arrival, false, joining->record_hashes, error);
    if (status == NV_OK)
        status = nv_beyond_branches(store, arrival->log, header->seq, &branches, error);
    joining->has_fallen = joining->has_fallen || branches > 0;
    joining->joined++;
    return status;
}

static enum nv_status join_one(struct joining *joining, const struct nv_head *head, struct nv_error *error)
{
    struct nv_arrival arrival = {.log = nv_log_by_number(joining->merge->store, head->log)};
    enum nv_status status = nv_beyond_open(joining->merge->store, head, &arrival.opened, &arrival.parts, error);
    if (status == NV_OK)
        status = join_opened(joining, &arrival, head, error);
    nv_arrival_done(&arrival);
    return status;
}

static enum nv_status join_scope(struct joining *joining, struct nv_scope_id id, struct nv_error *error)
{
    struct nv_store *store = joining->merge->store;
    struct nv_head head;
    enum nv_status status = nv_counted_scope_init(&joining->scope, store, id, error);
    joining->has_fallen = false;
    if (status == NV_OK)
        status = settle_beyond(&joining->scope, error);
    for (size_t i = 0; status == NV_OK && nv_counting_at(joining->scope.counting, i, &head); i++) {
        if (joining->joined > 0 && nv_mono_now().us >= joining->end_us) {
            joining->more = true;
            break;
        }
        status = join_one(joining, &head, error);
    }
    nv_counted_scope_done(&joining->scope);
    if (status == NV_OK && joining->has_fallen)
        status = nv_beyond_prune(store, id, joining->merge->now, error);
    return status;
}

/* Whether something is held beyond a log of that scope, and this is the first log for which that is so. */
static bool is_first_beyond(const struct nv_store *store, const struct nv_log *log)
{
    bool is_first = log->beyond.count > 0;
    for (nv_log_number i = 1; is_first && i < log->number; i++) {
        const struct nv_log *other = nv_log_by_number(store, i);
        is_first = other->beyond.count == 0 || !nv_scope_id_equal(other->id.scope, log->id.scope);
    }
    return is_first;
}

enum nv_status nv_counted_join(struct nv_merge *merge, int64_t end_us, size_t *ret_joined, bool *ret_more,
                               struct nv_error *error)
{
    struct joining joining = {.merge = merge, .end_us = end_us};
    enum nv_status status = NV_OK;
    joining.record_hashes = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *joining.record_hashes);
    if (joining.record_hashes == NULL)
        status = nv_no_memory(error);
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(merge->store); i++) {
        const struct nv_log *log = nv_log_by_number(merge->store, (nv_log_number)i);
        if (is_first_beyond(merge->store, log) && !NV_PLANTED(NEVER_JOINS))
            status = join_scope(&joining, log->id.scope, error);
    }
    free(joining.record_hashes);
    *ret_joined = joining.joined;
    *ret_more = joining.more;
    return status;
}
