/* The digest of a scope's state: store/care.h; PROTOCOL.md, "Digest of a scope". */
#include <stdlib.h>

#include "store/care.h"
#include "store/merge/derive.h"
#include "store/merge/gather.h"
#include "store/merge/rows.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "wire/hash.h"

enum { LONG_BYTES = 1 << 20 };

struct digesting {
    struct nv_store *store;
    struct nv_hasher hasher;
    struct nv_buffer bytes;
    struct nv_arena arena;
    struct nv_scope_digest *digest;
};

static void append_u64(struct nv_buffer *buffer, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++)
        nv_buffer_append_byte(buffer, (uint8_t)(number >> (8 * i)));
}

static int order_dots(const struct nv_candidate *a, const struct nv_candidate *b)
{
    int order = nv_site_id_compare(a->site, b->site);
    if (order == 0)
        order = (a->epoch > b->epoch) - (a->epoch < b->epoch);
    if (order == 0)
        order = (a->seq > b->seq) - (a->seq < b->seq);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static int order_candidates(const void *a, const void *b)
{
    return order_dots(a, b);
}

/* A long value goes straight on into the hash, with all that stands before it. */
static enum nv_status add_value(struct digesting *digesting, const struct nv_record *record,
                                const struct nv_candidate *candidate, unsigned field, struct nv_error *error)
{
    struct nv_arena whole = {.limit = 2 * (size_t)NV_LIMIT_BODY_BYTES};
    struct nv_value value;
    enum nv_status status = nv_gather_whole(digesting->store, record, candidate, field, &whole, &value, error);
    if (status == NV_OK)
        nv_value_encode(&digesting->bytes, &value);
    nv_arena_done(&whole);
    if (status == NV_OK && digesting->bytes.failed)
        return nv_no_memory(error);
    if (status == NV_OK && digesting->bytes.size > LONG_BYTES) {
        nv_hasher_update(&digesting->hasher, digesting->bytes.data, digesting->bytes.size);
        nv_buffer_clear(&digesting->bytes);
    }
    return status;
}

/* One field: its siblings ascending by dot, each with time and value. The one sibling of a shown row is read from the
 * row, which is as it was sealed or merged: so the digest needs the log for little. */
static enum nv_status add_field(struct digesting *digesting, const struct nv_record *record, unsigned field,
                                const struct nv_row *row, struct nv_error *error)
{
    const struct nv_sibling *only = NULL;
    struct nv_candidate alone, *candidates = &alone;
    size_t count = 0;
    for (size_t i = 0; i < record->sibling_count; i++) {
        if ((record->siblings[i].fields >> field & 1) == 0)
            continue;
        only = &record->siblings[i];
        count++;
    }
    if (count == 0)
        return NV_OK;
    if (count == 1 && row->there) {
        const struct nv_log *log = nv_log_by_number(digesting->store, only->dot.log);
        if (log == NULL)
            return nv_fail(error, NV_CORRUPT, "store: a version names an unknown log; run `navette rebuild`");
        alone = (struct nv_candidate){row->values[field], only->time, log->id.site,   log->id.epoch,
                                      only->dot.seq,      {{0}},      only->dot.index};
    } else {
        enum nv_status status =
            nv_gather(digesting->store, record, field, &digesting->arena, &candidates, &count, error);
        if (status != NV_OK)
            return status;
        qsort(candidates, count, sizeof *candidates, order_candidates);
    }
    nv_buffer_append_varint(&digesting->bytes, field);
    nv_buffer_append_varint(&digesting->bytes, count);
    for (size_t i = 0; i < count; i++) {
        nv_buffer_append(&digesting->bytes, candidates[i].site.bytes, sizeof candidates[i].site.bytes);
        append_u64(&digesting->bytes, candidates[i].epoch);
        append_u64(&digesting->bytes, candidates[i].seq);
        append_u64(&digesting->bytes, candidates[i].index);
        append_u64(&digesting->bytes, (uint64_t)candidates[i].time.ms);
        enum nv_status status =
            candidates == &alone ? NV_OK : add_value(digesting, record, &candidates[i], field, error);
        if (status != NV_OK)
            return status;
        if (candidates == &alone)
            nv_value_encode(&digesting->bytes, &alone.value);
    }
    return NV_OK;
}

struct far_mark {
    struct nv_candidate dot;
    nv_fields fields;
};

static int order_marks(const void *a, const void *b)
{
    return order_dots(&((const struct far_mark *)a)->dot, &((const struct far_mark *)b)->dot);
}

/* A dot by its log's full name: the numbers of this store mean nothing elsewhere. */
static struct nv_candidate name_of(struct nv_store *store, struct nv_dot dot)
{
    const struct nv_log *log = nv_log_by_number(store, dot.log);
    struct nv_candidate name = {.seq = dot.seq, .index = dot.index};
    if (log != NULL) {
        name.site = log->id.site;
        name.epoch = log->id.epoch;
    }
    return name;
}

static void add_name(struct nv_buffer *bytes, const struct nv_candidate *name)
{
    nv_buffer_append(bytes, name->site.bytes, sizeof name->site.bytes);
    append_u64(bytes, name->epoch);
    append_u64(bytes, name->seq);
    append_u64(bytes, name->index);
}

/* Live deletes ascending by dot, each with what it marks. */
static enum nv_status add_deletes(struct digesting *digesting, const struct nv_record *record, struct nv_error *error)
{
    struct nv_buffer *bytes = &digesting->bytes;
    struct far_mark *deletes =
        nv_arena_alloc(&digesting->arena, (record->delete_count + record->mark_count + 1) * sizeof *deletes);
    if (deletes == NULL)
        return nv_no_memory(error);
    struct far_mark *marks = deletes + record->delete_count;
    for (size_t i = 0; i < record->delete_count; i++)
        deletes[i] = (struct far_mark){name_of(digesting->store, record->deletes[i].dot), i};
    qsort(deletes, record->delete_count, sizeof *deletes, order_marks);
    nv_buffer_append_varint(bytes, record->delete_count);
    for (size_t i = 0; i < record->delete_count; i++) {
        const struct nv_live_delete *deletion = &record->deletes[deletes[i].fields];
        size_t count = 0;
        for (size_t j = 0; j < record->mark_count; j++)
            if (nv_dot_compare(record->marks[j].by, deletion->dot) == 0)
                marks[count++] =
                    (struct far_mark){name_of(digesting->store, record->marks[j].dot), record->marks[j].fields};
        qsort(marks, count, sizeof *marks, order_marks);
        add_name(bytes, &deletes[i].dot);
        append_u64(bytes, (uint64_t)deletion->time.ms);
        nv_buffer_append_varint(bytes, count);
        for (size_t j = 0; j < count; j++) {
            add_name(bytes, &marks[j].dot);
            append_u64(bytes, marks[j].fields);
        }
    }
    return NV_OK;
}

static enum nv_status add_record(struct digesting *digesting, struct nv_table_access *access, struct nv_slice key,
                                 const struct nv_version *version, struct nv_row *row, struct nv_error *error)
{
    const struct nv_record *record = &version->record;
    struct nv_buffer *bytes = &digesting->bytes;
    enum nv_status status = NV_OK;
    /* Whose ops were all redacted is not known to a site that joined since. */
    if (record->sibling_count == 0 && record->delete_count == 0)
        return NV_OK;
    row->there = false;
    if (version->has_row)
        status = nv_row_read(digesting->store, access, key, row, error);
    /* What was written and is not sealed yet is no part of the state: then the log has the values. */
    uint64_t row_digest = 0;
    row->there = status == NV_OK && row->there && version->row_fields == row->count;
    if (row->there)
        status = nv_row_digest(digesting->store, row->values, version->row_fields, bytes, &row_digest, error);
    row->there = row->there && status == NV_OK && row_digest == version->row_digest;
    nv_buffer_clear(bytes);
    nv_arena_reset(&digesting->arena);
    nv_buffer_append_varint(bytes, access->table->number);
    nv_buffer_append_varint(bytes, key.size);
    nv_buffer_append(bytes, key.data, key.size);
    nv_buffer_append(bytes, record->home.bytes, sizeof record->home.bytes);
    for (unsigned field = 0; status == NV_OK && field < access->table->field_count; field++)
        status = add_field(digesting, record, field, row, error);
    nv_buffer_append_byte(bytes, 0xff);
    if (status == NV_OK)
        status = add_deletes(digesting, record, error);
    if (status == NV_OK && bytes->failed)
        status = nv_no_memory(error);
    if (status != NV_OK)
        return status;
    digesting->digest->records++;
    digesting->digest->shown += nv_record_shown(record);
    nv_hasher_update(&digesting->hasher, bytes->data, bytes->size);
    return NV_OK;
}

/* In a table that homes write, records of one key stand in the order of their homes, which is none of the store's. */
static sqlite3_stmt *prepare_versions(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    return nv_db_preparef(store->db, error,
                          table->of_home
                              ? "SELECT key, scope, version FROM navette_version "
                                "JOIN navette_scope ON number = scope WHERE tbl = %u ORDER BY key, home"
                              : "SELECT key, scope, version FROM navette_version WHERE tbl = %u ORDER BY key",
                          table->number);
}

static enum nv_status add_table(struct digesting *digesting, struct nv_table_access *access, struct nv_version *version,
                                struct nv_row *row, struct nv_error *error)
{
    struct nv_store *store = digesting->store;
    sqlite3_stmt *versions = prepare_versions(store, access->table, error);
    enum nv_status status = versions == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(versions, &more, error)) == NV_OK && more) {
        nv_scope_number scope = (nv_scope_number)sqlite3_column_int64(versions, 1);
        if (!nv_scope_number_is_of(store, scope, digesting->digest->scope))
            continue;
        if (access->table->missing)
            digesting->digest->closed = false;
        status = nv_version_decode(store, nv_db_blob(versions, 2), version, error);
        if (status == NV_OK && !access->table->missing)
            status = add_record(digesting, access, nv_db_blob(versions, 0), version, row, error);
    }
    sqlite3_finalize(versions);
    return status;
}

static enum nv_status add_records(struct digesting *digesting, struct nv_error *error)
{
    struct nv_version version = {0};
    struct nv_row row = {0};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < digesting->store->table_count; i++)
        status = add_table(digesting, &digesting->store->access[i], &version, &row, error);
    nv_version_done(&version);
    nv_row_done(&row);
    return status;
}

/* What was applied, ascending by log: equal vectors, equal states. */
static enum nv_status hash_vector(struct nv_store *store, struct nv_scope_digest *digest, struct nv_error *error)
{
    struct nv_vector applied = {0};
    struct nv_buffer bytes = {0};
    if (nv_logs_applied(store, digest->scope, &applied) != NV_OK)
        return nv_no_memory(error);
    struct far_mark *heads = calloc(applied.count + 1, sizeof *heads);
    enum nv_status status = heads == NULL ? nv_no_memory(error) : NV_OK;
    for (size_t i = 0; status == NV_OK && i < applied.count; i++)
        heads[i] = (struct far_mark){name_of(store, (struct nv_dot){applied.heads[i].log, 0, applied.heads[i].seq}), i};
    if (status == NV_OK && applied.count > 1)
        qsort(heads, applied.count, sizeof *heads, order_marks);
    for (size_t i = 0; status == NV_OK && i < applied.count; i++) {
        add_name(&bytes, &heads[i].dot);
        nv_buffer_append(&bytes, applied.heads[heads[i].fields].pin.bytes, sizeof applied.heads->pin.bytes);
    }
    if (status == NV_OK && bytes.failed)
        status = nv_no_memory(error);
    if (status == NV_OK) {
        struct nv_hasher hasher;
        nv_hasher_start(&hasher);
        nv_hasher_update(&hasher, bytes.data, bytes.size);
        digest->vector = nv_hasher_finish(&hasher);
    }
    free(heads);
    nv_buffer_done(&bytes);
    nv_vector_done(&applied);
    return status;
}

/* Whether a query of dots, of which it gives ?1 at most, has any of the scope ?2. */
static enum nv_status has_any(struct nv_store *store, enum nv_statement which, struct nv_scope_id scope, bool *ret_any,
                              struct nv_error *error)
{
    *ret_any = false;
    sqlite3_stmt *statement = nv_statement(store, which, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int(statement, 1, 1);
    sqlite3_bind_blob(statement, 2, scope.bytes, sizeof scope.bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_step(statement, ret_any, error);
    sqlite3_reset(statement);
    return status;
}

static enum nv_status find_closed(struct nv_store *store, struct nv_scope_digest *digest, struct nv_error *error)
{
    bool owes, passed = false;
    enum nv_status status = has_any(store, NV_SQL_OWED_DOTS, digest->scope, &owes, error);
    if (status == NV_OK)
        status = has_any(store, NV_SQL_KEYLESS_DOTS, digest->scope, &passed, error);
    digest->closed = !owes && !passed;
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (nv_scope_id_equal(log->id.scope, digest->scope) && log->applied_seq != log->has_seq)
            digest->closed = false;
    }
    return status;
}

size_t nv_store_scopes(const struct nv_store *store, struct nv_scope_id *ret_scopes, size_t capacity)
{
    size_t count = 0;
    for (size_t i = 1; i <= nv_scope_number_count(store) && count < capacity; i++) {
        const struct nv_numbered_scope *scope = nv_scope_numbered(store, (nv_scope_number)i);
        bool is_network = nv_scope_id_equal(scope->id, NV_SCOPE_NETWORK);
        if (!scope->has_home && (is_network || nv_scope_is_read(store, scope->id)))
            ret_scopes[count++] = scope->id;
    }
    return count;
}

enum nv_status nv_store_digest(struct nv_store *store, struct nv_scope_id scope, struct nv_scope_digest *ret_digest,
                               struct nv_error *error)
{
    struct nv_scope_digest digest = {.scope = scope};
    struct digesting digesting = {.store = store, .digest = &digest, .arena = {.limit = 256u << 20}};
    enum nv_status status = nv_begin_reading(store, error);
    if (status != NV_OK)
        return status;
    nv_hasher_start(&digesting.hasher);
    status = find_closed(store, &digest, error);
    if (status == NV_OK)
        status = add_records(&digesting, error);
    if (status == NV_OK)
        status = hash_vector(store, &digest, error);
    nv_buffer_done(&digesting.bytes);
    nv_arena_done(&digesting.arena);
    nv_end_reading(store);
    if (status != NV_OK)
        return status;
    digest.state = nv_hasher_finish(&digesting.hasher);
    *ret_digest = digest;
    return NV_OK;
}
