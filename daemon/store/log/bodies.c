#include "store/log/bodies.h"

#include "store/log/opened.h"
#include "store/statements.h"

static enum nv_status write_body(struct nv_store *store, int64_t changeset, struct nv_slice body, bool compressed,
                                 struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_BODY, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    sqlite3_bind_int(statement, 2, compressed);
    nv_db_bind_slice(statement, 3, body);
    return nv_db_run(statement, error);
}

/* The body anew: without what `places` names, or, where there is a copy, with what it names of that. */
static enum nv_status make_body(sqlite3_stmt *row, const struct nv_changeset_parts *copy, const bool *places,
                                struct nv_arena *arena, struct nv_buffer *body, bool *ret_compressed,
                                struct nv_error *error)
{
    struct nv_header header;
    struct nv_changeset_parts parts = {.header = nv_db_blob(row, 3),
                                       .signature = nv_db_blob(row, 4),
                                       .compressed = sqlite3_column_int(row, 5) != 0,
                                       .body = nv_db_blob(row, 6)};
    enum nv_status status = nv_header_decode(parts.header, arena, &header, error);
    if (status != NV_OK)
        return status;
    return copy == NULL ? nv_body_redact(&parts, &header, places, arena, body, ret_compressed, error)
                        : nv_body_fill(&parts, copy, &header, places, arena, body, ret_compressed, error);
}

static enum nv_status rewrite(struct nv_store *store, int64_t changeset, const struct nv_changeset_parts *copy,
                              const bool *places, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 8 * (size_t)NV_LIMIT_BODY_BYTES};
    struct nv_buffer body = {0};
    bool row, compressed;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_GET, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK && !row)
        status = nv_fail(error, NV_NOT_FOUND, "this changeset is not in the log");
    if (status == NV_OK)
        status = make_body(statement, copy, places, &arena, &body, &compressed, error);
    sqlite3_reset(statement);
    if (status == NV_OK)
        status = write_body(store, changeset, nv_buffer_slice(&body), compressed, error);
    nv_opened_forget(store);
    nv_arena_done(&arena);
    nv_buffer_done(&body);
    return status;
}

enum nv_status nv_bodies_redact(struct nv_store *store, int64_t changeset, const bool *named, struct nv_error *error)
{
    return rewrite(store, changeset, NULL, named, error);
}

enum nv_status nv_bodies_fill(struct nv_store *store, int64_t changeset, const struct nv_changeset_parts *copy,
                              const bool *given, struct nv_error *error)
{
    return rewrite(store, changeset, copy, given, error);
}
