/* What was taken away shall not stand on in the write-ahead log: store/care.h. */
#include "base/catalogue.h"
#include "store/care.h"
#include "store/internal.h"

enum nv_status nv_store_trim(struct nv_store *store, struct nv_error *error)
{
    if (!store->owes_trim)
        return NV_OK;
    sqlite3_busy_handler(store->db, NULL, NULL); /* who reads just now is not waited for */
    int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_handler(store->db, nv_wait_a_little, NULL);
    enum nv_status status = nv_db_fail(store->db, result, _("emptying the write-ahead log"), error);
    store->owes_trim = status != NV_OK;
    return status == NV_BUSY || status == NV_FULL ? NV_OK : status; /* the next call will do */
}
