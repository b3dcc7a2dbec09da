#include "store/merge/versions.h"

#include "store/statements.h"
#include "wire/hash.h"

enum { HAS_HOME = 1, HAS_ROW = 2, CONFLICTED = 4, HAS_DELETES = 8, HAS_REPLACED = 16 };

void nv_version_done(struct nv_version *version)
{
    nv_record_done(&version->record);
}

void nv_version_clear(struct nv_version *version)
{
    struct nv_record record = version->record;
    nv_record_clear(&record);
    version->record = record;
    version->has_row = version->is_conflicted = false;
    version->row_digest = 0;
    version->row_fields = 0;
    version->replaced_count = 0;
}

static void append_time(struct nv_buffer *buffer, struct nv_wall_ms time)
{
    nv_buffer_append_varint(buffer, (uint64_t)time.ms << 1 ^ (time.ms < 0 ? UINT64_MAX : 0));
}

static void append_dot(struct nv_buffer *buffer, struct nv_dot dot)
{
    nv_buffer_append_varint(buffer, dot.log);
    nv_buffer_append_varint(buffer, dot.seq);
    nv_buffer_append_varint(buffer, dot.index);
}

static bool take_time(struct nv_reader *reader, struct nv_wall_ms *time)
{
    uint64_t u;
    if (!nv_take_varint(reader, &u))
        return false;
    time->ms = (int64_t)(u >> 1 ^ (~(u & 1) + 1));
    return true;
}

static bool take_dot(struct nv_reader *reader, struct nv_dot *dot)
{
    uint64_t log, index;
    if (!nv_take_varint(reader, &log) || !nv_take_varint(reader, &dot->seq) || !nv_take_varint(reader, &index) ||
        log > UINT32_MAX || index > UINT32_MAX)
        return false;
    dot->log = (nv_log_number)log;
    dot->index = (uint32_t)index;
    return true;
}

enum nv_status nv_version_encode(struct nv_store *store, const struct nv_version *version, struct nv_buffer *buffer,
                                 struct nv_error *error)
{
    const struct nv_record *record = &version->record;
    bool has_deletes = record->delete_count > 0;
    nv_buffer_append_byte(buffer,
                          (uint8_t)((record->has_home ? HAS_HOME : 0) | (version->has_row ? HAS_ROW : 0) |
                                    (version->is_conflicted ? CONFLICTED : 0) | (has_deletes ? HAS_DELETES : 0) |
                                    (version->replaced_count > 0 ? HAS_REPLACED : 0)));
    if (record->has_home) {
        uint32_t site;
        enum nv_status status = nv_site_intern(store, record->home, &site, error);
        if (status != NV_OK)
            return status;
        nv_buffer_append_varint(buffer, site);
    }
    if (version->has_row) {
        nv_buffer_append(buffer, &version->row_digest, sizeof version->row_digest);
        nv_buffer_append_varint(buffer, version->row_fields);
    }
    nv_buffer_append_varint(buffer, record->sibling_count);
    for (size_t i = 0; i < record->sibling_count; i++) {
        append_dot(buffer, record->siblings[i].dot);
        append_time(buffer, record->siblings[i].time);
        nv_buffer_append_varint(buffer, record->siblings[i].fields);
    }
    if (has_deletes) {
        nv_buffer_append_varint(buffer, record->delete_count);
        for (size_t i = 0; i < record->delete_count; i++) {
            append_dot(buffer, record->deletes[i].dot);
            append_time(buffer, record->deletes[i].time);
        }
        nv_buffer_append_varint(buffer, record->mark_count);
        for (size_t i = 0; i < record->mark_count; i++) {
            append_dot(buffer, record->marks[i].by);
            append_dot(buffer, record->marks[i].dot);
            nv_buffer_append_varint(buffer, record->marks[i].fields);
        }
    }
    if (version->replaced_count > 0) {
        nv_buffer_append_varint(buffer, version->replaced_count);
        for (size_t i = 0; i < version->replaced_count; i++) {
            append_dot(buffer, version->replaced[i].old);
            append_dot(buffer, version->replaced[i].by);
            nv_buffer_append_varint(buffer, version->replaced[i].fields);
            append_time(buffer, version->replaced[i].at);
        }
    }
    return buffer->failed ? nv_no_memory(error) : NV_OK;
}

/* These give NV_OK, NV_NO_MEMORY, or NV_CORRUPT where the bytes are no version. */

static enum nv_status take_siblings(struct nv_reader *reader, struct nv_record *record)
{
    uint64_t count;
    enum nv_status status = nv_take_varint(reader, &count) ? NV_OK : NV_CORRUPT;
    for (uint64_t i = 0; status == NV_OK && i < count; i++) {
        struct nv_sibling sibling;
        if (!take_dot(reader, &sibling.dot) || !take_time(reader, &sibling.time) ||
            !nv_take_varint(reader, &sibling.fields))
            return NV_CORRUPT;
        status = nv_record_add_sibling(record, sibling);
    }
    return status;
}

static enum nv_status take_marks(struct nv_reader *reader, struct nv_record *record)
{
    uint64_t count;
    enum nv_status status = nv_take_varint(reader, &count) ? NV_OK : NV_CORRUPT;
    for (uint64_t i = 0; status == NV_OK && i < count; i++) {
        struct nv_mark mark;
        if (!take_dot(reader, &mark.by) || !take_dot(reader, &mark.dot) || !nv_take_varint(reader, &mark.fields))
            return NV_CORRUPT;
        status = nv_record_add_mark(record, mark);
    }
    return status;
}

static enum nv_status take_deletes(struct nv_reader *reader, struct nv_record *record)
{
    uint64_t count;
    enum nv_status status = nv_take_varint(reader, &count) ? NV_OK : NV_CORRUPT;
    for (uint64_t i = 0; status == NV_OK && i < count; i++) {
        struct nv_live_delete deletion;
        if (!take_dot(reader, &deletion.dot) || !take_time(reader, &deletion.time))
            return NV_CORRUPT;
        status = nv_record_add_delete(record, deletion);
    }
    return status == NV_OK ? take_marks(reader, record) : status;
}

static enum nv_status take_replaced(struct nv_reader *reader, struct nv_version *version)
{
    uint64_t count;
    if (!nv_take_varint(reader, &count) || count > NV_REPLACED_MAX)
        return NV_CORRUPT;
    for (; version->replaced_count < count; version->replaced_count++) {
        struct nv_replaced *replaced = &version->replaced[version->replaced_count];
        if (!take_dot(reader, &replaced->old) || !take_dot(reader, &replaced->by) ||
            !nv_take_varint(reader, &replaced->fields) || !take_time(reader, &replaced->at))
            return NV_CORRUPT;
    }
    return NV_OK;
}

static enum nv_status take_version(struct nv_store *store, struct nv_reader *reader, struct nv_version *version)
{
    uint8_t flags;
    uint64_t number;
    if (!nv_take_byte(reader, &flags))
        return NV_CORRUPT;
    if (flags & HAS_HOME) {
        if (!nv_take_varint(reader, &number) || number == 0 || number > UINT32_MAX)
            return NV_CORRUPT;
        version->record.has_home = true;
        version->record.home = nv_site_by_number(store, (uint32_t)number);
    }
    if (flags & HAS_ROW) {
        struct nv_slice digest;
        if (!nv_take_bytes(reader, sizeof version->row_digest, &digest) || !nv_take_varint(reader, &number))
            return NV_CORRUPT;
        version->has_row = true;
        memcpy(&version->row_digest, digest.data, digest.size);
        version->row_fields = (unsigned)number;
    }
    version->is_conflicted = (flags & CONFLICTED) != 0;
    enum nv_status status = take_siblings(reader, &version->record);
    if (status == NV_OK && (flags & HAS_DELETES))
        status = take_deletes(reader, &version->record);
    if (status == NV_OK && (flags & HAS_REPLACED))
        status = take_replaced(reader, version);
    return status == NV_OK && nv_reader_left(reader) > 0 ? NV_CORRUPT : status;
}

enum nv_status nv_version_decode(struct nv_store *store, struct nv_slice bytes, struct nv_version *version,
                                 struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(bytes);
    nv_version_clear(version);
    enum nv_status status = take_version(store, &reader, version);
    if (status == NV_NO_MEMORY)
        return nv_no_memory(error);
    if (status != NV_OK)
        return nv_fail(error, NV_CORRUPT, "store: a record's version is damaged; run `navette rebuild`");
    return NV_OK;
}

static void bind_name(sqlite3_stmt *statement, struct nv_record_name name)
{
    sqlite3_bind_int64(statement, 1, name.table);
    nv_db_bind_slice(statement, 2, name.key);
    sqlite3_bind_int64(statement, 3, name.scope);
}

enum nv_status nv_version_read(struct nv_store *store, struct nv_record_name name, struct nv_version *version,
                               bool *ret_found, struct nv_error *error)
{
    nv_version_clear(version);
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_VERSION_GET, error);
    if (statement == NULL)
        return error->status;
    bind_name(statement, name);
    enum nv_status status = nv_db_step(statement, ret_found, error);
    if (status == NV_OK && *ret_found)
        status = nv_version_decode(store, nv_db_blob(statement, 0), version, error);
    sqlite3_reset(statement);
    return status;
}

static enum nv_status store_version(struct nv_store *store, enum nv_statement which, struct nv_record_name name,
                                    const struct nv_version *version, struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    enum nv_status status = nv_version_encode(store, version, &bytes, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(store, which, error) : NULL;
    if (statement != NULL) {
        bind_name(statement, name);
        nv_db_bind_slice(statement, 4, nv_buffer_slice(&bytes));
        status = nv_db_run(statement, error);
    } else if (status == NV_OK) {
        status = error->status;
    }
    nv_buffer_done(&bytes);
    return status;
}

enum nv_status nv_version_write(struct nv_store *store, struct nv_record_name name, const struct nv_version *version,
                                struct nv_error *error)
{
    return store_version(store, NV_SQL_VERSION_PUT, name, version, error);
}

enum nv_status nv_version_create(struct nv_store *store, struct nv_record_name name, const struct nv_version *version,
                                 bool *ret_created, struct nv_error *error)
{
    enum nv_status status = store_version(store, NV_SQL_VERSION_CREATE, name, version, error);
    if (status == NV_OK)
        *ret_created = sqlite3_changes(store->db) == 1;
    return status;
}

uint32_t nv_record_hash(uint32_t table, struct nv_slice key)
{
    uint8_t number[16] = {(uint8_t)table, (uint8_t)(table >> 8), (uint8_t)(table >> 16), (uint8_t)(table >> 24)};
    return (uint32_t)nv_short_hash(number, key);
}
