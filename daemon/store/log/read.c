/* Reading the log for a peer: store/log.h.
 *
 * Changesets are read in the order of their arrival. Long runs of them may not concern the peer (a hub holds the logs
 * of every scope, a site carries few): those are jumped over, by looking up where the logs that do go on. */
#include "store/log.h"

#include <stdlib.h>

#include "store/log/logs.h"
#include "store/statements.h"
#include "wire/changeset.h"

enum { PASSED_OVER_MOST = 16 /* in a row, before the rest is jumped over: about as costly as that */ };

/* A log of which the peer lacks something: the place up to which it was looked through, and the first one after that
 * where something for the peer stands. */
struct lacking {
    nv_log_number log;
    uint64_t seq;
    int64_t number; /* in the order of arrival; 0: it was not looked up, INT64_MAX: there is none */
};

struct reading {
    struct nv_store *store;
    const struct nv_far_head *peer;
    size_t peer_count;
    const struct nv_scope_set *scopes; /* NULL: all */
    struct lacking *lacking;           /* NULL: not listed yet */
    size_t lacking_count;
};

/* What is given. */
struct given {
    struct nv_buffer *bytes;
    size_t *ends;
    struct nv_far_head *heads;
    size_t capacity, count;
    size_t full; /* as many bytes in the buffer are enough */
};

/* What the peer has of a log, by our number of it. */
static uint64_t peer_seq(const struct reading *reading, const struct nv_log *log)
{
    size_t low = 0, high = reading->peer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct nv_far_head *head = &reading->peer[middle];
        struct nv_log_id id = {head->site, head->epoch, head->scope};
        int order = nv_log_id_compare(&id, &log->id);
        if (order == 0)
            return head->seq;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static bool is_for_peer(const struct reading *reading, const struct nv_log *log)
{
    return reading->scopes == NULL || nv_scope_set_has(reading->scopes, log->id.scope);
}

/* ---- jumping ---- */

static enum nv_status list_lacking(struct reading *reading, struct nv_error *error)
{
    size_t count = nv_log_count(reading->store);
    reading->lacking = calloc(count + 1, sizeof *reading->lacking);
    if (reading->lacking == NULL)
        return nv_no_memory(error);
    for (size_t i = 1; i <= count; i++) {
        const struct nv_log *log = nv_log_by_number(reading->store, (nv_log_number)i);
        uint64_t seq = is_for_peer(reading, log) ? peer_seq(reading, log) : log->has_seq;
        if (seq < log->has_seq)
            reading->lacking[reading->lacking_count++] = (struct lacking){.log = log->number, .seq = seq};
    }
    return NV_OK;
}

/* The first changeset of the log behind `from` that the peer lacks. */
static enum nv_status look_up(struct reading *reading, struct lacking *lacking, int64_t from, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(reading->store, NV_SQL_CHANGESET_NEXT, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, lacking->log);
    sqlite3_bind_int64(statement, 2, (int64_t)lacking->seq);
    sqlite3_bind_int64(statement, 3, from);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status != NV_OK)
        return status;
    uint64_t seq = row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    if (from == 0 && seq != lacking->seq + 1) {
        sqlite3_reset(statement);
        return nv_fail(error, NV_NOT_FOUND, "this changeset is not in the log");
    }
    /* What another process appended since we looked is given once we have looked again. */
    bool is_held = row && seq <= nv_log_by_number(reading->store, lacking->log)->has_seq;
    lacking->number = is_held ? sqlite3_column_int64(statement, 1) : INT64_MAX;
    lacking->seq = is_held ? seq - 1 : lacking->seq;
    sqlite3_reset(statement);
    return NV_OK;
}

/* The arrival number before the first changeset behind `from` that the peer lacks; INT64_MAX where there is none. */
static enum nv_status jump(struct reading *reading, int64_t from, int64_t *ret_before, struct nv_error *error)
{
    enum nv_status status = reading->lacking == NULL ? list_lacking(reading, error) : NV_OK;
    int64_t least = INT64_MAX;
    for (size_t i = 0; status == NV_OK && i < reading->lacking_count; i++) {
        struct lacking *lacking = &reading->lacking[i];
        if (lacking->number <= from)
            status = look_up(reading, lacking, from, error);
        if (status == NV_OK && lacking->number < least)
            least = lacking->number;
    }
    *ret_before = least == INT64_MAX ? INT64_MAX : least - 1;
    return status;
}

/* ---- reading ---- */

static void give_row(sqlite3_stmt *row, const struct nv_log *log, struct given *given)
{
    struct nv_changeset_parts parts = {.header = nv_db_blob(row, 3),
                                       .signature = nv_db_blob(row, 4),
                                       .compressed = sqlite3_column_int(row, 5) != 0,
                                       .body = nv_db_blob(row, 6)};
    struct nv_slice hash = nv_db_blob(row, 2);
    struct nv_far_head *head = &given->heads[given->count];
    *head = (struct nv_far_head){.site = log->id.site,
                                 .epoch = log->id.epoch,
                                 .scope = log->id.scope,
                                 .seq = (uint64_t)sqlite3_column_int64(row, 1)};
    if (hash.size >= sizeof head->pin.bytes)
        memcpy(head->pin.bytes, hash.data, sizeof head->pin.bytes);
    nv_changeset_join(&parts, given->bytes);
    given->ends[given->count++] = given->bytes->size;
}

static enum nv_status give(struct reading *reading, int64_t number, const struct nv_log *log, struct given *given,
                           struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(reading->store, NV_SQL_CHANGESET_GET, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, number);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK && row)
        give_row(statement, log, given);
    sqlite3_reset(statement);
    return status;
}

enum stop { STOP_FULL, STOP_END, STOP_JUMP };

/* Reads on behind `*from` until enough was given, nothing is left, or too many in a row were passed over. */
static enum nv_status read_on(struct reading *reading, int64_t *from, struct given *given, enum stop *ret_stop,
                              struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(reading->store, NV_SQL_CHANGESET_AFTER, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, *from);
    enum nv_status status = NV_OK;
    size_t passed_over = 0;
    bool row = true;
    *ret_stop = STOP_FULL;
    while (given->count < given->capacity && given->bytes->size < given->full && passed_over < PASSED_OVER_MOST &&
           (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        const struct nv_log *log = nv_log_by_number(reading->store, (nv_log_number)sqlite3_column_int64(statement, 1));
        uint64_t seq = (uint64_t)sqlite3_column_int64(statement, 2);
        if (log == NULL || seq > log->has_seq) {
            row = false; /* another process appended since we looked: it is given once we have looked again */
            break;
        }
        *from = sqlite3_column_int64(statement, 0);
        bool is_wanted = is_for_peer(reading, log) && seq > peer_seq(reading, log);
        passed_over = is_wanted ? 0 : passed_over + 1;
        if (is_wanted && (status = give(reading, *from, log, given, error)) != NV_OK)
            break;
    }
    if (passed_over == PASSED_OVER_MOST)
        *ret_stop = STOP_JUMP;
    else if (!row)
        *ret_stop = STOP_END;
    sqlite3_reset(statement);
    return status == NV_OK && given->bytes->failed ? nv_no_memory(error) : status;
}

static enum nv_status read_all(struct reading *reading, int64_t *from, struct given *given, enum stop *ret_stop,
                               struct nv_error *error)
{
    *ret_stop = *from == 0 ? STOP_JUMP : STOP_FULL;
    enum nv_status status = NV_OK;
    do {
        if (*ret_stop == STOP_JUMP)
            status = jump(reading, *from, from, error);
        if (status != NV_OK)
            return status;
        if (*from == INT64_MAX)
            *ret_stop = STOP_END;
        else
            status = read_on(reading, from, given, ret_stop, error);
    } while (status == NV_OK && *ret_stop == STOP_JUMP);
    return status;
}

enum nv_status nv_store_read_for(struct nv_store *store, const struct nv_far_head *peer, size_t peer_count,
                                 const struct nv_scope_set *scopes, int64_t *cursor, size_t budget_bytes,
                                 struct nv_buffer *bytes, size_t *ends, struct nv_far_head *ret_heads,
                                 size_t ends_capacity, size_t *ret_count, bool *ret_done, struct nv_error *error)
{
    struct reading reading = {.store = store, .peer = peer, .peer_count = peer_count, .scopes = scopes};
    struct given given = {.bytes = bytes, .ends = ends, .heads = ret_heads, .capacity = ends_capacity};
    given.full = budget_bytes < SIZE_MAX - bytes->size ? bytes->size + budget_bytes : SIZE_MAX;
    int64_t from = *cursor;
    enum stop stop = STOP_FULL;
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK)
        status = read_all(&reading, &from, &given, &stop, error);
    free(reading.lacking);
    *ret_count = given.count;
    *ret_done = status == NV_OK && stop == STOP_END;
    if (status == NV_OK)
        *cursor = from == INT64_MAX ? nv_store_newest(store) : from;
    return status;
}
