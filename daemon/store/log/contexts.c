/* Contexts: of a header, from the one before it; and of any stored changeset, by walking back. */
#include "store/log/state.h"
#include "store/statements.h"
#include "wire/changeset.h"

enum nv_status nv_context_take(struct nv_store *store, const struct nv_header *header, const struct nv_vector *before,
                               struct nv_vector *context, struct nv_error *error)
{
    nv_vector_clear(context);
    if (!header->absolute && nv_vector_copy(context, before) != NV_OK)
        return nv_no_memory(error);
    for (size_t i = 0; i < header->context_count; i++) {
        const struct nv_far_head *far = &header->context[i];
        struct nv_log_id id = {far->site, far->epoch, header->log.scope};
        const struct nv_log *log = nv_log_find(store, &id);
        if (log == NULL)
            return nv_fail(error, NV_NOT_YET, "it builds on a log that has not arrived");
        if (nv_vector_set(context, (struct nv_head){log->number, far->seq, far->pin}) != NV_OK)
            return nv_no_memory(error);
    }
    return NV_OK;
}

/* Adds one header's context to what it was before. */
static enum nv_status add_context(struct nv_store *store, sqlite3_stmt *row, struct nv_vector *context,
                                  struct nv_error *error)
{
    struct nv_arena arena = {.limit = 8u << 20};
    struct nv_vector before = {0};
    struct nv_header header;
    enum nv_status status = nv_header_decode(nv_db_blob(row, 2), &arena, &header, error);
    if (status == NV_OK)
        status = nv_vector_copy(&before, context) == NV_OK ? nv_context_take(store, &header, &before, context, error)
                                                           : nv_no_memory(error);
    nv_vector_done(&before);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status find_place(struct nv_store *store, int64_t changeset, nv_log_number *ret_log, uint64_t *ret_seq,
                                 struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_HEADER, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK && !row)
        status = nv_fail(error, NV_CORRUPT, "store: a changeset is gone from the log; restore a backup");
    if (status == NV_OK) {
        *ret_log = (nv_log_number)sqlite3_column_int64(statement, 0);
        *ret_seq = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    return status;
}

/* From the last place where a context must stand whole up to `changeset`. */
static enum nv_status walk_context(struct nv_store *store, int64_t changeset, struct nv_vector *context,
                                   struct nv_error *error)
{
    nv_log_number log = 0;
    uint64_t last = 0;
    enum nv_status status = find_place(store, changeset, &log, &last, error);
    nv_vector_clear(context);
    for (uint64_t seq = last - (last - 1) % NV_LIMIT_ABSOLUTE_CONTEXT_EVERY; status == NV_OK && seq <= last; seq++) {
        sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_AT, error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_int64(statement, 1, log);
        sqlite3_bind_int64(statement, 2, (int64_t)seq);
        bool row;
        status = nv_db_step(statement, &row, error);
        if (status == NV_OK && !row)
            status = nv_fail(error, NV_CORRUPT, "store: a changeset is gone from the log; restore a backup");
        if (status == NV_OK)
            status = add_context(store, statement, context, error);
        sqlite3_reset(statement);
    }
    return status;
}

enum nv_status nv_context_of(struct nv_store *store, int64_t changeset, const struct nv_vector **ret_context,
                             struct nv_error *error)
{
    struct cached_context *cached = &store->logs->cache[changeset % CONTEXT_CACHE];
    if (cached->changeset != changeset) {
        cached->changeset = 0;
        enum nv_status status = walk_context(store, changeset, &cached->context, error);
        if (status != NV_OK)
            return status;
        cached->changeset = changeset;
    }
    *ret_context = &cached->context;
    return NV_OK;
}
