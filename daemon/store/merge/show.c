/* The row of a record, made what its version says: the value that each field shows, and the conflicts. */
#include "store/merge/merge.h"

#include "base/planted.h"
#include "store/merge/conflicts.h"
#include "store/merge/gather.h"
#include "store/merge/namesakes.h"
#include "store/schema/published.h"

/* Mostly the value that the op at hand just gave it. */
enum nv_status nv_merge_shown(struct nv_merge *merge, const struct nv_table *table, unsigned field,
                              struct nv_value *ret_value, struct nv_error *error)
{
    const struct nv_record *record = &merge->version.record;
    const struct nv_sibling *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < record->sibling_count; i++) {
        if ((record->siblings[i].fields >> field & 1) == 0)
            continue;
        only = &record->siblings[i];
        count++;
    }
    if ((count == 1 || (count > 1 && NV_PLANTED(SHOWN_BY_ARRIVAL))) && merge->op != NULL &&
        nv_dot_compare(only->dot, merge->dot) == 0) {
        *ret_value = *nv_op_value(merge->op, field);
        return NV_OK;
    }
    if (count == 0)
        return nv_published_default(merge->store, table, field, &merge->arena, ret_value, error);
    return nv_gather_shown(merge->store, table, record, field, &merge->arena, ret_value, error);
}

static enum nv_status insert_row(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                 struct nv_error *error)
{
    struct nv_value values[NV_LIMIT_FIELDS];
    for (unsigned field = 0; field < access->table->field_count; field++) {
        enum nv_status status = nv_merge_shown(merge, access->table, field, &values[field], error);
        if (status != NV_OK)
            return status;
    }
    bool clash;
    enum nv_status status =
        nv_row_insert(merge->store, access, key, nv_all_fields(access->table), values, &clash, error);
    if (status == NV_OK && clash)
        return nv_fail(error, NV_REFUSED,
                       "table %s: a row cannot be written because of a UNIQUE index that is not in the network's "
                       "schema: drop that index",
                       access->table->name);
    /* Read back: the values must not go on pointing into the log. */
    return status == NV_OK ? nv_row_read(merge->store, access, key, &merge->row, error) : status;
}

static enum nv_status update_row(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                 nv_fields touched, nv_fields *ret_changed, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (unsigned field = 0; status == NV_OK && field < access->table->field_count; field++) {
        if (touched >> field & 1) {
            struct nv_value value;
            status = nv_merge_shown(merge, access->table, field, &value, error);
            if (status == NV_OK && !nv_value_equal(&value, &merge->row.values[field])) {
                merge->row.values[field] = value;
                *ret_changed |= (nv_fields)1 << field;
            }
        }
    }
    if (status == NV_OK && *ret_changed != 0)
        status = nv_row_update(merge->store, access, key, *ret_changed, merge->row.values, error);
    return status;
}

enum nv_status nv_merge_write_version(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                      struct nv_error *error)
{
    struct nv_record_name name = nv_merge_name(merge, access->table->number, key);
    enum nv_status status =
        nv_conflicts_write(merge->store, access->table, name, &merge->version, &merge->arena, error);
    return status == NV_OK ? nv_version_write(merge->store, name, &merge->version, error) : status;
}

enum nv_status nv_merge_write_row(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                                  bool in_row, nv_fields touched, nv_fields *ret_changed, struct nv_error *error)
{
    struct nv_version *version = &merge->version;
    enum nv_status status = NV_OK;
    *ret_changed = 0;
    if (in_row && merge->row.there) {
        status = update_row(merge, access, key, touched, ret_changed, error);
    } else if (in_row) {
        *ret_changed = nv_all_fields(access->table);
        status = insert_row(merge, access, key, error);
    } else if (merge->row.there) {
        merge->row.there = false;
        status = nv_row_erase(merge->store, access, key, error);
    }
    if (status != NV_OK)
        return status;
    version->has_row = in_row;
    if (in_row) {
        version->row_fields = (unsigned)access->table->field_count;
        status = nv_row_digest(merge->store, merge->row.values, version->row_fields, &merge->bytes,
                               &version->row_digest, error);
    }
    return status == NV_OK ? nv_merge_write_version(merge, access, key, error) : status;
}

enum nv_status nv_merge_show(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                             nv_fields touched, nv_fields *ret_changed, struct nv_error *error)
{
    if (merge->namesakes.count > 0)
        return nv_namesakes_show(merge, access, key, touched, ret_changed, error);
    bool is_shown = nv_record_shown(&merge->version.record);
    enum nv_status status = nv_merge_write_row(merge, access, key, is_shown, touched, ret_changed, error);
    merge->row_scope = is_shown ? merge->scope : 0;
    return status;
}
