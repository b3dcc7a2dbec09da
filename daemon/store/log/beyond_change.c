#include "store/log/beyond.h"

#include "store/log/state.h"
#include "store/statements.h"
#include "store/trust/recovered.h"

/* ---- keeping ---- */

enum nv_status nv_beyond_branches(struct nv_store *store, const struct nv_log *log, uint64_t seq, size_t *ret_count,
                                  struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_BEYOND_BRANCHES, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)seq);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    *ret_count = status == NV_OK && row ? (size_t)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return status;
}

static bool has_room(const struct nv_store *store, const struct nv_log *log, size_t size)
{
    size_t bytes = 0;
    for (size_t i = 0; i < store->logs->count; i++)
        bytes += store->logs->logs[i]->beyond.bytes;
    return log->beyond.count < NV_LIMIT_BEYOND_OF_LOG && nv_beyond_count(store) < NV_LIMIT_BEYOND_CHANGESETS &&
           bytes + size <= NV_LIMIT_BEYOND_BYTES;
}

static enum nv_status keep_last(struct nv_log_beyond *beyond, const struct nv_hash *hash, uint64_t seq,
                                uint64_t authority_seq, const struct nv_vector *context, struct nv_error *error)
{
    beyond->last_seq = 0;
    if (nv_vector_copy(&beyond->last_context, context) != NV_OK)
        return nv_no_memory(error);
    beyond->last_hash = *hash;
    beyond->last_seq = seq;
    beyond->last_authority_seq = authority_seq;
    return NV_OK;
}

static enum nv_status insert(struct nv_store *store, nv_log_number log, const struct nv_header *header,
                             const struct nv_hash *hash, const struct nv_changeset_parts *parts, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_BEYOND_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)header->seq);
    sqlite3_bind_blob(statement, 3, hash->bytes, sizeof hash->bytes, SQLITE_STATIC);
    nv_db_bind_slice(statement, 4, parts->header);
    nv_db_bind_slice(statement, 5, parts->signature);
    sqlite3_bind_int(statement, 6, parts->compressed);
    nv_db_bind_slice(statement, 7, parts->body);
    return nv_db_run(statement, error);
}

enum nv_status nv_beyond_keep(struct nv_store *store, struct nv_log *log, const struct nv_header *header,
                              const struct nv_hash *hash, const struct nv_changeset_parts *parts,
                              const struct nv_vector *context, bool is_awaited, bool *ret_kept, struct nv_error *error)
{
    struct nv_log_beyond *beyond = &log->beyond;
    size_t branches = 0, size = parts->header.size + parts->body.size;
    enum nv_status status = nv_beyond_branches(store, log, header->seq, &branches, error);
    *ret_kept = branches < NV_LIMIT_BEYOND_BRANCHES && (is_awaited || has_room(store, log, size));
    if (status != NV_OK || !*ret_kept)
        return status;
    status = insert(store, log->number, header, hash, parts, error);
    if (status == NV_OK)
        status = keep_last(beyond, hash, header->seq, header->authority_seq, context, error);
    if (status != NV_OK)
        return status;
    beyond->count++;
    beyond->bytes += size;
    beyond->seq = header->seq > beyond->seq ? header->seq : beyond->seq;
    store->logs->beyond_kept++;
    store->logs->beyond_changed = true;
    return NV_OK;
}

/* ---- taking out ---- */

static enum nv_status copy_parts(struct nv_arena *arena, const struct nv_changeset_parts *row,
                                 struct nv_changeset_parts *ret_parts)
{
    uint8_t *copy = nv_arena_alloc(arena, row->header.size + row->signature.size + row->body.size + 1);
    if (copy == NULL)
        return NV_NO_MEMORY;
    struct nv_slice parts[] = {row->header, row->signature, row->body};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].size > 0)
            memcpy(copy, parts[i].data, parts[i].size);
        parts[i].data = copy;
        copy += parts[i].size;
    }
    *ret_parts = (struct nv_changeset_parts){parts[0], parts[1], parts[2], row->compressed};
    return NV_OK;
}

enum nv_status nv_beyond_open(struct nv_store *store, const struct nv_head *head, struct nv_opened *ret_opened,
                              struct nv_changeset_parts *ret_parts, struct nv_error *error)
{
    struct nv_opened opened = {.log = head->log, .arena = {.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES}};
    sqlite3_stmt *statement;
    bool row;
    enum nv_status status = nv_beyond_select(store, head->log, head->seq, &head->pin, &statement, &row, error);
    if (status != NV_OK)
        return status;
    if (!row)
        return nv_fail(error, NV_NOT_FOUND, "this changeset is not held beyond its log");
    struct nv_changeset_parts parts = {.header = nv_db_blob(statement, 0),
                                       .signature = nv_db_blob(statement, 1),
                                       .compressed = sqlite3_column_int(statement, 2) != 0,
                                       .body = nv_db_blob(statement, 3)};
    status = copy_parts(&opened.arena, &parts, &parts) == NV_OK ? NV_OK : nv_no_memory(error);
    sqlite3_reset(statement);
    if (status == NV_OK)
        status = nv_header_decode(parts.header, &opened.arena, &opened.header, error);
    if (status == NV_OK)
        status = nv_body_open(&parts, &opened.header, &opened.arena, &opened.body, error);
    opened.hash = nv_header_hash(parts.header);
    if (status == NV_REFUSED)
        status =
            nv_fail(error, NV_CORRUPT, "store: a changeset that is held beyond its log is damaged; restore a backup");
    if (status != NV_OK) {
        nv_arena_done(&opened.arena);
        return status;
    }
    *ret_opened = opened;
    *ret_parts = parts;
    return NV_OK;
}

enum nv_status nv_beyond_drop(struct nv_store *store, const struct nv_head *head, size_t size, struct nv_error *error)
{
    struct nv_log_beyond *beyond = &nv_log_by_number(store, head->log)->beyond;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_BEYOND_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, head->log);
    sqlite3_bind_int64(statement, 2, (int64_t)head->seq);
    sqlite3_bind_blob(statement, 3, head->pin.bytes, sizeof head->pin.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_run(statement, error);
    if (status != NV_OK)
        return status;
    beyond->count--;
    beyond->bytes -= size;
    beyond->last_seq = 0;
    store->logs->beyond_changed = true;
    return NV_OK;
}

/* ---- out of the log ---- */

/* The log's end as it is at `seq`. */
static enum nv_status end_at(struct nv_store *store, struct nv_log *log, uint64_t seq, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
    const struct nv_vector *context;
    struct nv_header header = {0};
    int64_t changeset;
    log->has_seq = seq;
    log->has_hash = (struct nv_hash){{0}};
    log->authority_seq = 0;
    log->is_dirty = true;
    nv_vector_clear(&log->context);
    if (seq == 0)
        return NV_OK;
    enum nv_status status = nv_header_at(store, log->number, seq, &arena, &header, &log->has_hash, error);
    log->authority_seq = header.authority_seq;
    nv_arena_done(&arena);
    if (status == NV_OK)
        status = nv_changeset_at(store, log->number, seq, &changeset, NULL, error);
    if (status == NV_OK)
        status = nv_context_of(store, changeset, &context, error);
    if (status == NV_OK && nv_vector_copy(&log->context, context) != NV_OK)
        status = nv_no_memory(error);
    return status;
}

/* With the changesets goes what is noted of them: grants that no site may rely on now, bodies that are owed, and what
 * was merged around for want of a key. */
static enum nv_status forget_behind(struct nv_store *store, const struct nv_log *log, uint64_t seq,
                                    struct nv_error *error)
{
    static const char *const notes[] = {"navette_owed", "navette_keyless"};
    enum nv_status status = nv_recovered_instead(store, log->number, seq, error);
    for (size_t i = 0; status == NV_OK && i < sizeof notes / sizeof *notes; i++)
        status = nv_db_execf(store->db, error,
                             "DELETE FROM %s WHERE changeset IN (SELECT number FROM navette_changeset "
                             "WHERE log = %u AND seq > %lld)",
                             notes[i], log->number, (long long)seq);
    return status;
}

enum nv_status nv_beyond_put_back(struct nv_store *store, struct nv_log *log, uint64_t seq, struct nv_error *error)
{
    long long after = (long long)seq;
    enum nv_status status = nv_changesets_go(store, error);
    if (status == NV_OK)
        status = nv_db_execf(store->db, error,
                             "INSERT INTO navette_beyond(log, seq, hash, header, signature, compressed, body) "
                             "SELECT log, seq, hash, header, signature, compressed, body FROM navette_changeset "
                             "WHERE log = %u AND seq > %lld ORDER BY seq",
                             log->number, after);
    if (status == NV_OK)
        status = forget_behind(store, log, seq, error);
    if (status == NV_OK)
        status = nv_db_execf(store->db, error, "DELETE FROM navette_changeset WHERE log = %u AND seq > %lld",
                             log->number, after);
    if (status == NV_OK)
        status = end_at(store, log, seq, error);
    if (status == NV_OK && log->applied_seq > seq) {
        log->applied_seq = seq;
        log->applied_hash = log->has_hash;
    }
    log->lacks_key = false; /* what comes there next may be of another history */
    store->logs->beyond_kept++;
    return status == NV_OK ? nv_beyond_count_again(store, log->number, error) : status;
}
