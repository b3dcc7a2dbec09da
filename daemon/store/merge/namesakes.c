#include "store/merge/namesakes.h"

#include "store/merge/conflicts.h"
#include "store/scopes/reads.h"
#include "store/statements.h"

/* ---- loading ---- */

static struct nv_namesake *add(struct nv_merge *merge)
{
    struct nv_namesakes *namesakes = &merge->namesakes;
    if (namesakes->count == namesakes->capacity) {
        size_t capacity = namesakes->capacity == 0 ? 4 : 2 * namesakes->capacity;
        struct nv_namesake *items = nv_arena_alloc(&merge->arena, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        if (namesakes->count > 0)
            memcpy(items, namesakes->items, namesakes->count * sizeof *items);
        namesakes->items = items;
        namesakes->capacity = capacity;
    }
    return &namesakes->items[namesakes->count++];
}

static void swap(struct nv_version *a, struct nv_version *b)
{
    struct nv_version kept = *a;
    *a = *b;
    *b = kept;
}

/* Takes one version of the key, which was decoded into `merge->scratch`. */
static enum nv_status take(struct nv_merge *merge, nv_scope_number scope, bool is_at_hand, struct nv_error *error)
{
    struct nv_version *version = &merge->scratch;
    if (version->has_row)
        merge->row_scope = scope;
    if (is_at_hand) {
        swap(&merge->version, version);
        return NV_OK;
    }
    struct nv_namesake *namesake = add(merge);
    if (namesake == NULL)
        return nv_no_memory(error);
    *namesake = (struct nv_namesake){.scope = scope, .is_shown = nv_record_shown(&version->record)};
    if (version->has_row)
        swap(&merge->in_row, version);
    return NV_OK;
}

/* With `shown` the one that the row shows is at hand, whichever it is; else that of merge->scope. */
static enum nv_status load(struct nv_merge *merge, uint32_t table, struct nv_slice key, bool shown, bool *ret_found,
                           struct nv_error *error)
{
    nv_scope_number scope = merge->scope;
    *ret_found = false;
    merge->namesakes = (struct nv_namesakes){0};
    merge->row_scope = 0;
    nv_version_clear(&merge->version);
    sqlite3_stmt *statement = nv_statement(merge->store, NV_SQL_VERSIONS_OF, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, table);
    nv_db_bind_slice(statement, 2, key);
    enum nv_status status;
    bool row;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        nv_scope_number of = (nv_scope_number)sqlite3_column_int64(statement, 0);
        status = nv_scope_numbered(merge->store, of) == NULL
                     ? nv_fail(error, NV_CORRUPT, "store: a record is of an unknown scope; run `navette rebuild`")
                     : nv_version_decode(merge->store, nv_db_blob(statement, 1), &merge->scratch, error);
        bool is_at_hand = shown ? merge->scratch.has_row : of == scope;
        if (status == NV_OK)
            status = take(merge, of, is_at_hand, error);
        if (status != NV_OK)
            break;
        *ret_found = *ret_found || is_at_hand;
    }
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_namesakes_find_shown(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                       struct nv_error *error)
{
    bool found;
    enum nv_status status = load(merge, table->number, key, true, &found, error);
    merge->scope = merge->row_scope;
    return status;
}

enum nv_status nv_namesakes_load(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                 bool *ret_found, struct nv_error *error)
{
    return load(merge, table->number, key, false, ret_found, error);
}

enum nv_status nv_namesakes_any(struct nv_store *store, uint32_t table, struct nv_slice key, bool *ret_any,
                                struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_VERSIONS_OF, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, table);
    nv_db_bind_slice(statement, 2, key);
    enum nv_status status = nv_db_step(statement, ret_any, error);
    sqlite3_reset(statement);
    return status;
}

/* ---- showing ---- */

nv_scope_number nv_namesakes_next_shown(const struct nv_merge *merge, nv_scope_number after)
{
    nv_scope_number next = 0;
    for (size_t i = 0; i <= merge->namesakes.count; i++) {
        bool is_at_hand = i == merge->namesakes.count;
        nv_scope_number scope = is_at_hand ? merge->scope : merge->namesakes.items[i].scope;
        bool is_shown = is_at_hand ? nv_record_shown(&merge->version.record) : merge->namesakes.items[i].is_shown;
        if (is_shown && (after == 0 || nv_scope_is_narrower(merge->store, after, scope)) &&
            (next == 0 || nv_scope_is_narrower(merge->store, scope, next)))
            next = scope;
    }
    return next;
}

/* The record that the row showed is a hidden or a wider one now. */
static enum nv_status take_from_row(struct nv_merge *merge, uint32_t table, struct nv_slice key, struct nv_error *error)
{
    merge->in_row.has_row = false;
    return nv_version_write(merge->store, (struct nv_record_name){table, key, merge->row_scope}, &merge->in_row, error);
}

static enum nv_status bring_to_row(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                   nv_scope_number scope, nv_fields *ret_changed, struct nv_error *error)
{
    struct nv_record_name name = {access->table->number, key, scope};
    bool found;
    enum nv_status status = nv_version_read(merge->store, name, &merge->in_row, &found, error);
    if (status != NV_OK)
        return status;
    const struct nv_op *op = merge->op;
    nv_scope_number at_hand = merge->scope;
    swap(&merge->version, &merge->in_row);
    merge->scope = scope;
    merge->op = NULL;
    status = nv_merge_write_row(merge, access, key, true, nv_all_fields(access->table), ret_changed, error);
    swap(&merge->version, &merge->in_row);
    merge->scope = at_hand;
    merge->op = op;
    return status;
}

static enum nv_status show(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                           nv_scope_number after, nv_fields touched, nv_fields *ret_changed, struct nv_error *error)
{
    nv_scope_number before = merge->row_scope;
    enum nv_status status = NV_OK;
    *ret_changed = 0;
    if (before != 0 && before != after && before != merge->scope)
        status = take_from_row(merge, access->table->number, key, error);
    if (status != NV_OK)
        return status;
    if (after == 0 || after == merge->scope)
        return nv_merge_write_row(merge, access, key, after != 0,
                                  before == after ? touched : nv_all_fields(access->table), ret_changed, error);
    merge->version.has_row = false;
    status = nv_merge_write_version(merge, access, key, error);
    if (status == NV_OK && before != 0 && before != after && !merge->row.there)
        status = nv_merge_forget_missing(merge, access->table->number, key, error);
    return status == NV_OK && before != after ? bring_to_row(merge, access, key, after, ret_changed, error) : status;
}

enum nv_status nv_namesakes_show(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                 nv_fields touched, nv_fields *ret_changed, struct nv_error *error)
{
    nv_scope_number after = nv_namesakes_next_shown(merge, 0);
    enum nv_status status = show(merge, access, key, after, touched, ret_changed, error);
    if (status != NV_OK)
        return status;
    merge->row_scope = after;
    return nv_collisions_write(merge, access->table, key, error);
}
