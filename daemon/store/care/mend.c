#include "store/care/mend.h"

#include "store/merge/derive.h"
#include "store/merge/namesakes.h"

/* Whether no namesake of the record, which is written without its row, has that. One that cannot be read is mended
 * next. */
static enum nv_status is_row_free(struct nv_store *store, const struct nv_table *table, struct nv_record_name name,
                                  bool *ret_free, struct nv_error *error)
{
    struct nv_merge merge;
    bool found;
    nv_merge_init(&merge, store, (struct nv_wall_ms){0}, NULL);
    merge.scope = name.scope;
    enum nv_status status = table->has_scopes ? nv_namesakes_load(&merge, table, name.key, &found, error) : NV_OK;
    *ret_free = merge.row_scope == 0;
    nv_merge_done(&merge);
    return status == NV_CORRUPT ? NV_OK : status;
}

/* From the log alone. The row stays as it is, and is looked at as one that may have been written since. */
static enum nv_status mend_version(struct nv_merge *merge, const struct nv_table *table, struct nv_record_name name,
                                   struct nv_error *error)
{
    struct nv_store *store = merge->store;
    struct nv_op_places places = {0};
    struct nv_version *version = &merge->version;
    bool is_free = false;
    nv_version_clear(version);
    nv_arena_reset(&merge->arena);
    enum nv_status status = nv_op_places_find(store, name, &places, error);
    if (status == NV_OK)
        status = nv_derive(merge, table, &places, &version->record, error);
    if (status == NV_OK)
        status = nv_version_write(store, name, version, error);
    if (status == NV_OK)
        status = is_row_free(store, table, name, &is_free, error);
    version->has_row = is_free && nv_record_shown(&version->record);
    version->row_fields = (unsigned)table->field_count;
    if (status == NV_OK)
        status = nv_version_write(store, name, version, error);
    nv_op_places_done(&places);
    return status;
}

enum nv_status nv_mend_unreadable(struct nv_store *store, struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_merge merge;
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    nv_merge_init(&merge, store, now, NULL);
    merge.is_silent = true;
    sqlite3_stmt *versions = nv_db_prepare(store->db, "SELECT tbl, key, scope, version FROM navette_version", error);
    bool more = versions != NULL;
    if (versions == NULL)
        status = error->status;
    while (status == NV_OK && more) {
        status = nv_db_step(versions, &more, error);
        const struct nv_table_access *access =
            more ? nv_access(store, (uint32_t)sqlite3_column_int64(versions, 0)) : NULL;
        if (status != NV_OK || access == NULL)
            continue;
        struct nv_record_name name = {access->table->number, nv_db_blob(versions, 1),
                                      (nv_scope_number)sqlite3_column_int64(versions, 2)};
        status = nv_version_decode(store, nv_db_blob(versions, 3), &merge.version, error);
        if (status == NV_CORRUPT)
            status = mend_version(&merge, access->table, name, error);
    }
    sqlite3_finalize(versions);
    nv_merge_done(&merge);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}
