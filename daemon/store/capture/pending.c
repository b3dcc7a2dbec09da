#include "store/capture/pending.h"

#include <stdlib.h>

#include "store/merge/versions.h"
#include "store/seal.h"
#include "store/statements.h"

enum { FIRST_BUCKETS = 4096 };

void nv_touched_done(struct nv_touched_set *set)
{
    free(set->records);
    free(set->buckets);
    nv_arena_done(&set->arena);
    *set = (struct nv_touched_set){0};
}

static bool make_buckets(struct nv_touched_set *set)
{
    if (set->buckets != NULL)
        return true;
    set->arena.limit = SIZE_MAX;
    set->buckets = calloc(FIRST_BUCKETS, sizeof(struct nv_touched *));
    set->bucket_count = FIRST_BUCKETS;
    return set->buckets != NULL;
}

static struct nv_touched *append(struct nv_touched_set *set, uint32_t table, struct nv_slice key)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? 64 : set->capacity * 2;
        struct nv_touched **records = realloc(set->records, capacity * sizeof *records);
        if (records == NULL)
            return NULL;
        set->records = records;
        set->capacity = capacity;
    }
    struct nv_touched *touched = nv_arena_alloc(&set->arena, sizeof *touched);
    uint8_t *copy = nv_arena_alloc(&set->arena, key.size + 1);
    if (touched == NULL || copy == NULL)
        return NULL;
    memcpy(copy, key.data, key.size);
    *touched = (struct nv_touched){.table = table, .key = {copy, key.size}};
    set->records[set->count++] = touched;
    return touched;
}

struct nv_touched *nv_touched_get(struct nv_touched_set *set, uint32_t table, struct nv_slice key, bool make)
{
    if (!make_buckets(set))
        return NULL;
    struct nv_touched **bucket = &set->buckets[nv_record_hash(table, key) % set->bucket_count];
    for (struct nv_touched *touched = *bucket; touched != NULL; touched = touched->chain)
        if (touched->table == table && nv_slice_equal(touched->key, key))
            return touched;
    if (!make)
        return NULL;
    struct nv_touched *touched = append(set, table, key);
    if (touched != NULL) {
        touched->chain = *bucket;
        *bucket = touched;
    }
    return touched;
}

/* ---- reading a pending table ---- */

static sqlite3_stmt *reading_statement(struct nv_store *store, struct nv_table_access *access, struct nv_error *error)
{
    if (access->pending_some != NULL)
        return access->pending_some;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "SELECT n, what, at_ms");
    for (size_t i = 0; i < access->table->key_count; i++)
        sqlite3_str_appendf(sql, ", k%d", (int)i);
    for (size_t i = 0; i < access->table->field_count; i++)
        sqlite3_str_appendf(sql, ", o%d", (int)i);
    sqlite3_str_appendf(sql, " FROM navette_pending_%u LEFT JOIN navette_old_%u USING (n) ORDER BY n",
                        access->table->number, access->table->number);
    char *text = sqlite3_str_finish(sql);
    if (text == NULL) {
        nv_no_memory(error);
        return NULL;
    }
    access->pending_some = nv_db_prepare(store->db, text, error);
    sqlite3_free(text);
    return access->pending_some;
}

static const struct nv_value *copy_old(sqlite3_stmt *row, int first, size_t count, struct nv_arena *arena)
{
    struct nv_value *values = nv_arena_alloc(arena, (count + 1) * sizeof *values);
    for (size_t i = 0; values != NULL && i < count; i++) {
        values[i] = nv_db_value(row, first + (int)i);
        if (values[i].type < NV_TEXT)
            continue;
        uint8_t *copy = nv_arena_alloc(arena, values[i].bytes.size + 1);
        if (copy == NULL)
            return NULL;
        if (values[i].bytes.size > 0)
            memcpy(copy, values[i].bytes.data, values[i].bytes.size);
        values[i].bytes.data = copy;
    }
    return values;
}

static enum nv_status add_change(struct nv_touched_set *set, struct nv_touched *touched, sqlite3_stmt *row,
                                 const struct nv_table *table, struct nv_error *error)
{
    struct nv_change *change = nv_arena_alloc(&set->arena, sizeof *change);
    if (change == NULL)
        return nv_no_memory(error);
    const char *what = (const char *)sqlite3_column_text(row, 1);
    *change = (struct nv_change){.number = sqlite3_column_int64(row, 0),
                                 .what = what == NULL ? 'I' : what[0],
                                 .at = {sqlite3_column_int64(row, 2)}};
    if (change->what == 'U') {
        change->old_count = table->field_count;
        change->old = copy_old(row, 3 + (int)table->key_count, table->field_count, &set->arena);
        if (change->old == NULL)
            return nv_no_memory(error);
    }
    if (touched->last == NULL)
        touched->first = change;
    else
        touched->last->next = change;
    touched->last = change;
    return NV_OK;
}

static enum nv_status forget_span(sqlite3_stmt *statement, int64_t first, int64_t last, struct nv_error *error)
{
    sqlite3_bind_int64(statement, 1, first);
    sqlite3_bind_int64(statement, 2, last);
    return nv_db_run(statement, error);
}

/* Deletes the rows that were read: all up to the last, or just those of the known records. */
static enum nv_status forget(struct nv_store *store, struct nv_table_access *access, struct nv_touched_set *set,
                             bool only_known, int64_t last, struct nv_error *error)
{
    unsigned number = access->table->number;
    if (access->pending_forget == NULL)
        access->pending_forget =
            nv_db_preparef(store->db, error, "DELETE FROM navette_pending_%u WHERE n BETWEEN ?1 AND ?2", number);
    if (access->old_forget == NULL)
        access->old_forget =
            nv_db_preparef(store->db, error, "DELETE FROM navette_old_%u WHERE n BETWEEN ?1 AND ?2", number);
    if (access->pending_forget == NULL || access->old_forget == NULL)
        return error->status;
    enum nv_status status = NV_OK;
    if (!only_known) {
        status = forget_span(access->pending_forget, INT64_MIN, last, error);
        return status == NV_OK ? forget_span(access->old_forget, INT64_MIN, last, error) : status;
    }
    for (size_t i = 0; status == NV_OK && i < set->count; i++) {
        const struct nv_touched *touched = set->records[i];
        if (touched->table != number)
            continue;
        for (const struct nv_change *change = touched->first; status == NV_OK && change != NULL;
             change = change->next) {
            status = forget_span(access->pending_forget, change->number, change->number, error);
            if (status == NV_OK && change->old != NULL)
                status = forget_span(access->old_forget, change->number, change->number, error);
        }
    }
    return status;
}

enum nv_status nv_pending_take(struct nv_store *store, struct nv_table_access *access, struct nv_touched_set *set,
                               bool only_known, size_t limit, size_t limit_bytes, bool *ret_more,
                               struct nv_error *error)
{
    sqlite3_stmt *statement = reading_statement(store, access, error);
    if (statement == NULL || !make_buckets(set))
        return statement == NULL ? error->status : nv_no_memory(error);
    struct nv_buffer key = {0};
    enum nv_status status = NV_OK;
    size_t taken = 0;
    int64_t last = INT64_MIN;
    bool row;
    *ret_more = false;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        if (!only_known && (taken >= limit || set->arena.used >= limit_bytes)) {
            *ret_more = true;
            break;
        }
        nv_buffer_clear(&key);
        nv_key_take(statement, 3, access->table->key_count, &key);
        last = sqlite3_column_int64(statement, 0);
        struct nv_touched *touched =
            key.failed ? NULL : nv_touched_get(set, access->table->number, nv_buffer_slice(&key), !only_known);
        if (touched == NULL && only_known && !key.failed)
            continue;
        status = touched == NULL ? nv_no_memory(error) : add_change(set, touched, statement, access->table, error);
        if (status != NV_OK)
            break;
        taken++;
    }
    sqlite3_reset(statement);
    nv_buffer_done(&key);
    if (status == NV_OK && taken > 0)
        status = forget(store, access, set, only_known, last, error);
    return status;
}

static bool is_here(struct nv_store *store, uint32_t table)
{
    const struct nv_table_access *access = nv_access(store, table);
    return access != NULL && !access->table->missing;
}

enum nv_status nv_intents_are_due(struct nv_store *store, bool *ret_any, struct nv_error *error)
{
    *ret_any = false;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_INTENT_TABLES, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status;
    bool row;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row && !*ret_any)
        *ret_any = is_here(store, (uint32_t)sqlite3_column_int64(statement, 0));
    sqlite3_reset(statement);
    return status;
}

static enum nv_status drop_intents(struct nv_store *store, int64_t last, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++) {
        if (store->tables[i]->missing)
            continue;
        sqlite3_stmt *statement = nv_statement(store, NV_SQL_INTENT_DROP, error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_int64(statement, 1, last);
        sqlite3_bind_int64(statement, 2, store->tables[i]->number);
        status = nv_db_run(statement, error);
    }
    return status;
}

enum nv_status nv_intents_take(struct nv_store *store, struct nv_touched_set *set, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_INTENTS, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status;
    bool row;
    int64_t last = 0;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        uint32_t table = (uint32_t)sqlite3_column_int64(statement, 1);
        if (!is_here(store, table))
            continue; /* it is given once the table is there again */
        last = sqlite3_column_int64(statement, 0);
        struct nv_touched *touched = nv_touched_get(set, table, nv_db_blob(statement, 2), true);
        if (touched == NULL) {
            status = nv_no_memory(error);
            break;
        }
        int64_t field = sqlite3_column_int64(statement, 3);
        if (sqlite3_column_type(statement, 3) == SQLITE_NULL)
            touched->answers_deletes = true;
        else if (field >= 0 && field < NV_LIMIT_FIELDS)
            touched->answered |= (nv_fields)1 << field;
        touched->answered_at.ms = sqlite3_column_int64(statement, 4);
    }
    sqlite3_reset(statement);
    return status == NV_OK && last != 0 ? drop_intents(store, last, error) : status;
}

enum nv_status nv_pending_estimate(struct nv_store *store, struct nv_table_access *access, uint64_t *ret_rows,
                                   struct nv_error *error)
{
    /* One sub-query each: so SQLite seeks to either end instead of walking the table. */
    unsigned number = access->table->number;
    if (access->pending_span == NULL)
        access->pending_span = nv_db_preparef(
            store->db, error,
            "SELECT (SELECT max(n) FROM navette_pending_%u) - (SELECT min(n) FROM navette_pending_%u) + 1", number,
            number);
    if (access->pending_span == NULL)
        return error->status;
    bool row;
    enum nv_status status = nv_db_step(access->pending_span, &row, error);
    if (status == NV_OK)
        *ret_rows = row ? (uint64_t)sqlite3_column_int64(access->pending_span, 0) : 0;
    sqlite3_reset(access->pending_span);
    return status;
}

enum nv_status nv_store_pending(struct nv_store *store, uint64_t *ret_rows, struct nv_error *error)
{
    uint64_t sum = 0;
    enum nv_status status = nv_ready(store, error);
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++) {
        uint64_t rows = 0;
        status = nv_pending_estimate(store, &store->access[i], &rows, error);
        sum += rows;
    }
    if (status == NV_OK)
        *ret_rows = sum;
    return status;
}
