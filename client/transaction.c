#include "client/transaction.h"

#include "store/db.h"

enum nv_status nv_transaction_begin(struct nv_store *store, struct nv_error *error)
{
    return nv_db_exec(nv_store_db(store), "BEGIN IMMEDIATE", error);
}

enum nv_status nv_transaction_end(struct nv_store *store, enum nv_status status, struct nv_error *error)
{
    sqlite3 *db = nv_store_db(store);
    if (status == NV_OK)
        status = nv_db_exec(db, "COMMIT", error);
    if (status != NV_OK && sqlite3_get_autocommit(db) == 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
