/* Reading the log for a peer: store/log.h. */
#include "store/log.h"

#include "store/log/logs.h"
#include "store/statements.h"
#include "wire/changeset.h"

/* What a peer has of a log, by our number of it. */
static uint64_t peer_seq(const struct nv_far_head *peer, size_t peer_count, const struct nv_log *log)
{
    size_t low = 0, high = peer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct nv_log_id id = {peer[middle].site, peer[middle].epoch, peer[middle].scope};
        int order = nv_log_id_compare(&id, &log->id);
        if (order == 0)
            return peer[middle].seq;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* The least arrival number of what the peer lacks, less one. */
static enum nv_status first_lacking(struct nv_store *store, const struct nv_far_head *peer, size_t peer_count,
                                    int64_t *ret_before, struct nv_error *error)
{
    int64_t least = INT64_MAX;
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        uint64_t seq = peer_seq(peer, peer_count, log);
        int64_t number;
        if (seq >= log->has_seq)
            continue;
        enum nv_status status = nv_changeset_at(store, log->number, seq + 1, &number, NULL, error);
        if (status != NV_OK)
            return status;
        if (number < least)
            least = number;
    }
    *ret_before = least == INT64_MAX ? INT64_MAX : least - 1;
    return NV_OK;
}

enum nv_status nv_store_read_for(struct nv_store *store, const struct nv_far_head *peer, size_t peer_count,
                                 int64_t *cursor, size_t budget_bytes, struct nv_buffer *bytes, size_t *ends,
                                 struct nv_far_head *ret_heads, size_t ends_capacity, size_t *ret_count, bool *ret_done,
                                 struct nv_error *error)
{
    *ret_count = 0;
    *ret_done = false;
    int64_t from = *cursor;
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK && from == 0)
        status = first_lacking(store, peer, peer_count, &from, error);
    if (status != NV_OK)
        return status;
    if (from == INT64_MAX) {
        *ret_done = true;
        return NV_OK;
    }
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_AFTER, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, from);
    size_t start = bytes->size;
    bool row = false;
    while (*ret_count < ends_capacity && bytes->size - start < budget_bytes &&
           (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(statement, 1));
        uint64_t seq = (uint64_t)sqlite3_column_int64(statement, 2);
        if (log == NULL || seq > log->has_seq) {
            row = false; /* another process appended since we looked: it is given once we have looked again */
            break;
        }
        from = sqlite3_column_int64(statement, 0);
        if (seq <= peer_seq(peer, peer_count, log))
            continue;
        struct nv_changeset_parts parts = {.header = nv_db_blob(statement, 4),
                                           .signature = nv_db_blob(statement, 5),
                                           .compressed = sqlite3_column_int(statement, 6) != 0,
                                           .body = nv_db_blob(statement, 7)};
        struct nv_slice hash = nv_db_blob(statement, 3);
        struct nv_far_head *head = &ret_heads[*ret_count];
        *head = (struct nv_far_head){.site = log->id.site, .epoch = log->id.epoch, .scope = log->id.scope, .seq = seq};
        if (hash.size >= sizeof head->pin.bytes)
            memcpy(head->pin.bytes, hash.data, sizeof head->pin.bytes);
        nv_changeset_join(&parts, bytes);
        ends[(*ret_count)++] = bytes->size;
    }
    *ret_done = status == NV_OK && !row;
    sqlite3_reset(statement);
    if (bytes->failed)
        return nv_no_memory(error);
    if (status == NV_OK)
        *cursor = from;
    return status;
}
