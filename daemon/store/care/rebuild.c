/* Versions and rows anew from the logs: store/care.h. */
#include <stdlib.h>

#include "store/capture/scan.h"
#include "store/capture/sealing.h"
#include "store/care.h"
#include "store/care/mend.h"
#include "store/intake/keyless.h"
#include "store/merge/derive.h"
#include "store/merge/gather.h"
#include "store/merge/namesakes.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/unbox.h"

struct rebuilding {
    struct nv_store *store;
    struct nv_merge merge;
    struct nv_record derived;
    struct nv_rebuilt rebuilt;
    /* The record whose ops are being read, and where those are: */
    uint32_t table;
    struct nv_buffer key;
    nv_scope_number scope;
    struct nv_op_places places;
};

/* The scope, by number, of the record that an op of the log is about. */
static enum nv_status scope_of_op(struct nv_store *store, const struct nv_log *log, uint32_t table,
                                  nv_scope_number *ret_scope, struct nv_error *error)
{
    const struct nv_table_access *access = nv_access(store, table);
    *ret_scope = log->scope;
    return access != NULL && access->table->of_home
               ? nv_scope_intern(store, log->id.scope, &log->id.site, ret_scope, error)
               : NV_OK;
}

/* What was merged and cannot be read any more, for the site's key is another one: rows are not taken away for that. */
static enum nv_status judge_readable(const struct nv_store *store, const struct nv_log *log,
                                     const struct nv_opened *opened, struct nv_error *error)
{
    char name[NV_SCOPE_TEXT];
    bool was_merged = opened->header.seq <= log->applied_seq && !nv_keyless_are_passed(store, log->id.scope);
    if (!was_merged || !nv_opened_is_keyless(opened))
        return NV_OK;
    nv_scope_name(store, log->id.scope, name);
    return nv_fail(error, NV_NOT_YET,
                   "some of %s cannot be read any more, for the site has another key than when it was written: nothing "
                   "was changed; it comes right once another site has given the content keys, or by `navette join "
                   "--recover`",
                   name);
}

/* Every op of every record, found by its name: in a temporary table, so that memory stays flat. */
static enum nv_status list_changeset(struct nv_store *store, int64_t changeset, sqlite3_stmt *insert,
                                     struct nv_error *error)
{
    const struct nv_opened *opened;
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = nv_opened_by_number(store, changeset, &opened, error);
    const struct nv_log *log = status == NV_OK ? nv_log_by_number(store, opened->log) : NULL;
    bool is_read = log != NULL && nv_scope_is_read(store, log->id.scope);
    if (is_read)
        status = judge_readable(store, log, opened, error);
    for (size_t i = 0; is_read && status == NV_OK && i < opened->body.count; i++) {
        struct nv_op op;
        nv_scope_number scope;
        bool has_record;
        nv_arena_reset(&arena);
        status = nv_opened_record(opened, (uint32_t)i, &arena, &op, &has_record, error);
        if (status != NV_OK || !has_record)
            continue;
        sqlite3_bind_int64(insert, 1, op.table);
        nv_db_bind_slice(insert, 2, op.key);
        status = scope_of_op(store, log, op.table, &scope, error);
        if (status != NV_OK)
            break;
        sqlite3_bind_int64(insert, 3, scope);
        sqlite3_bind_int64(insert, 4, changeset);
        sqlite3_bind_int64(insert, 5, (int64_t)i);
        status = nv_db_run(insert, error);
    }
    nv_arena_done(&arena);
    return status;
}

static enum nv_status list_all_ops(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status =
        nv_db_exec(store->db,
                   "DROP TABLE IF EXISTS temp.navette_rebuild; "
                   "CREATE TEMP TABLE navette_rebuild(tbl INTEGER, key BLOB, scope INTEGER, changeset INTEGER, "
                   "place INTEGER, PRIMARY KEY (tbl, key, scope, changeset, place)) WITHOUT ROWID; "
                   "DELETE FROM navette_version WHERE scope NOT IN (SELECT number FROM navette_scope); "
                   /* Records that have a version and no op left would be missed otherwise. */
                   "INSERT INTO navette_rebuild SELECT tbl, key, scope, -1, 0 FROM navette_version",
                   error);
    sqlite3_stmt *insert =
        status == NV_OK
            ? nv_db_prepare(store->db, "INSERT INTO temp.navette_rebuild VALUES (?1, ?2, ?3, ?4, ?5)", error)
            : NULL;
    sqlite3_stmt *numbers =
        insert == NULL ? NULL : nv_db_prepare(store->db, "SELECT number FROM navette_changeset ORDER BY number", error);
    if (numbers == NULL)
        status = error->status;
    bool more;
    while (status == NV_OK && (status = nv_db_step(numbers, &more, error)) == NV_OK && more)
        status = list_changeset(store, sqlite3_column_int64(numbers, 0), insert, error);
    sqlite3_finalize(numbers);
    sqlite3_finalize(insert);
    return status;
}

static bool row_equal(const struct nv_row *row, const struct nv_value *values)
{
    for (size_t i = 0; i < row->count; i++)
        if (!nv_value_equal(&row->values[i], &values[i]))
            return false;
    return true;
}

/* Makes the row what the version says, whatever stands there. */
static enum nv_status mend_row(struct rebuilding *rebuilding, struct nv_table_access *access, struct nv_slice key,
                               bool *ret_mended, struct nv_error *error)
{
    struct nv_merge *merge = &rebuilding->merge;
    nv_fields changed;
    bool is_shown = nv_record_shown(&merge->version.record);
    *ret_mended = is_shown != merge->row.there;
    if (is_shown && merge->row.there) {
        struct nv_value values[NV_LIMIT_FIELDS];
        for (unsigned field = 0; field < access->table->field_count; field++) {
            enum nv_status status = nv_merge_shown(merge, access->table, field, &values[field], error);
            if (status != NV_OK)
                return status;
        }
        *ret_mended = !row_equal(&merge->row, values);
    }
    return nv_merge_show(merge, access, key, nv_all_fields(access->table), &changed, error);
}

/* The record's version and row; a version that cannot be read is none, and is made anew. */
static enum nv_status load(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                           struct nv_error *error)
{
    bool found;
    enum nv_status status =
        nv_version_read(merge->store, nv_merge_name(merge, access->table->number, key), &merge->version, &found, error);
    if (status == NV_CORRUPT) {
        nv_version_clear(&merge->version);
        status = NV_OK;
    }
    return status == NV_OK ? nv_row_read(merge->store, access, key, &merge->row, error) : status;
}

/* Makes the row that of the key's narrowest record, the last of which was just rebuilt. */
static enum nv_status mend_shown(struct rebuilding *rebuilding, struct nv_table_access *access, struct nv_slice key,
                                 bool *ret_mended, struct nv_error *error)
{
    struct nv_merge *merge = &rebuilding->merge;
    bool found;
    nv_arena_reset(&merge->arena);
    enum nv_status status = nv_merge_load(merge, access, key, &found, error);
    nv_scope_number shown = status == NV_OK ? nv_namesakes_next_shown(merge, 0) : 0;
    if (shown != 0 && shown != merge->scope) {
        merge->scope = shown;
        status = nv_merge_load(merge, access, key, &found, error);
    }
    return status == NV_OK ? mend_row(rebuilding, access, key, ret_mended, error) : status;
}

/* The record that the ops were read of; the row too where nothing else can be in it. */
static enum nv_status rebuild_record(struct rebuilding *rebuilding, struct nv_table_access *access,
                                     struct nv_error *error)
{
    struct nv_merge *merge = &rebuilding->merge;
    struct nv_slice key = nv_buffer_slice(&rebuilding->key);
    bool mended = false;
    nv_arena_reset(&merge->arena);
    merge->scope = rebuilding->scope;
    merge->namesakes.count = 0;
    enum nv_status status = nv_derive(merge, access->table, &rebuilding->places, &rebuilding->derived, error);
    if (status == NV_OK)
        status = load(merge, access, key, error);
    if (status != NV_OK)
        return status;
    rebuilding->rebuilt.records++;
    merge->op = NULL;
    if (!nv_record_equal(&merge->version.record, &rebuilding->derived)) {
        struct nv_record wrong = merge->version.record;
        merge->version.record = rebuilding->derived;
        rebuilding->derived = wrong;
        rebuilding->rebuilt.versions_mended++;
    }
    if (access->table->has_scopes) {
        merge->version.has_row = false;
        return nv_merge_write_version(merge, access, key, error);
    }
    status = mend_row(rebuilding, access, key, &mended, error);
    rebuilding->rebuilt.rows_mended += mended;
    return status;
}

/* All ops of one record were read; of the last one of its key where `is_last`. */
static enum nv_status end_record(struct rebuilding *rebuilding, bool is_last, struct nv_error *error)
{
    struct nv_table_access *access = nv_access(rebuilding->store, rebuilding->table);
    bool mended = false;
    if (access == NULL || access->table->missing)
        return NV_OK;
    enum nv_status status = rebuild_record(rebuilding, access, error);
    if (status == NV_OK && is_last && access->table->has_scopes)
        status = mend_shown(rebuilding, access, nv_buffer_slice(&rebuilding->key), &mended, error);
    rebuilding->rebuilt.rows_mended += mended;
    return status;
}

static enum nv_status begin_record(struct rebuilding *rebuilding, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_slice key = nv_db_blob(row, 1);
    rebuilding->places.count = 0;
    rebuilding->table = (uint32_t)sqlite3_column_int64(row, 0);
    rebuilding->scope = (nv_scope_number)sqlite3_column_int64(row, 2);
    nv_buffer_clear(&rebuilding->key);
    nv_buffer_append(&rebuilding->key, key.data, key.size);
    return rebuilding->key.failed ? nv_no_memory(error) : NV_OK;
}

/* One row of the list of ops; NULL at its end. */
static enum nv_status take_row(struct rebuilding *rebuilding, sqlite3_stmt *row, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    bool is_same_key = row != NULL && (uint32_t)sqlite3_column_int64(row, 0) == rebuilding->table &&
                       nv_slice_equal(nv_db_blob(row, 1), nv_buffer_slice(&rebuilding->key));
    if (!is_same_key || (nv_scope_number)sqlite3_column_int64(row, 2) != rebuilding->scope) {
        status = end_record(rebuilding, !is_same_key, error);
        if (status == NV_OK && row != NULL)
            status = begin_record(rebuilding, row, error);
    }
    if (status != NV_OK || row == NULL || sqlite3_column_int64(row, 3) < 0)
        return status;
    struct nv_op_place place = {sqlite3_column_int64(row, 3), (uint32_t)sqlite3_column_int64(row, 4)};
    return nv_op_places_add(&rebuilding->places, place, error);
}

static enum nv_status rebuild_all(struct rebuilding *rebuilding, void (*progress)(uint64_t, uint64_t),
                                  struct nv_error *error)
{
    struct nv_store *store = rebuilding->store;
    int64_t total, done = 0;
    enum nv_status status = nv_db_integer(store->db, "SELECT count(*) FROM temp.navette_rebuild", 0, &total, error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt *ops = nv_db_prepare(store->db,
                                      "SELECT tbl, key, scope, changeset, place FROM temp.navette_rebuild "
                                      "ORDER BY tbl, key, scope, changeset, place",
                                      error);
    bool more = ops != NULL;
    if (ops == NULL)
        status = error->status;
    while (status == NV_OK && more) {
        status = nv_db_step(ops, &more, error);
        if (status == NV_OK)
            status = take_row(rebuilding, more ? ops : NULL, error);
        if (progress != NULL && more)
            progress((uint64_t)++done, (uint64_t)total);
    }
    sqlite3_finalize(ops);
    return status;
}

/* What a person wrote goes first: it is sealed as it is. Without a key here the daemon does that, before and after. */
static enum nv_status seal_first(struct nv_store *store, struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_sealed sealed;
    do {
        enum nv_status status = nv_store_seal(store, now, 1000, &sealed, error);
        if (status == NV_NOT_YET)
            break;
        if (status != NV_OK)
            return status;
    } while (sealed.more);
    uint64_t pending;
    enum nv_status status = nv_store_pending(store, &pending, error);
    if (status == NV_OK && pending > 0)
        return nv_fail(error, NV_BUSY,
                       "%llu written rows are not sealed yet: start navetted (or wait a moment), then "
                       "rebuild",
                       (unsigned long long)pending);
    return status;
}

enum nv_status nv_store_rebuild(struct nv_store *store, struct nv_wall_ms now, struct nv_rebuilt *ret_rebuilt,
                                void (*progress)(uint64_t done, uint64_t total), struct nv_error *error)
{
    struct rebuilding rebuilding = {.store = store};
    enum nv_status status = seal_first(store, now, error);
    if (status == NV_CORRUPT && (status = nv_mend_unreadable(store, now, error)) == NV_OK)
        status = seal_first(store, now, error);
    if (status == NV_OK)
        status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    nv_merge_init(&rebuilding.merge, store, now, NULL);
    rebuilding.merge.is_silent = true;
    status = nv_guard(store, error);
    if (status == NV_OK)
        status = nv_db_exec(store->db, "DELETE FROM navette_missing; DELETE FROM navette_conflict", error);
    if (status == NV_OK)
        status = list_all_ops(store, error);
    if (status == NV_OK)
        status = rebuild_all(&rebuilding, progress, error);
    if (status == NV_OK)
        status = nv_db_exec(store->db, "DROP TABLE temp.navette_rebuild", error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status == NV_OK)
        *ret_rebuilt = rebuilding.rebuilt;
    else
        nv_rollback(store);
    nv_merge_done(&rebuilding.merge);
    nv_record_done(&rebuilding.derived);
    nv_op_places_done(&rebuilding.places);
    nv_buffer_done(&rebuilding.key);
    return status;
}
