#include "store/intake/counted.h"

#include "base/planted.h"
#include "store/intake/counted_scope.h"
#include "store/intake/taken.h"
#include "store/intake/uncounted.h"

/* ---- ops that take rights ---- */

bool nv_is_cut(const struct nv_store *store, const struct nv_header *header)
{
    const struct nv_taking *taking = NULL;
    while ((taking = nv_taking_next(store, header->log.site, header->log.scope, taking)) != NULL)
        if (taking->position > header->authority_seq)
            return true;
    return false;
}

uint64_t nv_named_seq(const struct nv_store *store, const struct nv_log_id *log)
{
    const struct nv_taking *taking = NULL;
    uint64_t seq = 0;
    while ((taking = nv_taking_next(store, log->site, log->scope, taking)) != NULL) {
        const struct nv_far_head *head = nv_taking_head(taking, log);
        seq = head != NULL && head->seq > seq ? head->seq : seq;
    }
    return seq;
}

bool nv_is_named(const struct nv_store *store, const struct nv_log_id *log, uint64_t seq, const struct nv_pin *pin)
{
    const struct nv_taking *taking = NULL;
    while ((taking = nv_taking_next(store, log->site, log->scope, taking)) != NULL) {
        const struct nv_far_head *head = nv_taking_head(taking, log);
        if (head != NULL && head->seq == seq && memcmp(head->pin.bytes, pin->bytes, sizeof pin->bytes) == 0)
            return true;
    }
    return false;
}

static bool is_concerned(const struct nv_store *store, const struct nv_log *log)
{
    return nv_taking_next(store, log->id.site, log->id.scope, NULL) != NULL;
}

/* ---- a right was taken away ---- */

/* How far the logs of those in this scope whose rights nobody took name the log: what they name counts. */
static uint64_t vouched_seq(const struct nv_counted_scope *scope, nv_log_number log)
{
    uint64_t seq = 0;
    for (size_t i = 0; i < scope->log_count; i++) {
        const struct nv_log *by = nv_counted_log(scope, i);
        if (by == NULL || is_concerned(scope->store, by))
            continue;
        uint64_t named = nv_vector_seq(&by->context, log);
        seq = named > seq ? named : seq;
    }
    return seq;
}

/* What an op names of a log, as far as that is the history which is held here. */
static enum nv_status named_here(struct nv_store *store, const struct nv_taking *taking, const struct nv_log *log,
                                 uint64_t *ret_seq, struct nv_error *error)
{
    const struct nv_far_head *head = nv_taking_head(taking, &log->id);
    bool is_here = false;
    enum nv_status status = NV_OK;
    if (head != NULL && head->seq <= log->has_seq)
        status = nv_changeset_is(store, log, head->seq, &head->pin, &is_here, error);
    *ret_seq = is_here ? head->seq : 0;
    return status;
}

/* Up to where each op by which the log may be cut off names it, or somebody vouches for it. */
static enum nv_status find_certain(const struct nv_counted_scope *scope, const struct nv_log *log, uint64_t *ret_seq,
                                   struct nv_error *error)
{
    const struct nv_taking *taking = NULL;
    uint64_t vouched = vouched_seq(scope, log->number);
    enum nv_status status = NV_OK;
    *ret_seq = log->has_seq;
    while (status == NV_OK && (taking = nv_taking_next(scope->store, log->id.site, log->id.scope, taking)) != NULL) {
        struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
        struct nv_header next;
        struct nv_hash hash;
        uint64_t limit;
        status = named_here(scope->store, taking, log, &limit, error);
        limit = limit < vouched ? vouched : limit;
        if (status != NV_OK || limit >= *ret_seq)
            continue;
        status = nv_header_at(scope->store, log->number, limit + 1, &arena, &next, &hash, error);
        if (status == NV_OK && next.authority_seq < taking->position)
            *ret_seq = limit;
        nv_arena_done(&arena);
    }
    return status;
}

/* What a log names where it ends for certain, as far as that is in question. */
static enum nv_status tell_named(struct nv_counted_scope *scope, const struct nv_log *log, struct nv_error *error)
{
    const struct nv_vector *context = &log->context;
    uint64_t end = scope->ends[log->number - 1];
    int64_t changeset;
    enum nv_status status = NV_OK;
    if (end == 0)
        return NV_OK;
    if (end != log->has_seq)
        status = nv_changeset_at(scope->store, log->number, end, &changeset, NULL, error);
    if (status == NV_OK && end != log->has_seq)
        status = nv_context_of(scope->store, changeset, &context, error);
    for (size_t i = 0; status == NV_OK && i < context->count; i++)
        if (context->heads[i].seq > scope->ends[context->heads[i].log - 1] &&
            nv_counting_named(scope->counting, &context->heads[i]) != NV_OK)
            status = nv_no_memory(error);
    return status;
}

static enum nv_status tell_questioned(struct nv_counted_scope *scope, const struct nv_log *log, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
    enum nv_status status = NV_OK;
    for (uint64_t seq = scope->ends[log->number - 1] + 1; status == NV_OK && seq <= log->has_seq; seq++) {
        struct nv_header header;
        struct nv_hash hash;
        nv_arena_reset(&arena);
        status = nv_header_at(scope->store, log->number, seq, &arena, &header, &hash, error);
        struct nv_pin pin = nv_pin_of(&hash);
        if (status == NV_OK)
            status = nv_counted_tell_header(scope, log, &header, &pin, error);
    }
    nv_arena_done(&arena);
    return status;
}

static enum nv_status settle_logs(struct nv_counted_scope *scope, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < scope->log_count; i++) {
        const struct nv_log *log = nv_counted_log(scope, i);
        if (log == NULL)
            continue;
        scope->ends[i] = log->has_seq;
        if (is_concerned(scope->store, log))
            status = find_certain(scope, log, &scope->ends[i], error);
    }
    if (status == NV_OK)
        status = nv_counted_tell_logs(scope, error);
    for (size_t i = 0; status == NV_OK && i < scope->log_count; i++) {
        const struct nv_log *log = nv_counted_log(scope, i);
        if (log == NULL)
            continue;
        status = tell_named(scope, log, error);
        if (status == NV_OK)
            status = tell_questioned(scope, log, error);
    }
    if (status == NV_OK)
        status = nv_counted_tell_beyond(scope, error);
    if (status == NV_OK && nv_counting_settle(scope->counting) != NV_OK)
        status = nv_no_memory(error);
    return status;
}

/* Moves the log's certain end up to where it counts. */
static enum nv_status find_end(struct nv_counted_scope *scope, const struct nv_log *log, struct nv_error *error)
{
    uint64_t *end = &scope->ends[log->number - 1];
    while (*end < log->has_seq) {
        struct nv_hash hash;
        int64_t changeset;
        enum nv_status status = nv_changeset_at(scope->store, log->number, *end + 1, &changeset, &hash, error);
        if (status != NV_OK)
            return status;
        struct nv_head head = {log->number, *end + 1, nv_pin_of(&hash)};
        if (!nv_counting_counts(scope->counting, &head))
            return NV_OK;
        ++*end;
    }
    return NV_OK;
}

static enum nv_status cut_scope(struct nv_merge *merge, struct nv_scope_id id, struct nv_error *error)
{
    struct nv_uncounted uncounted;
    struct nv_counted_scope scope;
    enum nv_status status = nv_counted_scope_init(&scope, merge->store, id, error);
    nv_uncounted_init(&uncounted, merge, id);
    if (status == NV_OK)
        status = settle_logs(&scope, error);
    for (size_t i = 0; status == NV_OK && i < scope.log_count; i++) {
        struct nv_log *log = nv_counted_log(&scope, i);
        if (log == NULL)
            continue;
        status = find_end(&scope, log, error);
        if (status == NV_OK && scope.ends[i] < log->has_seq && !NV_PLANTED(KEEP_CUT))
            status = nv_uncounted_put_back(&uncounted, log, scope.ends[i], error);
    }
    nv_counted_scope_done(&scope);
    if (status == NV_OK)
        status = nv_uncounted_finish(&uncounted, error);
    nv_uncounted_done(&uncounted);
    return status;
}

/* ---- all scopes ---- */

/* Whether an op at that position takes a right from the log's site. */
static bool is_taken_at(const struct nv_store *store, const struct nv_log *log, uint64_t position)
{
    const struct nv_taking *taking = NULL;
    while ((taking = nv_taking_next(store, log->id.site, log->id.scope, taking)) != NULL)
        if (taking->position == position)
            return true;
    return false;
}

/* Where a right was taken from this site itself, the log that it wrote until now is done. */
static enum nv_status leave_log(struct nv_store *store, uint64_t position, struct nv_error *error)
{
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (nv_is_own_log(store, &log->id) && is_taken_at(store, log, position))
            return nv_leave_epoch(store, error);
    }
    return NV_OK;
}

/* What this site does not carry any more it does not keep. */
static enum nv_status forget_lost(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (log->beyond.count > 0 && !nv_right_carries(store, log->id.scope, store->identity.site, NV_POSITION_NOW))
            status = nv_beyond_forget(store, log->id.scope, error);
    }
    return status;
}

enum nv_status nv_counted_cut(struct nv_merge *merge, uint64_t position, struct nv_error *error)
{
    struct nv_store *store = merge->store;
    enum nv_status status = NV_OK;
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        bool is_first = is_taken_at(store, log, position);
        for (size_t j = 1; is_first && j < i; j++) {
            const struct nv_log *other = nv_log_by_number(store, (nv_log_number)j);
            is_first = !nv_scope_id_equal(other->id.scope, log->id.scope) || !is_taken_at(store, other, position);
        }
        if (is_first)
            status = cut_scope(merge, log->id.scope, error);
    }
    if (status == NV_OK)
        status = forget_lost(store, error);
    return status == NV_OK ? leave_log(store, position, error) : status;
}
