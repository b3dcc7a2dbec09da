/* How a move ends: store/scopes/moving.h. */
#include <stdlib.h>

#include "store/scopes/carrying.h"
#include "store/scopes/following.h"
#include "store/scopes/moving.h"
#include "store/scopes/placing.h"
#include "store/scopes/unplaced.h"
#include "store/statements.h"

struct moved {
    struct nv_record_name name; /* where it stood */
    struct nv_slice version;    /* and what it said when it was made anew */
    bool stays;                 /* what changed since cannot be said there */
};

struct ending {
    struct nv_store *store;
    int64_t move;
    struct nv_scope_id scope;
    uint64_t first_seq;
    struct nv_wall_ms now;
    struct nv_sealed *sealed;
    struct nv_merge source;
    struct moved *records;
    size_t count, capacity;
    struct nv_arena kept;
};

/* ---- reading ---- */

static bool keep(struct nv_arena *arena, struct nv_slice *bytes)
{
    uint8_t *copy = nv_arena_alloc(arena, bytes->size + 1);
    if (copy == NULL)
        return false;
    if (bytes->size > 0)
        memcpy(copy, bytes->data, bytes->size);
    bytes->data = copy;
    return true;
}

static enum nv_status add_record(struct ending *ending, sqlite3_stmt *row, struct nv_error *error)
{
    if (ending->count == ending->capacity) {
        size_t capacity = ending->capacity == 0 ? 64 : 2 * ending->capacity;
        struct moved *records = realloc(ending->records, capacity * sizeof *records);
        if (records == NULL)
            return nv_no_memory(error);
        ending->records = records;
        ending->capacity = capacity;
    }
    struct moved *record = &ending->records[ending->count];
    *record = (struct moved){.name = {(uint32_t)sqlite3_column_int64(row, 0), nv_db_blob(row, 1),
                                      (nv_scope_number)sqlite3_column_int64(row, 2)},
                             .version = nv_db_blob(row, 3)};
    if (!keep(&ending->kept, &record->name.key) || !keep(&ending->kept, &record->version))
        return nv_no_memory(error);
    ending->count += nv_access(ending->store, record->name.table) != NULL;
    return NV_OK;
}

static enum nv_status read_records(struct ending *ending, struct nv_error *error)
{
    sqlite3_stmt *rows = nv_statement(ending->store, NV_SQL_MOVED_OF, error);
    if (rows == NULL)
        return error->status;
    sqlite3_bind_int64(rows, 1, ending->move);
    enum nv_status status;
    bool more;
    while ((status = nv_db_step(rows, &more, error)) == NV_OK && more)
        if ((status = add_record(ending, rows, error)) != NV_OK)
            break;
    sqlite3_reset(rows);
    return status;
}

/* *ret_any false: none can end. */
static enum nv_status read_move(struct ending *ending, bool *ret_any, struct nv_error *error)
{
    sqlite3_stmt *row = nv_statement(ending->store, NV_SQL_MOVE_NEXT, error);
    if (row == NULL)
        return error->status;
    enum nv_status status = nv_db_step(row, ret_any, error);
    const struct nv_numbered_scope *scope = NULL;
    if (status == NV_OK && *ret_any) {
        scope = nv_scope_numbered(ending->store, (nv_scope_number)sqlite3_column_int64(row, 1));
        ending->move = sqlite3_column_int64(row, 0);
        ending->first_seq = (uint64_t)sqlite3_column_int64(row, 2);
    }
    sqlite3_reset(row);
    if (status != NV_OK || !*ret_any)
        return status;
    if (scope == NULL)
        return nv_fail(error, NV_CORRUPT, "store: a record moves to an unknown scope; restore a backup");
    ending->scope = scope->id;
    return read_records(ending, error);
}

/* ---- what changed since ---- */

static nv_fields fields_of(const struct nv_record *record, struct nv_dot dot)
{
    nv_fields fields = 0;
    for (size_t i = 0; i < record->sibling_count; i++)
        if (nv_dot_compare(record->siblings[i].dot, dot) == 0)
            fields |= record->siblings[i].fields;
    return fields;
}

/* The fields whose siblings are others than they were. */
static nv_fields changed_fields(const struct nv_record *before, const struct nv_record *now)
{
    nv_fields changed = 0;
    for (size_t i = 0; i < before->sibling_count; i++)
        changed |= before->siblings[i].fields & ~fields_of(now, before->siblings[i].dot);
    for (size_t i = 0; i < now->sibling_count; i++)
        changed |= now->siblings[i].fields & ~fields_of(before, now->siblings[i].dot);
    return changed;
}

/* The fields that a live delete has not seen as they are. */
static nv_fields unmarked_fields(const struct nv_record *record)
{
    nv_fields unmarked = 0;
    for (size_t i = 0; i < record->sibling_count; i++) {
        nv_fields fields = record->siblings[i].fields;
        for (size_t j = 0; j < record->mark_count; j++)
            if (nv_dot_compare(record->marks[j].dot, record->siblings[i].dot) == 0)
                fields &= ~record->marks[j].fields;
        unmarked |= fields;
    }
    return unmarked;
}

static enum nv_status target_of(const struct ending *ending, const struct nv_table *table, nv_scope_number *ret_target,
                                struct nv_error *error)
{
    const struct nv_site_id *home = table->of_home ? &ending->store->identity.site : NULL;
    return nv_scope_intern(ending->store, ending->scope, home, ret_target, error);
}

/* Says in the other scope what changed here since the record was made anew there: `before`. */
static enum nv_status carry_since(struct ending *ending, struct nv_carrying *carrying, struct moved *moved,
                                  const struct nv_record *before, struct nv_error *error)
{
    const struct nv_record *record = &ending->source.version.record;
    struct nv_op nothing = {.table = moved->name.table, .key = moved->name.key};
    struct nv_ending_record there = {carrying->making, carrying->access, moved->name.key, carrying->target,
                                     ending->first_seq};
    bool done = false;
    if (!nv_record_shown(record)) /* somebody deleted it */
        return nv_carry_end(&there, error);
    carrying->fields = changed_fields(before, record);
    carrying->is_deleted = record->delete_count > 0;
    carrying->spared = unmarked_fields(record);
    if (carrying->fields == 0 && !carrying->is_deleted)
        return NV_OK;
    enum nv_status status = nv_carry(carrying, &done, error);
    moved->stays = status == NV_OK && !done;
    return moved->stays ? nv_merge_quarantine(&ending->source, &nothing, -1, "move", NULL, error) : status;
}

static enum nv_status carry_change(struct ending *ending, struct nv_making *making, struct moved *moved,
                                   struct nv_version *before, struct nv_error *error)
{
    struct nv_merge *source = &ending->source;
    struct nv_carrying carrying = {.source = source,
                                   .access = nv_access(ending->store, moved->name.table),
                                   .key = moved->name.key,
                                   .making = making,
                                   .carried_from = ending->first_seq};
    bool found;
    nv_arena_reset(&source->arena);
    source->scope = moved->name.scope;
    enum nv_status status = nv_merge_load(source, carrying.access, moved->name.key, &found, error);
    if (status == NV_OK)
        status = nv_version_decode(ending->store, moved->version, before, error);
    if (status == NV_OK)
        status = target_of(ending, carrying.access->table, &carrying.target, error);
    return status == NV_OK ? carry_since(ending, &carrying, moved, &before->record, error) : status;
}

static enum nv_status carry_changes(struct ending *ending, struct nv_error *error)
{
    struct nv_making making;
    struct nv_version before = {0};
    enum nv_status status = nv_making_init(&making, ending->store, ending->now, ending->sealed, error);
    if (status == NV_OK)
        status = nv_making_begin(&making, ending->scope, error);
    for (size_t i = 0; status == NV_OK && i < ending->count; i++)
        status = carry_change(ending, &making, &ending->records[i], &before, error);
    if (status == NV_OK)
        status = nv_making_end(&making, error);
    nv_version_done(&before);
    nv_making_done(&making);
    return status;
}

/* ---- what stood there ---- */

static const struct nv_scope_id *scope_of(const struct ending *ending, const struct moved *record)
{
    return &nv_scope_numbered(ending->store, record->name.scope)->id;
}

/* Of those of one scope, that of the first that is not done. */
static enum nv_status delete_of_scope(struct ending *ending, struct nv_making *making, bool *done, size_t first,
                                      struct nv_error *error)
{
    struct nv_scope_id scope = *scope_of(ending, &ending->records[first]);
    enum nv_status status = nv_making_begin(making, scope, error);
    for (size_t i = first; status == NV_OK && i < ending->count; i++) {
        const struct moved *record = &ending->records[i];
        if (done[i] || !nv_scope_id_equal(*scope_of(ending, record), scope))
            continue;
        done[i] = true;
        struct nv_ending_record here = {making, nv_access(ending->store, record->name.table), record->name.key,
                                        record->name.scope, 0};
        if (!record->stays && nv_scope_may_write(ending->store, record->name.scope))
            status = nv_carry_end(&here, error);
    }
    return status == NV_OK ? nv_making_end(making, error) : status;
}

static enum nv_status delete_sources(struct ending *ending, struct nv_error *error)
{
    struct nv_making making;
    bool *done = calloc(ending->count + 1, sizeof *done);
    if (done == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_making_init(&making, ending->store, ending->now, ending->sealed, error);
    for (size_t i = 0; status == NV_OK && i < ending->count; i++)
        if (!done[i])
            status = delete_of_scope(ending, &making, done, i, error);
    nv_making_done(&making);
    free(done);
    return status;
}

/* ---- what follows ---- */

/* Children that were made there meanwhile, and records whose home has said otherwise meanwhile, are on their way next.
 */
static enum nv_status list_followers(struct ending *ending, struct nv_error *error)
{
    struct nv_following following;
    enum nv_status status = NV_OK;
    nv_following_init(&following, ending->store);
    for (size_t i = 0; status == NV_OK && i < ending->count; i++) {
        const struct moved *record = &ending->records[i];
        status = nv_following_add(&following, (struct nv_place){record->name.table, record->name.key},
                                  *scope_of(ending, record), error);
        if (status == NV_OK)
            status = nv_unplaced_check(&ending->source, nv_access(ending->store, record->name.table)->table,
                                       record->name.key, error);
    }
    if (status == NV_OK)
        status = nv_following_next(&following, error);
    for (size_t i = 0; status == NV_OK && i < following.count; i++)
        status = nv_unplaced_list(ending->store, following.followers[i].place.table, following.followers[i].place.key,
                                  ending->now, error);
    nv_following_done(&following);
    return status;
}

static enum nv_status forget(struct ending *ending, struct nv_error *error)
{
    static const enum nv_statement drops[] = {NV_SQL_MOVED_DROP, NV_SQL_MOVE_DROP};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < sizeof drops / sizeof *drops; i++) {
        sqlite3_stmt *statement = nv_statement(ending->store, drops[i], error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_int64(statement, 1, ending->move);
        status = nv_db_run(statement, error);
    }
    return status;
}

static bool waits_for_table(const struct ending *ending)
{
    for (size_t i = 0; i < ending->count; i++)
        if (nv_access(ending->store, ending->records[i].name.table)->table->missing)
            return true;
    return false;
}

static enum nv_status end_it(struct ending *ending, struct nv_error *error)
{
    enum nv_status status = carry_changes(ending, error);
    if (status == NV_OK)
        status = delete_sources(ending, error);
    if (status == NV_OK)
        status = forget(ending, error);
    return status == NV_OK ? list_followers(ending, error) : status;
}

enum nv_status nv_moves_end(struct nv_store *store, struct nv_wall_ms now, struct nv_sealed *sealed, bool *ret_more,
                            struct nv_error *error)
{
    struct ending ending = {.store = store, .now = now, .sealed = sealed, .kept.limit = SIZE_MAX};
    bool any = false;
    *ret_more = false;
    nv_merge_init(&ending.source, store, now, NULL);
    enum nv_status status = read_move(&ending, &any, error);
    if (status == NV_OK && any && !waits_for_table(&ending)) {
        status = end_it(&ending, error);
        if (status == NV_OK)
            status = nv_moves_are_due(store, ret_more, error);
    }
    nv_merge_done(&ending.source);
    nv_arena_done(&ending.kept);
    free(ending.records);
    return status;
}
