#include "store/trust/asks.h"

#include <stdlib.h>

#include "store/statements.h"
#include "wire/grant.h"

enum { MOST = 1024, MOST_OF_LOG = NV_LIMIT_ASKED_KEYS }; /* keys asked for at once */

/* ---- whom to ask ---- */

static int order(const struct nv_ask_candidate *a, const struct nv_ask_candidate *b)
{
    return a->rank != b->rank ? (int)a->rank - (int)b->rank : nv_site_id_compare(a->site, b->site);
}

size_t nv_ask_next(const struct nv_ask_candidate *candidates, size_t count, const struct nv_site_id *last,
                   bool *ret_round)
{
    const struct nv_ask_candidate *before = NULL;
    size_t first = SIZE_MAX, next = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (last != NULL && nv_site_id_compare(candidates[i].site, *last) == 0)
            before = &candidates[i];
    for (size_t i = 0; i < count; i++) {
        const struct nv_ask_candidate *candidate = &candidates[i];
        if (first == SIZE_MAX || order(candidate, &candidates[first]) < 0)
            first = i;
        bool is_behind = before != NULL && order(candidate, before) > 0;
        if (is_behind && (next == SIZE_MAX || order(candidate, &candidates[next]) < 0))
            next = i;
    }
    *ret_round = last != NULL && next == SIZE_MAX;
    return next == SIZE_MAX ? first : next;
}

bool nv_ask_is_due(struct nv_wall_ms asked, int64_t wait_ms, struct nv_wall_ms now)
{
    /* Also where the clock was set back. */
    return now.ms - asked.ms >= wait_ms || asked.ms > now.ms;
}

/* Whether somebody's newest header says that he merged the changeset: then he can read it. */
static bool has_merged(const struct nv_store *store, struct nv_scope_id scope, struct nv_site_id site,
                       nv_log_number log, uint64_t number)
{
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *other = nv_log_by_number(store, (nv_log_number)i);
        if (nv_site_id_compare(other->id.site, site) == 0 && nv_scope_id_equal(other->id.scope, scope) &&
            nv_vector_seq(&other->context, log) >= number)
            return true;
    }
    return false;
}

static size_t list_candidates(const struct nv_tending *tending, const struct nv_log *log, uint64_t number,
                              struct nv_ask_candidate *candidates)
{
    const struct nv_store *store = tending->store;
    size_t count = 0;
    for (size_t i = 0; i < tending->readers->count; i++) {
        struct nv_site_id site = tending->readers->readers[i].site;
        if (nv_site_id_compare(site, store->identity.site) == 0 ||
            !nv_right_reads(store, tending->scope, site, NV_POSITION_NOW))
            continue; /* a hub that reads by word alone writes nothing there, and so answers nothing */
        enum nv_ask_rank rank = nv_site_id_compare(site, log->id.site) == 0                    ? NV_ASK_OWN
                                : has_merged(store, tending->scope, site, log->number, number) ? NV_ASK_MERGED
                                                                                               : NV_ASK_OTHER;
        candidates[count++] = (struct nv_ask_candidate){site, rank};
    }
    return count;
}

/* ---- what is lacking ---- */

struct lacking {
    nv_log_number log;
    uint64_t number;
    bool was_asked;
    struct nv_site_id last;
    struct nv_wall_ms at;
    int64_t wait_ms;      /* how long who is asked is given */
    struct nv_site_id of; /* who is asked now */
    struct nv_key_name name;
};

static void take_lacking(sqlite3_stmt *row, struct lacking *lacking)
{
    struct nv_slice last = nv_db_blob(row, 2);
    *lacking = (struct lacking){.log = (nv_log_number)sqlite3_column_int64(row, 0),
                                .number = (uint64_t)sqlite3_column_int64(row, 1),
                                .was_asked = last.size == sizeof lacking->last.bytes,
                                .at = {sqlite3_column_int64(row, 3)},
                                .wait_ms = NV_ASK_AGAIN_MS};
    if (lacking->was_asked)
        lacking->wait_ms = sqlite3_column_int64(row, 4);
    if (lacking->was_asked)
        memcpy(lacking->last.bytes, last.data, last.size);
}

/* How many keys of one log were seen to be lacking, in order. */
struct of_log {
    const struct nv_log *log;
    size_t count;
};

/* Keys are asked for once something waits for them, the first ones of a log first: so nobody asks for thousands that a
 * log introduces and nobody has. */
static bool is_needed(const struct nv_log *log, struct of_log *seen)
{
    seen->count = seen->log == log ? seen->count + 1 : 1;
    seen->log = log;
    return log != NULL && log->lacks_key && seen->count <= MOST_OF_LOG;
}

static bool is_due(const struct lacking *lacking, struct nv_wall_ms now)
{
    return !lacking->was_asked || nv_ask_is_due(lacking->at, lacking->wait_ms, now);
}

enum nv_status nv_asks_look(struct nv_store *store, struct nv_wall_ms now, bool *ret_lacking, bool *ret_due,
                            struct nv_error *error)
{
    struct of_log seen = {0};
    *ret_lacking = *ret_due = false;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_KEYS_LACKING, error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row && !*ret_due) {
        struct lacking lacking;
        take_lacking(statement, &lacking);
        const struct nv_log *log = nv_log_by_number(store, lacking.log);
        if (!is_needed(log, &seen) || !nv_right_reads(store, log->id.scope, store->identity.site, NV_POSITION_NOW))
            continue;
        *ret_lacking = true;
        *ret_due = is_due(&lacking, now);
    }
    sqlite3_reset(statement);
    return status;
}

/* Those of the scope for which somebody is to be asked now, and whom. */
static enum nv_status list_lacking(struct nv_tending *tending, struct lacking *list, size_t *ret_count,
                                   struct nv_error *error)
{
    struct nv_ask_candidate *candidates = calloc(tending->readers->count + 1, sizeof *candidates);
    sqlite3_stmt *statement = candidates == NULL ? NULL : nv_statement(tending->store, NV_SQL_KEYS_LACKING, error);
    struct of_log seen = {0};
    *ret_count = 0;
    if (statement == NULL) {
        free(candidates);
        return candidates == NULL ? nv_no_memory(error) : error->status;
    }
    bool row;
    enum nv_status status;
    while (*ret_count < MOST && (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        struct lacking *lacking = &list[*ret_count];
        take_lacking(statement, lacking);
        const struct nv_log *log = nv_log_by_number(tending->store, lacking->log);
        if (!is_needed(log, &seen) || !nv_scope_id_equal(log->id.scope, tending->scope) ||
            !is_due(lacking, tending->now))
            continue;
        size_t count = list_candidates(tending, log, lacking->number, candidates);
        bool is_round;
        size_t next = nv_ask_next(candidates, count, lacking->was_asked ? &lacking->last : NULL, &is_round);
        if (next == SIZE_MAX)
            continue;
        if (is_round)
            lacking->wait_ms = lacking->wait_ms > NV_ASK_LONGEST_MS / 2 ? NV_ASK_LONGEST_MS : 2 * lacking->wait_ms;
        lacking->of = candidates[next].site;
        lacking->name = (struct nv_key_name){log->id.site, log->id.epoch, lacking->number};
        (*ret_count)++;
    }
    sqlite3_reset(statement);
    free(candidates);
    return status;
}

/* ---- asking ---- */

static int order_lacking(const void *a, const void *b)
{
    const struct lacking *x = a, *y = b;
    int by_asked = nv_site_id_compare(x->of, y->of);
    return by_asked != 0 ? by_asked : nv_key_name_compare(&x->name, &y->name);
}

static enum nv_status note_asked(struct nv_tending *tending, const struct lacking *lacking, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(tending->store, NV_SQL_ASK_SAVE, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, lacking->log);
    sqlite3_bind_int64(statement, 2, (int64_t)lacking->number);
    sqlite3_bind_blob(statement, 3, lacking->of.bytes, sizeof lacking->of.bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, tending->now.ms);
    sqlite3_bind_int64(statement, 5, lacking->wait_ms);
    return nv_db_run(statement, error);
}

/* One op: the keys from `list` on that are asked of one site. Returns how many. */
static size_t ask_one(struct nv_tending *tending, const struct lacking *list, size_t count)
{
    struct nv_key_name names[NV_LIMIT_ASKED_KEYS];
    struct nv_ask ask = {.of = list->of, .keys = names};
    while (ask.key_count < count && ask.key_count < NV_LIMIT_ASKED_KEYS &&
           nv_site_id_compare(list[ask.key_count].of, ask.of) == 0) {
        names[ask.key_count] = list[ask.key_count].name;
        ask.key_count++;
    }
    nv_ask_encode(&ask, &tending->bytes);
    nv_tending_add(tending);
    return ask.key_count;
}

enum nv_status nv_asks_append(struct nv_tending *tending, struct nv_error *error)
{
    size_t count;
    struct lacking *list = calloc(MOST, sizeof *list);
    if (list == NULL)
        return nv_no_memory(error);
    enum nv_status status = list_lacking(tending, list, &count, error);
    if (status == NV_OK && count > 1)
        qsort(list, count, sizeof *list, order_lacking);
    for (size_t i = 0; status == NV_OK && i < count;)
        i += ask_one(tending, &list[i], count - i);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        status = note_asked(tending, &list[i], error);
    free(list);
    return status;
}
