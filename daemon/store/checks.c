/* Whether a value is one that its column's CHECKs take: asked of SQLite itself. */
#include "store/published.h"

enum nv_status nv_check_accepts(struct nv_store *store, const struct nv_table *table, unsigned field,
                                const struct nv_value *value, bool *ret_accepts, struct nv_error *error)
{
    sqlite3_stmt *statement;
    enum nv_status status = nv_published_check(store, table, field, &statement, error);
    if (status != NV_OK)
        return status;
    nv_db_bind_value(statement, 1, value);
    int result = sqlite3_step(statement);
    *ret_accepts = result == SQLITE_DONE;
    if (result != SQLITE_DONE && (result & 0xff) != SQLITE_CONSTRAINT)
        status = nv_db_fail(sqlite3_db_handle(statement), result, table->name, error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); /* it must not go on pointing to the value */
    return status;
}
