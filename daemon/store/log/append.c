/* Changesets put behind a log's head. */
#include <assert.h>

#include "base/planted.h"
#include "store/log/opened.h"
#include "store/log/state.h"
#include "store/statements.h"
#include "store/trust/keyring.h"
#include "wire/changeset.h"

enum nv_status nv_log_append(struct nv_store *store, struct nv_log *log, const struct nv_header *header,
                             const struct nv_hash *hash, const struct nv_changeset_parts *parts,
                             const struct nv_vector *context, const uint32_t *record_hashes, int64_t *ret_changeset,
                             struct nv_error *error)
{
    assert(header->seq == log->has_seq + 1);
    if (NV_PLANTED(REUSE_SEQ))
        nv_db_execf(store->db, error, "DELETE FROM navette_changeset WHERE log = %u AND seq = %lld", log->number,
                    (long long)header->seq);
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)header->seq);
    sqlite3_bind_blob(statement, 3, hash->bytes, sizeof hash->bytes, SQLITE_STATIC);
    nv_db_bind_slice(statement, 4, parts->header);
    nv_db_bind_slice(statement, 5, parts->signature);
    sqlite3_bind_int(statement, 6, parts->compressed);
    sqlite3_bind_int64(statement, 7, header->op_count);
    sqlite3_bind_int64(statement, 8, header->sealed.ms);
    if (record_hashes == NULL)
        sqlite3_bind_zeroblob(statement, 9, (int)(header->op_count * sizeof *record_hashes));
    else
        sqlite3_bind_blob(statement, 9, record_hashes, (int)(header->op_count * sizeof *record_hashes), SQLITE_STATIC);
    nv_db_bind_slice(statement, 10, parts->body);
    sqlite3_bind_int64(statement, 11, store->logs->newest + 1);
    enum nv_status status = nv_db_run(statement, error);
    if (status == NV_OK && nv_vector_copy(&log->context, context) != NV_OK)
        status = nv_no_memory(error);
    if (status != NV_OK)
        return status;
    log->has_seq = header->seq;
    log->has_hash = *hash;
    log->authority_seq = header->authority_seq;
    log->is_dirty = true;
    *ret_changeset = ++store->logs->newest;
    return NV_OK;
}

enum nv_status nv_changeset_newest(struct nv_store *store, int64_t *ret_newest, struct nv_error *error)
{
    return nv_db_integer(store->db,
                         "SELECT max(coalesce((SELECT max(number) FROM navette_changeset), 0), "
                         "coalesce((SELECT value FROM navette_meta WHERE name = 'newest_changeset'), 0))",
                         0, ret_newest, error);
}

enum nv_status nv_changesets_go(struct nv_store *store, struct nv_error *error)
{
    nv_opened_forget(store);
    return nv_meta_set(store, "newest_changeset",
                       &(struct nv_value){.type = NV_INTEGER, .integer = store->logs->newest}, error);
}

enum nv_status nv_log_empty(struct nv_store *store, struct nv_log *log, struct nv_error *error)
{
    enum nv_status status = nv_changesets_go(store, error);
    if (status == NV_OK)
        status = nv_keyring_leave(store, log, true, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(store, NV_SQL_LOG_EMPTY, error) : NULL;
    if (statement == NULL)
        return status == NV_OK ? error->status : status;
    sqlite3_bind_int64(statement, 1, log->number);
    status = nv_db_run(statement, error);
    if (status != NV_OK)
        return status;
    nv_vector_clear(&log->context);
    log->has_seq = log->applied_seq = log->authority_seq = 0;
    log->has_hash = log->applied_hash = (struct nv_hash){{0}};
    log->is_dirty = true;
    log->lacks_key = false;
    return NV_OK;
}

enum nv_status nv_changeset_at(struct nv_store *store, nv_log_number log, uint64_t seq, int64_t *ret_changeset,
                               struct nv_hash *ret_hash, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CHANGESET_AT, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)seq);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status != NV_OK)
        return status;
    if (!row)
        return nv_fail(error, NV_NOT_FOUND, "this changeset is not in the log");
    *ret_changeset = sqlite3_column_int64(statement, 0);
    if (ret_hash != NULL)
        nv_copy_exact(ret_hash->bytes, sizeof ret_hash->bytes, nv_db_blob(statement, 1));
    sqlite3_reset(statement);
    return NV_OK;
}

enum nv_status nv_header_at(struct nv_store *store, nv_log_number log, uint64_t seq, struct nv_arena *arena,
                            struct nv_header *ret_header, struct nv_hash *ret_hash, struct nv_error *error)
{
    int64_t changeset;
    enum nv_status status = nv_changeset_at(store, log, seq, &changeset, ret_hash, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(store, NV_SQL_CHANGESET_HEADER, error) : NULL;
    if (statement == NULL)
        return status == NV_OK ? error->status : status;
    sqlite3_bind_int64(statement, 1, changeset);
    bool row;
    status = nv_db_step(statement, &row, error);
    if (status == NV_OK)
        status = nv_header_decode(nv_db_blob(statement, 2), arena, ret_header, error);
    sqlite3_reset(statement);
    return status == NV_REFUSED
               ? nv_fail(error, NV_CORRUPT, "store: a header in the log is damaged; run `navette verify`")
               : status;
}

enum nv_status nv_changeset_is(struct nv_store *store, const struct nv_log *log, uint64_t seq, const struct nv_pin *pin,
                               bool *ret_is, struct nv_error *error)
{
    struct nv_hash hash = log->has_hash;
    int64_t changeset;
    enum nv_status status =
        seq == log->has_seq ? NV_OK : nv_changeset_at(store, log->number, seq, &changeset, &hash, error);
    *ret_is = status == NV_OK && memcmp(pin->bytes, hash.bytes, sizeof pin->bytes) == 0;
    return status;
}
