#include "store/log/beyond.h"

#include "store/log/state.h"
#include "store/statements.h"

/* ---- how much there is ---- */

static enum nv_status count_of(struct nv_store *store, sqlite3_stmt *rows, struct nv_error *error)
{
    bool row = true;
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(rows, 0));
        if (log == NULL)
            continue;
        log->beyond.count = (size_t)sqlite3_column_int64(rows, 1);
        log->beyond.seq = (uint64_t)sqlite3_column_int64(rows, 2);
        log->beyond.bytes = (size_t)sqlite3_column_int64(rows, 3);
    }
    return status;
}

enum nv_status nv_beyond_count_again(struct nv_store *store, nv_log_number number, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_statement(store, NV_SQL_BEYOND_COUNT, error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, number);
    for (size_t i = 0; i < store->logs->count; i++) {
        struct nv_log_beyond *beyond = &store->logs->logs[i]->beyond;
        if (number == 0 || i + 1 == number)
            beyond->count = beyond->bytes = beyond->seq = beyond->last_seq = 0;
    }
    return count_of(store, rows, error);
}

enum nv_status nv_beyond_load(struct nv_store *store, struct nv_error *error)
{
    return nv_beyond_count_again(store, 0, error);
}

size_t nv_beyond_count(const struct nv_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < store->logs->count; i++)
        count += store->logs->logs[i]->beyond.count;
    return count;
}

/* ---- looking ---- */

enum nv_status nv_beyond_select(struct nv_store *store, nv_log_number log, uint64_t seq, const struct nv_pin *pin,
                                sqlite3_stmt **ret_statement, bool *ret_row, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_BEYOND_AT, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)seq);
    sqlite3_bind_blob(statement, 3, pin->bytes, sizeof pin->bytes, SQLITE_STATIC);
    *ret_statement = statement;
    return nv_db_step(statement, ret_row, error);
}

enum nv_status nv_beyond_find(struct nv_store *store, const struct nv_log *log, uint64_t seq, const struct nv_pin *pin,
                              bool *ret_found, struct nv_error *error)
{
    sqlite3_stmt *statement;
    *ret_found = false;
    if (log->beyond.count == 0)
        return NV_OK;
    enum nv_status status = nv_beyond_select(store, log->number, seq, pin, &statement, ret_found, error);
    if (status == NV_OK)
        sqlite3_reset(statement);
    return status;
}

static enum nv_status read_header(struct nv_store *store, nv_log_number log, uint64_t seq, const struct nv_pin *pin,
                                  struct nv_arena *arena, struct nv_header *header, bool *ret_found,
                                  struct nv_error *error)
{
    sqlite3_stmt *statement;
    nv_arena_reset(arena);
    enum nv_status status = nv_beyond_select(store, log, seq, pin, &statement, ret_found, error);
    if (status != NV_OK || !*ret_found)
        return status;
    status = nv_header_decode(nv_db_blob(statement, 0), arena, header, error);
    sqlite3_reset(statement);
    return status;
}

/* The pins from `seq` down to a header from which on contexts can be known: an absolute one, or the first behind the
 * log's end. *ret_count 0: the one at `seq` is not held. */
static enum nv_status walk_back(struct nv_store *store, const struct nv_log *log, uint64_t seq, struct nv_arena *arena,
                                struct nv_pin *pins, size_t *ret_count, struct nv_error *error)
{
    struct nv_header header;
    for (*ret_count = 0; *ret_count < NV_LIMIT_ABSOLUTE_CONTEXT_EVERY;) {
        bool found;
        enum nv_status status =
            read_header(store, log->number, seq - *ret_count, &pins[*ret_count], arena, &header, &found, error);
        if (status != NV_OK || (!found && *ret_count == 0))
            return status;
        if (!found)
            break;
        ++*ret_count;
        if (header.absolute || header.seq == log->has_seq + 1)
            return NV_OK;
        pins[*ret_count] = nv_pin_of(&header.previous);
    }
    return nv_fail(error, NV_CORRUPT, "store: what is held beyond a log builds on nothing; restore a backup");
}

static enum nv_status find_before(struct nv_store *store, struct nv_log *log, uint64_t seq, const struct nv_hash *hash,
                                  struct nv_vector *ret_context, uint64_t *ret_authority_seq, bool *ret_found,
                                  struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
    struct nv_pin pins[NV_LIMIT_ABSOLUTE_CONTEXT_EVERY + 1] = {nv_pin_of(hash)};
    struct nv_vector before = {0};
    struct nv_header header;
    size_t count;
    enum nv_status status = walk_back(store, log, seq, &arena, pins, &count, error);
    if (status == NV_OK && nv_vector_copy(ret_context, &log->context) != NV_OK)
        status = nv_no_memory(error);
    *ret_found = count > 0;
    for (size_t i = count; status == NV_OK && i > 0; i--) {
        status = read_header(store, log->number, seq - i + 1, &pins[i - 1], &arena, &header, ret_found, error);
        if (status == NV_OK)
            status = nv_vector_copy(&before, ret_context) == NV_OK ? NV_OK : nv_no_memory(error);
        if (status == NV_OK)
            status = nv_context_take(store, &header, &before, ret_context, error);
        *ret_authority_seq = header.authority_seq;
    }
    nv_vector_done(&before);
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_beyond_before(struct nv_store *store, struct nv_log *log, uint64_t seq, const struct nv_hash *hash,
                                struct nv_vector *ret_context, uint64_t *ret_authority_seq, bool *ret_found,
                                struct nv_error *error)
{
    const struct nv_log_beyond *beyond = &log->beyond;
    *ret_found = false;
    if (beyond->count == 0)
        return NV_OK;
    if (beyond->last_seq != seq || memcmp(beyond->last_hash.bytes, hash->bytes, sizeof hash->bytes) != 0)
        return find_before(store, log, seq, hash, ret_context, ret_authority_seq, ret_found, error);
    *ret_found = true;
    *ret_authority_seq = beyond->last_authority_seq;
    return nv_vector_copy(ret_context, &beyond->last_context) == NV_OK ? NV_OK : nv_no_memory(error);
}
