/* What is held beyond the logs, and no longer to be. */
#include <stdlib.h>

#include "store/log/beyond.h"
#include "store/log/state.h"

/* Whether all that a header names is held. */
static enum nv_status context_is_held(struct nv_store *store, const struct nv_header *header, bool *ret_held,
                                      struct nv_error *error)
{
    enum nv_status status = NV_OK;
    *ret_held = true;
    for (size_t i = 0; status == NV_OK && *ret_held && i < header->context_count; i++) {
        const struct nv_far_head *far = &header->context[i];
        struct nv_log_id id = {far->site, far->epoch, header->log.scope};
        const struct nv_log *log = nv_log_find(store, &id);
        if (log == NULL)
            *ret_held = false;
        else if (far->seq <= log->has_seq)
            status = nv_changeset_is(store, log, far->seq, &far->pin, ret_held, error);
        else
            status = nv_beyond_find(store, log, far->seq, &far->pin, ret_held, error);
    }
    return status;
}

static enum nv_status is_held_up(struct nv_store *store, const struct nv_log *log, struct nv_slice bytes, bool *ret_is,
                                 struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
    struct nv_header header;
    enum nv_status status = nv_header_decode(bytes, &arena, &header, error);
    struct nv_pin previous = nv_pin_of(&header.previous);
    *ret_is = false;
    if (status == NV_OK && header.seq == log->has_seq + 1)
        *ret_is = memcmp(header.previous.bytes, log->has_hash.bytes, sizeof header.previous.bytes) == 0;
    else if (status == NV_OK && header.seq > log->has_seq)
        status = nv_beyond_find(store, log, header.seq - 1, &previous, ret_is, error);
    if (status == NV_OK && *ret_is)
        status = context_is_held(store, &header, ret_is, error);
    nv_arena_done(&arena);
    return status;
}

/* Lists by number what is not held up, of one scope. */
static enum nv_status list_fallen(struct nv_store *store, struct nv_scope_id scope, int64_t *numbers, size_t *ret_count,
                                  struct nv_error *error)
{
    sqlite3_stmt *rows =
        nv_db_prepare(store->db, "SELECT number, log, header FROM navette_beyond ORDER BY log, seq", error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    size_t most = nv_beyond_count(store);
    bool more;
    *ret_count = 0;
    while (status == NV_OK && *ret_count < most && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(rows, 1));
        bool is_held_up_here = true;
        if (log != NULL && nv_scope_id_equal(log->id.scope, scope))
            status = is_held_up(store, log, nv_db_blob(rows, 2), &is_held_up_here, error);
        if (!is_held_up_here)
            numbers[(*ret_count)++] = sqlite3_column_int64(rows, 0);
    }
    sqlite3_finalize(rows);
    return status;
}

/* What stands where another one does is proof that its log has two histories. */
static enum nv_status drop_fallen(struct nv_store *store, int64_t number, struct nv_wall_ms now, struct nv_error *error)
{
    return nv_db_execf(store->db, error,
                       "INSERT OR IGNORE INTO navette_fork(log, seq, hash, header, signature, seen_ms) "
                       "SELECT b.log, b.seq, b.hash, b.header, b.signature, %lld FROM navette_beyond AS b "
                       "JOIN navette_changeset AS c ON c.log = b.log AND c.seq = b.seq WHERE b.number = %lld; "
                       "DELETE FROM navette_beyond WHERE number = %lld",
                       (long long)now.ms, (long long)number, (long long)number);
}

enum nv_status nv_beyond_prune(struct nv_store *store, struct nv_scope_id scope, struct nv_wall_ms now,
                               struct nv_error *error)
{
    int64_t *numbers = calloc(nv_beyond_count(store) + 1, sizeof *numbers);
    size_t count = 0;
    enum nv_status status = numbers == NULL ? nv_no_memory(error) : NV_OK;
    do {
        if (status == NV_OK)
            status = list_fallen(store, scope, numbers, &count, error);
        for (size_t i = 0; status == NV_OK && i < count; i++)
            status = drop_fallen(store, numbers[i], now, error);
        if (status == NV_OK && count > 0)
            status = nv_beyond_load(store, error);
    } while (status == NV_OK && count > 0);
    free(numbers);
    return status;
}

enum nv_status nv_beyond_forget(struct nv_store *store, struct nv_scope_id scope, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < store->logs->count; i++) {
        const struct nv_log *log = store->logs->logs[i];
        if (log->beyond.count == 0 || !nv_scope_id_equal(log->id.scope, scope))
            continue;
        status = nv_db_execf(store->db, error, "DELETE FROM navette_beyond WHERE log = %u", log->number);
        if (status == NV_OK)
            status = nv_beyond_count_again(store, log->number, error);
        store->logs->beyond_changed = true;
    }
    return status;
}
