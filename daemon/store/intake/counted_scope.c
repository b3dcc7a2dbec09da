#include "store/intake/counted_scope.h"

#include <stdlib.h>

void nv_counted_scope_done(struct nv_counted_scope *scope)
{
    nv_counting_free(scope->counting);
    free(scope->ends);
}

enum nv_status nv_counted_scope_init(struct nv_counted_scope *scope, struct nv_store *store, struct nv_scope_id id,
                                     struct nv_error *error)
{
    *scope = (struct nv_counted_scope){.store = store, .id = id, .log_count = nv_log_count(store)};
    scope->counting = nv_counting_new();
    scope->ends = calloc(scope->log_count + 1, sizeof *scope->ends);
    return scope->counting == NULL || scope->ends == NULL ? nv_no_memory(error) : NV_OK;
}

struct nv_log *nv_counted_log(const struct nv_counted_scope *scope, size_t place)
{
    struct nv_log *log = nv_log_by_number(scope->store, (nv_log_number)place + 1);
    return nv_scope_id_equal(log->id.scope, scope->id) ? log : NULL;
}

static enum nv_status tell_log(struct nv_counted_scope *scope, const struct nv_log *log, struct nv_error *error)
{
    struct nv_head end = {.log = log->number, .seq = scope->ends[log->number - 1]};
    struct nv_hash hash = log->has_hash;
    int64_t changeset;
    enum nv_status status = NV_OK;
    if (end.seq != 0 && end.seq != log->has_seq)
        status = nv_changeset_at(scope->store, log->number, end.seq, &changeset, &hash, error);
    if (status != NV_OK)
        return status;
    end.pin = nv_pin_of(&hash);
    status = nv_counting_log(scope->counting, log->number, log->id.site, end.seq == 0 ? NULL : &end);
    return status == NV_OK ? NV_OK : nv_no_memory(error);
}

static enum nv_status tell_taking(struct nv_counted_scope *scope, const struct nv_taking *taking,
                                  struct nv_error *error)
{
    struct nv_head *named = calloc(taking->head_count + 1, sizeof *named);
    size_t count = 0;
    if (named == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < taking->head_count; i++) {
        const struct nv_far_head *head = &taking->heads[i];
        struct nv_log_id id = {head->site, head->epoch, head->scope};
        const struct nv_log *log = nv_log_find(scope->store, &id);
        if (log != NULL && nv_scope_id_equal(head->scope, scope->id))
            named[count++] = (struct nv_head){log->number, head->seq, head->pin};
    }
    enum nv_status status = nv_counting_taking(scope->counting, taking->site, taking->position, named, count);
    free(named);
    return status == NV_OK ? NV_OK : nv_no_memory(error);
}

/* Each op once, however many logs its site has. */
static enum nv_status tell_takings(struct nv_counted_scope *scope, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < scope->log_count; i++) {
        const struct nv_log *log = nv_counted_log(scope, i);
        const struct nv_taking *taking = NULL;
        bool is_told = log == NULL;
        for (size_t j = 0; j < i && !is_told; j++) {
            const struct nv_log *other = nv_counted_log(scope, j);
            is_told = other != NULL && nv_site_id_compare(other->id.site, log->id.site) == 0;
        }
        while (status == NV_OK && !is_told &&
               (taking = nv_taking_next(scope->store, log->id.site, scope->id, taking)) != NULL)
            status = tell_taking(scope, taking, error);
    }
    return status;
}

enum nv_status nv_counted_tell_logs(struct nv_counted_scope *scope, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < scope->log_count; i++) {
        const struct nv_log *log = nv_counted_log(scope, i);
        if (log != NULL)
            status = tell_log(scope, log, error);
    }
    return status == NV_OK ? tell_takings(scope, error) : status;
}

enum nv_status nv_counted_tell_header(struct nv_counted_scope *scope, const struct nv_log *log,
                                      const struct nv_header *header, const struct nv_pin *pin, struct nv_error *error)
{
    struct nv_head *context = calloc(header->context_count + 1, sizeof *context);
    struct nv_counting_header told = {.log = log->number,
                                      .seq = header->seq,
                                      .pin = *pin,
                                      .previous = nv_pin_of(&header->previous),
                                      .authority_seq = header->authority_seq,
                                      .context = context};
    if (context == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < header->context_count; i++) {
        const struct nv_far_head *far = &header->context[i];
        struct nv_log_id id = {far->site, far->epoch, scope->id};
        const struct nv_log *named = nv_log_find(scope->store, &id);
        if (named != NULL)
            context[told.context_count++] = (struct nv_head){named->number, far->seq, far->pin};
    }
    enum nv_status status = nv_counting_header(scope->counting, &told);
    free(context);
    return status == NV_OK ? NV_OK : nv_no_memory(error);
}

static enum nv_status tell_row(struct nv_counted_scope *scope, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
    const struct nv_log *log = nv_log_by_number(scope->store, (nv_log_number)sqlite3_column_int64(row, 0));
    struct nv_slice hash = nv_db_blob(row, 1);
    struct nv_header header;
    struct nv_pin pin;
    if (log == NULL || hash.size < sizeof pin.bytes || !nv_scope_id_equal(log->id.scope, scope->id))
        return NV_OK;
    memcpy(pin.bytes, hash.data, sizeof pin.bytes);
    enum nv_status status = nv_header_decode(nv_db_blob(row, 2), &arena, &header, error);
    if (status == NV_REFUSED)
        status = nv_fail(error, NV_CORRUPT, "store: what is held beyond a log is damaged; restore a backup");
    if (status == NV_OK)
        status = nv_counted_tell_header(scope, log, &header, &pin, error);
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_counted_tell_beyond(struct nv_counted_scope *scope, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(scope->store->db, "SELECT log, hash, header FROM navette_beyond", error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more = true;
    while (status == NV_OK && more && (status = nv_db_step(rows, &more, error)) == NV_OK && more)
        status = tell_row(scope, rows, error);
    sqlite3_finalize(rows);
    return status;
}
