#include "store/log/state.h"

#include <assert.h>
#include <stdlib.h>

#include "store/log.h"
#include "store/log/beyond.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/rights.h"
#include "wire/changeset.h"

/* ---- reading and writing ---- */

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
            return nv_no_memory(error);
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

static enum nv_status load_sites(struct nv_store *store, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db, "SELECT id FROM navette_site ORDER BY number", error);
    if (statement == NULL)
        return error->status;
    bool row = true;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        struct nv_site_id site = {{0}};
        nv_copy_exact(site.bytes, sizeof site.bytes, nv_db_blob(statement, 0));
        if (add_site(store->logs, site) != NV_OK) {
            status = nv_no_memory(error);
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
        return nv_no_memory(error);
    nv_copy_exact(log->id.site.bytes, sizeof log->id.site.bytes, nv_db_blob(row, 0));
    log->id.epoch = (uint64_t)sqlite3_column_int64(row, 1);
    nv_copy_exact(log->id.scope.bytes, sizeof log->id.scope.bytes, nv_db_blob(row, 2));
    log->scope = nv_scope_number_find(store, log->id.scope, NULL);
    log->has_seq = (uint64_t)sqlite3_column_int64(row, 3);
    nv_copy_exact(log->has_hash.bytes, sizeof log->has_hash.bytes, nv_db_blob(row, 4));
    log->applied_seq = (uint64_t)sqlite3_column_int64(row, 5);
    nv_copy_exact(log->applied_hash.bytes, sizeof log->applied_hash.bytes, nv_db_blob(row, 6));
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
        nv_vector_done(&logs->logs[i]->beyond.last_context);
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
    free(logs->held);
    free(logs);
    store->logs = NULL;
}

/* So that it takes no memory to list them once they are durable. */
static enum nv_status reserve_has(struct nv_logs *logs, struct nv_error *error)
{
    struct nv_far_head *has = realloc(logs->has, (logs->count + 1) * sizeof *has);
    if (has == NULL)
        return nv_no_memory(error);
    logs->has = has;
    struct nv_far_head *held = realloc(logs->held, (logs->count + 1) * sizeof *held);
    if (held == NULL)
        return nv_no_memory(error);
    logs->held = held;
    return NV_OK;
}

static struct nv_far_head head_of(const struct nv_log *log, uint64_t seq)
{
    return (struct nv_far_head){.site = log->id.site,
                                .epoch = log->id.epoch,
                                .scope = log->id.scope,
                                .seq = seq,
                                .pin = nv_pin_of(&log->has_hash)};
}

static void list_has(struct nv_logs *logs)
{
    logs->has_count = logs->held_count = 0;
    for (size_t i = 0; i < logs->count; i++) {
        const struct nv_log *log = logs->logs[i];
        uint64_t held = log->beyond.count > 0 ? log->beyond.seq : log->has_seq;
        if (log->has_seq > 0)
            logs->has[logs->has_count++] = head_of(log, log->has_seq);
        if (held > 0)
            logs->held[logs->held_count++] = head_of(log, held);
    }
    if (logs->has_count > 1)
        qsort(logs->has, logs->has_count, sizeof *logs->has, nv_order_far_heads);
    if (logs->held_count > 1)
        qsort(logs->held, logs->held_count, sizeof *logs->held, nv_order_far_heads);
    logs->has_grown = false;
}

enum nv_status nv_logs_load(struct nv_store *store, struct nv_error *error)
{
    if (store->logs == NULL && (store->logs = calloc(1, sizeof *store->logs)) == NULL)
        return nv_no_memory(error);
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
        status = nv_changeset_newest(store, &store->logs->newest, error);
    if (status == NV_OK)
        status = nv_beyond_load(store, error);
    store->owes_join = nv_beyond_count(store) > 0;
    if (status == NV_OK)
        status = reserve_has(store->logs, error);
    if (status == NV_OK)
        list_has(store->logs);
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
        return nv_no_memory(error);
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
    bool any = store->logs->beyond_changed;
    for (size_t i = 0; status == NV_OK && i < store->logs->count; i++) {
        if (!store->logs->logs[i]->is_dirty)
            continue;
        any = true;
        status = save_log(store, store->logs->logs[i], &scratch, error);
    }
    nv_buffer_done(&scratch);
    if (status == NV_OK && any)
        status = reserve_has(store->logs, error);
    store->logs->has_grown = status == NV_OK && any;
    store->logs->beyond_changed = false;
    return status;
}

void nv_logs_saved(struct nv_store *store)
{
    if (store->logs->has_grown)
        list_has(store->logs);
}

/* ---- looking up ---- */

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
        status = nv_no_memory(error);
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
    nv_scope_number scope = 0;
    enum nv_status status = nv_site_intern(store, id->site, &site, error);
    if (status == NV_OK && !nv_scope_id_equal(id->scope, NV_SCOPE_AUTHORITY))
        status = nv_scope_intern(store, id->scope, NULL, &scope, error);
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
        return nv_no_memory(error);
    log->id = *id;
    log->site_number = site;
    log->scope = scope;
    *ret_log = log;
    return NV_OK;
}

bool nv_logs_lag(const struct nv_store *store)
{
    for (size_t i = 0; i < store->logs->count; i++) {
        const struct nv_log *log = store->logs->logs[i];
        if (log->applied_seq < log->has_seq && nv_scope_is_read(store, log->id.scope))
            return true;
    }
    return false;
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

int64_t nv_logs_merged(const struct nv_store *store)
{
    int64_t merged = 0;
    for (size_t i = 0; i < store->logs->count; i++)
        merged += (int64_t)store->logs->logs[i]->applied_seq;
    return merged;
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

uint64_t nv_store_only_carried(const struct nv_store *store)
{
    uint64_t count = 0;
    for (size_t i = 0; i < store->logs->count; i++) {
        const struct nv_log *log = store->logs->logs[i];
        bool is_authority = nv_scope_id_equal(log->id.scope, NV_SCOPE_AUTHORITY);
        if (!is_authority && !nv_right_reads(store, log->id.scope, store->identity.site, NV_POSITION_NOW))
            count += log->has_seq;
    }
    return count;
}

uint64_t nv_store_waiting(const struct nv_store *store)
{
    uint64_t count = 0;
    for (size_t i = 0; i < store->logs->count; i++) {
        const struct nv_log *log = store->logs->logs[i];
        if (nv_scope_id_equal(log->id.scope, NV_SCOPE_AUTHORITY) || nv_scope_is_read(store, log->id.scope))
            count += log->has_seq - log->applied_seq;
    }
    return count;
}

void nv_store_held(const struct nv_store *store, const struct nv_far_head **ret_heads, size_t *ret_count)
{
    *ret_heads = store->logs->held;
    *ret_count = store->logs->held_count;
}

uint64_t nv_store_kept(const struct nv_store *store)
{
    return store->logs->beyond_kept;
}

int64_t nv_store_newest(const struct nv_store *store)
{
    return store->logs->newest;
}
