#include "store/scopes/numbers.h"

#include <stdlib.h>

#include "store/scopes/reads.h"
#include "store/statements.h"

struct nv_scope_numbers {
    struct nv_numbered_scope *scopes; /* scopes[number - 1] */
    size_t count, capacity;
    struct nv_scope_cursor cursor;
};

static struct nv_numbered_scope *add(struct nv_scope_numbers *numbers)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 8 : numbers->capacity * 2;
        struct nv_numbered_scope *scopes = realloc(numbers->scopes, capacity * sizeof *scopes);
        if (scopes == NULL)
            return NULL;
        numbers->scopes = scopes;
        numbers->capacity = capacity;
    }
    struct nv_numbered_scope *scope = &numbers->scopes[numbers->count++];
    *scope = (struct nv_numbered_scope){0};
    return scope;
}

static enum nv_status read_scope(sqlite3_stmt *row, struct nv_scope_numbers *numbers, struct nv_error *error)
{
    struct nv_slice id = nv_db_blob(row, 1), home = nv_db_blob(row, 2);
    struct nv_numbered_scope *scope = add(numbers);
    if (scope == NULL)
        return nv_no_memory(error);
    if (sqlite3_column_int64(row, 0) != (int64_t)numbers->count || id.size != sizeof scope->id.bytes ||
        (home.size != 0 && home.size != sizeof scope->home.bytes))
        return nv_fail(error, NV_CORRUPT, "store: the list of scopes is damaged; restore a backup");
    memcpy(scope->id.bytes, id.data, id.size);
    scope->has_home = home.size > 0;
    if (scope->has_home)
        memcpy(scope->home.bytes, home.data, home.size);
    scope->is_leaving = sqlite3_column_int(row, 3) != 0;
    return NV_OK;
}

enum nv_status nv_scope_numbers_load(struct nv_store *store, struct nv_error *error)
{
    if (store->scope_numbers == NULL && (store->scope_numbers = calloc(1, sizeof *store->scope_numbers)) == NULL)
        return nv_no_memory(error);
    store->scope_numbers->count = 0;
    nv_scope_cursor_rewind(store);
    sqlite3_stmt *rows =
        nv_db_prepare(store->db, "SELECT number, id, home, leaving FROM navette_scope ORDER BY number", error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more)
        status = read_scope(rows, store->scope_numbers, error);
    sqlite3_finalize(rows);
    return status;
}

void nv_scope_numbers_done(struct nv_store *store)
{
    if (store->scope_numbers == NULL)
        return;
    free(store->scope_numbers->scopes);
    nv_buffer_done(&store->scope_numbers->cursor.key);
    free(store->scope_numbers);
    store->scope_numbers = NULL;
}

nv_scope_number nv_scope_number_find(const struct nv_store *store, struct nv_scope_id id, const struct nv_site_id *home)
{
    for (size_t i = 0; i < store->scope_numbers->count; i++) {
        const struct nv_numbered_scope *scope = &store->scope_numbers->scopes[i];
        if (scope->has_home == (home != NULL) && nv_scope_id_equal(scope->id, id) &&
            (home == NULL || nv_site_id_compare(scope->home, *home) == 0))
            return (nv_scope_number)i + 1;
    }
    return 0;
}

static enum nv_status give_number(struct nv_store *store, struct nv_scope_id id, const struct nv_site_id *home,
                                  struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_SCOPE_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)store->scope_numbers->count + 1);
    sqlite3_bind_blob(statement, 2, id.bytes, sizeof id.bytes, SQLITE_STATIC);
    nv_db_bind_slice(statement, 3, home == NULL ? (struct nv_slice){0} : (struct nv_slice){home->bytes, 16});
    enum nv_status status = nv_db_run(statement, error);
    if (status != NV_OK)
        return status;
    struct nv_numbered_scope *scope = add(store->scope_numbers);
    if (scope == NULL)
        return nv_no_memory(error);
    scope->id = id;
    scope->has_home = home != NULL;
    if (home != NULL)
        scope->home = *home;
    scope->was_due = nv_scope_is_due(store, id);
    return NV_OK;
}

enum nv_status nv_scope_intern(struct nv_store *store, struct nv_scope_id id, const struct nv_site_id *home,
                               nv_scope_number *ret_number, struct nv_error *error)
{
    nv_scope_number number = nv_scope_number_find(store, id, home);
    if (number == 0) {
        enum nv_status status = give_number(store, id, home, error);
        if (status != NV_OK)
            return status;
        number = (nv_scope_number)store->scope_numbers->count;
    }
    *ret_number = number;
    return NV_OK;
}

const struct nv_numbered_scope *nv_scope_numbered(const struct nv_store *store, nv_scope_number number)
{
    return number == 0 || number > store->scope_numbers->count ? NULL : &store->scope_numbers->scopes[number - 1];
}

size_t nv_scope_number_count(const struct nv_store *store)
{
    return store->scope_numbers->count;
}

bool nv_scope_number_is_of(const struct nv_store *store, nv_scope_number number, struct nv_scope_id id)
{
    const struct nv_numbered_scope *scope = nv_scope_numbered(store, number);
    return scope != NULL && nv_scope_id_equal(scope->id, id);
}

/* ---- what is leaving ---- */

struct nv_scope_cursor *nv_scope_cursor(const struct nv_store *store)
{
    return &store->scope_numbers->cursor;
}

void nv_scope_cursor_rewind(struct nv_store *store)
{
    struct nv_scope_cursor *cursor = &store->scope_numbers->cursor;
    cursor->table = 0;
    cursor->scope = 0;
    cursor->is_behind_records = false;
    nv_buffer_clear(&cursor->key);
}

void nv_scope_set_leaving(struct nv_store *store, nv_scope_number number, bool leaving)
{
    store->scope_numbers->scopes[number - 1].is_leaving = leaving;
}

void nv_scope_set_due(struct nv_store *store, nv_scope_number number, bool is_due)
{
    store->scope_numbers->scopes[number - 1].was_due = is_due;
}
