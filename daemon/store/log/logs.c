#include "store/log/logs.h"

#include <assert.h>
#include <stdlib.h>

#include "store/log.h"
#include "store/statements.h"
#include "wire/changeset.h"

enum { CONTEXT_CACHE = 256 };

struct cached_context {
    int64_t changeset;
    struct nv_vector context;
};

struct nv_logs {
    struct nv_log **logs; /* logs[number - 1] */
    size_t count, capacity;
    struct nv_site_id *sites; /* sites[number - 1] */
    size_t site_count, site_capacity;
    struct nv_far_head *has; /* for nv_store_has: ascending */
    size_t has_count;
    int64_t newest; /* changeset */
    struct cached_context cache[CONTEXT_CACHE];
};

static enum nv_status no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY, "store: out of memory");
}

/* ---- reading and writing --------------------------------------------------------------------------------------------
 */

static void encode_vector(const struct nv_vector *vector, struct nv_buffer *buffer)
{
    for (size_t i = 0; i < vector->count; i++) {
        nv_buffer_append_varint(buffer, vector->heads[i].log);
        nv_buffer_append_varint(buffer, vector->heads[i].seq);
        nv_buffer_append(buffer, vector->heads[i].pin.bytes, sizeof vector->heads[i].pin.bytes);
    }
}

static enum nv_status decode_vector(struct nv_slice bytes, struct nv_vector *vector, struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(bytes);
    nv_vector_clear(vector);
    while (nv_reader_left(&reader) > 0) {
        uint64_t log, seq;
        struct nv_slice pin;
        if (!nv_take_varint(&reader, &log) || !nv_take_varint(&reader, &seq) || !nv_take_bytes(&reader, 16, &pin) ||
            log > UINT32_MAX)
            return nv_fail(error, NV_CORRUPT, "store: a log's context is damaged; restore a backup");
        struct nv_head head = {.log = (nv_log_number)log, .seq = seq};
        memcpy(head.pin.bytes, pin.data, sizeof head.pin.bytes);
        if (nv_vector_set(vector, head) != NV_OK)
            return no_memory(error);
    }
    return NV_OK;
}

static enum nv_status add_site(struct nv_logs *logs, struct nv_site_id site)
{
    if (logs->site_count == logs->site_capacity) {
        size_t capacity = logs->site_capacity == 0 ? 16 : logs->site_capacity * 2;
        struct nv_site_id *sites = realloc(logs->sites, capacity * sizeof *sites);
        if (sites == NULL)
            return NV_NO_MEMORY;
        logs->sites = sites;
        logs->site_capacity = capacity;
    }
    logs->sites[logs->site_count++] = site;
    return NV_OK;
}

static struct nv_log *add_log(struct nv_logs *logs)
{
    if (logs->count == logs->capacity) {
        size_t capacity = logs->capacity == 0 ? 16 : logs->capacity * 2;
        struct nv_log **grown = realloc(logs->logs, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        logs->logs = grown;
        logs->capacity = capacity;
    }
    struct nv_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    logs->logs[logs->count++] = log;
    log->number = (nv_log_number)logs->count;
    return log;
}

static void copy_bytes(void *to, size_t size, struct nv_slice bytes)
{
    if (bytes.size == size)
        memcpy(to, bytes.data, size);
}

static enum nv_status load_sites(struct nv_store *store, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db, "SELECT id FROM navette_site ORDER BY number", error);
    if (statement == NULL)
        return error->status;
    bool row = true;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        struct nv_site_id site = {{0}};
        copy_bytes(site.bytes, sizeof site.bytes, nv_db_blob(statement, 0));
        if (add_site(store->logs, site) != NV_OK) {
            status = no_memory(error);
            break;
        }
    }
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status load_log(struct nv_store *store, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_log *log = add_log(store->logs);
    if (log == NULL)
        return no_memory(error);
    copy_bytes(log->id.site.bytes, sizeof log->id.site.bytes, nv_db_blob(row, 0));
    log->id.epoch = (uint64_t)sqlite3_column_int64(row, 1);
    copy_bytes(log->id.scope.bytes, sizeof log->id.scope.bytes, nv_db_blob(row, 2));
    log->has_seq = (uint64_t)sqlite3_column_int64(row, 3);
    copy_bytes(log->has_hash.bytes, sizeof log->has_hash.bytes, nv_db_blob(row, 4));
    log->applied_seq = (uint64_t)sqlite3_column_int64(row, 5);
    copy_bytes(log->applied_hash.bytes, sizeof log->applied_hash.bytes, nv_db_blob(row, 6));
    log->authority_seq = (uint64_t)sqlite3_column_int64(row, 7);
    for (size_t i = 0; i < store->logs->site_count; i++)
        if (nv_site_id_compare(store->logs->sites[i], log->id.site) == 0)
            log->site_number = (uint32_t)i + 1;
    return decode_vector(nv_db_blob(row, 8), &log->context, error);
}

static void drop_all(struct nv_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        nv_vector_done(&logs->logs[i]->context);
        free(logs->logs[i]);
    }
    logs->count = logs->site_count = 0;
    for (size_t i = 0; i < CONTEXT_CACHE; i++)
        logs->cache[i].changeset = 0;
}

void nv_logs_done(struct nv_store *store)
{
    struct nv_logs *logs = store->logs;
    if (logs == NULL)
        return;
    drop_all(logs);
    for (size_t i = 0; i < CONTEXT_CACHE; i++)
        nv_vector_done(&logs->cache[i].context);
    free(logs->logs);
    free(logs->sites);
    free(logs->has);
    free(logs);
    store->logs = NULL;
}

static int order_far_heads(const void *a, const void *b)
{
    const struct nv_far_head *x = a, *y = b;
    struct nv_log_id x_id = {x->site, x->epoch, x->scope}, y_id = {y->site, y->epoch, y->scope};
    return nv_log_id_compare(&x_id, &y_id);
}

static enum nv_status list_has(struct nv_logs *logs, struct nv_error *error)
{
    struct nv_far_head *has = realloc(logs->has, (logs->count + 1) * sizeof *has);
    if (has == NULL)
        return no_memory(error);
    logs->has = has;
    logs->has_count = 0;
    for (size_t i = 0; i < logs->count; i++) {
        const struct nv_log *log = logs->logs[i];
        if (log->has_seq == 0)
            continue;
        has[logs->has_count++] = (struct nv_far_head){.site = log->id.site,
                                                      .epoch = log->id.epoch,
                                                      .scope = log->id.scope,
                                                      .seq = log->has_seq,
                                                      .pin = nv_pin_of(&log->has_hash)};
    }
    if (logs->has_count > 1)
        qsort(has, logs->has_count, sizeof *has, order_far_heads);
    return NV_OK;
}

enum nv_status nv_logs_load(struct nv_store *store, struct nv_error *error)
{
    if (store->logs == NULL && (store->logs = calloc(1, sizeof *store->logs)) == NULL)
        return no_memory(error);
    drop_all(store->logs);
    enum nv_status status = load_sites(store, error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt *statement =
        nv_db_prepare(store->db,
                      "SELECT site, epoch, scope, has_seq, has_hash, applied_seq, applied_hash, authority_seq, context "
                      "FROM navette_log ORDER BY number",
                      error);
    if (statement == NULL)
        return error->status;
    bool row = true;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row)
        if ((status = load_log(store, statement, error)) != NV_OK)
            break;
    sqlite3_finalize(statement);
    if (status == NV_OK)
        status = nv_db_integer(store->db, "SELECT max(number) FROM navette_changeset", 0, &store->logs->newest, error);
    if (status == NV_OK)
        status = list_has(store->logs, error);
    return status;
}

static enum nv_status save_log(struct nv_store *store, struct nv_log *log, struct nv_buffer *scratch,
                               struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_LOG_SAVE, error);
    if (statement == NULL)
        return error->status;
    nv_buffer_clear(scratch);
    encode_vector(&log->context, scratch);
    if (scratch->failed)
        return no_memory(error);
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)log->has_seq);
    sqlite3_bind_blob(statement, 3, log->has_hash.bytes, sizeof log->has_hash.bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, (int64_t)log->applied_seq);
    sqlite3_bind_blob(statement, 5, log->applied_hash.bytes, sizeof log->applied_hash.bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 6, (int64_t)log->authority_seq);
    nv_db_bind_slice(statement, 7, nv_buffer_slice(scratch));
    log->is_dirty = false;
    return nv_db_run(statement, error);
}

enum nv_status nv_logs_save(struct nv_store *store, struct nv_error *error)
{
    struct nv_buffer scratch = {0};
    enum nv_status status = NV_OK;
    bool any = false;
    for (size_t i = 0; status == NV_OK && i < store->logs->count; i++) {
        if (!store->logs->logs[i]->is_dirty)
            continue;
        any = true;
        status = save_log(store, store->logs->logs[i], &scratch, error);
    }
    nv_buffer_done(&scratch);
    if (status == NV_OK && any)
        status = list_has(store->logs, error);
    return status;
}

/* ---- looking up
 * ------------------------------------------------------------------------------------------------------ */

struct nv_log *nv_log_by_number(const struct nv_store *store, nv_log_number number)
{
    return number == 0 || number > store->logs->count ? NULL : store->logs->logs[number - 1];
}

size_t nv_log_count(const struct nv_store *store)
{
    return store->logs->count;
}

struct nv_log *nv_log_find(const struct nv_store *store, const struct nv_log_id *id)
{
    for (size_t i = 0; i < store->logs->count; i++)
        if (nv_log_id_compare(&store->logs->logs[i]->id, id) == 0)
            return store->logs->logs[i];
    return NULL;
}

enum nv_status nv_site_intern(struct nv_store *store, struct nv_site_id site, uint32_t *ret_number,
                              struct nv_error *error)
{
    for (size_t i = 0; i < store->logs->site_count; i++) {
        if (nv_site_id_compare(store->logs->sites[i], site) != 0)
            continue;
        *ret_number = (uint32_t)i + 1;
        return NV_OK;
    }
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_SITE_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)store->logs->site_count + 1);
    sqlite3_bind_blob(statement, 2, site.bytes, sizeof site.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_run(statement, error);
    if (status == NV_OK && add_site(store->logs, site) != NV_OK)
        status = no_memory(error);
    if (status == NV_OK)
        *ret_number = (uint32_t)store->logs->site_count;
    return status;
}

struct nv_site_id nv_site_by_number(const struct nv_store *store, uint32_t number)
{
    if (number == 0 || number > store->logs->site_count)
        return (struct nv_site_id){{0}};
    return store->logs->sites[number - 1];
}

enum nv_status nv_log_intern(struct nv_store *store, const struct nv_log_id *id, struct nv_log **ret_log,
                             struct nv_error *error)
{
    struct nv_log *log = nv_log_find(store, id);
    if (log != NULL) {
        *ret_log = log;
        return NV_OK;
    }
    uint32_t site;
    enum nv_status status = nv_site_intern(store, id->site, &site, error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_LOG_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)store->logs->count + 1);
    sqlite3_bind_blob(statement, 2, id->site.bytes, sizeof id->site.bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, (int64_t)id->epoch);
    sqlite3_bind_blob(statement, 4, id->scope.bytes, sizeof id->scope.bytes, SQLITE_STATIC);
    status = nv_db_run(statement, error);
    if (status != NV_OK)
        return status;
    log = add_log(store->logs);
    if (log == NULL)
        return no_memory(error);
    log->id = *id;
    log->site_number = site;
    *ret_log = log;
    return NV_OK;
}

struct nv_log_id nv_authority_log_id(const struct nv_store *store)
{
    struct nv_log_id id = {.epoch = 1, .scope = NV_SCOPE_AUTHORITY};
    memcpy(id.site.bytes, store->identity.network.bytes, sizeof id.site.bytes);
    return id;
}

struct nv_log *nv_authority_log(const struct nv_store *store)
{
    struct nv_log_id id = nv_authority_log_id(store);
    return store->identity.has_network ? nv_log_find(store, &id) : NULL;
}

enum nv_status nv_logs_applied(const struct nv_store *store, struct nv_scope_id scope, struct nv_vector *vector)
{
    nv_vector_clear(vector);
    for (size_t i = 0; i < store->logs->count; i++) {
        const struct nv_log *log = store->logs->logs[i];
        if (log->applied_seq == 0 || !nv_scope_id_equal(log->id.scope, scope))
            continue;
        struct nv_head head = {log->number, log->applied_seq, nv_pin_of(&log->applied_hash)};
        if (nv_vector_set(vector, head) != NV_OK)
            return NV_NO_MEMORY;
    }
    return NV_OK;
}

void nv_store_has(const struct nv_store *store, const struct nv_far_head **ret_heads, size_t *ret_count)
{
    *ret_heads = store->logs->has;
    *ret_count = store->logs->has_count;
}

int64_t nv_store_newest(const struct nv_store *store)
{
    return store->logs->newest;
}

/* ---- contexts
 * -------------------------------------------------------------------------------------------------------- */

enum nv_status nv_context_take(struct nv_store *store, const struct nv_header *header, const struct nv_vector *before,
                               struct nv_vector *context, struct nv_error *error)
{
    nv_vector_clear(context);
    if (!header->absolute && nv_vector_copy(context, before) != NV_OK)
        return no_memory(error);
    for (size_t i = 0; i < header->context_count; i++) {
        const struct nv_far_head *far = &header->context[i];
        struct nv_log_id id = {far->site, far->epoch, header->log.scope};
        const struct nv_log *log = nv_log_find(store, &id);
        if (log == NULL)
            return nv_fail(error, NV_NOT_YET, "it builds on a log that has not arrived");
        if (nv_vector_set(context, (struct nv_head){log->number, far->seq, far->pin}) != NV_OK)
            return no_memory(error);
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
                                                           : no_memory(error);
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

/* ---- appending
 * ------------------------------------------------------------------------------------------------------- */

enum nv_status nv_log_append(struct nv_store *store, struct nv_log *log, const struct nv_header *header,
                             const struct nv_hash *hash, const struct nv_changeset_parts *parts,
                             const struct nv_vector *context, const uint32_t *record_hashes, int64_t *ret_changeset,
                             struct nv_error *error)
{
    assert(header->seq == log->has_seq + 1);
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
    enum nv_status status = nv_db_run(statement, error);
    if (status == NV_OK && nv_vector_copy(&log->context, context) != NV_OK)
        status = no_memory(error);
    if (status != NV_OK)
        return status;
    log->has_seq = header->seq;
    log->has_hash = *hash;
    log->authority_seq = header->authority_seq;
    log->is_dirty = true;
    store->logs->newest = sqlite3_last_insert_rowid(store->db);
    *ret_changeset = store->logs->newest;
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
        copy_bytes(ret_hash->bytes, sizeof ret_hash->bytes, nv_db_blob(statement, 1));
    sqlite3_reset(statement);
    return NV_OK;
}

/* ---- sealing
 * --------------------------------------------------------------------------------------------------------- */

/* The heads that differ from the log's last context; all of them where the header's context stands whole. */
static size_t list_context(const struct nv_store *store, const struct nv_log *log, const struct nv_vector *context,
                           bool absolute, struct nv_far_head *heads)
{
    size_t count = 0;
    for (size_t i = 0; i < context->count; i++) {
        const struct nv_head *head = &context->heads[i];
        const struct nv_head *before = nv_vector_find(&log->context, head->log);
        if (head->log == log->number || (!absolute && before != NULL && before->seq == head->seq))
            continue;
        const struct nv_log *other = nv_log_by_number(store, head->log);
        heads[count++] = (struct nv_far_head){.site = other->id.site,
                                              .epoch = other->id.epoch,
                                              .scope = log->id.scope,
                                              .seq = head->seq,
                                              .pin = head->pin};
    }
    if (count > 1)
        qsort(heads, count, sizeof *heads, order_far_heads);
    return count;
}

static void drop_own(struct nv_vector *vector, nv_log_number own)
{
    size_t kept = 0;
    for (size_t i = 0; i < vector->count; i++)
        if (vector->heads[i].log != own)
            vector->heads[kept++] = vector->heads[i];
    vector->count = kept;
}

enum nv_status nv_log_append_sealed(struct nv_store *store, const struct nv_log_id *log_id, const struct nv_slice *ops,
                                    size_t op_count, const uint32_t *record_hashes, const struct nv_sign_key *key,
                                    struct nv_wall_ms now, nv_log_number *ret_log, uint64_t *ret_seq,
                                    struct nv_error *error)
{
    struct nv_vector context = {0};
    struct nv_buffer scratch = {0};
    struct nv_far_head *heads = NULL;
    struct nv_log *log;
    enum nv_status status = nv_log_intern(store, log_id, &log, error);
    if (status != NV_OK)
        return status;
    bool is_authority = nv_scope_id_equal(log_id->scope, NV_SCOPE_AUTHORITY);
    if (!is_authority && nv_logs_applied(store, log_id->scope, &context) != NV_OK) {
        status = no_memory(error);
        goto out;
    }
    heads = calloc(context.count + 1, sizeof *heads);
    if (heads == NULL) {
        status = no_memory(error);
        goto out;
    }
    struct nv_header header = {.format = NV_FORMAT, .log = *log_id, .seq = log->has_seq + 1, .sealed = now};
    header.previous = log->has_hash;
    header.absolute = log->has_seq % NV_LIMIT_ABSOLUTE_CONTEXT_EVERY == 0;
    header.context_count = list_context(store, log, &context, header.absolute, heads);
    header.context = heads;
    const struct nv_log *authority = nv_authority_log(store);
    if (!is_authority && authority != NULL) {
        header.authority_seq = authority->applied_seq;
        header.authority_pin = nv_pin_of(&authority->applied_hash);
    }
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    int64_t changeset;
    status = nv_changeset_seal(&header, ops, op_count, key, &store->identity.network, &scratch, &parts, &hash, error);
    if (status != NV_OK)
        goto out;
    drop_own(&context, log->number);
    status = nv_log_append(store, log, &header, &hash, &parts, &context, record_hashes, &changeset, error);
    if (status != NV_OK)
        goto out;
    *ret_log = log->number;
    *ret_seq = header.seq;
out:
    free(heads);
    nv_buffer_done(&scratch);
    nv_vector_done(&context);
    return status;
}
