/* What an import makes and changes is noted, so that it can be taken back: client/import/undo.c. */
#include <string.h>

#include "base/clock.h"
#include "client/import/import.h"
#include "client/import/limits.h"
#include "store/db.h"

static sqlite3 *db_of(const struct nv_import *import)
{
    return nv_store_db(import->store);
}

static bool prepare(struct nv_import *import, struct nv_error *error)
{
    sqlite3 *db = db_of(import);
    import->note_record =
        nv_db_prepare(db, "INSERT INTO navette_import_record(import, key, made) VALUES (?1, ?2, ?3)", error);
    if (import->note_record != NULL)
        import->note_cell = nv_db_prepare(
            db, "INSERT INTO navette_import_cell(import, key, field, old, new) VALUES (?1, ?2, ?3, ?4, ?5)", error);
    if (import->note_cell != NULL)
        import->seen = nv_db_prepare(db, "SELECT line FROM temp.navette_seen WHERE key = ?1", error);
    if (import->seen != NULL)
        import->see = nv_db_prepare(db, "INSERT INTO temp.navette_seen(key, line) VALUES (?1, ?2)", error);
    return import->see != NULL;
}

enum nv_status nv_import_note_begin(struct nv_import *import, const char *path, struct nv_error *error)
{
    const char *slash = strrchr(path, '/');
    enum nv_status status = nv_db_exec(
        db_of(import), "CREATE TEMP TABLE navette_seen(key BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID", error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt *begin =
        nv_db_prepare(db_of(import), "INSERT INTO navette_import(tbl, at_ms, file) VALUES (?1, ?2, ?3)", error);
    if (begin == NULL)
        return error->status;
    sqlite3_bind_int64(begin, 1, import->mapping.sheet.table->number);
    sqlite3_bind_int64(begin, 2, nv_wall_now().ms);
    sqlite3_bind_text(begin, 3, slash == NULL ? path : slash + 1, -1, SQLITE_STATIC);
    status = nv_db_run(begin, error);
    sqlite3_finalize(begin);
    import->number = sqlite3_last_insert_rowid(db_of(import));
    return status != NV_OK || prepare(import, error) ? status : error->status;
}

/* Those that are too many or too old go. */
static enum nv_status tidy(sqlite3 *db, struct nv_error *error)
{
    int64_t oldest_ms = nv_wall_now().ms - (int64_t)NV_IMPORT_UNDOABLE_DAYS * 24 * 3600 * 1000;
    return nv_db_execf(db, error,
                       "DELETE FROM navette_import WHERE at_ms < %lld OR number NOT IN "
                       "(SELECT number FROM navette_import ORDER BY number DESC LIMIT %d);"
                       "DELETE FROM navette_import_record WHERE import NOT IN (SELECT number FROM navette_import);"
                       "DELETE FROM navette_import_cell WHERE import NOT IN (SELECT number FROM navette_import);",
                       (long long)oldest_ms, NV_IMPORT_UNDOABLE);
}

enum nv_status nv_import_note_end(struct nv_import *import, struct nv_error *error)
{
    const struct nv_report *report = &import->report;
    enum nv_status status = nv_db_execf(
        db_of(import), error,
        "UPDATE navette_import SET created = %lld, changed = %lld WHERE number = %lld;"
        "DELETE FROM navette_import WHERE number = %lld AND created = 0 AND changed = 0;",
        (long long)report->created, (long long)report->changed, (long long)import->number, (long long)import->number);
    return status == NV_OK ? tidy(db_of(import), error) : status;
}
