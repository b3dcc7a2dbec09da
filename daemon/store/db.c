#include "store/db.h"

#include <stdarg.h>

#include "base/catalogue.h"

static enum nv_status status_of(int result)
{
    if (result == SQLITE_IOERR_NOMEM) /* its files were told of no memory */
        return NV_NO_MEMORY;
    /* Of a full disk SQLite says so, but where it cannot make the WAL's index longer, or anew at the start. */
    if (result == SQLITE_IOERR_SHMSIZE)
        return NV_FULL;
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return NV_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_ABORT: /* a trigger rolled the transaction back: nv_row_insert and the others see to it */
        return NV_BUSY;
    case SQLITE_FULL:
        return NV_FULL;
    case SQLITE_NOMEM:
        return NV_NO_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return NV_CORRUPT;
    case SQLITE_CONSTRAINT:
    case SQLITE_AUTH:
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return NV_REFUSED;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return NV_BUG;
    default:
        return NV_IO;
    }
}

enum nv_status nv_db_fail(sqlite3 *db, int result, const char *doing, struct nv_error *error)
{
    enum nv_status status = status_of(result);
    if (status == NV_OK)
        return NV_OK;
    const char *says = db != NULL && sqlite3_errcode(db) != SQLITE_OK ? sqlite3_errmsg(db) : sqlite3_errstr(result);
    if (status == NV_BUSY)
        return nv_fail(error, status, "%s: %s: another program holds the store; try again", doing, says);
    if (status == NV_FULL)
        return nv_fail(error, status, "%s: %s: the disk is full and nothing was changed; make room", doing, says);
    if (status == NV_CORRUPT)
        return nv_fail(error, status,
                       "%s: %s: the store file is damaged; run `navette verify` and `navette rebuild`, or restore a "
                       "backup",
                       doing, says);
    return nv_fail(error, status, "%s: %s", doing, says);
}

enum nv_status nv_db_exec(sqlite3 *db, const char *sql, struct nv_error *error)
{
    return nv_db_fail(db, sqlite3_exec(db, sql, NULL, NULL, NULL), _("store"), error);
}

enum nv_status nv_db_execf(sqlite3 *db, struct nv_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sql == NULL)
        return nv_fail(error, NV_NO_MEMORY, "store: out of memory");
    enum nv_status status = nv_db_exec(db, sql, error);
    sqlite3_free(sql);
    return status;
}

sqlite3_stmt *nv_db_prepare(sqlite3 *db, const char *sql, struct nv_error *error)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (result != SQLITE_OK) {
        nv_db_fail(db, result, _("store"), error);
        return NULL;
    }
    return statement;
}

sqlite3_stmt *nv_db_preparef(sqlite3 *db, struct nv_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sql == NULL) {
        nv_fail(error, NV_NO_MEMORY, "store: out of memory");
        return NULL;
    }
    sqlite3_stmt *statement = nv_db_prepare(db, sql, error);
    sqlite3_free(sql);
    return statement;
}

enum nv_status nv_db_step(sqlite3_stmt *statement, bool *ret_row, struct nv_error *error)
{
    int result = sqlite3_step(statement);
    *ret_row = result == SQLITE_ROW;
    if (result == SQLITE_ROW)
        return NV_OK;
    enum nv_status status = nv_db_fail(sqlite3_db_handle(statement), result, _("store"), error);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_db_run(sqlite3_stmt *statement, struct nv_error *error)
{
    bool row;
    enum nv_status status;
    do
        status = nv_db_step(statement, &row, error);
    while (status == NV_OK && row);
    return status;
}

enum nv_status nv_db_integer(sqlite3 *db, const char *sql, int64_t otherwise, int64_t *ret_value,
                             struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(db, sql, error);
    if (statement == NULL)
        return error == NULL ? NV_IO : error->status;
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK)
        *ret_value =
            row && sqlite3_column_type(statement, 0) != SQLITE_NULL ? sqlite3_column_int64(statement, 0) : otherwise;
    sqlite3_finalize(statement);
    return status;
}

void nv_db_bind_slice(sqlite3_stmt *statement, int place, struct nv_slice bytes)
{
    sqlite3_bind_blob64(statement, place, bytes.size == 0 ? (const void *)"" : bytes.data, bytes.size, SQLITE_STATIC);
}

struct nv_slice nv_db_blob(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    return (struct nv_slice){.data = data, .size = (size_t)sqlite3_column_bytes(statement, column)};
}

void nv_db_bind_value(sqlite3_stmt *statement, int place, const struct nv_value *value)
{
    const char *bytes = value->type >= NV_TEXT && value->bytes.size > 0 ? (const char *)value->bytes.data : "";
    switch (value->type) {
    case NV_NULL:
        sqlite3_bind_null(statement, place);
        break;
    case NV_INTEGER:
        sqlite3_bind_int64(statement, place, value->integer);
        break;
    case NV_REAL:
        sqlite3_bind_double(statement, place, value->real);
        break;
    case NV_TEXT:
        sqlite3_bind_text64(statement, place, bytes, value->bytes.size, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case NV_BLOB:
        sqlite3_bind_blob64(statement, place, bytes, value->bytes.size, SQLITE_STATIC);
        break;
    }
}

struct nv_value nv_db_value(sqlite3_stmt *statement, int column)
{
    struct nv_value value = {.type = NV_NULL};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        value = (struct nv_value){.type = NV_INTEGER, .integer = sqlite3_column_int64(statement, column)};
        break;
    case SQLITE_FLOAT:
        value = (struct nv_value){.type = NV_REAL, .real = sqlite3_column_double(statement, column)};
        break;
    case SQLITE_TEXT:
        value.type = NV_TEXT;
        value.bytes.data = sqlite3_column_text(statement, column);
        value.bytes.size = (size_t)sqlite3_column_bytes(statement, column);
        break;
    case SQLITE_BLOB:
        value.type = NV_BLOB;
        value.bytes = nv_db_blob(statement, column);
        break;
    default:
        break;
    }
    return value;
}
