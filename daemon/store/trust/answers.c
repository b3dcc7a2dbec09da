#include "store/trust/answers.h"

#include <stdlib.h>

#include "store/statements.h"
#include "store/trust/boxing.h"
#include "wire/hash.h"

enum { MOST = 1024 }; /* that are answered at once */

/* ---- noting ---- */

static enum nv_status note(struct nv_store *store, const struct nv_log *log, uint64_t number, struct nv_site_id site,
                           struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_ASKED_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)number);
    const struct nv_member *member = nv_store_member(store, site);
    sqlite3_bind_blob(statement, 3, site.bytes, sizeof site.bytes, SQLITE_STATIC);
    sqlite3_bind_null(statement, 4);
    if (member != NULL)
        sqlite3_bind_blob(statement, 4, member->curve_key.bytes, sizeof member->curve_key.bytes, SQLITE_STATIC);
    store->keys_at.ms = INT64_MIN;
    return nv_db_run(statement, error);
}

static enum nv_status note_ask(struct nv_store *store, const struct nv_log *log, const struct nv_ask *ask,
                               struct nv_error *error)
{
    enum nv_status status = NV_OK;
    bool is_own = nv_site_id_compare(log->id.site, store->identity.site) == 0;
    if (is_own || nv_site_id_compare(ask->of, store->identity.site) != 0 ||
        !nv_right_reads(store, log->id.scope, store->identity.site, NV_POSITION_NOW))
        return NV_OK; /* it could not answer in that scope */
    for (size_t i = 0; status == NV_OK && i < ask->key_count; i++) {
        struct nv_log_id id = {ask->keys[i].site, ask->keys[i].epoch, log->id.scope};
        const struct nv_log *of = nv_log_find(store, &id);
        if (of != NULL)
            status = note(store, of, ask->keys[i].number, log->id.site, error);
    }
    return status;
}

enum nv_status nv_asked_note(struct nv_store *store, const struct nv_log *log, const struct nv_body *body,
                             struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < body->count; i++) {
        struct nv_ask ask;
        struct nv_op op;
        if (body->entries[i].is_redacted || nv_op_kind_of(body->entries[i].op) != NV_OP_ASK)
            continue;
        nv_arena_reset(&arena);
        status = nv_op_decode(body->entries[i].op, &arena, &op, error);
        if (status == NV_OK)
            status = nv_ask_decode(op.control, &arena, &ask, error);
        if (status == NV_OK)
            status = note_ask(store, log, &ask, error);
        else if (status == NV_REFUSED || status == NV_NOT_YET)
            status = NV_OK; /* a no-op; or of newer software, and asked again */
    }
    nv_arena_done(&arena);
    return status;
}

/* ---- by the operator's word ---- */

static enum nv_status give_own_keys(struct nv_store *store, const struct nv_scope_reader *hub, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_ASKED_ADD_OWN, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, hub->site.bytes, sizeof hub->site.bytes, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, store->identity.site.bytes, sizeof store->identity.site.bytes, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, hub->curve_key.bytes, sizeof hub->curve_key.bytes, SQLITE_STATIC);
    return nv_db_run(statement, error);
}

/* The hubs that are let read, with their keys; and whether they are the same as at the last look. */
static enum nv_status look_at_hubs(struct nv_store *store, struct nv_scope_readers *ret_hubs, struct nv_hash *ret_hash,
                                   bool *ret_same, struct nv_error *error)
{
    struct nv_hasher hasher;
    enum nv_status status = nv_readers_let(store, ret_hubs, error);
    if (status != NV_OK)
        return status;
    nv_hasher_start(&hasher);
    for (size_t i = 0; i < ret_hubs->count; i++)
        nv_hasher_update(&hasher, &ret_hubs->readers[i], sizeof ret_hubs->readers[i]);
    *ret_hash = nv_hasher_finish(&hasher);
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_HUBS_KNOWN, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, ret_hash->bytes, sizeof ret_hash->bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (int64_t)ret_hubs->count);
    status = nv_db_step(statement, ret_same, error);
    sqlite3_reset(statement);
    return status;
}

static enum nv_status give_to_hubs(struct nv_store *store, struct nv_error *error)
{
    struct nv_scope_readers hubs = {0};
    struct nv_hash hash;
    bool is_same = false;
    enum nv_status status = look_at_hubs(store, &hubs, &hash, &is_same, error);
    for (size_t i = 0; status == NV_OK && !is_same && i < hubs.count; i++)
        status = give_own_keys(store, &hubs.readers[i], error);
    if (status == NV_OK && !is_same)
        status = nv_meta_set(store, "hubs_let_read",
                             &(struct nv_value){.type = NV_BLOB, .bytes = {hash.bytes, sizeof hash.bytes}}, error);
    nv_readers_done(&hubs);
    return status;
}

enum nv_status nv_asked_by_word(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status = give_to_hubs(store, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(store, NV_SQL_ASKED_ADD_RECOVERED, error) : NULL;
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, store->identity.site.bytes, sizeof store->identity.site.bytes, SQLITE_STATIC);
    return nv_db_run(statement, error);
}

/* ---- answering ---- */

struct asked {
    nv_log_number log;
    uint64_t number;
    struct nv_site_id site;
    const struct nv_scope_reader *given; /* to whom it was given; NULL: it cannot be */
};

static enum nv_status has_row(struct nv_store *store, enum nv_statement which, bool *ret_any, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, which, error);
    if (statement == NULL)
        return error->status;
    enum nv_status status = nv_db_step(statement, ret_any, error);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_asked_any(struct nv_store *store, bool *ret_any, struct nv_error *error)
{
    struct nv_scope_readers hubs = {0};
    struct nv_hash hash;
    bool is_same = true, recovered = false;
    enum nv_status status = has_row(store, NV_SQL_ASKED_ANY, ret_any, error);
    if (status == NV_OK && !*ret_any)
        status = look_at_hubs(store, &hubs, &hash, &is_same, error);
    if (status == NV_OK)
        status = has_row(store, NV_SQL_RECOVERED_ANY, &recovered, error);
    *ret_any = *ret_any || !is_same || recovered;
    nv_readers_done(&hubs);
    return status;
}

static enum nv_status list_asked(struct nv_tending *tending, struct asked *list, size_t *ret_count,
                                 struct nv_error *error)
{
    *ret_count = 0;
    sqlite3_stmt *statement = nv_statement(tending->store, NV_SQL_ASKED_OF_SCOPE, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_blob(statement, 1, tending->scope.bytes, sizeof tending->scope.bytes, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, MOST);
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        struct asked *asked = &list[(*ret_count)++];
        struct nv_slice site = nv_db_blob(statement, 2);
        *asked = (struct asked){.log = (nv_log_number)sqlite3_column_int64(statement, 0),
                                .number = (uint64_t)sqlite3_column_int64(statement, 1)};
        if (site.size == sizeof asked->site.bytes)
            memcpy(asked->site.bytes, site.data, site.size);
    }
    return status;
}

/* Who was given a key has it for good; who could not be given it may ask again. */
static enum nv_status close_asked(struct nv_store *store, const struct asked *asked, struct nv_error *error)
{
    const struct nv_scope_reader *given = asked->given;
    sqlite3_stmt *statement = nv_statement(store, given == NULL ? NV_SQL_ASKED_DROP : NV_SQL_ASKED_GIVEN, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, asked->log);
    sqlite3_bind_int64(statement, 2, (int64_t)asked->number);
    sqlite3_bind_blob(statement, 3, asked->site.bytes, sizeof asked->site.bytes, SQLITE_STATIC);
    if (given != NULL)
        sqlite3_bind_blob(statement, 4, given->curve_key.bytes, sizeof given->curve_key.bytes, SQLITE_STATIC);
    return nv_db_run(statement, error);
}

/* One grant: of the key that the first `count` of the list ask for. `to` has room for so many. */
static enum nv_status answer(struct nv_tending *tending, struct asked *list, size_t count, struct nv_scope_reader *to,
                             struct nv_error *error)
{
    const struct nv_log *log = nv_log_by_number(tending->store, list->log);
    struct nv_scope_readers readers = {.readers = to};
    enum nv_key_standing standing;
    struct nv_held_key key;
    for (size_t i = 0; i < count; i++) {
        const struct nv_scope_reader *reader = nv_readers_find(tending->readers, list[i].site);
        if (reader != NULL)
            to[readers.count++] = *reader;
    }
    if (log == NULL || readers.count == 0 || list->number > log->has_seq)
        return NV_OK;
    enum nv_status status = nv_keyring_find(tending->store, log, list->number, &standing, &key, error);
    if (status != NV_OK || standing != NV_KEY_HELD)
        return status;
    struct nv_key_name name = {log->id.site, log->id.epoch, list->number};
    struct nv_log_id own = {tending->store->identity.site, tending->store->identity.epoch, tending->scope};
    bool is_elsewhere = nv_log_id_compare(&log->id, &own) != 0;
    status = nv_grant_append(&key, &name, is_elsewhere, &readers, &tending->bytes, error);
    nv_wipe(&key, sizeof key);
    if (status == NV_OK)
        nv_tending_add(tending);
    for (size_t i = 0; status == NV_OK && i < count; i++)
        list[i].given = nv_readers_find(tending->readers, list[i].site);
    return status;
}

enum nv_status nv_answers_append(struct nv_tending *tending, bool *ret_more, struct nv_error *error)
{
    size_t count = 0;
    struct asked *list = calloc(MOST, sizeof *list);
    struct nv_scope_reader *to = calloc(MOST, sizeof *to);
    enum nv_status status = list == NULL || to == NULL ? nv_no_memory(error) : list_asked(tending, list, &count, error);
    for (size_t first = 0, after; status == NV_OK && first < count; first = after) {
        for (after = first + 1;
             after < count && list[after].log == list[first].log && list[after].number == list[first].number;)
            after++;
        status = answer(tending, &list[first], after - first, to, error);
    }
    for (size_t i = 0; status == NV_OK && i < count; i++)
        status = close_asked(tending->store, &list[i], error);
    *ret_more = count == MOST;
    free(list);
    free(to);
    return status;
}
