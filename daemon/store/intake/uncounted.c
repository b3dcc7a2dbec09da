#include "store/intake/uncounted.h"

#include <assert.h>
#include <stdlib.h>

#include "base/planted.h"
#include "store/log/beyond.h"
#include "store/merge/derive.h"
#include "store/statements.h"

static const char reason[] = "not counted";

void nv_uncounted_init(struct nv_uncounted *uncounted, struct nv_merge *merge, struct nv_scope_id scope)
{
    *uncounted = (struct nv_uncounted){.merge = merge, .scope = scope};
}

void nv_uncounted_done(struct nv_uncounted *uncounted)
{
    for (size_t i = 0; i < uncounted->count; i++)
        nv_touched_done(&uncounted->logs[i].records);
    free(uncounted->logs);
}

/* What a person wrote here and nobody has taken: kept, never dropped in silence. */
static enum nv_status list_own(struct nv_merge *merge, const struct nv_op *op, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    if (op->kind == NV_OP_DELETE)
        return nv_merge_quarantine(merge, op, -1, reason, NULL, error);
    size_t place = 0;
    for (nv_fields rest = op->fields; status == NV_OK && rest != 0; rest &= rest - 1, place++)
        status = nv_merge_quarantine(merge, op, __builtin_ctzll(rest), reason, &op->values[place], error);
    return status;
}

static enum nv_status note_changeset(struct nv_merge *merge, struct nv_uncounted_log *noted, uint64_t seq,
                                     struct nv_error *error)
{
    struct nv_store *store = merge->store;
    const struct nv_log *log = noted->log;
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    bool is_own = nv_site_id_compare(log->id.site, store->identity.site) == 0;
    const struct nv_opened *opened;
    enum nv_status status = nv_opened_at(store, log->number, seq, &opened, error);
    for (size_t i = 0; status == NV_OK && i < opened->body.count; i++) {
        struct nv_op op;
        bool has_record;
        nv_arena_reset(&arena);
        status = nv_opened_record(opened, (uint32_t)i, &arena, &op, &has_record, error);
        if (status != NV_OK || !has_record)
            continue;
        if (nv_touched_get(&noted->records, op.table, op.key, true) == NULL)
            status = nv_no_memory(error);
        else if (is_own)
            status = list_own(merge, &op, error);
    }
    nv_arena_done(&arena);
    return status;
}

static enum nv_status note_log(struct nv_uncounted *uncounted, const struct nv_log *log, uint64_t seq,
                               struct nv_error *error)
{
    struct nv_uncounted_log *logs = realloc(uncounted->logs, (uncounted->count + 1) * sizeof *logs);
    if (logs == NULL)
        return nv_no_memory(error);
    uncounted->logs = logs;
    struct nv_uncounted_log *noted = &logs[uncounted->count++];
    *noted = (struct nv_uncounted_log){.log = log};
    uncounted->merge->log = log->number;
    uncounted->merge->scope = log->scope;
    enum nv_status status = NV_OK;
    for (uint64_t at = seq + 1; status == NV_OK && at <= log->applied_seq; at++)
        status = note_changeset(uncounted->merge, noted, at, error);
    return status;
}

enum nv_status nv_uncounted_put_back(struct nv_uncounted *uncounted, struct nv_log *log, uint64_t seq,
                                     struct nv_error *error)
{
    bool is_merged = log->applied_seq > seq && !NV_PLANTED(OWN_UNCOUNTED_STAYS);
    enum nv_status status = is_merged ? note_log(uncounted, log, seq, error) : NV_OK;
    return status == NV_OK ? nv_beyond_put_back(uncounted->merge->store, log, seq, error) : status;
}

/* ---- records anew ---- */

/* A record by what its ops are found; where the home alone writes it, that of the log's site. What several logs changed
 * is here once for each. */
struct wanted {
    uint32_t hash;
    const struct nv_log *log;
    const struct nv_touched *record;
    struct nv_op_places places;
};

static int order_wanted(const void *a, const void *b)
{
    uint32_t left = ((const struct wanted *)a)->hash, right = ((const struct wanted *)b)->hash;
    return (left > right) - (left < right);
}

static struct wanted *list_wanted(const struct nv_uncounted *uncounted, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < uncounted->count; i++)
        count += uncounted->logs[i].records.count;
    struct wanted *wanted = calloc(count + 1, sizeof *wanted);
    *ret_count = 0;
    for (size_t i = 0; wanted != NULL && i < uncounted->count; i++) {
        const struct nv_uncounted_log *noted = &uncounted->logs[i];
        for (size_t j = 0; j < noted->records.count; j++) {
            const struct nv_touched *record = noted->records.records[j];
            wanted[(*ret_count)++] = (struct wanted){
                .hash = nv_record_hash(record->table, record->key), .log = noted->log, .record = record};
        }
    }
    if (wanted != NULL)
        qsort(wanted, count, sizeof *wanted, order_wanted);
    return wanted;
}

static size_t first_of(const struct wanted *wanted, size_t count, uint32_t hash)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (wanted[middle].hash < hash)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* Whether the op, of a log of the scope, is about the record. */
static bool is_about(struct nv_store *store, const struct wanted *wanted, const struct nv_op *op,
                     const struct nv_log *log)
{
    const struct nv_table_access *access = nv_access(store, op->table);
    bool of_home = access != NULL && access->table->of_home;
    return wanted->record->table == op->table && nv_slice_equal(wanted->record->key, op->key) &&
           (!of_home || log->site_number == wanted->log->site_number);
}

/* Gives the op at a place to the records that it is of: the hash is a hint. */
static enum nv_status give_place(struct nv_store *store, struct wanted *wanted, size_t count, uint32_t hash,
                                 struct nv_op_place place, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    const struct nv_opened *opened;
    struct nv_op op;
    bool has_record = false;
    size_t first = first_of(wanted, count, hash);
    if (first == count || wanted[first].hash != hash)
        return NV_OK;
    enum nv_status status = nv_opened_by_number(store, place.changeset, &opened, error);
    if (status == NV_OK && place.place < opened->body.count)
        status = nv_opened_record(opened, place.place, &arena, &op, &has_record, error);
    for (size_t i = first; status == NV_OK && has_record && i < count && wanted[i].hash == hash; i++)
        if (is_about(store, &wanted[i], &op, nv_log_by_number(store, opened->log)))
            status = nv_op_places_add(&wanted[i].places, place, error);
    nv_arena_done(&arena);
    return status;
}

/* One walk through the scope's logs for all of them. */
static enum nv_status find_places(const struct nv_uncounted *uncounted, struct wanted *wanted, size_t count,
                                  struct nv_error *error)
{
    struct nv_store *store = uncounted->merge->store;
    sqlite3_stmt *rows = nv_statement(store, NV_SQL_CHANGESET_RECORDS, error);
    bool row = true;
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    while (status == NV_OK && (status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)sqlite3_column_int64(rows, 1));
        if (log == NULL || !nv_scope_id_equal(log->id.scope, uncounted->scope))
            continue;
        struct nv_slice hashes = nv_db_blob(rows, 2);
        int64_t changeset = sqlite3_column_int64(rows, 0);
        uint32_t hash;
        for (size_t i = 0; status == NV_OK && i + sizeof hash <= hashes.size; i += sizeof hash) {
            memcpy(&hash, hashes.data + i, sizeof hash);
            struct nv_op_place place = {changeset, (uint32_t)(i / sizeof hash)};
            status = give_place(store, wanted, count, hash, place, error);
        }
    }
    if (rows != NULL)
        sqlite3_reset(rows);
    return status;
}

static enum nv_status derive(struct nv_merge *merge, const struct wanted *wanted, struct nv_error *error)
{
    struct nv_table_access *access = nv_access(merge->store, wanted->record->table);
    struct nv_record derived = {0};
    struct nv_merge again;
    if (access == NULL)
        return NV_OK;
    assert(!access->table->missing); /* the op that took the right waited for it */
    nv_merge_init(&again, merge->store, merge->now, merge->stale);
    again.is_silent = true;
    enum nv_status status = nv_derive(&again, access->table, &wanted->places, &derived, error);
    again.log = wanted->log->number;
    again.op = NULL;
    if (status == NV_OK)
        status = nv_merge_enter(&again, access->table, error);
    if (status == NV_OK)
        status = nv_merge_anew(&again, access, wanted->record->key, &derived, NULL, error);
    nv_record_done(&derived);
    nv_merge_done(&again);
    return status;
}

enum nv_status nv_uncounted_finish(struct nv_uncounted *uncounted, struct nv_error *error)
{
    struct nv_merge *merge = uncounted->merge;
    size_t count;
    if (uncounted->count == 0)
        return NV_OK;
    struct wanted *wanted = list_wanted(uncounted, &count);
    enum nv_status status = wanted == NULL ? nv_no_memory(error) : nv_guard(merge->store, error);
    if (status == NV_OK)
        status = find_places(uncounted, wanted, count, error);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        status = derive(merge, &wanted[i], error);
    for (size_t i = 0; wanted != NULL && i < count; i++)
        nv_op_places_done(&wanted[i].places);
    free(wanted);
    return status;
}
