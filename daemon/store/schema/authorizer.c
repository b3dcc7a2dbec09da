#include "store/schema/authorizer.h"

#include <string.h>

#include "store/db.h"

static bool is_main(const char *schema)
{
    return schema != NULL && strcmp(schema, "main") == 0;
}

static bool is_ours(const char *name)
{
    return name == NULL || sqlite3_strnicmp(name, "navette_", 8) == 0;
}

static bool is_manifest(const char *name, const char *schema)
{
    return schema != NULL && strcmp(schema, "temp") == 0 &&
           (sqlite3_stricmp(name, "navette_table") == 0 || sqlite3_stricmp(name, "navette_column") == 0);
}

/* SQLite asks once for every action that a statement means, its own bookkeeping included. */
static int authorize(void *context, int action, const char *first, const char *second, const char *schema,
                     const char *inner)
{
    (void)context;
    (void)inner;
    bool is_allowed = false;
    switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VIEW:
        is_allowed = is_main(schema) && !is_ours(first);
        break;
    case SQLITE_CREATE_INDEX:
        is_allowed = is_main(schema) && !is_ours(first) && !is_ours(second);
        break;
    case SQLITE_ALTER_TABLE:
        is_allowed = is_main(first) && !is_ours(second);
        break;
    case SQLITE_INSERT:
        is_allowed = is_manifest(first, schema) || (is_main(schema) && strcmp(first, "sqlite_master") == 0);
        break;
    case SQLITE_UPDATE:
        is_allowed = is_main(schema) && strcmp(first, "sqlite_master") == 0;
        break;
    case SQLITE_PRAGMA: /* ADD COLUMN looks whether the rows that are there accept it */
        is_allowed = is_main(schema) && strcmp(first, "quick_check") == 0;
        break;
    case SQLITE_REINDEX:
        is_allowed = is_main(schema);
        break;
    case SQLITE_READ:
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
        is_allowed = true;
        break;
    default:
        break;
    }
    return is_allowed ? SQLITE_OK : SQLITE_DENY;
}

enum nv_status nv_run_authorized(sqlite3 *db, const char *sql, struct nv_error *error)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_set_authorizer(db, authorize, NULL);
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    while (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
        result = SQLITE_OK;
    enum nv_status status = nv_db_fail(db, result, "SQL", error);
    sqlite3_finalize(statement);
    sqlite3_set_authorizer(db, NULL, NULL);
    return status;
}
